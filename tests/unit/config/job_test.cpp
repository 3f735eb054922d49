// SPDX-License-Identifier: Apache-2.0
//
// Azure ML's v2 jobs. Each file of tests/golden/jobs shows one feature, with what is said of it and
// the specification it means in the .txt beside it; HDRIVE_UPDATE_GOLDEN=1 writes these anew.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "config/job_command.h"
#include "config/job_schema.h"
#include "config/load.h"
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;
namespace fs = std::filesystem;
using Catch::Contains;

const fs::path kJobs = HDRIVE_SOURCE_DIR "/tests/golden/jobs";

std::string replaced_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// Without what is the machine's: where the files lie.
std::string as_golden(const LoadedConfig& loaded) {
  std::string text = messages(loaded.problems) + "---\n" + to_hdconfig(loaded.spec);
  const fs::path shown = kJobs.lexically_proximate(fs::current_path());
  for (const std::string& folder : {kJobs.string() + "/", shown.string() + "/"})
    text = replaced_all(text, folder, "<jobs>/");
  return text;
}

ConfigOverrides all_files() {
  ConfigOverrides overrides;
  overrides.needs_files = true;
  return overrides;
}

TEST_CASE("A v2 job means the specification beside it") {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kJobs)) {
    const fs::path file = entry.path();
    if (file.extension() != ".yml" || file.filename() == "azureml.yml" ||
        file.filename().string().starts_with("pipeline"))
      continue;
    ++files;
    INFO(file.filename());
    const LoadedConfig loaded = load_config(file, all_files());
    CHECK(loaded.ok());
    const std::string told = as_golden(loaded);
    fs::path expected = file;
    expected.replace_extension(".txt");
    if (std::getenv("HDRIVE_UPDATE_GOLDEN")) REQUIRE(base::write_file_atomically(expected, told));
    CHECK(told == *base::read_file(expected));

    // What is stored of a sweep reads back as what it was.
    const LoadedConfig again = parse_config(to_hdconfig(loaded.spec), "stored", "/");
    CHECK(again.ok());
    CHECK(base::join(differences(again.spec, loaded.spec), "\n") == "");
  }
  CHECK(files > 10);
}

// ---- files in pieces ----------------------------------------------------------------------------

std::string job(const std::string& command, const std::string& more = "") {
  return "type: sweep\n"
         "trial:\n"
         "  command: " +
         command +
         "\n"
         "sampling_algorithm: random\n"
         "search_space:\n"
         "  x: {type: uniform, min_value: 0, max_value: 1}\n"
         "  m:\n"
         "    type: choice\n"
         "    values:\n"
         "    - {name: sgd, beta: {type: uniform, min_value: 0, max_value: 1}}\n"
         "    - {name: adam}\n"
         "objective: {primary_metric: loss, goal: minimize}\n"
         "limits: {max_concurrent_trials: 1}\n" +
         more;
}

std::string line_of(const std::string& command, const std::string& more = "") {
  const LoadedConfig loaded = parse(job(command, more));
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  REQUIRE(loaded.spec.command.size() == 3);
  CHECK(loaded.spec.command[0] == "bash");
  CHECK(loaded.spec.command[1] == "-c");
  CHECK_FALSE(loaded.spec.append_parameters);
  return loaded.spec.command[2];
}

TEST_CASE("A value is one word of the command wherever it stands") {
  CHECK(line_of("t ${{search_space.x}} --x=${{ search_space.x }}") ==
        "t \"${AZUREML_SWEEP_x}\" --x=\"${AZUREML_SWEEP_x}\"");
  CHECK(line_of("'t \"a ${{search_space.x}} b\"'") == "t \"a ${AZUREML_SWEEP_x} b\"");
  CHECK(line_of("\"t '${{search_space.x}}'\"") == "t ''\"${AZUREML_SWEEP_x}\"''");
  CHECK(line_of("t \\\\'${{search_space.x}}") ==
        "t \\\\'" + std::string("'\"${AZUREML_SWEEP_x}\"'"));
}

TEST_CASE("A conditional value is left out with its option in the runs that have none") {
  CHECK(line_of("t --beta ${{search_space.beta}}") ==
        "t ${AZUREML_SWEEP_beta+--beta \"$AZUREML_SWEEP_beta\"}");
  CHECK(line_of("t --beta=${{search_space.m.beta}}") ==
        "t ${AZUREML_SWEEP_beta+--beta=\"$AZUREML_SWEEP_beta\"}");
  CHECK(line_of("t $[[--beta ${{search_space.beta}} --more]]") ==
        "t ${AZUREML_SWEEP_beta+${AZUREML_SWEEP_beta+--beta \"$AZUREML_SWEEP_beta\"} --more}");
}

TEST_CASE("A part in brackets is left out where its input is not given") {
  const std::string seed = "inputs:\n  seed: {type: integer, optional: true}\n  a: 1\n";
  CHECK(line_of("t $[[--seed ${{inputs.seed}}]] end", seed) == "t  end");
  CHECK(line_of("t $[[--a ${{inputs.a}}]] end", seed) == "t --a \"${AZUREML_PARAMETER_a}\" end");
  CHECK(line_of("t $[[--a ${{inputs.a}} ${{inputs.seed}}]]", seed) == "t ");
}

TEST_CASE("A drawn value takes the place of an input of its name") {
  const LoadedConfig loaded = parse(job("t ${{inputs.x}}", "inputs: {x: 3}\n"));
  REQUIRE(loaded.ok());
  CHECK(loaded.spec.command.back() == "t \"${AZUREML_SWEEP_x}\"");
  CHECK(loaded.spec.environment_variables.empty());
}

TEST_CASE("A member of a nested choice is a parameter under its own name") {
  const SearchSpace space = parse(job("t")).spec.space;
  std::vector<std::string> names;
  for (const Parameter& each : space.parameters) names.push_back(each.name);
  CHECK(names == std::vector<std::string>{"x", "m", "name", "beta", "name"});
  CHECK(space.parameters[3].condition->parameter == "m");
  CHECK(std::get<std::string>(space.parameters[3].condition->option) == "{\"name\":\"sgd\"}");
}

TEST_CASE("A placeholder that means nothing is told with what there is") {
  CHECK_THAT(told(job("t ${{inputs.y}}", "inputs: {z: 1}\n")),
             Contains("hdconfig.yml:3:12: the command refers to \"y\", which is not in "
                      "\"inputs\"; allowed: z"));
  CHECK_THAT(told(job("t ${{parent.inputs.y}}")),
             Contains("unknown placeholder \"${{parent.inputs.y}}\"; allowed: "));
}

TEST_CASE("A time is a number of seconds or a text of ISO 8601") {
  const auto timeout = [](const std::string& text) {
    return parse(job("t", "early_termination:\n")).ok()
               ? parse(replaced_all(job("t"), "max_concurrent_trials: 1",
                                    "max_concurrent_trials: 1, timeout: " + text))
               : LoadedConfig();
  };
  using namespace std::chrono_literals;
  CHECK(timeout("90").spec.max_duration == 90s);
  CHECK(timeout("PT1H30M").spec.max_duration == 90min);
  CHECK(timeout("P1DT0.5S").spec.max_duration == 24h + 500ms);
  CHECK(parse(job("t")).spec.max_duration == 24h * 60);
  for (const char* wrong : {"0", "-3", "PT", "1H", "P1X", "PT1M30", "PTT1M", "[1]", "P1H"})
    CHECK_THAT(messages(timeout(wrong).problems),
               Contains("\"timeout\" is ") &&
                   Contains("; allowed: a number of seconds above 0, or text such as "
                            "PT1H30M"));
}

TEST_CASE("Data of Azure's are refused before anything starts, and named in the asset map") {
  const Folder folder;
  const std::string text = job("t ${{inputs.d}}", "inputs:\n  d: {path: \"azureml:iris:1\"}\n");
  const fs::path file = folder.write("sweep.yml", text);
  CHECK_THAT(messages(load_config(file, all_files()).problems),
             Contains("sweep.yml:15:13: the input \"d\" is \"azureml:iris:1\", which is "
                      "not on this machine; say where it is in "));
  folder.write("azureml.yml", "data: {iris: here.csv}\n");
  CHECK_THAT(messages(load_config(file, all_files()).problems),
             Contains("here.csv\"), which does not exist"));
  folder.write("here.csv", "1");
  const LoadedConfig loaded = load_config(file, all_files());
  CHECK(messages(loaded.problems).find("\"d\"") == std::string::npos);
  CHECK(loaded.spec.environment_variables.at("AZUREML_DATAREFERENCE_d") ==
        folder.path() / "here.csv");

  ConfigOverrides other = all_files();
  other.asset_map =
      folder.write("maps/other.yml", "data: {\"iris:2\": x, \"iris:1\": ../here.csv}\n");
  CHECK(load_config(file, other).spec.environment_variables == loaded.spec.environment_variables);
}

TEST_CASE("An address of Azure's with no name in it goes into the asset map as a whole") {
  const Folder folder;
  const fs::path file = folder.write(
      "sweep.yml", job("t ${{inputs.d}}", "inputs:\n  d: {path: \"azureml://fake/url.json\"}\n"));
  CHECK_THAT(messages(load_config(file, all_files()).problems),
             Contains("data: {\"azureml://fake/url.json\": PATH}"));
  folder.write("azureml.yml", "data: {\"azureml://fake/url.json\": here.json}\n");
  folder.write("here.json", "{}");
  const LoadedConfig loaded = load_config(file, all_files());
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  CHECK(loaded.spec.environment_variables.at("AZUREML_DATAREFERENCE_d") ==
        folder.path() / "here.json");
}

TEST_CASE("An asset map says what is wrong with it") {
  const Folder folder;
  const fs::path file = folder.write("sweep.yml", job("t"));
  folder.write(".azureml/azureml.yml",
               "datas: {a: b}\ndata: [1]\nenvironments: {e: {python: p}}\n");
  const std::string told = messages(load_config(file, all_files()).problems);
  CHECK_THAT(told, Contains("azureml.yml:1:1: unknown key \"datas\" in the asset map"));
  CHECK_THAT(told, Contains("azureml.yml:2:7: \"data\" is a list; allowed: a mapping"));
  CHECK_THAT(told, Contains("azureml.yml:3:20: the environment \"e\" has \"python\""));
}

TEST_CASE("A component says which inputs it has and which it misses") {
  const Folder folder;
  folder.write("train.yml",
               "type: command\ncommand: t ${{inputs.need}}\ninputs: {need: {type: string}}\n");
  const fs::path file = folder.write(
      "sweep.yml",
      replaced_all(job("t"), "trial:\n  command: t", "inputs: {ned: 1}\ntrial: ./train.yml"));
  const std::string told = messages(load_config(file, all_files()).problems);
  CHECK_THAT(told, Contains("sweep.yml:2:10: the component has no input \"ned\"; allowed: "
                            "need; did you mean \"need\"?"));
  CHECK_THAT(told, Contains("sweep.yml:2:1: the component needs the input \"need\""));
}

TEST_CASE("Of a v2 file a key in two places is an error, whatever it is called there") {
  CHECK_THAT(told(job("t", "max_total_trials: 3\nmax_total_runs: 3\n")),
             Contains("\"max_total_runs\" is an earlier name of \"max_total_trials\""));
  CHECK_THAT(told(job("t", "max_concurrent_runs: 3\n")),
             Contains("\"max_concurrent_runs\" is given in another place, too"));
}

TEST_CASE("A key in the wrong mapping is told the right one, and other tools' names are known") {
  const std::string told_of_top =
      told(job("t", "distribution: {type: mpi}\ntimeout: 3\nslack_factor: 1\n"));
  CHECK_THAT(told_of_top, Contains("unknown key \"distribution\"; it belongs under \"trial\""));
  CHECK_THAT(told_of_top, Contains("unknown key \"timeout\"; it belongs under \"limits\""));
  CHECK_THAT(told_of_top,
             Contains("unknown key \"slack_factor\"; it belongs under \"early_termination\""));
  CHECK_THAT(told(replaced_all(job("t"), "limits: {", "limits: {search_space: {}, ")),
             Contains("unknown key \"search_space\" in \"limits\"; it belongs at the top level"));
  CHECK_THAT(told(replaced_all(job("t"), "min_value", "min")),
             Contains("unknown key \"min\" in this parameter; ") &&
                 Contains("did you mean \"min_value\"?"));
}

TEST_CASE("Description and tags of a job are the sweep's") {
  const LoadedConfig loaded = parse(job("t", "description: why\ntags: {a: b, n: 2, bare: }\n"));
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  CHECK_THAT(messages(loaded.problems), !Contains("tags") && !Contains("description"));
  CHECK(loaded.spec.description == "why");
  CHECK(loaded.spec.tags ==
        std::map<std::string, std::string>{{"a", "b"}, {"bare", ""}, {"n", "2"}});
  const LoadedConfig again = parse(to_hdconfig(loaded.spec));
  CHECK(again.spec.tags == loaded.spec.tags);
  CHECK(again.spec.description == "why");
  CHECK_THAT(told(job("t", "tags: {\"a=b\": c, d: [1]}\n")),
             Contains("\"a=b\" cannot be the name of a tag; allowed: one line without \"=\"") &&
                 Contains("the tag \"d\" is a list"));
}

TEST_CASE("An argument that is left empty is missing") {
  CHECK_THAT(
      told(replaced_all(job("t"), "{type: uniform, min_value: 0,", "{type: uniform, min_value: ,")),
      Contains("key \"min_value\" is missing in this parameter of type uniform"));
}

TEST_CASE("Keys of a job can be set on the command line") {
  ConfigOverrides overrides = no_command();
  overrides.set = {
      {"limits.max_total_trials", "3"}, {"repeat_best", "2x2"}, {"search_space.x.max_value", "2"}};
  const LoadedConfig loaded = parse(job("t"), overrides);
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  CHECK(loaded.spec.max_total_runs == 3);
  CHECK(loaded.spec.repeat_best == RepeatBest{2, 2});
  CHECK(std::get<Uniform>(loaded.spec.space.parameters[0].expression).max == 2);
}

TEST_CASE("A command behind -- takes the place of the trial's") {
  ConfigOverrides overrides;
  overrides.command = {"train", "--a"};
  const LoadedConfig loaded = parse(job("t"), overrides);
  CHECK(loaded.spec.command == overrides.command);
  CHECK(loaded.spec.append_parameters);
}

TEST_CASE("A script that is not in the code is worth a warning") {
  const Folder folder;
  const fs::path file = folder.write("sweep.yml", job("python train.py --x ${{search_space.x}}"));
  CHECK_THAT(messages(load_config(file, all_files()).problems),
             Contains("sweep.yml:3:12: warning: there is no script \"train.py\" in "));
  folder.write("train.py", "");
  CHECK(messages(load_config(file, all_files()).problems).find("train.py") == std::string::npos);
}

TEST_CASE("Code that is a file stands for the folder it lies in") {
  const Folder folder;
  const fs::path file =
      folder.write("sweep.yml", replaced_all(job("python train.py --x ${{search_space.x}}"),
                                             "trial:\n", "trial:\n  code: src/train.py\n"));
  folder.write("src/train.py", "");
  const LoadedConfig loaded = load_config(file, all_files());
  CHECK(loaded.ok());
  CHECK(loaded.spec.source_directory.filename() == "src");
  CHECK_THAT(messages(loaded.problems),
             Contains("warning: \"code\" is the file \"src/train.py\"; the whole folder it lies "
                      "in is captured"));
}

TEST_CASE("A resource by its full name is looked up like any other of Azure's") {
  const Folder folder;
  const fs::path file = folder.write(
      "sweep.yml",
      job("t", "inputs:\n  d: {path: /subscriptions/s/workspaces/w/data/iris/versions/2}\n"));
  CHECK_THAT(messages(load_config(file, all_files()).problems), Contains("data: {iris: PATH}"));
  folder.write("azureml.yml", "data: {\"iris:2\": sweep.yml}\n");
  CHECK(load_config(file, all_files()).ok());
}

TEST_CASE("Inputs and images are read where earlier generations had them") {
  const Folder folder;
  folder.write("data/iris.csv", "");
  folder.write("env.yml", "name: e\ndependencies: [pip]\n");
  const fs::path file =
      folder.write("sweep.yml",
                   "type: sweep_job\nalgorithm: random\n"
                   "trial:\n"
                   "  command: train {inputs.sets}/iris.csv {inputs.n} {search_space.x}\n"
                   "  inputs:\n"
                   "    sets: {data: {path: data}, mode: mount}\n"
                   "    n: 3\n"
                   "  environment: {docker: {image: python:3.8}}\n"
                   "search_space: {x: {type: choice, values: [1, 2]}}\n"
                   "objective: {primary_metric: loss, goal: minimize}\n");
  const LoadedConfig loaded = load_config(file, all_files());
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  CHECK(loaded.spec.environment_variables.at("AZUREML_DATAREFERENCE_sets") ==
        (folder.path() / "data").string());
  CHECK(loaded.spec.environment_variables.at("AZUREML_PARAMETER_n") == "3");
  REQUIRE(loaded.surroundings.container);
  CHECK(loaded.surroundings.container->image == "python:3.8");
  CHECK_THAT(told(job("t", "inputs:\n  d: {data: {pth: a}}\n")),
             Contains("unknown key \"pth\" in the input \"d\""));
}

TEST_CASE("Paths may have the separators of Windows") {
  const Folder folder;
  folder.write("data/iris.csv", "");
  folder.write("src/train.py", "");
  folder.write("src/env/conda.yml", "name: e\ndependencies: [pip]\n");
  const fs::path file = folder.write(
      "sweep.yml",
      replaced_all(job("python train.py --d ${{inputs.d}} --x ${{search_space.x}}",
                       "inputs:\n  d: {type: uri_file, path: '.\\data\\iris.csv'}\n"),
                   "trial:\n",
                   "trial:\n  code: .\\src\n  environment: {conda_file: src\\env\\conda.yml}\n"));
  const LoadedConfig loaded = load_config(file, all_files());
  INFO(messages(loaded.problems));
  REQUIRE(loaded.ok());
  CHECK(loaded.spec.source_directory == folder.path() / "src");
  CHECK(loaded.spec.environment_variables.at("AZUREML_DATAREFERENCE_d") ==
        (folder.path() / "data/iris.csv").string());
  REQUIRE(loaded.surroundings.packages);
  CHECK(loaded.surroundings.packages->name == "e");
  // A name with a backslash in it stays what it is where there is such a file.
  folder.write("a\\b", "");
  CHECK(
      load_config(folder.write("b.yml", job("t", "inputs: {d: {type: uri_file, path: 'a\\b'}}\n")),
                  all_files())
          .ok());
}

TEST_CASE("A component's own file is told to be none of a job") {
  CHECK(told("$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json\n"
             "type: command\nname: train\nversion: 1\ncommand: t\n") ==
        "hdconfig.yml:1:10: this is a component, which runs only in a job; name its file as the "
        "\"trial\" of a sweep, or as the \"component\" of a pipeline's step\n");
}

TEST_CASE("A job of a type that is none here is told so, and nothing else") {
  CHECK(told("type: swep\ntrial: {command: t}\n") ==
        "hdconfig.yml:1:7: unknown job type \"swep\"; allowed: sweep, command, pipeline; did you "
        "mean \"sweep\"?\n");
  CHECK(told("type: automl\ntask: classification\n") ==
        "hdconfig.yml:1:7: jobs of type \"automl\" run on Azure alone; hdrive runs jobs of type "
        "sweep, "
        "command and pipeline\n");
  CHECK(told("$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\n") ==
        "hdconfig.yml:1:10: this is no job by its $schema; hdrive runs jobs of type sweep, command "
        "and pipeline\n");
}

TEST_CASE("hdconfig.yml is told from a job by its keys") {
  CHECK(parse(around("")).ok());
  CHECK_THAT(told("type: pipeline\njobs: {}\n"), Contains("this is a pipeline"));
  CHECK(parse(replaced_all(job("t"), "type: sweep\n", "")).ok());
}

TEST_CASE("docs/sweep-jobs.md has the tables of the schema") {
  const auto page = base::read_file(HDRIVE_SOURCE_DIR "/docs/sweep-jobs.md");
  REQUIRE(page);
  INFO("hdrive config-reference --jobs prints them");
  CHECK(page->ends_with(job_reference()));
}

TEST_CASE("Every key of a job says what becomes of it") {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const config::JobKey& key : config::job_schema()) {
    INFO(key.mapping << "." << key.row.name);
    CHECK(seen.insert({key.mapping, key.row.name}).second);
    CHECK_FALSE(key.row.summary.empty());
    CHECK(key.note.empty() == (key.treatment == config::Treatment::honoured));
  }
}

}  // namespace
}  // namespace hdrive
