// SPDX-License-Identifier: Apache-2.0
//
// AlgorithmTable: the rows of a family of algorithms, each with what makes it. Behind
// `sampler_algorithms()` and `policy_algorithms()`.
//
// Immutable after it was made; safe from any thread.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "hdrive/registry.h"

namespace hdrive {

template <class Make>
class AlgorithmTable {
 public:
  struct Row {
    AlgorithmInfo info;
    Make make;  ///< called with the row's name and options that were checked against it
  };

  /// `family` is what a message calls them: "sampling".
  AlgorithmTable(std::string_view family, std::vector<Row> rows)
      : family_(family), rows_(std::move(rows)) {
    for (const Row& row : rows_) infos_.push_back(row.info);
  }

  const std::vector<AlgorithmInfo>& infos() const { return infos_; }

  /// The row that the spec names. Fails where there is none, or the options are not the row's.
  Result<const Row*> find(const AlgorithmSpec& spec) const {
    const AlgorithmInfo* info = find_algorithm(infos_, spec.name);
    if (!info) return Error{"", unknown_algorithm(family_, infos_, spec.name)};
    if (auto options = check_options(*info, spec); !options) return options.error();
    return &rows_[static_cast<std::size_t>(info - infos_.data())];
  }

 private:
  std::string_view family_;
  std::vector<Row> rows_;
  std::vector<AlgorithmInfo> infos_;
};

}  // namespace hdrive
