// SPDX-License-Identifier: Apache-2.0
//
// Rows of the schema: how a sweep begins, when it stops, what is done at its end.
#include <string>
#include <vector>

#include "config/load.h"
#include "config/schema.h"
#include "config/schema_rows.h"

namespace hdrive::config {

// clang-format off
std::vector<KeyInfo> rows_of_ends() {
  using rows::kDefaults;
  using rows::kMostRuns;
  using rows::unless_default;
  using rows::write_boolean;
  using rows::write_integer;
  using K = KeyKind;
  return {
      {.name = "start_points", .kind = K::list, .own = true, .default_text = "[]",
       .allowed = "a list of mappings from parameters to values",
       .summary = "Parameter sets to try first, in this order; they count as runs. What one leaves "
                  "out is drawn at random. `hdrive enqueue` adds to them while the sweep runs.",
       .elsewhere = {"initial_points", "points_to_evaluate", "warm_start"},
       .read = [](Loader& l, const Entry& e) { l.start_points = e.value.get(); },
       .write = write_start_points},
      {.name = "resume_from", .kind = K::any, .own = true, .default_text = "[]",
       .allowed = "a sweep, or a list of sweeps: ids, names or paths",
       .summary = "A warm start: earlier sweeps whose runs samplers learn from and policies compare "
                  "with (docs/warm-start.md). They have the same primary metric and goal.",
       .elsewhere = {"resume", "parents", "continue_from"},
       .read = [](Loader& l, const Entry& e) { l.spec.resume_from = read_words(l, e, "sweep"); },
       .write = [](const SweepSpec& s) { return write_words(s.resume_from); }},
      {.name = "resume_child_runs", .kind = K::any, .own = true, .default_text = "[]",
       .allowed = "a run, or a list of runs: SWEEP/3 or HD_..._3",
       .summary = "Runs of earlier sweeps that were stopped or failed and go on here first, with their "
                  "own values; the script gets `--resume-from PATH` with their outputs. They count as "
                  "runs, and their sweeps as in resume_from.",
       .elsewhere = {"resume_runs", "child_runs"},
       .read = [](Loader& l, const Entry& e) {
         l.spec.resume_child_runs = read_words(l, e, "run"); },
       .write = [](const SweepSpec& s) { return write_words(s.resume_child_runs); }},
      {.name = "stop_without_primary_metric", .kind = K::boolean, .own = true,
       .default_text = "true",
       .summary = "Whether the sweep stops when the first max(3, max_concurrent_runs) finished runs "
                  "all lack the primary metric.",
       .read = [](Loader& l, const Entry& e) {
         l.spec.stop_without_primary_metric = e.value->boolean; },
       .write = [](const SweepSpec& s) {
         return write_boolean(s.stop_without_primary_metric, true); }},
      {.name = "stop_when_all_fail", .kind = K::boolean, .own = true, .default_text = "true",
       .summary = "Whether the sweep stops when the first max(3, max_concurrent_runs) finished runs "
                  "all failed.",
       .read = [](Loader& l, const Entry& e) { l.spec.stop_when_all_fail = e.value->boolean; },
       .write = [](const SweepSpec& s) { return write_boolean(s.stop_when_all_fail, true); }},
      {.name = "stop_after_consecutive_failures", .kind = K::integer, .own = true,
       .default_text = "10", .minimum = 0, .maximum = kMostRuns,
       .summary = "The sweep stops when so many runs in a row failed, at any time; `hdrive resume` goes "
                  "on. 0: it never does.",
       .elsewhere = {"max_consecutive_failures", "max_failures_in_a_row"},
       .read = [](Loader& l, const Entry& e) {
         l.spec.stop_after_consecutive_failures = *e.value->integer(); },
       .write = [](const SweepSpec& s) {
         return write_integer(s.stop_after_consecutive_failures,
                              kDefaults.stop_after_consecutive_failures); }},
      {.name = "stop_at", .kind = K::number, .own = true, .default_text = "none",
       .default_in_words = true,
       .summary = "The sweep ends, with success, as soon as a run reaches this value of the primary "
                  "metric; the runs that still train are cancelled.",
       .elsewhere = {"target_value", "target", "goal_value", "stop_value"},
       .read = [](Loader& l, const Entry& e) { l.spec.stop_at = e.value->number; },
       .write = write_stop_at},
      {.name = "stop_without_progress", .kind = K::integer, .own = true, .default_text = "0",
       .minimum = 0, .maximum = kMostRuns,
       .summary = "The sweep ends, with success, when so many ended runs in a row brought no better "
                  "value of the primary metric. 0: it never does.",
       .elsewhere = {"patience", "early_stopping_rounds", "max_no_improvement_trials"},
       .read = [](Loader& l, const Entry& e) { l.spec.stop_without_progress = *e.value->integer(); },
       .write = [](const SweepSpec& s) {
         return write_integer(s.stop_without_progress, kDefaults.stop_without_progress); }},
      {.name = "repeat_best", .kind = K::text, .own = true, .default_text = "none",
       .default_in_words = true, .allowed = "RUNSxTIMES, such as 3x5",
       .summary = "When all runs have ended, the best RUNS parameter sets are run TIMES more each, with "
                  "new seeds (`HDRIVE_SEED`), to tell the best from the luckiest (docs/cli.md).",
       .elsewhere = {"repeats", "num_samples", "reevaluate_best", "replicates"},
       .read = read_repeat_best,
       .write = [](const SweepSpec& s) {
         return unless_default(s.repeat_best == kDefaults.repeat_best,
                               std::to_string(s.repeat_best.runs) + "x" +
                                   std::to_string(s.repeat_best.times)); }},
      {.name = "on_end", .kind = K::any, .own = true, .default_text = "none",
       .default_in_words = true, .allowed = "a list of words, or one text for `sh -c`",
       .summary = "A command for when the sweep has ended or was interrupted, told of it by its "
                  "environment (docs/cli.md). Its failure is a warning.",
       .elsewhere = {"on_finish", "on_exit", "notify"},
       .read = [](Loader& l, const Entry& e) { l.spec.on_end = read_hook(l, e); },
       .write = [](const SweepSpec& s) { return write_words(s.on_end); }},
      {.name = "on_run_end", .kind = K::any, .own = true, .default_text = "none",
       .default_in_words = true, .allowed = "a list of words, or one text for `sh -c`",
       .summary = "The same for when a run has ended; one after another, while the sweep goes on.",
       .elsewhere = {"on_trial_end", "on_run_finish"},
       .read = [](Loader& l, const Entry& e) { l.spec.on_run_end = read_hook(l, e); },
       .write = [](const SweepSpec& s) { return write_words(s.on_run_end); }},
  };
}
// clang-format on

}  // namespace hdrive::config
