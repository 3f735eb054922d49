// SPDX-License-Identifier: Apache-2.0
#include "cli/argument_parser.h"

#include <optional>

#include "tests/catch.h"

using hdrive::cli::ArgumentParser;

namespace {

// A verb with an argument of each kind.
struct Verb {
  std::string file, name, sort = "number";
  std::vector<std::string> set, rest;
  std::optional<std::uint64_t> seed;
  bool quiet = false;
  ArgumentParser parser;

  Verb() {
    parser.text("config", file, "CONFIG", "").required = true;
    parser.text("-e,--name", name, "NAME", "");
    parser.choice("--sort", sort, {"number", "best"}, "ORDER", "");
    parser.texts("--set", set, "KEY=VALUE", "");
    parser.integer("--seed", seed, std::uint64_t{0}, "");
    parser.flag("--quiet", quiet, "");
  }
  std::string fault(std::vector<std::string> words) {
    const auto parsed = parser.parse(std::move(words));
    return parsed ? "" : parsed.error().what;
  }
};

}  // namespace

TEST_CASE("Every kind of argument is filled, in any order") {
  Verb verb;
  CHECK(verb.fault({"--set", "a=1", "-e", "x", "--quiet", "hd.yml", "--set=b=2", "--seed", "7",
                    "--sort", "best"}) == "");
  CHECK(verb.file == "hd.yml");
  CHECK(verb.name == "x");
  CHECK(verb.set == std::vector<std::string>{"a=1", "b=2"});
  CHECK(verb.seed == 7U);
  CHECK(verb.quiet);
  CHECK(verb.sort == "best");
}

TEST_CASE("A repeated option takes one word each time, and leaves the next to the positionals") {
  Verb verb;
  CHECK(verb.fault({"--set", "a=1", "hd.yml"}) == "");
  CHECK(verb.file == "hd.yml");
  CHECK(verb.set == std::vector<std::string>{"a=1"});
}

TEST_CASE("A repeated positional takes all that are left") {
  Verb verb;
  verb.parser.texts("values", verb.rest, "NAME=VALUE...", "");
  CHECK(verb.fault({"hd.yml", "a=1", "--quiet", "b=2"}) == "");
  CHECK(verb.rest == std::vector<std::string>{"a=1", "b=2"});
}

TEST_CASE("What is wrong with the words is said in the user's terms") {
  Verb verb;
  CHECK(verb.fault({"hd.yml", "--seeed", "1"}) ==
        "unknown option \"--seeed\"; did you mean \"--seed\"?");
  CHECK(verb.fault({"hd.yml", "more"}) == "unexpected argument \"more\"");
  CHECK(verb.fault({}) == "CONFIG is missing");
  CHECK(verb.fault({"hd.yml", "--seed"}) == "--seed needs a value: a whole number");
  CHECK(verb.fault({"hd.yml", "--set"}) == "--set needs a value: KEY=VALUE");
  CHECK(verb.fault({"hd.yml", "--sort"}) == "--sort needs a value; allowed: number, best");
  CHECK(verb.fault({"hd.yml", "--sort", "bestt"}) ==
        "--sort: unknown \"bestt\"; did you mean \"best\"? allowed: number, best");
  CHECK(verb.fault({"hd.yml", "--seed", "1", "--seed", "2"}) ==
        "--seed is given 2 times; give it once");
  CHECK(verb.fault({"hd.yml", "--quiet=perhaps"}) == "--quiet takes no value");
  CHECK(verb.fault({"hd.yml", "--seed", "-1"}).starts_with("--seed: \"-1\" is out of range"));
}

TEST_CASE("Help is told from arguments, whatever else is wrong with them") {
  Verb verb;
  CHECK(*verb.parser.parse({"--help"}) == ArgumentParser::Parsed::help);
  CHECK(*verb.parser.parse({"hd.yml", "-h"}) == ArgumentParser::Parsed::help);
}

TEST_CASE("An option is found by any of its names, a positional by none") {
  Verb verb;
  CHECK(verb.parser.find("-e") == verb.parser.find("--name"));
  CHECK(verb.parser.find("-e") != nullptr);
  CHECK(verb.parser.find("config") == nullptr);
}
