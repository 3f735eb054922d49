// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using Words = std::vector<std::string>;
using Environment = std::vector<std::pair<std::string, std::string>>;

SweepSpec spec_with(Words command) {
  SweepSpec spec;
  spec.space.parameters = {{"--lr", Uniform{0, 1}}, {"layer-count", RandInt{9}}, {"act", Choice{}}};
  spec.command = std::move(command);
  return spec;
}

const Assignment kDrawn{
    {"--lr", 0.01}, {"layer-count", std::int64_t{3}}, {"act", std::string("a b")}};

Words arguments(const SweepSpec& spec) { return render_command(spec, kDrawn, "HD_1", 7).arguments; }

TEST_CASE("Drawn values are appended in file order, names with dashes unchanged") {
  CHECK(arguments(spec_with({"python", "t.py", "--epochs", "20"})) ==
        Words{"python", "t.py", "--epochs", "20", "--lr", "0.01", "--layer-count", "3", "--act",
              "a b"});
}

TEST_CASE("A placeholder anywhere places values and appends none") {
  CHECK(arguments(spec_with({"t", "--rate=${{search_space.lr}}", "${{ search_space.act }}",
                             "{search_space.layer-count}x${{search_space.--lr}}", "${{other}}"})) ==
        Words{"t", "--rate=0.01", "a b", "3x0.01", "${{other}}"});
}

TEST_CASE("Nothing is appended where append_parameters is false, nor to an empty command") {
  SweepSpec spec = spec_with({"t"});
  spec.append_parameters = false;
  CHECK(arguments(spec) == Words{"t"});
  CHECK(arguments(spec_with({})) == Words{});
}

std::string seed_of(const SweepSpec& spec, RunId run) {
  for (const auto& [name, value] : render_command(spec, kDrawn, "HD_1", run).environment)
    if (name == "HDRIVE_SEED") return value;
  return "";
}

TEST_CASE("Every run has a seed of its own of 31 bits, the same for the same sweep's seed") {
  SweepSpec spec = spec_with({"t"});
  std::set<std::string> seeds;
  for (spec.seed = 1; spec.seed <= 2; ++spec.seed)
    for (RunId run = 0; run < 100; ++run) {
      seeds.insert(seed_of(spec, run));
      CHECK(std::stoll(seed_of(spec, run)) < std::int64_t{1} << 31);
      CHECK(seed_of(spec, run) == seed_of(spec, run));
    }
  CHECK(seeds.size() == 200);
}

TEST_CASE("The environment carries the values, the ids and the file's variables") {
  SweepSpec spec = spec_with({"t"});
  spec.environment_variables = {{"A", "1"}, {"HDRIVE_RUN_ID", "mine"}};
  CHECK(render_command(spec, kDrawn, "HD_1", 7).environment ==
        Environment{{"A", "1"},
                    {"AZUREML_RUN_ID", "HD_1_7"},
                    {"AZUREML_SWEEP_act", "a b"},
                    {"AZUREML_SWEEP_layer_count", "3"},
                    {"AZUREML_SWEEP_lr", "0.01"},
                    {"HDRIVE_RUN_NUMBER", "7"},
                    {"HDRIVE_SEED", seed_of(spec, 7)},
                    {"HDRIVE_SWEEP_ID", "HD_1"}});
  spec.experiment = "digits";
  const auto environment = render_command(spec, kDrawn, "HD_1", 7).environment;
  CHECK(std::count(environment.begin(), environment.end(),
                   std::pair<std::string, std::string>{"AZUREML_ARM_PROJECT_NAME", "digits"}) == 1);
}

TEST_CASE("A command line is quoted where a shell would need it") {
  CHECK(shell_quote({"python3", "t.py", "--lr=0.01", "a b", "", "it's", "$x", "*"}) ==
        R"(python3 t.py --lr=0.01 'a b' '' 'it'\''s' '$x' '*')");
  CHECK(shell_quote({"X=1", "X=1"}) == "'X=1' X=1");
  CHECK(shell_quote({}) == "");
}

TEST_CASE("Ignored parameters are those neither appended, placed nor read from the environment") {
  CHECK(ignored_parameters(spec_with({"t"})) == Words{});
  CHECK(ignored_parameters(spec_with({})) == Words{});
  CHECK(ignored_parameters(spec_with({"t", "${{search_space.lr}}"})) ==
        Words{"layer-count", "act"});
  SweepSpec spec = spec_with({"sh", "-c", "t $AZUREML_SWEEP_lr ${AZUREML_SWEEP_layer_count}"});
  spec.append_parameters = false;
  CHECK(ignored_parameters(spec) == Words{"act"});
  spec.command = {"sh", "-c", "t $AZUREML_SWEEP_lr2"};
  CHECK(ignored_parameters(spec) == Words{"--lr", "layer-count", "act"});
  spec.command = {"sh", "-c", "t \"$HDRIVE_PARAMETERS\""};
  CHECK(ignored_parameters(spec) == Words{});
}

TEST_CASE(
    "What is appended to a shell's script is ignored unless the script looks at its arguments") {
  const Words all{"--lr", "layer-count", "act"};
  CHECK(ignored_parameters(spec_with({"sh", "-c", "python train.py"})) == all);
  CHECK(ignored_parameters(spec_with({"/bin/bash", "-ec", "train $LR"})) == all);
  CHECK(ignored_parameters(spec_with({"sh", "-c", "train $AZUREML_SWEEP_lr"})) ==
        Words{"layer-count", "act"});
  for (const char* script : {"train \"$@\"", "train $0 $*", "train ${2}", "shift; train"})
    CHECK(ignored_parameters(spec_with({"sh", "-c", script})) == Words{});
  CHECK(ignored_parameters(spec_with({"sh", "train.sh"})) == Words{});
  CHECK(ignored_parameters(spec_with({"train", "-c", "train.cfg"})) == Words{});
}

TEST_CASE("A program that PATH does not have is told, where PATH is known") {
  const test::Folder folder;
  const auto program = folder.write("bin/train", "");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  folder.write("bin/text", "");
  const auto told_of = [&](const std::string& word, const std::string& more = "") {
    ConfigOverrides overrides;
    overrides.command = {word};
    overrides.search_path = "/nowhere:" + (folder.path() / "bin").string();
    return test::told(test::around(more), overrides);
  };
  CHECK(told_of("train") == "");
  CHECK(told_of("text") == "command line: no program \"text\" is in PATH\n");
  CHECK(told_of("train t.py") ==
        "command line: no program \"train t.py\" is in PATH; this is one word with blanks "
        "in it: give program and arguments as words of their own\n");
  CHECK(told_of("train", "environment_variables: {PATH: /nowhere}\n") ==
        "command line: no program \"train\" is in PATH\n");
  CHECK(told_of("${{search_space.x}}") == "");
  ConfigOverrides unknown;
  unknown.command = {"text"};
  CHECK(test::told(test::around(""), unknown) == "");
}

}  // namespace
}  // namespace hdrive
