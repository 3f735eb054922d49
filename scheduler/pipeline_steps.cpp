// SPDX-License-Identifier: Apache-2.0
//
// What front ends that run pipelines share: the names of their sweeps, and what these wrote.
#include <fmt/format.h>

#include "hdrive/ids.h"
#include "hdrive/pipeline.h"
#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "hdrive/target.h"

namespace hdrive {

std::string new_pipeline_name(const Pipeline& pipeline, const std::filesystem::path& file) {
  std::string name = pipeline.name.empty() ? file.stem().string() : pipeline.name;
  for (char& c : name)
    if (c == '/') c = '-';
  const std::string id = new_sweep_id();  // "HD_<uuid>"
  return name + "-" + id.substr(3, 8);
}

std::string step_sweep_name(const std::string& pipeline, const std::string& step) {
  return pipeline + "." + step;
}

Result<std::filesystem::path> outputs_of(const PipelineStep& step, const SweepEntry& sweep) {
  RunId run = 0;
  if (step.sweep) {
    auto reader = SweepReader::open(sweep.directory);
    if (!reader) return reader.error();
    const auto totals = (*reader)->totals();
    if (!totals) return totals.error();
    if (!totals->best)
      return Error{sweep.header.name.empty() ? sweep.header.id : sweep.header.name,
                   fmt::format("no run of {} reported {}, so that none is the best", step.name,
                               sweep.header.metric)};
    run = *totals->best;
  }
  return run_directory(sweep.directory, run) / "outputs";
}

}  // namespace hdrive
