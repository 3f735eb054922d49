// SPDX-License-Identifier: Apache-2.0
//
// View: one sweep to be read, wherever it is kept. Any thread, one call at a time; the interpreter
// lock need not be held and should not be.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "hdrive/catalog.h"
#include "hdrive/reader.h"
#include "python/mirror.h"

namespace hdrive::python {

class View {
 public:
  virtual ~View() = default;

  virtual Result<SweepEntry> entry() = 0;
  virtual Result<RunPage> runs(const RunQuery& query) = 0;
  virtual Result<StoredRun> run(RunId run) = 0;
  virtual Result<Series> series(RunId run, const std::string& metric) = 0;
  virtual Result<std::optional<RunJudged>> judged(RunId run) = 0;
  virtual Result<std::vector<Noted>> notes() = 0;
  virtual Result<void> each_run(const std::function<void(const StoredRun&)>& tell) = 0;
  /// What the engine did, in lines.
  virtual Result<std::string> controller_log() = 0;
  /// Calls `look` with the history of the primary metric.
  virtual Result<void> with_history(const std::function<void(const History&)>& look) = 0;
};

/// Of a sweep in memory; `header` as it was made.
std::shared_ptr<View> make_memory_view(SweepHeader header, std::shared_ptr<const Mirror> mirror);
/// Of a sweep on disk, live or not.
Result<std::shared_ptr<View>> open_view(const std::filesystem::path& directory);

}  // namespace hdrive::python
