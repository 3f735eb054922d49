// SPDX-License-Identifier: Apache-2.0
//
// Errors as exceptions of hdrive._errors, one class a kind, with the texts that the command prints.
#pragma once

#include <utility>

#include "hdrive/result.h"

namespace hdrive::python {

/// Raises it in Python. Needs the interpreter lock, as all of this does.
[[noreturn]] void raise(const Error& error);
/// Raises the class of this name in hdrive._errors.
[[noreturn]] void raise(const char* exception, const std::string& text);

template <class T>
T value_or_raise(Result<T> result) {
  if (!result) raise(result.error());
  return *std::move(result);
}
inline void ok_or_raise(const Result<void>& result) {
  if (!result) raise(result.error());
}

/// Where what failed is what the caller gave, and nothing else could have: ConfigError.
template <class T>
T valid_or_raise(Result<T> result) {
  if (result) return *std::move(result);
  Error error = result.error();
  if (error.kind == Error::Kind::other) error.kind = Error::Kind::invalid;
  raise(error);
}
inline void valid_or_raise(Result<void> result) {
  if (result) return;
  Error error = result.error();
  if (error.kind == Error::Kind::other) error.kind = Error::Kind::invalid;
  raise(error);
}

}  // namespace hdrive::python
