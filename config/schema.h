// SPDX-License-Identifier: Apache-2.0
//
// The schema of hdconfig.yml as a table: one row a key. The checks (config/key_check.h), the
// writer, the JSON Schema and docs/hdconfig.md all come from these rows, so a new key is a new row.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml_reader.h"
#include "hdrive/registry.h"
#include "hdrive/spec.h"

namespace hdrive::config {

struct Loader;

/// The mapping a key stands in.
enum class Section {
  top,
  sampling,
  parameter,
  option,
  policy,
  resources,
  distribution,
  job /* config/job_schema.h */,
  target /* config/target_schema.h */
};

enum class KeyKind { text, integer, number, boolean, mapping, list, any };

struct KeyInfo {
  Section section = Section::top;
  std::string_view name;
  KeyKind kind = KeyKind::text;
  bool required = false;          ///< with a default text: but for some, as that says
  bool own = false;               ///< hdrive's, not HyperDrive's
  std::string_view default_text;  ///< as it would be written, or in words; empty: none
  bool default_in_words = false;  ///< the default is a description, not YAML
  std::optional<double> minimum, maximum;
  bool exclusive_minimum = false;
  std::string_view allowed;                 ///< in words, where kind and range don't say it
  std::string_view summary;                 ///< for the reference page
  std::vector<std::string_view> elsewhere;  ///< what other tools call it, for "did you mean"
  /// Takes a value that `check_value` passed into the specification.
  void (*read)(Loader& loader, const Entry& entry) = nullptr;
  /// The value as YAML (a block begins with a line break); empty: it has its default.
  std::string (*write)(const SweepSpec& spec) = nullptr;
};

/// Every key, section by section, in the order to show and to write them.
const std::vector<KeyInfo>& schema();

/// The rows of one section.
std::vector<KeyInfo> rows_of(Section section);

/// An algorithm's option as a row.
KeyInfo row_of(Section section, const OptionInfo& option);

/// What a value may be: "an integer from 1 to 100".
std::string allowed_text(const KeyInfo& row);

}  // namespace hdrive::config
