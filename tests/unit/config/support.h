// SPDX-License-Identifier: Apache-2.0
//
// Parsing configurations in tests, and their messages as one text.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "hdrive/config.h"
#include "tests/catch.h"

namespace hdrive::test {

inline std::string messages(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += problem.message() + "\n";
  return text;
}

/// Overrides of a sweep without processes, so that a test need not give a command.
inline ConfigOverrides no_command() {
  ConfigOverrides overrides;
  overrides.needs_command = false;
  return overrides;
}

inline LoadedConfig parse(std::string_view text, const ConfigOverrides& overrides = no_command()) {
  return parse_config(text, "hdconfig.yml", "/nowhere", overrides);
}

/// What is said of the file.
inline std::string told(std::string_view text, const ConfigOverrides& overrides = no_command()) {
  return messages(parse(text, overrides).problems);
}

/// A sound file around some lines: `top` lines of the top level, and one parameter `x`.
inline std::string around(std::string_view top) {
  return "sampling:\n"
         "  type: random\n"
         "  parameter_space:\n"
         "  - {name: x, expression: uniform, values: [0, 1]}\n"
         "primary_metric_name: accuracy\n"
         "primary_metric_goal: Maximize\n"
         "max_total_runs: 8\n"
         "max_concurrent_runs: 2\n" +
         std::string(top);
}

/// A sound file whose only parameter, on line 4, is the given flow mapping.
inline std::string with_parameter(std::string_view parameter) {
  return "sampling:\n"
         "  type: random\n"
         "  parameter_space:\n"
         "  - {" +
         std::string(parameter) +
         "}\n"
         "primary_metric_name: accuracy\n"
         "primary_metric_goal: Maximize\n"
         "max_total_runs: 8\n"
         "max_concurrent_runs: 2\n";
}

/// A directory of its own, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "hdrive-config-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace hdrive::test
