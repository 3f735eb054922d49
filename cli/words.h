// SPDX-License-Identifier: Apache-2.0
//
// Words of a closed list as values of options.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hdrive::cli {

/// Which of `words`, which are in small letters, `given` is, whatever its case; a Failure (code 2)
/// that names `option`, what is allowed and what was meant where it is none.
std::string word_or_fail(std::string_view option, const std::string& given,
                         const std::vector<std::string>& words);

}  // namespace hdrive::cli
