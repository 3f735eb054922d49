// SPDX-License-Identifier: Apache-2.0
//
// The tables of algorithms: one row a sampler or policy, with the schema of its options.
//
// These rows feed the configuration's checks, `hdrive list-algorithms`, the generated reference
// page and the language bindings, so that a new algorithm is one new file and one new row.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/result.h"
#include "hdrive/value.h"

namespace hdrive {

enum class OptionKind { integer, number, boolean, text };

/// One option of an algorithm, as it is written in hdconfig.yml.
struct OptionInfo {
  std::string_view name;
  OptionKind kind = OptionKind::number;
  std::string_view summary;        ///< a sentence, with the unit
  std::string_view default_text;   ///< as it would be written; empty: there is no default
  std::optional<double> minimum;   ///< smallest number allowed
  std::optional<double> maximum;   ///< largest number allowed
  bool exclusive_minimum = false;  ///< `minimum` itself is not allowed
  bool required = false;
};

/// One algorithm.
struct AlgorithmInfo {
  std::string_view name;  ///< what the file is called: "median_stopping"
  std::vector<std::string_view>
      aliases;               ///< other spellings taken, in any case: "MedianStoppingPolicy"
  std::string_view summary;  ///< one sentence
  std::vector<OptionInfo> options;
  /// A budget of fewer runs a parameter is far too small for it to do better than random; 0: any is
  /// fine.
  std::int64_t runs_per_parameter = 0;
  /// Of a sampler: whether it tries each point of its space once, so that max_total_runs may be
  /// left out.
  bool exhaustive = false;
};

/// An algorithm asked for by name, with the options that were given.
struct AlgorithmSpec {
  std::string name;
  std::map<std::string, Value> options;
  bool operator==(const AlgorithmSpec&) const = default;
};

/// Every sampler, in the order to list them.
const std::vector<AlgorithmInfo>& sampler_algorithms();

/// Every early-termination policy, in the order to list them.
const std::vector<AlgorithmInfo>& policy_algorithms();

/// The row whose name or alias is `name`, in any case and with '-', '_' and ' ' alike; or nullptr.
const AlgorithmInfo* find_algorithm(const std::vector<AlgorithmInfo>& table, std::string_view name);

/// What to say of a name that is none of the table's: `unknown sampling type "randm"; allowed:
/// random, grid; did you mean "random"?`.
std::string unknown_algorithm(std::string_view family, const std::vector<AlgorithmInfo>& table,
                              std::string_view name);

/// The options of a spec, with the row's defaults for those that it does not give.
class Options {
 public:
  /// Both must outlive it. The options were checked against the row.
  Options(const AlgorithmInfo& info, const AlgorithmSpec& spec) : info_(info), spec_(spec) {}

  /// Nothing where it is not given and has no default.
  std::optional<double> number(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  /// Of an option with a default.
  bool is_on(std::string_view name) const;

 private:
  const Value* given(std::string_view name) const;
  std::string_view usual(std::string_view name) const;

  const AlgorithmInfo& info_;
  const AlgorithmSpec& spec_;
};

/// Fails naming the first option of `spec` that the algorithm does not know, that has a wrong kind
/// or lies out of its range, or that is required and missing. For specs made in code; a
/// configuration file's are checked with their positions.
Result<void> check_options(const AlgorithmInfo& info, const AlgorithmSpec& spec);

}  // namespace hdrive
