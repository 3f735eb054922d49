// SPDX-License-Identifier: Apache-2.0
//
// What a kind of chart is made from, and what it makes: a function a kind, each in the file of its name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/plot.h"
#include "hdrive/spec.h"
#include "plot/axes.h"
#include "plot/painter.h"
#include "plot/runs.h"
#include "plot/theme.h"

namespace hdrive::plot {

/// The sweep, and what was asked for. Valid while a chart is made and drawn.
struct Scene {
  SweepReader& reader;
  const SweepHeader& header;
  const SweepSpec& spec;
  const PlotOptions& options;
  const Theme& theme;
  std::string metric;  ///< the one that was asked for, or the primary one

  Result<Runs> runs() const { return Runs::read(reader, header, spec, metric); }
  /// The curves of the metric, as many as a still picture bears.
  Result<SweepCurves> curves() const;
};

/// What stands below a chart: a mark and what it means.
struct LegendEntry {
  enum class Mark { none, line, dashes, dots, ramp };
  Mark mark = Mark::none;
  std::string_view color = "";
  std::string text;
};

struct Chart {
  std::string about;  ///< a sentence
  std::vector<LegendEntry> legend;
  int width = 760, height = 440;  ///< where nobody asked for another size; with the legend
  std::function<void(SvgPainter&, const Box&)> draw;
};

Result<Chart> make_history(const Scene& scene);
Result<Chart> make_curves(const Scene& scene);
Result<Chart> make_parallel(const Scene& scene);
Result<Chart> make_scatter(const Scene& scene);
Result<Chart> make_slice(const Scene& scene);
Result<Chart> make_contour(const Scene& scene);
Result<Chart> make_importance(const Scene& scene);
Result<Chart> make_edf(const Scene& scene);
Result<Chart> make_timeline(const Scene& scene);
Result<Chart> make_rank(const Scene& scene);
Result<Chart> make_stopping(const Scene& scene);

/// "worse ... better", or "low ... high" where nobody knows what is good.
LegendEntry ramp_entry(const Runs& runs);
/// The parameters that were asked for, or all; an Error where one is unknown, or there are fewer than `least`.
Result<std::vector<const Column*>> chosen_parameters(const Runs& runs, const PlotOptions& options,
                                                     std::size_t least);
/// What to say where no run has a value yet.
Error no_value(const Scene& scene);
/// What to say of a log axis without a value that has a place on it.
Error nothing_above_zero(std::string_view option, const std::string& label);
/// What to say of a name that is none of those allowed.
Error unknown_name(std::string_view option, std::string_view what, const std::string& name,
                   const std::vector<std::string>& allowed);

}  // namespace hdrive::plot
