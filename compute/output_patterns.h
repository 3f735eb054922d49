// SPDX-License-Identifier: Apache-2.0
//
// Metrics read from what a program prints, by the sweep's regular expressions. Called by the intake for
// each line of stdout, on the sweep's thread. Immutable once made.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/target.h"

namespace re2 {
class RE2;
}

namespace hdrive::compute {

/// Of a longer line only this much is searched.
inline constexpr std::size_t kLongestOutputLine = 64 << 10;

class OutputPatterns {
 public:
  /// An Error names the first pattern that is not sound.
  static Result<OutputPatterns> make(const std::vector<std::string>& patterns,
                                     std::string primary_metric);
  ~OutputPatterns();
  OutputPatterns(OutputPatterns&&) noexcept;
  OutputPatterns& operator=(OutputPatterns&&) noexcept;

  bool empty() const { return patterns_.empty(); }

  /// Appends the metrics found in `line`, pattern by pattern, each as often as it matches. A match whose
  /// value is not a number is told in `faults`.
  void search(std::string_view line, std::vector<Metric>& metrics,
              std::vector<std::string>& faults) const;

 private:
  struct Pattern {
    std::unique_ptr<re2::RE2> expression;
    int value = 1;  // numbers of its groups; 0: none
    int name = 0, step = 0;
  };

  OutputPatterns() = default;

  std::vector<Pattern> patterns_;
  std::string primary_metric_;
};

}  // namespace hdrive::compute
