// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "base/text.h"
#include "hdrive/sampler.h"
#include "tests/catch.h"

using namespace hdrive;

namespace {

const SearchSpace kSpace{{{"a", Choice{{true, false}}}}};

std::string outcome(const AlgorithmSpec& spec, const SearchSpace& space = kSpace) {
  const auto made = make_sampler(spec, space, {});
  return made ? (*made)->describe() : made.error().message();
}

}  // namespace

TEST_CASE("Every row of the table can be made by its name and its aliases, in any case") {
  for (const AlgorithmInfo& info : sampler_algorithms()) {
    INFO(info.name);
    CHECK_FALSE(info.summary.empty());
    CHECK(make_sampler({std::string(info.name), {}}, kSpace, {}));
    for (const std::string_view alias : info.aliases)
      CHECK(make_sampler({base::lower(alias), {}}, kSpace, {}));
  }
  CHECK(outcome({"RANDOM", {}}) == outcome({"random", {}}));
  CHECK(outcome({"Grid", {}}) == outcome({"GridParameterSampling", {}}));
}

TEST_CASE("No two rows share a name") {
  std::set<std::string> names;
  std::size_t count = 0;
  for (const AlgorithmInfo& info : sampler_algorithms()) {
    names.insert(base::fold(info.name));
    for (const std::string_view alias : info.aliases) names.insert(base::fold(alias));
    count += 1 + info.aliases.size();
  }
  CHECK(names.size() == count);
}

TEST_CASE("An unknown sampler is refused with those there are and the nearest") {
  const std::string message = outcome({"randm", {}});
  CHECK(message.starts_with("unknown sampling type \"randm\"; allowed: random, grid"));
  CHECK(message.ends_with("did you mean \"random\"?"));
}

TEST_CASE("An unknown option is refused") {
  CHECK(outcome({"random", {{"sead", std::int64_t{1}}}}) ==
        "random has no option \"sead\"; it takes none");
}

TEST_CASE("A space with a fault or a repeated name is refused by parameter") {
  CHECK(outcome({"random", {}}, {{{"a", Uniform{0, 1}}, {"lr", Uniform{3, 1}}}}) ==
        "parameter \"lr\": uniform: min_value 3 is above max_value 1");
  CHECK(outcome({"grid", {}}, {{{"a", Choice{}}}}) ==
        "parameter \"a\": choice: there are no options to choose from");
  CHECK(outcome({"random", {}}, {{{"a", RandInt{2}}, {"--a", RandInt{2}}}})
            .starts_with("parameter \"--a\": is in the search space twice"));
}
