// SPDX-License-Identifier: Apache-2.0
//
// What the model believes about a sweep in words and as JSON, as `show --model` prints it.
#pragma once

#include <string>

#include "cli/json_fwd.h"
#include "hdrive/sampler.h"

namespace hdrive::cli {

std::string model_text(const ModelReport& report);
OrderedJson model_json(const ModelReport& report);

}  // namespace hdrive::cli
