// SPDX-License-Identifier: Apache-2.0
//
// What a request of an MLflow client is answered with when it cannot be done: MLflow's error codes, which its client
// turns into exceptions. Thrown by whatever handles a request, caught by the routes alone (routes.cpp).
#pragma once

#include <string>
#include <utility>

#include "hdrive/result.h"

namespace hdrive::server::mlflow {

struct Fault {
  int status = 400;  ///< of HTTP; the client tries again after 408, 429, 500, 502, 503 and 504
  std::string code;  ///< "INVALID_PARAMETER_VALUE"
  std::string message;
};

[[noreturn]] inline void refuse(std::string message) {
  throw Fault{400, "INVALID_PARAMETER_VALUE", std::move(message)};
}
[[noreturn]] inline void refuse_missing(std::string message) {
  throw Fault{404, "RESOURCE_DOES_NOT_EXIST", std::move(message)};
}
/// What the system did not let happen; the client tries again where that may help.
[[noreturn]] inline void fail(const Error& error) {
  if (passes_by_itself(error.kind)) throw Fault{503, "TEMPORARILY_UNAVAILABLE", error.message()};
  throw Fault{500, "INTERNAL_ERROR", error.message()};
}
inline void ok_or_fail(const Result<void>& result) {
  if (!result) fail(result.error());
}

}  // namespace hdrive::server::mlflow
