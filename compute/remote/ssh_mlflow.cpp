// SPDX-License-Identifier: Apache-2.0
//
// The ssh target, third part: what runs log with MLflow. It comes to the sweep's server, on this machine, by HTTP, into a
// file beside metrics.jsonl, which is a copy of the host's: two who append to a file that is copied by its length would
// write over each other. One cursor says how far both were read.
#include <utility>

#include "compute/remote/ssh_target.h"
#include "compute/run_directory.h"

namespace hdrive::compute::remote {
namespace {

constexpr Duration kOften = std::chrono::milliseconds{200};
// More runs than this are looked at less often, so that looking costs little.
constexpr std::int64_t kRunsAtOnce = 200;

}  // namespace

RunRequest SshTarget::with_variables(const RunRequest& request) const {
  RunRequest result = request;
  if (const auto access = read_.elsewhere ? read_.elsewhere(request) : std::nullopt)
    result.environment.insert(result.environment.end(), access->environment.begin(),
                              access->environment.end());
  return result;
}

void SshTarget::follow_mlflow(Run& run, base::UniqueFd file) {
  if (!file) return;
  const IntakePosition at = position_from(run.request.cursor).value_or(IntakePosition{});
  run.mlflow = std::make_unique<Intake>(run.request.run, run.request.attempt, base::UniqueFd(),
                                        base::UniqueFd(), at, nullptr);
  run.mlflow->take_mlflow(std::move(file));
}

// The agent knows how far the files of its machine were read, this side how far its own.
void SshTarget::note_position(Run& run, std::string& cursor, bool of_agent) {
  const auto told = position_from(cursor), before = position_from(run.request.cursor);
  if (run.mlflow && told && before) {
    IntakePosition whole = of_agent ? *told : *before;
    whole.mlflow = run.mlflow->position().mlflow;
    cursor = to_cursor(whole);
  }
  run.request.cursor = cursor;
}

void SshTarget::read_mlflow(Time now) {
  if (now < next_mlflow_) return;
  IntakeBudget budget;
  std::int64_t live = 0;
  for (auto& [id, run] : runs_) {
    if (!run.mlflow || budget.spent()) continue;
    ++live;
    read_mlflow(id, run, /*last=*/false, budget);
  }
  next_mlflow_ = budget.spent() ? now : now + kOften * (live / kRunsAtOnce + 1);
}

void SshTarget::read_mlflow(RunId id, Run& run, bool last, IntakeBudget& budget) {
  std::vector<TargetEvent> events;
  run.mlflow->read(buffer_, budget, last, events);
  for (TargetEvent& event : events) {
    if (auto* reported = std::get_if<RunReported>(&event)) {
      note_position(run, reported->cursor, /*of_agent=*/false);
      // What it logs says that it runs, also while its host has not.
      if (run.host && !std::exchange(run.accepted, true))
        told_.emplace_back(RunAccepted{id, run.request.attempt, hosts_[*run.host].label});
      if (!std::exchange(run.began, true))
        told_.emplace_back(RunBegan{id, run.request.attempt, 0, {}});
    }
    told_.push_back(std::move(event));
  }
}

// Of one that ends without its files.
void SshTarget::read_rest_of_mlflow(RunId id, Run& run) {
  if (!run.mlflow) return;
  IntakeBudget budget;
  do {
    budget = {};
    read_mlflow(id, run, /*last=*/true, budget);
  } while (budget.spent());
  run.mlflow.reset();
}

}  // namespace hdrive::compute::remote
