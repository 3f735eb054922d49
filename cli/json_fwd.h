// SPDX-License-Identifier: Apache-2.0
//
// The name of JSON trees, for headers: the library itself (cli/json.h) takes more than a second to
// compile.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace hdrive::cli {

using OrderedJson = nlohmann::ordered_json;

}  // namespace hdrive::cli
