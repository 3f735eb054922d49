// SPDX-License-Identifier: Apache-2.0
//
// A moment, and a reader of a sweep, for tests that look at what it tells.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "tests/catch.h"

namespace hdrive::test {

inline Time at(int seconds) { return Time(std::chrono::seconds(1'769'860'800 + seconds)); }

template <class T>
T value_of(Result<T> result) {
  INFO((result ? "" : result.error().message()));
  REQUIRE(result);
  return *std::move(result);
}

inline std::unique_ptr<SweepReader> read(const std::filesystem::path& directory,
                                         const std::string& cursor = "") {
  return value_of(SweepReader::open(directory, cursor));
}

}  // namespace hdrive::test
