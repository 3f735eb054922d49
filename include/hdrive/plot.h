// SPDX-License-Identifier: Apache-2.0
//
// A stored sweep as a still picture, for papers and for machines without a browser: SVG, drawn here
// in the portal's kinds of charts and its colours; and the numbers that both draw from.
//
//   auto svg = hdrive::plot_svg(".hdrive/HD_1a2b...", {.kind = "parallel"});
//
// Threading: pure readers, any thread; a SweepReader is used by one at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/history.h"
#include "hdrive/reader.h"
#include "hdrive/result.h"
#include "hdrive/sampler.h"
#include "hdrive/space.h"

namespace hdrive {

// ---- what charts are drawn from -----------------------------------------------------------------

/// The curves to draw where all runs are asked for: all of them, or, where they are too many, the
/// best, those that run, and others evenly over all.
struct CurvesQuery {
  std::string metric;
  std::int64_t points = 60;   ///< of each curve at most (SeriesQuery::max_points); 0: all
  std::int64_t most = 1'000;  ///< curves
};
struct SweepCurves {
  std::int64_t of = 0;         ///< runs there are
  std::string chosen;          ///< which of them these are: "all", or how they were chosen
  std::vector<Series> series;  ///< by run; none is empty
  /// How the best values so far of the runs stand at some reports: of the evenly chosen ones a
  /// tenth is below `low`, half below `median`, a tenth above `high`; `best` is that of all that
  /// were read.
  struct Envelope {
    std::vector<std::int64_t> place;  ///< which report, from 0
    std::vector<double> low, median, high, best;
    std::vector<std::int64_t> runs;  ///< how many had come so far
  } envelope;
};
Result<SweepCurves> sweep_curves(SweepReader& reader, Goal goal, const CurvesQuery& query);

/// `parameter_importance` of a stored sweep, at the cost of reading each run once.
Result<std::vector<ParameterImportance>> sweep_importance(SweepReader& reader,
                                                          const SweepHeader& header,
                                                          const SearchSpace& space);

// ---- pictures -----------------------------------------------------------------------------------

/// A kind of chart.
struct PlotKind {
  std::string_view name;     ///< "history"
  std::string_view summary;  ///< what is seen, a sentence without its full stop
  /// Which of the options below it heeds; another one is an error.
  bool metric = false, x = false, y = false, parameters = false, log_x = false, log_y = false;
};
/// All of them, in the order to list them.
const std::vector<PlotKind>& plot_kinds();

enum class PlotTheme { light, dark };

struct PlotOptions {
  std::string kind = "history";
  /// Instead of the primary metric. Of a run it counts as it was last, since nobody said which
  /// values of it are good.
  std::string metric = "";
  /// What lies along the axes. Of history x is run, started or ended; of curves report, step or
  /// elapsed; else a parameter, a metric, or run, started, ended, duration, reports. Empty: what
  /// tells most.
  std::string x = "", y = "";
  std::vector<std::string> parameters = {};  ///< those to draw, in this order; empty: all
  bool log_x = false, log_y = false;         ///< parameters that are drawn so need not be told
  int width = 0, height = 0;                 ///< in pixels; 0: what suits the kind
  PlotTheme theme = PlotTheme::light;
  std::string title = "";  ///< above the picture; a paper has its caption
};

inline constexpr int kLeastPlotSize = 120, kGreatestPlotSize = 10'000;

/// The sweep in `directory` as an SVG document: valid XML whatever the names in it are, the same
/// bytes for the same stored sweep. 100,000 runs make less than half a megabyte: what would lie on
/// the same pixels is drawn once.
/// Error::Kind::invalid: an option, named by `where` ("kind", "x", ...), is not allowed. not_found:
/// there is nothing to draw yet.
Result<std::string> plot_svg(const std::filesystem::path& directory, const PlotOptions& options);

}  // namespace hdrive
