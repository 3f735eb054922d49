// SPDX-License-Identifier: Apache-2.0
#include "store/attempt_row.h"

#include "store/words.h"

namespace hdrive::store {

Attempt read_attempt(const Row& row) {
  Attempt it;
  it.run = row.integer(0);
  it.number = row.small(1);
  if (!row.null(2))
    it.started = RunStarted{it.run, it.number, row.integer(3), row.time(2), row.maybe_small(20)};
  if (!row.null(4)) it.reported = row.time(4);
  it.cursor = row.text(5);
  if (!row.null(6)) it.submitted = RunSubmitted{it.run, it.number, row.text(23), row.time(6)};
  if (!row.null(24)) it.contact = RunContact{it.run, it.number, true, row.text(25), row.time(24)};
  if (!row.null(9))
    it.canceling =
        RunCanceling{it.run, it.number, end_cause_from(row.bytes(7)).value_or(EndCause::none),
                     row.text(8), row.time(9)};
  if (!row.null(10))
    it.ended = RunEnded{it.run,
                        it.number,
                        run_status_from(row.bytes(11)).value_or(RunStatus::failed),
                        end_cause_from(row.bytes(12)).value_or(EndCause::none),
                        row.maybe_small(13),
                        row.maybe_small(14),
                        row.text(15),
                        row.text(16),
                        row.time(10),
                        row.maybe_duration(21),
                        row.maybe_integer(22)};
  if (!row.null(17))
    it.requeued = RunRequeued{it.run, it.number, row.text(19), row.time(17),
                              end_cause_from(row.bytes(18)).value_or(EndCause::none)};
  return it;
}

RunJudged read_verdict(const Row& row) {
  RunJudged judged{row.integer(0), row.small(1), Verdict{}, row.text(10), row.time(11)};
  Verdict& verdict = judged.verdict;
  verdict.action = meaning(kActions, row.bytes(2)).value_or(Verdict::Action::keep);
  verdict.interval = row.integer(3);
  verdict.finding = meaning(kFindings, row.bytes(4)).value_or(Verdict::Finding::other);
  verdict.value = row.real(5);
  verdict.threshold = row.real(6);
  verdict.peers = row.integer(7);
  verdict.leader = row.maybe_integer(8).value_or(-1);
  verdict.note = row.text(9);
  return judged;
}

}  // namespace hdrive::store
