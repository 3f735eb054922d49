// SPDX-License-Identifier: Apache-2.0
#include "cli/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/command.h"

namespace hdrive::cli {

std::string word_or_fail(std::string_view option, const std::string& given,
                         const std::vector<std::string>& words) {
  const auto found = std::find(words.begin(), words.end(), base::lower(given));
  if (found == words.end())
    fail(kWrong, fmt::format("{}: \"{}\" is none;{} allowed are {}", option, given,
                             base::did_you_mean(given, words), base::join(words, ", ")));
  return *found;
}

}  // namespace hdrive::cli
