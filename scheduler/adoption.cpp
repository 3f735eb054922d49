// SPDX-License-Identifier: Apache-2.0
//
// RunController: the runs of earlier sessions.
#include <algorithm>
#include <utility>
#include <vector>

#include "scheduler/run_controller.h"

namespace hdrive::scheduler {
namespace {

// A resumed sweep tries those again.
bool was_cut_short(EndCause cause) {
  return cause == EndCause::interrupt || cause == EndCause::budget;
}

}  // namespace

Result<void> RunController::adopt() {
  failures_.load(history());
  progress_.load(history());
  std::vector<RunRequest> left;
  for (RunId run = 0; run < history().size(); ++run) {
    if (is_terminal(history().run(run).status)) continue;
    LiveRun live{history().run(run).attempt};
    live.handed_over = true;
    live.canceling = journal_.state().canceling(run);
    live.unreachable = journal_.state().lost_contact(run).has_value();
    if (journal_.state().handle(run).empty() && !live.unreachable) live.since = journal_.now();
    live_.add(run, live, journal_.state().slot(run));
    left.push_back(request(run));
  }
  if (auto looked = target_.adopt(left); !looked)
    return Error{looked.error().where,
                 "it may still be alive, but it cannot be followed, so nothing was started; mend "
                 "this and resume again: " +
                     looked.error().what};
  for (const auto& [run, live] : live_.all()) {
    if (live.canceling == EndCause::none) continue;
    live_.find(run)->told = true;
    target_.cancel(run, CancelMode::graceful);
  }
  std::vector<TargetEvent> known;
  if (!left.empty()) target_.wait(journal_.on_clock(journal_.now()), {}, known);
  handle(known);
  try_cut_short_again();
  std::sort(queued_.begin(), queued_.end());
  return {};
}

void RunController::try_cut_short_again() {
  for (RunId run = 0; run < history().size(); ++run) {
    const Run& record = history().run(run);
    const EndCause cause = record.ended_by;
    if (!is_terminal(record.status) || !was_cut_short(cause)) continue;
    journal_.record(RunRequeued{run, record.attempt + 1, "tried again by the resumed sweep",
                                journal_.now(), cause});
    queued_.push_back(run);
  }
}

}  // namespace hdrive::scheduler
