// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: a value, or an Error that says where and what.
//
// Everything in hdrive that can fail for a reason outside the program (a file, a configuration, a
// process, a database) returns a Result. Exceptions are left for broken invariants; the library
// never prints and never ends the process.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace hdrive {

/// What went wrong and where: `where` is a file position ("hdconfig.yml:14:9"), a run ("run 7") or
/// a path, and may be empty; `what` is one sentence that also says what would be right.
struct Error {
  /// What a caller can do about it. Decisions are made by kind, never by text.
  enum class Kind {
    other,         ///< none of these: trying again unchanged would fail again
    invalid,       ///< what was given is not allowed; the giver can change it
    not_found,     ///< a file, a folder, a program, a sweep that is not there (any more)
    not_allowed,   ///< permission is missing, or the file system is read-only
    no_room,       ///< a full disk or a quota
    no_resources,  ///< descriptors, processes or memory ran out
    busy,          ///< somebody else holds it at the moment
    damaged,       ///< what is stored contradicts itself
  };

  std::string where;
  std::string what;
  Kind kind = Kind::other;
  /// The directory of a sweep that `hdrive repair` would rebuild; empty: there is none.
  std::string to_repair = "";

  /// "where: what", or only "what" where there is no place to name, and the repair that would help.
  std::string message() const { return message(to_repair.substr(to_repair.rfind('/') + 1)); }
  /// The same where the sweep to repair is found by these words: only a caller knows where its
  /// user looks for sweeps.
  std::string message(const std::string& words_for_sweep) const {
    std::string text = where.empty() ? what : where + ": " + what;
    if (!to_repair.empty())
      text += "; `hdrive repair " + words_for_sweep +
              "` rebuilds it from what is left and the runs' directories";
    return text;
  }
};

/// Whether the same may well work later without anybody's doing: room, resources and locks come
/// back.
constexpr bool passes_by_itself(Error::Kind kind) {
  return kind == Error::Kind::no_room || kind == Error::Kind::no_resources ||
         kind == Error::Kind::busy;
}

/// Whether the cause lies in the surroundings, so that nothing is known of what was tried: also a
/// folder or a program that is gone, and a permission that is missing, which somebody can put
/// right.
constexpr bool lies_outside(Error::Kind kind) {
  return passes_by_itself(kind) || kind == Error::Kind::not_found ||
         kind == Error::Kind::not_allowed;
}

/// Either a T or an Error. Test it with `if (result)`, then use `*result`, or `result.error()`.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  explicit operator bool() const { return value_.has_value(); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  explicit operator bool() const { return !error_.has_value(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace hdrive
