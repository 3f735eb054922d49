// SPDX-License-Identifier: Apache-2.0
//
// SeveralTargets: the runs of one sweep on several targets, wherever there is room. Used on the sweep's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "hdrive/targets.h"

namespace hdrive::compute {

class SeveralTargets final : public ComputeTarget {
 public:
  static Result<std::shared_ptr<SeveralTargets>> make(std::vector<TargetShare> shares,
                                                      std::shared_ptr<Clock> clock);

  Result<void> start(const RunRequest& request) override;
  Result<void> adopt(std::span<const RunRequest> requests) override;
  std::optional<TargetCapacity> capacity() const override;
  void cancel(RunId run, CancelMode mode) override;
  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override;
  std::string describe() const override;

 private:
  struct Place {
    TargetShare share;
    std::set<RunId> runs;  // that are there, or may be
    int failures = 0;      // in a row
    int times_aside = 0;   // since something went well
    std::optional<Time> aside_until;
  };
  struct Live {
    int attempt = 1;
    std::optional<std::size_t> place;  // nothing: each of `asked` may have it
    std::set<std::size_t> asked;       // that have not answered
    bool accepted = false, canceled = false, unreachable = false;
  };

  bool has_room(const Place& place) const;
  bool is_aside(const Place& place) const;
  std::vector<std::size_t> order() const;
  void note_failure(std::size_t place, const std::string& why);
  void note_success(std::size_t place);
  void ask(std::size_t place, Time until, std::vector<TargetEvent>& events);
  void take(std::size_t place, TargetEvent event, std::vector<TargetEvent>& events);
  void forget(RunId run);
  void collect(std::vector<TargetEvent>& events);
  void await_any(Time deadline, std::vector<TargetEvent>& events);

  SeveralTargets(std::vector<TargetShare> shares, std::shared_ptr<Clock> clock);

  std::vector<Place> places_;
  std::shared_ptr<Clock> clock_;
  std::map<RunId, Live> live_;
  std::vector<TargetEvent> notes_;
  base::UniqueFd wake_;
};

}  // namespace hdrive::compute
