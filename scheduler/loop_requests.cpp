// SPDX-License-Identifier: Apache-2.0
//
// What other processes ask of the engine of a sweep: stop, pause, resume,
// update, retry.
#include <fmt/format.h>

#include "hdrive/begin.h"
#include "hdrive/edit.h"
#include "scheduler/ending.h"
#include "scheduler/sweep_loop.h"

namespace hdrive::scheduler {

void SweepLoop::take_requests() {
  if (!journal_.parts().store->takes_requests()) return;
  auto requests = journal_.parts().store->take_requests();
  if (!requests) return;  // a store that cannot be read now is asked again at the next turn
  for (const Request& request : *requests) {
    Answer answer = carry_out(request);
    journal_.record(
        RequestAnswered{request.id, answer.accepted, std::move(answer.text), journal_.now()});
  }
}

Answer SweepLoop::carry_out(const Request& request) {
  if (ending_ && request.kind != Request::Kind::stop_sweep &&
      request.kind != Request::Kind::stop_run)
    return {false, "the sweep is ending: " + ending_->reason};
  switch (request.kind) {
    case Request::Kind::stop_sweep:
      end(SweepEnd::user, EndCause::interrupt, "stopped by `hdrive stop`");
      return {true, "it is being stopped"};
    case Request::Kind::stop_run:
      if (request.run && runs_.stop(*request.run, "stopped by `hdrive stop`"))
        return {true, "it is being stopped"};
      return {false, why_not_stopped(history(), request.run)};
    case Request::Kind::pause_sweep:
      return pause();
    case Request::Kind::resume_sweep:
      return go_on();
    case Request::Kind::update_sweep:
      return update(request);
    case Request::Kind::retry_run:
      return request.run ? runs_.retry(*request.run) : Answer{false, "no run was named"};
  }
  return {false, "it is of a kind that this engine does not know"};
}

Answer SweepLoop::pause() {
  if (!paused_) {
    paused_ = true;
    runs_.unplan();
    change(SweepStatus::paused, SweepEnd::none, pause_reason());
  }
  if (runs_.live() == 0) return {true, "paused; nothing runs"};
  return {true, fmt::format("paused; {}, and no new ones are started", what_goes_on())};
}

Answer SweepLoop::go_on() {
  if (!paused_ && !gate_.needs_somebody()) return {false, "it is not paused"};
  gate_.try_now(journal_.now());
  const bool by_somebody = std::exchange(paused_, false);
  if (gate_.needs_somebody()) {
    if (by_somebody) change(SweepStatus::paused, SweepEnd::none, pause_reason());
    return {true, "no run could be started; it is tried again now"};
  }
  count_time_again();
  return {true, "goes on"};
}

Answer SweepLoop::update(const Request& request) {
  auto edit = edit_spec(spec_, read_settings(request.payload), journal_.state().counted_runs());
  if (!edit) return {false, edit.error().message()};
  if (edit->what.empty()) return {true, "nothing changes: it is so already"};
  if (edit->spec.metric_patterns != spec_.metric_patterns)
    return {false,
            "metric_patterns: the engine reads the output of live runs "
            "with them; `hdrive stop` "
            "first, then update and resume"};
  if (edit->spec.gpus != spec_.gpus || edit->spec.gpus_per_run != spec_.gpus_per_run ||
      edit->spec.gpus_shared != spec_.gpus_shared || edit->spec.cpus_per_run != spec_.cpus_per_run)
    return {
        false,
        "gpus, gpus_per_run, gpus_shared and cpus_per_run: the engine has handed devices out by "
        "them; `hdrive stop` first, then update and resume"};
  if (edit->spec.targets != spec_.targets || resources_of(edit->spec) != resources_of(spec_))
    return {
        false,
        "target and resources: the engine has sent runs there and asked for that; `hdrive stop` "
        "first, then update and resume"};
  if (auto used = journal_.use(edit->spec); !used) return {false, used.error().message()};
  journal_.record(SweepEdited{std::move(edit->config), edit->what, journal_.now()});
  spec_ = std::move(edit->spec);
  exhausted_.clear();
  proposer_.discard();
  runs_.unplan();  // there may be fewer slots now
  return {true, std::move(edit->what)};
}

}  // namespace hdrive::scheduler
