// SPDX-License-Identifier: Apache-2.0
//
// What the fuzz targets share: the input as text, and a check that ends the process, which the fuzzer then
// reports with the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace hdrive::fuzz {

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// A directory for this process, in memory where the system has one.
inline const std::filesystem::path& directory() {
  static const std::filesystem::path path = [] {
    const bool memory = std::filesystem::is_directory("/dev/shm");
    std::string name = memory ? "/dev/shm/hdrive_fuzz_XXXXXX" : "/tmp/hdrive_fuzz_XXXXXX";
    require(::mkdtemp(name.data()) != nullptr, "a temporary directory");
    static std::filesystem::path made;
    made = name;
    std::atexit([] {
      std::error_code ignored;
      std::filesystem::remove_all(made, ignored);
    });
    return made;
  }();
  return path;
}

inline void write(const std::filesystem::path& path, std::string_view bytes) {
  require(static_cast<bool>(base::write_file_atomically(path, bytes)), "the input as a file");
}

}  // namespace hdrive::fuzz
