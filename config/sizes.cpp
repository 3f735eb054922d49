// SPDX-License-Identifier: Apache-2.0
//
// Whether what a run is started with fits: Linux hands a program words and variables of at most 128
// kB each, and all of them together in a quarter of its stack (2 MB as a rule).
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/text.h"
#include "config/load.h"
#include "config/placeholders.h"

namespace hdrive::config {
namespace {

constexpr std::size_t kLongestWord = std::size_t{128} << 10;  // its zero byte included
constexpr std::size_t kLongestNumber = 24;                    // "-2.2250738585072014e-308"
constexpr std::size_t kUsual = 4096;  // of the environment that hdrive itself is started in

struct Sizes {
  std::size_t text = 0;  ///< on the command line and in AZUREML_SWEEP_
  std::size_t json = 0;
};

// The longest that an expression's values can be.
Sizes longest(const Expression& expression) {
  const auto* choice = std::get_if<Choice>(&expression);
  if (!choice) return {kLongestNumber, kLongestNumber};
  Sizes sizes;
  for (const Value& option : choice->options) {
    sizes.text = std::max(sizes.text, to_text(option).size());
    sizes.json = std::max(sizes.json, to_json(option).size());
  }
  return sizes;
}

std::string kilobytes(std::size_t bytes) { return std::to_string((bytes + 1023) >> 10) + " kB"; }

}  // namespace

void warn_of_sizes(Loader& loader) {
  const SweepSpec& spec = loader.spec;
  std::size_t json = std::string_view("HDRIVE_PARAMETERS={}").size() + 1, all = kUsual;
  for (const Parameter& parameter : spec.space.parameters) {
    const Sizes sizes = longest(parameter.expression);
    if (sizes.text + sweep_variable(parameter.name).size() + 2 > kLongestWord)
      loader.problems.warn(loader.defined[parameter.name],
                           "the longest option of " + in_quotes(parameter.name) + " has " +
                               kilobytes(sizes.text) + ", and no program can be given more than " +
                               kilobytes(kLongestWord) +
                               " as one word; name a file that holds it instead");
    json += parameter.name.size() + sizes.json + 4;
    all += sweep_variable(parameter.name).size() + sizes.text + 2 + sizeof(char*);
    if (spec.append_parameters) all += parameter.name.size() + sizes.text + 4 + 2 * sizeof(char*);
  }
  const Place place = loader.given.contains("sampling") ? loader.given["sampling"] : Place{};
  if (json > kLongestWord)
    loader.problems.warn(
        place, "the values of a run take up to " + kilobytes(json) +
                   " as JSON, and an environment variable holds " + kilobytes(kLongestWord) +
                   "; where they do not fit, HDRIVE_PARAMETERS is left out (run.json "
                   "has them all)");
  const long limit = ::sysconf(_SC_ARG_MAX);
  if (limit > 0 && all > static_cast<std::size_t>(limit))
    loader.problems.warn(place, "the values of a run take up to " + kilobytes(all) +
                                    " on its command line and in its environment, and the system "
                                    "hands a program " +
                                    kilobytes(static_cast<std::size_t>(limit)) +
                                    " at most; runs that have more cannot be started");
}

}  // namespace hdrive::config
