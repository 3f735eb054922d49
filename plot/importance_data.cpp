// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "hdrive/plot.h"

namespace hdrive {

Result<std::vector<ParameterImportance>> sweep_importance(SweepReader& reader,
                                                          const SweepHeader& header,
                                                          const SearchSpace& space) {
  // What a run reached is all that counts here: its other reports need not be read.
  History history(header.goal);
  const auto told = reader.each_run({}, [&](const StoredRun& stored) {
    if (stored.run.id != history.size()) return;
    Run run;
    run.id = stored.run.id;
    run.parameters = stored.run.parameters;
    history.add(std::move(run));
    const MetricFigures* primary = stored.metric(header.metric);
    if (stored.run.status == RunStatus::queued) return;
    history.set_status(stored.run.id, RunStatus::running);
    if (primary) history.report(stored.run.id, primary->best(header.goal).value_or(primary->last));
    if (is_terminal(stored.run.status))
      history.set_status(stored.run.id, stored.run.status, stored.run.ended_by);
  });
  if (!told) return told.error();
  return parameter_importance(space, history);
}

}  // namespace hdrive
