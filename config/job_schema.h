// SPDX-License-Identifier: Apache-2.0
//
// The schema of Azure ML's v2 job files as a table: one row a key, with what hdrive does with it
// and what earlier generations of the format called it. The checks, the JSON Schema of sweep files
// and the table in docs/sweep-jobs.md all come from these rows.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"
#include "config/schema.h"

namespace hdrive::config {

/// What becomes of a key.
enum class Treatment {
  honoured,  ///< it means here what it means on Azure
  mapped,    ///< it is taken, and `note` says as what
  warned,    ///< it has no effect, which is told with `note`
  refused    ///< more than its default is an error; `note` says what to do instead
};

std::string_view to_string(Treatment treatment);

struct JobKey {
  /// The mapping it stands in: "job", "trial", "limits", ...
  std::string_view mapping;
  KeyInfo row;
  Treatment treatment = Treatment::honoured;
  std::string_view note = {};
  /// What earlier generations of the format call it.
  std::vector<std::string_view> earlier = {};
};

/// Every key, mapping by mapping.
const std::vector<JobKey>& job_schema();

/// The keys of one mapping that were found sound, by the name that is current, whatever the
/// spelling in the file.
class Fields {
 public:
  /// Null where the key is absent, empty (null), or not sound.
  const Node* find(std::string_view key) const;
  const Entry* entry(std::string_view key) const;
  const std::vector<std::pair<const JobKey*, const Entry*>>& all() const { return all_; }

 private:
  friend Fields read_fields(std::string_view, const Node&, Place, std::string_view, Problems&);
  std::vector<std::pair<const JobKey*, const Entry*>> all_;
};

/// Checks `map` against the rows of `mapping`: unknown and missing keys, wrong values, a key given
/// in two spellings, and keys that are warned of or refused are all reported. `what` ends such a
/// sentence: ` in "trial"`.
Fields read_fields(std::string_view mapping, const Node& map, Place place, std::string_view what,
                   Problems& problems);

/// The mapping with what the mappings at these keys hold in their place: earlier generations wrote
/// `data: {path: p}` where later ones write `path: p`.
Node flattened(const Node& map, std::initializer_list<std::string_view> keys);

}  // namespace hdrive::config
