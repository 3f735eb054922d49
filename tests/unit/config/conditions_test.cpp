// SPDX-License-Identifier: Apache-2.0
//
// Options with parameters of their own. What is wrong with such files is in tests/golden/conditional*.yml.
#include <algorithm>
#include <random>
#include <set>

#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;
using Words = std::vector<std::string>;

Value word(const char* chars) { return std::string(chars); }

const std::string kFile =
    "sampling:\n"
    "  type: random\n"
    "  parameter_space:\n"
    "  - name: optimizer\n"
    "    expression: choice\n"
    "    values:\n"
    "    - sgd\n"
    "    - value: adam\n"
    "      parameters:\n"
    "      - {name: beta1, expression: uniform, values: [0.8, 0.99]}\n"
    "      - name: schedule\n"
    "        expression: choice\n"
    "        values: [{value: 2, parameters: [{name: warmup, expression: randint, values: [9]}]}, "
    "3]\n"
    "    - value: [lion, {parameters: 1}]\n"
    "      parameters:\n"
    "      - {name: --beta1, expression: normal, values: [0, 1]}\n"
    "  - {name: lr, expression: loguniform, values: [-9, -2]}\n"
    "primary_metric_name: accuracy\n"
    "primary_metric_goal: Maximize\n"
    "max_total_runs: 8\n"
    "max_concurrent_runs: 2\n";

SearchSpace expected() {
  const Json lion{R"(["lion",{"parameters":1}])"};
  return {{{"optimizer", Choice{{word("sgd"), word("adam"), lion}}},
           {"beta1", Uniform{0.8, 0.99}, {{"optimizer", word("adam")}}},
           {"schedule", Choice{{std::int64_t{2}, std::int64_t{3}}}, {{"optimizer", word("adam")}}},
           {"warmup", RandInt{9}, {{"schedule", std::int64_t{2}}}},
           {"--beta1", Normal{0, 1}, {{"optimizer", lion}}},
           {"lr", LogUniform{-9, -2}}}};
}

TEST_CASE(
    "Options with parameters become a list in which a choice stands before what depends on it") {
  const LoadedConfig loaded = parse(kFile);
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.space == expected());
  CHECK(check(loaded.spec.space));
}

TEST_CASE("A space with conditions reads back equal") {
  SweepSpec spec = parse(kFile).spec;
  CHECK(parse(to_hdconfig(spec)).spec.space == expected());
  // Objects that look like options with parameters, options listed twice, and one option only.
  const Json object{R"({"value":1,"parameters":[1]})"};
  spec.space = {{{"a", Choice{{object, word("x"), word("x"), Json{"[1]"}}}},
                 {"b", Choice{{Json{"[1]"}}}, {{"a", word("x")}}},
                 {"c", Uniform{0, 1}, {{"b", Json{"[1]"}}}},
                 {"d", Choice{{object}}, {{"a", Json{"[1]"}}}}}};
  REQUIRE(check(spec.space));
  const LoadedConfig again = parse(to_hdconfig(spec));
  INFO(to_hdconfig(spec) << messages(again.problems));
  REQUIRE(again.ok());
  CHECK(again.spec.space == spec.space);
}

// Parameters under every kind of option, to a depth of four; names repeat between branches now and then.
void grow(std::mt19937& random, std::vector<Parameter>& to, const std::optional<Condition>& under,
          const std::string& prefix, int depth) {
  const std::vector<Value> kinds{word("a"),   std::int64_t{1}, true, 2.5, Json{"[1]"},
                                 word("yes"), std::monostate{}};
  for (unsigned i = 0; i < 1 + random() % 2; ++i) {
    const std::string name = prefix + std::to_string(i);
    if (depth == 0 || random() % 3 == 0) {
      to.push_back({name, RandInt{static_cast<std::int64_t>(1 + random() % 3)}, under});
      continue;
    }
    Choice choice;
    for (unsigned k = 0; k < 1 + random() % 3; ++k)
      choice.options.push_back(kinds[(random() % 3 + 2 * k) % kinds.size()]);
    to.push_back({name, choice, under});
    std::vector<Value> done;
    for (const Value& option : choice.options) {
      if (std::find(done.begin(), done.end(), option) != done.end()) continue;
      done.push_back(option);
      if (random() % 2 == 0) grow(random, to, Condition{name, option}, name + "_", depth - 1);
    }
  }
}

TEST_CASE("Spaces of all shapes read back, and their points are different sets of them") {
  std::mt19937 random(20240517);
  SweepSpec spec = parse(kFile).spec;
  int conditional = 0;
  for (int i = 0; i < 400; ++i) {
    spec.space.parameters.clear();
    grow(random, spec.space.parameters, std::nullopt, "p", 4);
    const auto sound = check(spec.space);
    INFO(to_hdconfig(spec));
    if (!sound) FAIL(sound.error().message());
    CHECK(parse(to_hdconfig(spec)).spec.space == spec.space);
    for (const Parameter& parameter : spec.space.parameters) conditional += !!parameter.condition;
    const std::uint64_t size = cardinality(spec.space).value();
    if (size > 300) continue;
    std::set<std::string> points;
    for (std::uint64_t k = 0; k < size; ++k) {
      const Assignment set = point(spec.space, k);
      REQUIRE(check(spec.space, set));
      CHECK(*partial_point(spec.space, set) == set);
      points.insert(to_json(set));
    }
    CHECK(points.size() == size);
  }
  CHECK(conditional > 1000);
}

TEST_CASE("A setting finds a parameter under an option by the option's value") {
  ConfigOverrides overrides = no_command();
  overrides.set = {
      {"sampling.parameter_space.optimizer.values.adam.parameters.beta1.values", "[0, 1]"}};
  const LoadedConfig loaded = parse(kFile, overrides);
  CHECK(messages(loaded.problems) == "");
  CHECK(loaded.spec.space.parameters.at(1).expression == Expression(Uniform{0, 1}));
}

TEST_CASE("A start point brings the options it depends on") {
  const LoadedConfig loaded =
      parse(kFile + "start_points:\n- {warmup: 3}\n- {optimizer: sgd, lr: 0.01}\n");
  CHECK(messages(loaded.problems) == "");
  CHECK(
      loaded.spec.start_points ==
      std::vector<Assignment>{
          {{"optimizer", word("adam")}, {"schedule", std::int64_t{2}}, {"warmup", std::int64_t{3}}},
          {{"optimizer", word("sgd")}, {"lr", 0.01}}});
  CHECK(parse(to_hdconfig(loaded.spec)).spec.start_points == loaded.spec.start_points);
}

TEST_CASE("Azure is said not to know options with parameters") {
  ConfigOverrides overrides = no_command();
  overrides.azure = true;
  CHECK_THAT(told(kFile, overrides),
             Catch::Contains("hdconfig.yml:4:11: warning: Azure: hdconfig.yml has no options with "
                             "parameters (those of \"optimizer\")"));
}

TEST_CASE("Nesting has an end, which is told where it is passed") {
  std::string inner = "{name: last, expression: randint, values: [2]}";
  for (int level = kDeepestCondition; level >= 0; --level)
    inner = "{name: p" + std::to_string(level) +
            ", expression: choice, values: [{value: 1, parameters: [" + inner + "]}]}";
  CHECK_THAT(told(with_parameter(inner.substr(1, inner.size() - 2))),
             Catch::Contains("options with parameters are nested too deeply; allowed: 16 levels"));
}

// ---- what a run gets ----------------------------------------------------------------------------

SweepSpec spec_with(Words command) {
  SweepSpec spec;
  spec.space = expected();
  spec.command = std::move(command);
  return spec;
}

const Assignment kAdam{
    {"optimizer", word("adam")}, {"beta1", 0.9}, {"schedule", std::int64_t{3}}, {"lr", 0.01}};
const Assignment kSgd{{"optimizer", word("sgd")}, {"lr", 0.01}};

TEST_CASE("A run gets no argument and no variable of what does not exist") {
  const RunCommand with = render_command(spec_with({"t"}), kAdam, "HD_1", 0);
  CHECK(with.arguments ==
        Words{"t", "--optimizer", "adam", "--beta1", "0.9", "--schedule", "3", "--lr", "0.01"});
  const RunCommand without = render_command(spec_with({"t"}), kSgd, "HD_1", 0);
  CHECK(without.arguments == Words{"t", "--optimizer", "sgd", "--lr", "0.01"});
  for (const auto& [name, value] : without.environment) {
    CHECK(name != "AZUREML_SWEEP_beta1");
    if (name == "HDRIVE_PARAMETERS") CHECK(value == R"({"optimizer":"sgd","lr":0.01})");
  }
}

TEST_CASE("A word that places only what does not exist is left out, with the option before it") {
  const auto arguments = [](Words command, const Assignment& parameters) {
    return render_command(spec_with(std::move(command)), parameters, "HD_1", 0).arguments;
  };
  const Words command{"t",
                      "--beta",
                      "${{ search_space.beta1 }}",
                      "--b=${{search_space.beta1}}",
                      "opt.b=${{ search_space.beta1}}",
                      "${{search_space.lr}}",
                      "${{search_space.beta1}}",
                      "${{search_space.optimizer}}-${{search_space.beta1}}",
                      "train --beta ${{search_space.beta1}}",
                      "${{other}}"};
  CHECK(arguments(command, kAdam) == Words{"t", "--beta", "0.9", "--b=0.9", "opt.b=0.9", "0.01",
                                           "0.9", "adam-0.9", "train --beta 0.9", "${{other}}"});
  CHECK(arguments(command, kSgd) == Words{"t", "0.01", "sgd-", "train --beta ", "${{other}}"});
  // A value that was placed is no option, and a program is never left out.
  CHECK(arguments({"t", "-1${{search_space.lr}}", "${{search_space.beta1}}"}, kSgd) ==
        Words{"t", "-10.01"});
  CHECK(arguments({"-t", "${{search_space.beta1}}"}, kSgd) == Words{"-t"});
}

TEST_CASE("A program that some sets lack is refused") {
  CHECK_THAT(told(kFile + "command: [\"${{search_space.beta1}}\", a]\n"),
             Catch::Contains("hdconfig.yml:22:11: the program is the value of \"beta1\", which "
                             "exists only under an option"));
}

}  // namespace
}  // namespace hdrive
