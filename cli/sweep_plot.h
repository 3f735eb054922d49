// SPDX-License-Identifier: Apache-2.0
//
// Charts of a stored sweep for a terminal: `show --plot`.
#pragma once

#include <string>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"

namespace hdrive::cli {

/// History, curves and importance one below the other, each with what is to be said instead where there is nothing to
/// draw. `width` in columns. A Failure where the sweep cannot be read.
std::string sweep_plot(const SweepEntry& sweep, SweepReader& reader, int width, bool utf8);

/// The curves of the metrics of one run.
std::string run_plot(const SweepEntry& sweep, SweepReader& reader, RunId run, int width, bool utf8);

}  // namespace hdrive::cli
