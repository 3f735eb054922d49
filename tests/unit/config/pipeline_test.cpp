// SPDX-License-Identifier: Apache-2.0
//
// Pipelines: the order of their steps, what they take from each other, what is wrong with them.
#include "hdrive/pipeline.h"

#include <fstream>

#include "base/text.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;
namespace fs = std::filesystem;
using Catch::Contains;

// A command step that takes the outputs of others.
std::string command_step(const std::string& name, const std::vector<std::string>& takes) {
  std::string text = "  " + name + ":\n    type: command\n    command: t";
  for (const std::string& other : takes) text += " ${{inputs." + other + "}}";
  text += "\n    outputs: {o: }\n";
  if (!takes.empty()) text += "    inputs:\n";
  for (const std::string& other : takes)
    text += "      " + other + ": ${{parent.jobs." + other + ".outputs.o}}\n";
  return text;
}

ConfigOverrides all_files() {
  ConfigOverrides overrides;
  overrides.needs_files = true;
  return overrides;
}

struct Loaded {
  Folder folder;
  fs::path file;
  Pipeline pipeline;

  explicit Loaded(const std::string& text) {
    file = folder.write("pipeline.yml", text);
    pipeline = load_pipeline(file, all_files());
  }
  std::string told() const { return messages(pipeline.problems); }
  std::string order() const {
    std::vector<std::string> names;
    for (const PipelineStep& step : pipeline.steps) names.push_back(step.name);
    return base::join(names, " ");
  }
};

TEST_CASE("Steps stand behind what they need, else in the order of the file") {
  const Loaded loaded("type: pipeline\njobs:\n" + command_step("d", {"b", "c"}) +
                      command_step("b", {"a"}) + command_step("z", {}) + command_step("c", {"a"}) +
                      command_step("a", {}));
  INFO(loaded.told());
  CHECK(loaded.pipeline.ok());
  CHECK(loaded.order() == "z a b c d");
  CHECK(loaded.pipeline.steps.back().needs == std::vector<std::string>{"b", "c"});
  CHECK(loaded.pipeline.steps.back().outputs == std::vector<std::string>{"o"});
  CHECK_FALSE(loaded.pipeline.steps.back().sweep);
}

TEST_CASE("Steps that need each other are told, with the way round") {
  const Loaded loaded("type: pipeline\njobs:\n" + command_step("first", {"b"}) +
                      command_step("a", {"c"}) + command_step("b", {"a"}) +
                      command_step("c", {"b"}));
  CHECK_THAT(loaded.told(), Contains("pipeline.yml:15:3: steps need each other's outputs, so that "
                                     "none can be the first: b needs a needs c needs b"));
  CHECK_THAT(Loaded("type: pipeline\njobs:\n" + command_step("a", {"a"})).told(),
             Contains("none can be the first: a needs a"));
}

TEST_CASE("What a reference names must be there") {
  const Loaded loaded(
      "type: pipeline\n"
      "inputs: {rate: 1}\n"
      "jobs:\n"
      "  a:\n"
      "    type: command\n"
      "    command: t ${{inputs.x}}\n"
      "    inputs:\n"
      "      x: ${{parent.inputs.rat}}\n"
      "      y: ${{parent.jobs.b.outputs.modl}}\n"
      "      z: ${{parent.jobs.bb.outputs.model}}\n"
      "      w: ${{parent.jobs.b}}\n"
      "    outputs: {o: \"${{parent.outputs.o}}\"}\n"
      "  b:\n"
      "    type: command\n"
      "    command: t\n"
      "    outputs: {model: }\n");
  const std::string told = loaded.told();
  CHECK_THAT(told,
             Contains("pipeline.yml:8:10: the pipeline has no input \"rat\"; allowed: rate; did "
                      "you mean \"rate\"?"));
  CHECK_THAT(told, Contains("pipeline.yml:9:10: the step \"b\" has no output \"modl\"; allowed: "
                            "model; did you mean \"model\"?"));
  CHECK_THAT(told, Contains("pipeline.yml:10:10: the pipeline has no step \"bb\"; allowed: a, b"));
  CHECK_THAT(told, Contains("pipeline.yml:11:10: unknown placeholder \"${{parent.jobs.b}}\""));
  CHECK_THAT(told, Contains("pipeline.yml:12:18: the pipeline has no output \"o\"; it has none"));
}

TEST_CASE("What is wrong with a step is told before any is run") {
  const Loaded loaded(
      "type: pipeline\n"
      "jobs:\n"
      "  s:\n"
      "    trial: {command: t}\n"
      "    search_space: {x: {type: uniform}}\n"
      "  p: {type: parallel}\n"
      "  n: 3\n"
      "compute: azureml:c\n");
  const std::string told = loaded.told();
  CHECK_THAT(told, Contains("pipeline.yml:4:5: key \"objective\" is missing"));
  CHECK_THAT(told, Contains("pipeline.yml:5:20: key \"min_value\" is missing"));
  CHECK_THAT(told, Contains("pipeline.yml:6:13: the step \"p\" is of type \"parallel\"; allowed: "
                            "command, sweep"));
  CHECK_THAT(told, Contains("pipeline.yml:7:6: the step \"n\" is the integer 3"));
  CHECK_THAT(told, Contains("pipeline.yml:8:1: warning: \"compute\" has no effect"));
  CHECK_THAT(Loaded("type: pipeline\njobs: {}\n").told(), Contains("\"jobs\" is empty"));
}

TEST_CASE("A step gets values and the outputs of those before it") {
  const Loaded loaded(
      "type: pipeline\n"
      "experiment_name: e\n"
      "inputs: {n: 3, d: {type: uri_file, path: data.csv}}\n"
      "jobs:\n"
      "  train:\n"
      "    type: sweep\n"
      "    trial: {command: \"t ${{inputs.d}} ${{inputs.x}}\"}\n"
      "    inputs:\n"
      "      d: ${{parent.inputs.d}}\n"
      "      clean: {type: uri_folder, path: \"${{parent.jobs.prepare.outputs.o}}\"}\n"
      "      note: n is ${{parent.inputs.n}}\n"
      "    search_space: {x: {type: uniform, min_value: 0, max_value: 1}}\n"
      "    sampling_algorithm: random\n"
      "    objective: {primary_metric: m, goal: maximize}\n"
      "    limits: {max_total_trials: \"${{parent.inputs.n}}\", max_concurrent_trials: 1}\n" +
      command_step("prepare", {}));
  CHECK_THAT(loaded.told(), Contains("data.csv\"), which does not exist"));
  loaded.folder.write("data.csv", "1");
  const Pipeline pipeline = load_pipeline(loaded.file, all_files());
  INFO(messages(pipeline.problems));
  REQUIRE(pipeline.ok());
  CHECK(pipeline.experiment == "e");
  REQUIRE(pipeline.steps.size() == 2);
  CHECK(pipeline.steps[1].sweep);

  fs::create_directories(loaded.folder.path() / "out" / "o");
  const LoadedConfig step =
      load_step(loaded.file, "train", {{"prepare", loaded.folder.path() / "out"}}, all_files());
  INFO(messages(step.problems));
  REQUIRE(step.ok());
  CHECK(step.spec.max_total_runs == 3);
  CHECK(step.spec.experiment == "e");
  CHECK(step.spec.environment_variables ==
        std::map<std::string, std::string>{
            {"AZUREML_DATAREFERENCE_d", loaded.folder.path() / "data.csv"},
            {"AZUREML_DATAREFERENCE_clean", loaded.folder.path() / "out" / "o"},
            {"AZUREML_PARAMETER_note", "n is 3"}});

  // What an earlier step did not write is missed now.
  const LoadedConfig missing =
      load_step(loaded.file, "train", {{"prepare", loaded.folder.path() / "none"}}, all_files());
  CHECK_THAT(messages(missing.problems),
             Contains("the step \"prepare\" has ended and not written its output \"o\", which was "
                      "to be ") &&
                 !Contains("which does not exist"));
  CHECK_THAT(messages(load_step(loaded.file, "none", {}, all_files()).problems),
             Contains("the pipeline has no step \"none\""));
}

TEST_CASE("A step can begin when all that it needs completed, and never when one did not") {
  PipelineStep step;
  step.name = "c";
  step.needs = {"a", "b"};
  using Ends = std::map<std::string, StepEnd>;
  for (const Ends& yet : {Ends{}, Ends{{"a", StepEnd::completed}}}) {
    CHECK_FALSE(can_begin(step, yet));
    CHECK(blocked_by(step, yet) == std::nullopt);
  }
  for (const Ends& never :
       {Ends{{"b", StepEnd::skipped}}, Ends{{"a", StepEnd::completed}, {"b", StepEnd::failed}}}) {
    CHECK_FALSE(can_begin(step, never));
    CHECK(blocked_by(step, never) == "b");
  }
  const Ends done{{"a", StepEnd::completed}, {"b", StepEnd::completed}};
  CHECK(can_begin(step, done));
  CHECK(blocked_by(step, done) == std::nullopt);
  CHECK(can_begin(PipelineStep{"free", false, {}, {}}, {}));
}

TEST_CASE("The tags of a pipeline are those of its steps, whose own count more") {
  const Loaded loaded(
      "type: pipeline\ndescription: all\ntags: {a: 1, b: 2}\njobs:\n  s:\n    command: t\n"
      "    tags: {b: 3}\n");
  INFO(loaded.told());
  REQUIRE(loaded.pipeline.ok());
  const LoadedConfig step = load_step(loaded.file, "s", {}, all_files());
  CHECK(step.spec.tags == std::map<std::string, std::string>{{"a", "1"}, {"b", "3"}});
  CHECK(step.spec.description == "all");
}

TEST_CASE("The settings of a pipeline are read, and what means nothing here is told") {
  const std::string jobs = "jobs:\n" + command_step("a", {});
  CHECK(Loaded("type: pipeline\n" + jobs).pipeline.continue_on_step_failure);
  const Loaded loaded(
      "type: pipeline\n"
      "settings: {continue_on_step_failure: no, default_compute: azureml:c, default_datastore: d, "
      "force_rerun: true}\n" +
      jobs);
  CHECK_THAT(loaded.told(), Contains("pipeline.yml:2:38: \"continue_on_step_failure\" is the text "
                                     "\"no\"; allowed: true or false"));
  const Loaded sound(
      "type: pipeline\nsettings: {continue_on_step_failure: false, default_compute: azureml:c, "
      "force_rerun: true}\n" +
      jobs);
  INFO(sound.told());
  CHECK(sound.pipeline.ok());
  CHECK_FALSE(sound.pipeline.continue_on_step_failure);
  CHECK_THAT(sound.told(),
             Contains("pipeline.yml:2:45: warning: \"default_compute\" has no effect"));
  CHECK_THAT(sound.told(), !Contains("force_rerun"));
  CHECK_THAT(Loaded("type: pipeline\nsettings: {continue_on_failure: true}\n" + jobs).told(),
             Contains("did you mean \"continue_on_step_failure\"?"));
}

TEST_CASE("A pipeline's compute is the target of the steps that name none") {
  test::TemporaryDirectory folder;
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder.path() / name) << text;
  };
  write("targets.yml", "targets: {cluster: {type: slurm}, other: {type: slurm}}\n");
  const auto step = [&](const std::string& name, const std::string& head) {
    write("pipeline.yml", "type: pipeline\n" + head +
                              "jobs:\n  a: {command: echo a}\n"
                              "  b: {command: echo b, compute: azureml:other}\n");
    return load_step(folder.path() / "pipeline.yml", name, {}, {}).spec.targets;
  };
  using Names = std::vector<std::string>;
  CHECK(step("a", "settings: {default_compute: azureml:cluster}\n") == Names{"cluster"});
  CHECK(step("b", "settings: {default_compute: azureml:cluster}\n") == Names{"other"});
  CHECK(step("a", "compute: cluster\n") == Names{"cluster"});
  CHECK(step("a", "compute: cluster\nsettings: {default_compute: other}\n") == Names{"other"});
  CHECK(step("a", "compute: azureml:elsewhere\n") == Names{});
  CHECK(step("a", "") == Names{});
}

TEST_CASE(
    "A pipeline without a name gets one that no other has, and its steps are called after it") {
  const Loaded named("type: pipeline\nname: a/b\njobs:\n" + command_step("one", {}));
  const std::string first = new_pipeline_name(named.pipeline, "x/pipeline.yml");
  CHECK(first.starts_with("a-b-"));
  CHECK(first.size() == std::string("a-b-").size() + 8);
  CHECK(first != new_pipeline_name(named.pipeline, "x/pipeline.yml"));
  const Loaded nameless("type: pipeline\njobs:\n" + command_step("one", {}));
  CHECK(new_pipeline_name(nameless.pipeline, "x/tune.yml").starts_with("tune-"));
  CHECK(step_sweep_name(first, "one") == first + ".one");
}

TEST_CASE(
    "A pipeline of the first previews is read: steps called components, references without "
    "parent") {
  const Loaded loaded(
      "type: pipeline\n"
      "inputs:\n"
      "  raw: {dataset: {local_path: .}}\n"
      "  epochs: 20\n"
      "outputs: {model: {mode: rw_mount}}\n"
      "compute: azureml:cpu\n"
      "jobs:\n"
      "  score-step:\n"
      "    type: component\n"
      "    component: {name: Score, version: 1, type: command, inputs: {model: {type: path}},\n"
      "      command: 'score ${{inputs.model}}'}\n"
      "    inputs: {model: '${{jobs.train-step.outputs.model}}'}\n"
      "  train-step:\n"
      "    type: component\n"
      "    component:\n"
      "      type: command\n"
      "      inputs: {data: {type: path}, epochs: {type: integer, default: 1}}\n"
      "      outputs: {model: {type: path}}\n"
      "      code: {local_path: .}\n"
      "      command: 'train ${{inputs.data}} ${{inputs.epochs}} ${{outputs.model}}'\n"
      "    inputs: {data: '${{inputs.raw}}', epochs: '${{inputs.epochs}}'}\n"
      "    outputs: {model: '${{outputs.model}}'}\n");
  INFO(loaded.told());
  REQUIRE(loaded.pipeline.ok());
  CHECK(loaded.order() == "train-step score-step");
  const LoadedConfig train = load_step(loaded.file, "train-step", {}, all_files());
  INFO(messages(train.problems));
  REQUIRE(train.ok());
  CHECK(train.spec.environment_variables.at("AZUREML_PARAMETER_epochs") == "20");
  CHECK(train.spec.environment_variables.at("AZUREML_DATAREFERENCE_data") ==
        loaded.folder.path().string());
  // Elsewhere a reference without "parent." is the step's own.
  CHECK_THAT(
      Loaded("type: pipeline\ninputs: {n: 1}\njobs:\n  a: {command: 't ${{inputs.n}}'}\n").told(),
      Contains("the command refers to \"n\", which is not in \"inputs\""));
}

TEST_CASE("A pipeline's schedule is warned of, and its environment is that of steps without one") {
  Folder folder;
  folder.write("env/bin/python", "");
  folder.write("azureml.yml",
               "environments: {all: env/bin/python, own: {command: [own, --run]}}\n");
  const fs::path file = folder.write("pipeline.yml",
                                     "type: pipeline\n"
                                     "schedule: {type: cron, expression: '15 16 * * 1'}\n"
                                     "settings: {environment: 'azureml:all@latest'}\n"
                                     "jobs:\n"
                                     "  a: {command: python a.py}\n"
                                     "  b: {command: python b.py, environment: 'azureml:own'}\n");
  const Pipeline pipeline = load_pipeline(file);
  INFO(messages(pipeline.problems));
  REQUIRE(pipeline.ok());
  CHECK_THAT(messages(pipeline.problems),
             Contains("pipeline.yml:2:1: warning: \"schedule\" has no effect: it runs now, once; "
                      "let cron, or a timer of systemd, call hdrive run"));
  const auto line_of = [&](const char* step) {
    return base::join(load_step(file, step, {}, {}).spec.command, " ");
  };
  CHECK_THAT(line_of("a"), Contains("env/bin"));
  CHECK_THAT(line_of("b"), Contains("own --run") && !Contains("env/bin"));
}

TEST_CASE("An output that is the pipeline's is a file where the pipeline says so") {
  const Loaded loaded(
      "type: pipeline\n"
      "outputs:\n"
      "  report: {type: uri_file, path: 'azureml://datastores/store/paths/${{name}}/report.txt'}\n"
      "  model:\n"
      "jobs:\n"
      "  a:\n"
      "    command: echo > ${{outputs.report}} && touch ${{outputs.model}}/m\n"
      "    outputs: {report: '${{parent.outputs.report}}', model: '${{parent.outputs.model}}'}\n");
  CHECK_THAT(loaded.told(),
             Contains("pipeline.yml:3:28: warning: \"path\" has no effect: outputs stay in the "
                      "run's folder outputs/NAME"));
  const std::string line =
      base::join(load_step(loaded.file, "a", {}, all_files()).spec.command, " ");
  CHECK_THAT(line, Contains("mkdir -p \"$HDRIVE_OUTPUTS_DIR/model\"\n"));
}

}  // namespace
}  // namespace hdrive
