// SPDX-License-Identifier: Apache-2.0
//
// All runs of a sweep as columns of numbers, which charts are drawn from: text is an index into
// `categories`, what is not there is NaN. Row i is run i.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/reader.h"
#include "hdrive/spec.h"
#include "plot/scale.h"

namespace hdrive::plot {

struct Column {
  std::string label;
  ScaleKind kind = ScaleKind::linear;
  std::vector<double> data = {};
  std::vector<std::string> categories = {};
  bool is_value = false;                           ///< what the chart is about
  std::map<std::string, std::size_t> places = {};  ///< of the categories
};

class Runs {
 public:
  /// Reads them. `metric`: what runs are compared by; of the primary one each run's best, of another its last value.
  static Result<Runs> read(SweepReader& reader, const SweepHeader& header, const SweepSpec& spec,
                           const std::string& metric);

  std::size_t rows() const { return status.size(); }
  /// Whether it is known which values are good.
  bool judged() const { return judged_; }
  Goal goal() const { return goal_; }
  bool better(double a, double b) const { return goal_ == Goal::minimize ? a < b : a > b; }
  /// The best run by the value; nothing where none has one, or where nobody knows what is good.
  std::optional<std::size_t> best() const;
  /// "loss  ↓ better"; of other columns their label.
  std::string axis_label(const Column& column) const;

  /// 0 the worst, 63 the best (the greatest, where nobody knows what is good): by rank, so that a run that diverged
  /// takes no colour from the others. kNoShade: without a value.
  static constexpr std::uint8_t kNoShade = 255;
  std::vector<std::uint8_t> shades() const;

  /// A parameter, a metric or a field; null: there is none of this name.
  const Column* find(std::string_view name) const;
  std::vector<std::string> names() const;
  const Column* parameter(std::string_view name) const;

  std::vector<RunStatus> status;
  std::vector<EndCause> ended_by;
  Column value, number, started, ended, duration, reports, slot;
  std::vector<Column> parameters;  ///< in the order of the space, then those it does not have
  std::vector<Column> metrics;     ///< their last values

 private:
  void take(const StoredRun& stored, const std::string& metric, const std::string& primary);
  Column& parameter_column(std::string_view name);
  void set(Column& column, std::size_t row, const Value& given);
  /// From moments to seconds since the first run began.
  void settle(const SweepEntry& entry);

  bool judged_ = true;
  Goal goal_ = Goal::minimize;
};

}  // namespace hdrive::plot
