// SPDX-License-Identifier: Apache-2.0
//
// GangTarget: runs over several hosts that are reached by SSH, each with a slot on `nodes` of them.
// It has an SshTarget for each host, which does with the run's part there what it does with any run;
// this side chooses the hosts, tells the parts where the others are once all of them are there, and
// makes one run of what becomes of them. Made by make_ssh_target; used on the sweep's thread, except
// that a stop token may wake `wait` from any.
//
// All or nothing: a part's processes wait on its host (supervisor/protocol.h, kNodesFile) until every
// part has been accepted, so that nothing of the user's runs before the run is whole. Where one cannot
// be had the others are ended, and the run is put off as if it had never been handed over.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "compute/remote/ssh_target.h"

namespace hdrive::compute::remote {

class GangTarget final : public ComputeTarget {
 public:
  static Result<std::shared_ptr<GangTarget>> make(const SshOptions& options,
                                                  const LocalTargetOptions& runs,
                                                  std::shared_ptr<Clock> clock, std::int64_t nodes,
                                                  Duration fence_margin = SshTarget::kFenceMargin);

  Result<void> start(const RunRequest& request) override;
  Result<void> adopt(std::span<const RunRequest> requests) override;
  std::optional<TargetCapacity> capacity() const override;
  void cancel(RunId run, CancelMode mode) override;
  void wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) override;
  Readiness readiness() override;
  std::string describe() const override;

 private:
  struct Host {
    std::string label;
    std::shared_ptr<SshTarget> target;
  };

  // One node of a run.
  struct Part {
    std::size_t host = 0;
    RunRequest request;
    bool accepted = false;  // it is on its host
    bool asked = false;     // told where the others are; no answer yet
    bool gathered = false;  // its processes have begun
    bool unreachable = false;
    bool over = false;          // nothing of it is alive
    bool gone = false;          // it is over without having said how it ended
    std::optional<Time> began;  // of one that was found again
    std::optional<RunExited> exited;
  };

  // Why a run ends that nobody has cancelled: what became of the first part that went wrong.
  struct Fault {
    enum class Kind { failed, put_off, lost, not_found } kind = Kind::failed;
    std::size_t node = 0;
    Error why;         // put off
    std::string note;  // lost
  };

  struct Gang {
    RunRequest request;
    std::vector<Part> parts;  // by node; empty: it waits for hosts, and nothing is anywhere
    std::optional<int> port;
    bool accepted = false, began = false, unreachable = false;  // told
    bool adopted = false;                                       // from an earlier engine
    bool canceled = false;
    std::set<std::string> relayed;  // what its nodes have said to each other
    std::optional<Fault> fault;
  };
  using Gangs = std::map<RunId, Gang>;

  GangTarget(std::shared_ptr<Clock> clock, std::int64_t nodes)
      : clock_(std::move(clock)), nodes_(static_cast<std::size_t>(nodes)) {}
  Result<void> prepare(const SshOptions& options, const LocalTargetOptions& runs,
                       Duration fence_margin);

  // Where runs go.
  std::vector<std::size_t> hosts_for(RunId run) const;
  bool any_connecting() const;
  Error why_nowhere() const;
  void place_waiting();
  void put_off(Gangs::iterator gang, Error why);
  void submit(Gang& gang, const std::vector<std::size_t>& hosts);
  static Part part_of(const RunRequest& request, std::size_t node, std::size_t host);
  Result<std::vector<std::size_t>> hosts_of(const RunRequest& request) const;

  void look();
  Time next_moment(Time deadline) const;

  // What becomes of their parts.
  void take(std::size_t host, TargetEvent event);
  void take_gathered(std::size_t host, const SshTarget::Gathered& gathered);
  void go_on(Gangs::iterator gang);
  void gather(Gang& gang);
  void gather_from(Gang& gang, Part& part);
  void relay(Gang& gang);
  void tell_contact(Gang& gang, const std::string& why);
  void tell_began(Gang& gang);
  void report(Gang& gang, Part& part, RunReported reported);
  void end(Gang& gang, Fault fault);
  void cancel_parts(Gang& gang, CancelMode mode);
  void finish(Gangs::iterator gang);
  TargetEvent end_of(const Gang& gang) const;

  std::shared_ptr<Clock> clock_;
  std::size_t nodes_;
  std::vector<Host> hosts_;
  WaitPoint point_;
  Gangs gangs_;
  std::vector<TargetEvent> told_;
};

}  // namespace hdrive::compute::remote
