// SPDX-License-Identifier: Apache-2.0
//
// Metrics read from what a program prints, by the sweep's regular expressions. Called by the intake
// for each line of stdout, on the sweep's thread. Immutable once made.
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

/// Why a pattern told no metric, or not the one that is there.
struct PatternFault {
  std::string what;
  bool misread =
      false;  ///< it takes a part of a number or none of it, and so it will in every line
};

class OutputPatterns {
 public:
  /// An Error names the first pattern that is not sound.
  static Result<OutputPatterns> make(const std::vector<std::string>& patterns,
                                     std::string primary_metric);
  ~OutputPatterns();
  OutputPatterns(OutputPatterns&&) noexcept;
  OutputPatterns& operator=(OutputPatterns&&) noexcept;

  bool empty() const { return patterns_.empty(); }

  /// Appends the metrics found in `line`, pattern by pattern, each as often as it matches. A match
  /// whose value is no number, or only a part of one ("2.000" of "2.000e-03"), is told in `faults`.
  /// With `look_for_missed` also a number that a pattern passes over ("-0.25" where it takes digits
  /// only).
  void search(std::string_view line, std::vector<Metric>& metrics,
              std::vector<PatternFault>& faults, bool look_for_missed) const;

 private:
  struct Pattern {
    std::string text;
    std::unique_ptr<re2::RE2> expression;
    int value = 1;  // numbers of its groups; 0: none
    int name = 0, step = 0;
    std::unique_ptr<re2::RE2>
        any_value;  // the same with \S+ for the value; null: it is that already
  };
  struct Search;

  OutputPatterns() = default;
  static Result<Pattern> make_pattern(const std::string& text);

  std::vector<Pattern> patterns_;
  std::string primary_metric_;
};

}  // namespace hdrive::compute
