// SPDX-License-Identifier: Apache-2.0
//
// Ask and tell: a sweep without the loop, for programs that start their training themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "hdrive/policy.h"
#include "hdrive/result.h"
#include "hdrive/spec.h"
#include "hdrive/state.h"
#include "hdrive/sweep.h"
#include "hdrive/value.h"

namespace hdrive {

/// Ask and tell: the sampler, the policy and the store without a loop. For programs that start
/// their training themselves; `hdrive session` is this for other languages. One thread at a time.
///
/// Of the specification's limits max_total_runs and max_duration count; how many runs are open at
/// once, how long one takes and when failures are hopeless is the program's affair.
class AskTell {
 public:
  /// Begins, or goes on with what the store holds; runs that were asked and never told stay open.
  static Result<AskTell> open(const SweepSpec& spec, const SweepParts& parts = {});
  ~AskTell();
  AskTell(AskTell&&) noexcept;
  AskTell& operator=(AskTell&&) noexcept;

  struct Asked {
    std::optional<RunId> run;  ///< nothing: done, and `reason` says why
    Assignment parameters;
    std::string reason;
    int attempt = 1;  ///< more for a run that `retry_open` let be handed out again
  };
  /// The next parameter set; durable before it returns.
  Result<Asked> ask();
  /// Worth calling when all that is to be asked for now was asked for: while the runs train, a
  /// sampler that fits a model gets ready for the next result, on a thread of its own. Returns at
  /// once; no answer depends on it.
  void prepare();
  /// Carries out what other processes asked of this sweep (`hdrive enqueue`, `update`, `stop`)
  /// since it was last looked at. All that ask and tell do so too; this is for while the program
  /// waits.
  void attend();
  /// For a program that begins anew with the sweep of an earlier one: `ask` hands out the runs that
  /// were cut off before any new one, each as a new attempt without reports. Until then such a run
  /// can still be told. How many there are.
  std::int64_t retry_open();
  /// A report on the way; the verdict says whether to go on. A stop verdict (the policy's, or
  /// another process's `hdrive stop`) leaves the run open until it is told to have ended in any of
  /// the ways below; it then counts as stopped early whichever that is, a value told then as its
  /// last report.
  struct Reported {
    Verdict verdict;
    std::string reason;
  };
  Result<Reported> report(RunId run, double value, std::optional<std::int64_t> step = std::nullopt);
  /// The run is done with this final value. What could not be stored, this or any other word on a
  /// run, is stored and counts once when the same is told again.
  Result<void> tell(RunId run, double value);
  /// The run is done with what it reported.
  Result<void> complete(RunId run);
  /// The run was given up after a stop verdict.
  Result<void> stopped(RunId run);
  Result<void> fail(RunId run, const std::string& why = "");
  /// Records how the sweep ended, or that it can be gone on with; runs that are open stay so.
  /// Nothing is lost without it: the sweep then looks like one whose engine vanished.
  Result<void> close();
  const SweepState& state() const;

 private:
  struct Impl;
  explicit AskTell(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hdrive
