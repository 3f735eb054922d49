// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;

// The names of the rows and of their options, which this file does not know.
std::string filled(std::string text) {
  const auto put = [&](const std::string& place, const std::vector<std::string>& words) {
    const auto at = text.find(place);
    if (at != std::string::npos) text.replace(at, place.size(), base::join(words, ", "));
  };
  for (const auto& [family, table] :
       {std::pair("samplers", &sampler_algorithms()), {"policies", &policy_algorithms()}}) {
    std::vector<std::string> names, options;
    for (const AlgorithmInfo& info : *table) {
      names.emplace_back(info.name);
      for (const OptionInfo& option : info.options)
        if (std::find(options.begin(), options.end(), option.name) == options.end())
          options.emplace_back(option.name);
    }
    put("<" + std::string(family) + ">", names);
    put("<options of " + std::string(family) + ">", options);
  }
  return text;
}

TEST_CASE("A file gets all its problems at once, in the order of its lines") {
  CHECK(
      told(R"(sampling:
  type: Randm
  parameter_spaces: []
  parameter_space:
  - name: --penalty
    expression: choose
    values: [0.5, 1, 1.5]
  - name: penalty
    expression: loguniform
    value: [0.001, 0.1]
  - {name: units, expression: quniform, values: [1, 10]}
  - [1]
policy:
  type: MedianStopingPolicy
  evaluation_interval: -1
  slack_factor: "0.2"
  slck: 1
primary_metric_nam: Accuracy
primary_metric_goal: maximise
max_total_runs: 0
max_total_runs: 5
max_concurrent_runs: 99999999999999999999999999
slack_factor: 3
seed: -1
name: 5
append_parameters: yes
)") ==
      filled(
          R"(hdconfig.yml:2:9: unknown sampling type "Randm"; allowed: <samplers>; did you mean "random"? (see: hdrive list-algorithms)
hdconfig.yml:3:3: unknown key "parameter_spaces" in "sampling"; allowed: type, parameter_space, <options of samplers>; did you mean "parameter_space"?
hdconfig.yml:6:17: unknown expression "choose"; allowed: choice, randint, uniform, quniform, loguniform, qloguniform, normal, qnormal, lognormal, qlognormal, log_uniform_values, q_log_uniform_values, int_uniform, int_log_uniform; did you mean "choice"?
hdconfig.yml:8:11: the parameter "penalty" is defined twice; it stands on line 5 already
hdconfig.yml:10:5: unknown key "value" in this parameter; allowed: name, expression, values; did you mean "values"?
hdconfig.yml:11:49: quniform takes 3 values (min_value, max_value, q), not 2; write [min_value, max_value, q]
hdconfig.yml:12:5: a parameter is a list; allowed: a mapping with name, expression and values
hdconfig.yml:14:9: unknown policy type "MedianStopingPolicy"; allowed: <policies>; did you mean "MedianStoppingPolicy"? (see: hdrive list-algorithms)
hdconfig.yml:15:24: "evaluation_interval" is the integer -1; allowed: an integer of at least 0
hdconfig.yml:16:17: "slack_factor" is the text "0.2"; allowed: a number of at least 0
hdconfig.yml:17:3: unknown key "slck" in "policy"; allowed: type, <options of policies>
hdconfig.yml:18:1: unknown key "primary_metric_nam"; did you mean "primary_metric_name"?
hdconfig.yml:19:22: unknown primary_metric_goal "maximise"; allowed: Maximize, Minimize; did you mean "Maximize"?
hdconfig.yml:20:17: "max_total_runs" is the integer 0; allowed: an integer from 1 to 1000000000
hdconfig.yml:21:1: duplicate key "max_total_runs"; it stands on line 20 already
hdconfig.yml:22:22: "max_concurrent_runs" is the integer 99999999999999999999999999; allowed: an integer from 1 to 1000000, or auto
hdconfig.yml:23:1: unknown key "slack_factor"; it belongs under "policy"
hdconfig.yml:24:7: "seed" is the integer -1; allowed: an integer from 0 to 18446744073709551615
hdconfig.yml:25:7: "name" is the integer 5; allowed: text; in quotes it would be text
hdconfig.yml:26:20: "append_parameters" is the text "yes"; allowed: true or false; did you mean true?
)"));
}

TEST_CASE("Missing keys are all named") {
  CHECK(told("policy: {}\nsampling: {}\n") ==
        R"(hdconfig.yml:1:1: key "primary_metric_name" is missing; it takes text
hdconfig.yml:1:1: key "primary_metric_goal" is missing; it takes Maximize or Minimize
hdconfig.yml:1:1: key "max_total_runs" is missing; it takes an integer from 1 to 1000000000
hdconfig.yml:1:1: key "type" is missing in "policy"; it takes the name of a policy
hdconfig.yml:2:1: key "type" is missing in "sampling"; it takes the name of a sampler
hdconfig.yml:2:1: key "parameter_space" is missing in "sampling"; it takes a list of parameters, each with name, expression and values
)");
}

struct Case {
  std::string_view lines;    // from line 9 of a sound file
  std::string_view message;  // without "hdconfig.yml:"
};

TEST_CASE("Each wrong value says where it stands and what is allowed") {
  const Case cases[] = {
      {"max_duration_minutes: 0",
       "9:23: \"max_duration_minutes\" is the integer 0; allowed: a number above 0, at most "
       "52560000"},
      {"max_duration_minutes: 1e30",
       "9:23: \"max_duration_minutes\" is the number 1e30; allowed: a number above 0, at most "
       "52560000"},
      {"max_duration_minutes: .nan",
       "9:23: \"max_duration_minutes\" is the number .nan; allowed: a number above 0, at most "
       "52560000"},
      {"max_run_duration_seconds: .inf",
       "9:27: \"max_run_duration_seconds\" is the number .inf; allowed: a number above 0, at most "
       "3153600000"},
      {"cancel_grace_seconds: -1",
       "9:23: \"cancel_grace_seconds\" is the integer -1; allowed: a number from 0 to 86400"},
      {"max_lost_retries: 1.5",
       "9:19: \"max_lost_retries\" is the number 1.5; allowed: an integer from 0 to 1000"},
      {"seed: 18446744073709551616",
       "9:7: \"seed\" is the integer 18446744073709551616; allowed: an integer from 0 to "
       "18446744073709551615"},
      {"seed: ten",
       "9:7: \"seed\" is the text \"ten\"; allowed: an integer from 0 to "
       "18446744073709551615"},
      {"seed:", "9:1: \"seed\" is empty; allowed: an integer from 0 to 18446744073709551615"},
      {"name: ''", "9:7: \"name\" is an empty text; allowed: text"},
      {"name: last",
       "9:7: \"name\" is \"last\"; allowed: any other word, since this one stands "
       "for the newest sweep"},
      {"name: \"a\\nb\"",
       "9:7: \"name\" is \"a\\nb\"; allowed: text without slashes and control "
       "characters"},
      {"experiment_name: [a]", "9:18: \"experiment_name\" is a list; allowed: text"},
      {"experiment_name: \"\\0\"",
       "9:18: \"experiment_name\" is the text \"\\u0000\"; allowed: text without zero bytes"},
      {"stop_when_all_fail: off",
       "9:21: \"stop_when_all_fail\" is the text \"off\"; allowed: true "
       "or false; did you mean false?"},
      {"on_end: []",
       "9:9: \"on_end\" is an empty list; allowed: a list of words, or one text for `sh -c`"},
      {"on_run_end: [notify, {a: 1}]",
       "9:22: a word of \"on_run_end\" is a mapping; allowed: text (an empty one is written \"\")"},
      {"repeat_best: 5",
       "9:14: \"repeat_best\" is the integer 5; allowed: RUNSxTIMES, such as 3x5; "
       "in quotes it would be text"},
      {"repeat_best: 3x0",
       "9:14: \"repeat_best\" is the text \"3x0\"; allowed: how many of the best parameter sets, "
       "and how "
       "often each, each from 1 to 10000, such as 3x5"},
      {"stop_at: .inf", "9:10: \"stop_at\" is the number .inf; allowed: a finite number"},
      {"stop_when_all_fail: 1",
       "9:21: \"stop_when_all_fail\" is the integer 1; allowed: true or false"},
      {"source_directory: src",
       "9:19: warning: \"source_directory\" is \"src\", but \"/nowhere/src\" is not a directory; "
       "allowed: one that exists"},
      {"environment_variables: [A]",
       "9:24: \"environment_variables\" is a list; allowed: a mapping of names to texts"},
      {"environment_variables: {A: [1]}",
       "9:28: the environment variable \"A\" is a list; allowed: text (an empty one is written "
       "\"\")"},
      {"environment_variables: {A=B: 1}",
       "9:25: \"A=B\" cannot be the name of an environment "
       "variable; allowed: text without \"=\""},
      {"environment_variables: {HDRIVE_RUN_ID: 1}",
       "9:25: warning: the environment variable \"HDRIVE_RUN_ID\" is set by hdrive itself; this "
       "value is not used"},
      {"metric_patterns: [1]",
       "9:19: a metric pattern is the integer 1; allowed: a regular "
       "expression as text"},
      {"policy: bandit",
       "9:9: \"policy\" is the text \"bandit\"; allowed: a mapping with type and "
       "the policy's options"},
      {"policy: {type: 5}",
       "9:16: \"type\" is the integer 5; allowed: the name of a policy; in "
       "quotes it would be text"},
      {"policy: {type: bandit}",
       "9:1: bandit has neither slack_factor nor slack_amount; give one of them: a fraction of the "
       "best value (slack_factor: 0.1), or an amount in the metric's unit"},
      {"policy: {type: bandit, slack_factor: 0.1, slack_amount: 1}",
       "9:1: bandit has both slack_factor and slack_amount; give only one of them: a fraction of "
       "the best value (slack_factor: 0.1), or an amount in the metric's unit"},
      {"policy: {type: median_stopping, slack_factor: 0.1}",
       "9:33: unknown key \"slack_factor\" in \"policy\" of type median_stopping; allowed: type, "
       "evaluation_interval, delay_evaluation"},
      {"policy: {type: TruncationSelectionPolicy}",
       "9:1: key \"truncation_percentage\" is missing in \"policy\" of type truncation_selection; "
       "it takes an integer from 1 to 99"},
      {"policy: {type: TruncationSelectionPolicy, truncation_percentage: 100}",
       "9:66: \"truncation_percentage\" is the integer 100; allowed: an integer from 1 to 99"},
      {"policy: {type: bandit, slack_amount: 1, seed: 1}",
       "9:41: unknown key \"seed\" in \"policy\" of type bandit; it belongs at the top level"},
      {"max_concurrent_trials: 2",
       "9:1: unknown key \"max_concurrent_trials\"; did you mean \"max_concurrent_runs\"?"},
      {"command: []",
       "9:10: \"command\" is an empty list; allowed: a list of words, or one text "
       "that is split into words as a shell would"},
      {"command: 5",
       "9:10: \"command\" is the integer 5; allowed: a list of words, or one text "
       "that is split into words as a shell would"},
      {"gpus: 2",
       "9:7: \"gpus\" is the integer 2; allowed: auto, or a list of GPU numbers such as [0, 1, 3]"},
      {"gpus: [0, -1]",
       "9:11: a GPU is the integer -1; allowed: its number from 0, or its name as nvidia-smi -L "
       "gives it"},
      {"gpus: [0, 1, 0]", "9:14: GPU 0 is listed twice"},
      {"gpus_per_run: 1.5",
       "9:15: \"gpus_per_run\" is the number 1.5; allowed: a whole number of GPUs, or a part of "
       "one "
       "below 1"},
      {"command: ' '", "9:10: \"command\" is the text \" \"; allowed: a program and its arguments"},
      {"command: python 'train.py",
       "9:10: \"command\": a ' is never closed; add the closing quote"},
      {"command: [python, [train.py]]",
       "9:19: a word of \"command\" is a list; allowed: text (an empty one is written \"\")"},
  };
  for (const Case& one : cases) {
    INFO(one.lines);
    CHECK(told(around(one.lines)) == "hdconfig.yml:" + std::string(one.message) + "\n");
  }
}

TEST_CASE("The limits of a v2 job are told the keys that they are here") {
  const std::string expected =
      "unknown key \"limits\"; it is of v2 jobs; here its members are keys of their own: "
      "max_total_trials is \"max_total_runs\", max_concurrent_trials \"max_concurrent_runs\"";
  CHECK_THAT(told(around("limits: {max_total_trials: 3}")), Catch::Contains("9:1: " + expected));
  ConfigOverrides set = no_command();
  set.set = {{"limits.timeout", "60"}};
  CHECK_THAT(told(around(""), set), Catch::Contains("--set limits.timeout: " + expected));
}

TEST_CASE("A missing source directory is an error only where runs are to start in it") {
  const std::string text = around("source_directory: src\ncommand: t\n");
  CHECK(parse(text, no_command()).ok());
  ConfigOverrides overrides;
  overrides.needs_files = true;
  CHECK(told(text, overrides) ==
        "hdconfig.yml:9:19: \"source_directory\" is \"src\", but \"/nowhere/src\" is not a "
        "directory; allowed: one that exists\n");
}

TEST_CASE("A metric pattern that is no regular expression is refused with the reason") {
  const std::string text = told(around("metric_patterns: ['(', 'loss (.*)']"));
  CHECK(text.starts_with("hdconfig.yml:9:19: the metric pattern \"(\" cannot be used: "));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("Bayesian sampling is taken in HyperDrive's spelling and with its options") {
  for (const std::string type : {"bayesian", "BayesianParameterSampling", "BAYESIAN"})
    CHECK(told("sampling:\n  type: " + type +
               "\n  initial_points: 5\n  noise: false\n"
               "  parameter_space: [{name: x, expression: uniform, values: [0, 1]}]\n"
               "primary_metric_name: loss\nprimary_metric_goal: minimize\nmax_total_runs: 20\n")
              .empty());
}

TEST_CASE("A budget far too small for a sampler is doubted where it stands") {
  const auto text = [](const std::string& type, int runs) {
    return told("sampling:\n  type: " + type +
                "\n  parameter_space:\n  - {name: x, expression: uniform, values: [0, 1]}\n"
                "  - {name: y, expression: uniform, values: [0, 1]}\n"
                "primary_metric_name: loss\nprimary_metric_goal: minimize\nmax_total_runs: " +
                std::to_string(runs) + "\n");
  };
  CHECK(text("bayesian", 39) ==
        "hdconfig.yml:8:1: warning: 39 runs are few for bayesian sampling of 2 parameters; "
        "recommended: at least 20 runs a parameter, which is 40\n");
  CHECK(text("bayesian", 40).empty());
  CHECK(text("random", 1).empty());
}

TEST_CASE("A grid over anything but choices is refused where sampling stands") {
  const std::string text = told(
      "sampling:\n  type: grid\n  parameter_space:\n"
      "  - {name: x, expression: uniform, values: [0, 1]}\n"
      "primary_metric_name: loss\nprimary_metric_goal: minimize\nmax_total_runs: 3\n");
  CHECK(text.starts_with("hdconfig.yml:1:1: grid sampling takes choice only"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("Goals spelt in other ways are understood well enough to help") {
  const auto goal = [](const std::string& word) {
    return told(
        "sampling: {type: random, parameter_space: [{name: x, expression: uniform, values: "
        "[0, 1]}]}\nprimary_metric_name: loss\nmax_total_runs: 3\nprimary_metric_goal: " +
        word + "\n");
  };
  CHECK(goal("min") ==
        "hdconfig.yml:4:22: unknown primary_metric_goal \"min\"; allowed: Maximize, "
        "Minimize; did you mean \"Minimize\"?\n");
  CHECK(
      goal("upwards") ==
      "hdconfig.yml:4:22: unknown primary_metric_goal \"upwards\"; allowed: Maximize, Minimize\n");
}

TEST_CASE("A sweep goes to targets by their names") {
  CHECK(parse(around("target: cluster\n")).spec.targets == std::vector<std::string>{"cluster"});
  CHECK(parse(around("target: [workstation, local]\n")).spec.targets ==
        std::vector<std::string>{"workstation", "local"});
  CHECK(parse(around("target: local\n")).spec.targets.empty());
  CHECK(told(around("target: [a, a]\n")) == "hdconfig.yml:9:9: the target \"a\" is listed twice\n");
  CHECK(told(around("compute_target: a\n")) ==
        "hdconfig.yml:9:1: unknown key \"compute_target\"; did you mean \"target\"?\n");
}

TEST_CASE("What a run asks for is said once, in resources or by the keys of this machine") {
  const LoadedConfig loaded = parse(around(
      "resources: {cpus: 4, gpus: 2, memory: 16 GB, nodes: 2, processes_per_node: 8, time: 2h}\n"));
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.cpus_per_run == 4);
  CHECK(loaded.spec.gpus_per_run == 2);
  CHECK(loaded.spec.gpus == std::vector<std::string>{"auto"});
  CHECK(loaded.spec.memory_per_run == 16'000'000'000);
  CHECK(loaded.spec.nodes_per_run == 2);
  CHECK(loaded.spec.processes_per_node == 8);
  CHECK(loaded.spec.max_run_duration == std::chrono::hours(2));
  CHECK(parse(to_hdconfig(loaded.spec)).spec == loaded.spec);

  CHECK(parse(around("resources: {gpus: 1}\ngpus: [3]\n")).spec.gpus ==
        std::vector<std::string>{"3"});
  CHECK(told(around("resources: {cpus: 2}\ncpus_per_run: 3\n")) ==
        "hdconfig.yml:9:13: \"cpus\" of \"resources\" and \"cpus_per_run\" say the same; allowed: "
        "one of them\n");
  CHECK(told(around("resources: {memory: 16}\n")) ==
        "hdconfig.yml:9:21: \"memory\" is the integer 16, which are 16 bytes; allowed: at least 1 "
        "MB, "
        "as bytes, or as a number with a unit: 16 GB\n");
  CHECK(told(around("resources: {memory: lots}\n")) ==
        "hdconfig.yml:9:21: \"memory\" is the text \"lots\"; allowed: bytes, or a number with a "
        "unit: 16 GB\n");
  CHECK(told(around("resources: {gpu: 1}\n")) ==
        "hdconfig.yml:9:13: unknown key \"gpu\" in \"resources\"; allowed: cpus, gpus, memory, "
        "nodes, "
        "processes_per_node, time; did you mean \"gpus\"?\n");
}

TEST_CASE(
    "Azure's variable for the time that a cancelled run has is honoured, and the key goes before "
    "it") {
  const std::string variable = "environment_variables: {AZUREML_RUN_KILL_SIGNAL_TIMEOUT_SEC: ";
  const LoadedConfig loaded = parse(around(variable + "300}\n"));
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.cancel_grace == std::chrono::seconds(300));
  CHECK(parse(to_hdconfig(loaded.spec)).spec == loaded.spec);
  const LoadedConfig both = parse(around(variable + "300}\ncancel_grace_seconds: 10\n"));
  CHECK(both.spec.cancel_grace == std::chrono::seconds(10));
  CHECK(parse(to_hdconfig(both.spec)).spec == both.spec);
  CHECK(told(around(variable + "long}\n")) ==
        "hdconfig.yml:9:62: \"AZUREML_RUN_KILL_SIGNAL_TIMEOUT_SEC\" is \"long\"; allowed: seconds "
        "from 0 to 86400\n");
}

}  // namespace
}  // namespace hdrive
