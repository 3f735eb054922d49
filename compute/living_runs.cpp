// SPDX-License-Identifier: Apache-2.0
//
// What lives of a sweep that no engine runs: an engine that was killed leaves its runs to their supervisors.
#include <fmt/format.h>

#include <optional>
#include <system_error>

#include "compute/process_identity.h"
#include "compute/run_records.h"
#include "hdrive/housekeeping.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;

Error alive(const fs::path& run, std::string_view what) {
  return {run.string(),
          fmt::format("{}; `hdrive stop {}` ends the sweep's runs", what,
                      run.parent_path().parent_path().filename().string()),
          Error::Kind::busy};
}

}  // namespace

Result<void> expect_no_living_runs(const fs::path& directory) {
  std::optional<Result<compute::ProcessSpace>> here;  // looked at for the first that may live
  std::error_code error;
  for (fs::directory_iterator entry(directory / "runs", error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& run = entry->path();
    const auto record = compute::read_supervisor_record(run);
    if (!record && record.error().kind == Error::Kind::not_found) continue;
    if (!record) return alive(run, "it may be alive: " + record.error().message());
    if (!*record) continue;
    if (!here) here = compute::look_around();
    if (!*here) return alive(run, "it may be alive: " + here->error().message());
    const auto supervisor = compute::find_supervisor(**record, run, **here);
    if (!supervisor) return alive(run, "it may be alive: " + supervisor.error().message());
    if (*supervisor)
      return alive(run, fmt::format("it is alive (its supervisor is process {}), though no engine "
                                    "runs the sweep",
                                    (*record)->pid));
  }
  return {};
}

}  // namespace hdrive
