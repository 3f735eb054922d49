// SPDX-License-Identifier: Apache-2.0
//
// Stored runs as rows of a listing and as JSON, and what a user may say about which ones and in
// which order. For the verbs that look at sweeps.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/json_fwd.h"
#include "cli/listing.h"
#include "cli/parameters.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "hdrive/report.h"

namespace hdrive::cli {

/// The sweep's reader, or a Failure.
std::unique_ptr<SweepReader> reader_or_fail(const SweepEntry& sweep);

/// A run as JSON: its report, and what it used and logged besides.
OrderedJson run_object(const StoredRun& run, const SweepHeader& header);

/// The columns of runs, of one sweep or of several.
class RunColumns {
 public:
  struct Names {
    std::vector<std::string> parameters;  ///< one column each; none: all in one
    std::vector<std::string> metrics;     ///< besides the primary one
  };
  RunColumns(std::string metric, Names names);
  /// Also tells the sweep of each run.
  void name_sweeps() { several_ = true; }
  /// Also tells the snapshot and the state of the git repository.
  void name_source() { source_ = true; }

  std::vector<Column> columns() const;
  std::vector<Cell> row(const StoredRun& run, const SweepHeader& header) const;

 private:
  std::string metric_;
  Names names_;
  bool several_ = false, source_ = false;
};

/// Adds what a reader's runs have: of parameters only with `apart`.
void add_names(RunColumns::Names& names, SweepReader& reader, const SweepHeader& header,
               Parameters parameters);

/// "number", "best", "time", ..., the name of a parameter or of a metric; "-" in front turns it
/// around. A Failure says what is allowed.
RunOrder order_or_fail(const std::string& text, SweepReader& reader);

/// What `--status` was given.
std::vector<RunStatus> statuses_or_fail(const std::vector<std::string>& texts);

/// The words both are made of: "number", "best", ...; "queued", "running", ...
std::vector<std::string> order_words();
std::vector<std::string> status_words();

}  // namespace hdrive::cli
