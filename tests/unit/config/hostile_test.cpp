// SPDX-License-Identifier: Apache-2.0
//
// Files that are no configuration, or mean harm: each gets a message, none a crash.
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;

std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST_CASE("Syntax errors say where and what to do") {
  struct Case {
    std::string text, message;
  };
  const Case cases[] = {
      {"a:\n\tb: 1\n", "2:1: not valid YAML: a tab indents this line; indent with spaces"},
      {"a: b: c\n",
       "1:5: not valid YAML: \": \" is not allowed here; check the indentation, or "
       "quote a text that holds \": \""},
      {"a: [1, 2\n", "1:4: not valid YAML: \"[\" is never closed; add \"]\""},
      {"a: {b: 2\n", "1:4: not valid YAML: \"{\" is never closed; add \"}\""},
      {"é: 'b''\n", "1:4: not valid YAML: a quoted text is never closed; add the closing quote"},
      {"a: 'b\nc: 1\n",
       "1:4: not valid YAML: a quoted text is never closed; add the closing quote"},
      {"a: !!str &x \"b\\\"\n",
       "1:4: not valid YAML: a quoted text is never closed; add the closing quote"},
      {"\"a: 1\nb: 2\n",
       "1:1: not valid YAML: a quoted text is never closed; add the closing quote"},
      {"a: \"b\n", "1:4: not valid YAML: a quoted text is never closed; add the closing quote"},
      {"a: @b\n",
       "1:4: not valid YAML: a value cannot begin with this character; put the value in "
       "quotes"},
      {"a: *b\n",
       "1:4: not valid YAML: an alias (*) names no anchor; define it before with &, or "
       "put a text that begins with \"*\" in quotes"},
      {"a: 1\n- b\n",
       "2:1: not valid YAML: this line does not continue the mapping it is in; check "
       "the indentation"},
      {"--- a\n--- b\n", "2:1: a second document begins here; allowed: one document in a file"},
      {"a: !secret b\n", "1:4: unknown tag \"!secret\"; allowed: none, or !!str before a value"},
      {"a: !!int b\n",
       "1:4: unknown tag \"tag:yaml.org,2002:int\"; allowed: none, or !!str before a value"},
      {"a: &x [1, *x]\n", "1:11: an alias stands inside the value it names, which would never end"},
      {"? [a]\n: 1\n", "1:3: a key is a list; allowed: a word"},
      {std::string("a\0b", 3),
       "1:2: this is a binary file (it holds a zero byte); allowed: YAML as UTF-8 text"},
      {"a: 1\nb: \xE9\xE8\n", "2:4: these bytes are not UTF-8; allowed: YAML as UTF-8 text"},
      {"- 1\n",
       "1:1: the file is a list; allowed: a mapping of keys to values, at least sampling, "
       "primary_metric_name, primary_metric_goal, max_total_runs"},
      {"hello\n",
       "1:1: the file is the text \"hello\"; allowed: a mapping of keys to values, at "
       "least sampling, primary_metric_name, primary_metric_goal, max_total_runs"},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    CHECK(told(one.text) == "hdconfig.yml:" + one.message + "\n");
  }
}

TEST_CASE("Columns count characters, not bytes") {
  CHECK(told(around("environment_variables: {äöü: 1, b: []}")) ==
        "hdconfig.yml:9:36: the environment variable \"b\" is a list; allowed: text (an empty one "
        "is written \"\")\n");
}

TEST_CASE("Deep nesting is refused, whether brackets, dashes or aliases make it") {
  const std::string tail = "lists and mappings are nested too deeply; allowed: 100 levels\n";
  for (const std::string& text : {repeat("[", 100000), repeat("- ", 100000), repeat("{a: ", 100000),
                                  repeat("? ", 100000), "a: " + repeat("[", 100)}) {
    const std::string message = told(text);
    CHECK(message.substr(message.find(": ") + 2) == tail);
  }
  std::string aliases = "a0: &a0 [1]\n";
  for (int i = 1; i < 2000; ++i)
    aliases += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" +
               std::to_string(i - 1) + "]\n";
  const std::string message = told(aliases);
  CHECK(message.substr(message.find(": ") + 2) == tail);
}

TEST_CASE("Aliases that multiply are refused before they fill the memory") {
  std::string text = "a0: &a0 [" + repeat("lol,", 9) + "lol]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeat(before + ", ", 9) +
            before + "]\n";
  }
  const std::string message = told(text);
  CHECK(message.substr(message.find(": ") + 2) ==
        "aliases make the file too large; allowed: 64 MB when written out\n");
}

TEST_CASE("Huge scalars and many problems are told in bounded messages") {
  const std::string huge(1 << 20, 'x');
  CHECK(told(around("seed: " + huge)).size() < 300);
  CHECK(told(around("seed: " + std::string(1 << 20, '9'))).size() < 300);
  CHECK(told(around("\"" + huge.substr(0, 1000) + "\": 1")).size() < 1000);
  CHECK(parse(around("experiment_name: " + huge)).spec.experiment.size() == huge.size());
}

TEST_CASE("A truncated or bitten file never does more than get a message") {
  const std::string good = around(
      "policy: {type: bandit, slack_factor: 0.2}\ncommand: t '${{search_space.x}}' \"a b\"\n"
      "environment_variables: {A: &a b, C: *a}\nmetric_patterns: ['a(b)', '(?P<value>b)']\n");
  REQUIRE(parse(good).ok());
  for (std::size_t i = 0; i < good.size(); ++i) {
    parse(good.substr(0, i));
    for (const char c : {'\0', '\t', '\n', ' ', '[', '{', '"', ':', '*', '&', '!', '-', '\xff'}) {
      std::string bitten = good;
      bitten[i] = c;
      const LoadedConfig loaded = parse(bitten);
      for (const Problem& problem : loaded.problems) CHECK_FALSE(problem.text.empty());
    }
  }
}

}  // namespace
}  // namespace hdrive
