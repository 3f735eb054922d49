// SPDX-License-Identifier: Apache-2.0
//
// What a replay promises, as one text: two lists of changes with the same text are the same to the contract
// of Store::replay. Changes of different runs may be told in any order, metrics in other batches, and a
// metric without a time of its own has the time it was received.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/text.h"
#include "hdrive/store.h"

namespace hdrive::test {

inline std::string text_of(Time time) { return std::to_string(time.time_since_epoch().count()); }
template <class Integer>
std::string text_of(const std::optional<Integer>& value) {
  return value ? std::to_string(*value) : "-";
}
inline std::string text_of(const Value& value) {
  // The kind and every byte: JSON would hide what it cannot carry.
  return fmt::format("{}:{}", value.index(), to_text(value));
}

class StoreText {
 public:
  explicit StoreText(const std::string& only_metric) : only_metric_(only_metric) {}

  void operator()(const RunProposed& it) {
    std::string& text = runs_[it.run].lines;
    text += "proposed " + it.reason + (it.start_point ? " as a start point " : " ") +
            text_of(it.at) + "\n";
    for (const Binding& binding : it.parameters)
      text += "  " + binding.name + " = " + text_of(binding.value) + "\n";
  }
  void operator()(const RunStarted& it) {
    line(it.run, fmt::format("started {} pid {} {} slot {}", it.attempt, it.pid, text_of(it.at),
                             text_of(it.slot)));
  }
  void operator()(const RunMetrics& it) {
    RunText& run = runs_[it.run];
    run.attempt = it.attempt;
    run.cursor = it.cursor;
    run.reported = it.at;
    run.has_metrics = true;
    for (const Metric& metric : it.metrics) {
      if (!only_metric_.empty() && metric.name != only_metric_) continue;
      run.metrics += "  " + metric.name + " = " + base::shortest(metric.value) + " step " +
                     text_of(metric.step) + " " + text_of(metric.time.value_or(it.at)) + "\n";
    }
  }
  void operator()(const RunJudged& it) {
    const Verdict& verdict = it.verdict;
    line(it.run, fmt::format("judged {} {} {} {} {} {} {} {} ", it.attempt,
                             static_cast<int>(verdict.action), static_cast<int>(verdict.finding),
                             verdict.interval, verdict.peers, base::shortest(verdict.value),
                             base::shortest(verdict.threshold), verdict.leader) +
                     verdict.note + it.reason + text_of(it.at));
  }
  void operator()(const RunSubmitted& it) {
    line(it.run, fmt::format("submitted {} ", it.attempt) + it.handle + text_of(it.at));
  }
  // Only the last is kept, and none of what has ended.
  void operator()(const RunContact&) {}
  void operator()(const RunCanceling& it) {
    line(it.run, fmt::format("canceling {} {} ", it.attempt, to_string(it.cause)) + it.reason +
                     text_of(it.at));
  }
  void operator()(const RunEnded& it) {
    line(it.run, fmt::format("ended {} {} {} exit {} signal {} ", it.attempt, to_string(it.status),
                             to_string(it.cause), text_of(it.exit_code), text_of(it.signal)) +
                     it.reason + "|" + it.stderr_tail + text_of(it.at) +
                     fmt::format(" cpu {} memory {}", it.cpu_time ? it.cpu_time->count() : -1,
                                 text_of(it.peak_memory)));
  }
  void operator()(const RunRequeued& it) {
    line(it.run,
         fmt::format("again {} {} ", it.attempt, to_string(it.cause)) + it.reason + text_of(it.at));
  }
  void operator()(const SweepChanged& it) {
    sweep_ += fmt::format("sweep {} {} {} {} ", to_string(it.status), to_string(it.end),
                          it.active.count(), text_of(it.at)) +
              it.reason + "\n";
  }
  void operator()(const Noted& it) {
    notes_ += fmt::format("note {} run {} {} ", static_cast<int>(it.level), text_of(it.run),
                          text_of(it.at)) +
              it.text + "\n";
  }

  void operator()(const SweepEdited& it) {
    edits_ += fmt::format("edit {} {} {}\n", it.what, it.config, text_of(it.at));
  }
  void operator()(const EarlierRunTaken& it) {
    const EarlierRun& run = it.earlier;
    edits_ += fmt::format("earlier {} {} {} {} {} {} {} ", it.number, run.sweep, run.run,
                          to_json(run.parameters), to_string(run.status), to_string(run.ended_by),
                          run.goes_on);
    for (const double report : run.reports) edits_ += base::shortest(report) + " ";
    edits_ += text_of(it.at) + "\n";
  }
  void operator()(const RequestAnswered&) {}  // not told

  std::string text() {
    std::string text = edits_ + sweep_ + notes_;
    for (auto& [run, of] : runs_) {
      end_metrics(of);
      text += fmt::format("run {}\n", run) + of.lines;
    }
    return text;
  }

 private:
  struct RunText {
    std::string lines;
    std::string metrics;  // since the last line
    int attempt = 0;
    std::string cursor;
    Time reported{};
    bool has_metrics = false;
  };

  // Metrics and verdicts come by turns; what counts is each in its order, up to the next other change.
  void line(RunId run, const std::string& text) {
    RunText& of = runs_[run];
    if (!text.starts_with("judged")) end_metrics(of);
    of.lines += text + "\n";
  }
  static void end_metrics(RunText& of) {
    if (of.has_metrics)
      of.lines += fmt::format("metrics of {} up to {} at {}\n", of.attempt, of.cursor,
                              text_of(of.reported)) +
                  of.metrics;
    of.metrics.clear();
    of.has_metrics = false;
  }

  std::string only_metric_;
  std::string edits_, sweep_, notes_;
  std::map<RunId, RunText> runs_;
};

inline std::string told(const std::vector<Change>& changes, const std::string& only_metric = "") {
  StoreText text(only_metric);
  for (const Change& change : changes) std::visit(text, change);
  return text.text();
}

}  // namespace hdrive::test
