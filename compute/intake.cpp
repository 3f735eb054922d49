// SPDX-License-Identifier: Apache-2.0
#include "compute/intake.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "compute/metric_lines.h"

namespace hdrive::compute {
namespace {

// One by one they help to find the mistake; ten thousand would hide everything else.
constexpr std::uint64_t kFaultsTold = 10;
// Of one file at a time, so that no run keeps others waiting.
constexpr std::size_t kSlice = 256 << 10;

}  // namespace

Intake::Intake(RunId run, int attempt, base::UniqueFd metrics, base::UniqueFd output,
               const IntakePosition& position, const OutputPatterns* patterns)
    : run_(run),
      attempt_(attempt),
      metrics_(std::move(metrics), position.metrics, {kLongestMetricLine, false}),
      patterns_(patterns) {
  if (output) output_ = LineFile(std::move(output), position.output, {kLongestOutputLine, true});
}

bool Intake::read(std::string& buffer, IntakeBudget& budget, bool last,
                  std::vector<TargetEvent>& events) {
  bool at_end = read_file(metrics_, buffer, budget, last, events,
                          [&](const LineFile::Line& line) { take_metric_line(line, events); });
  at_end &= read_file(output_, buffer, budget, last, events,
                      [&](const LineFile::Line& line) { take_output_line(line, events); });
  const IntakePosition position{metrics_.position(), output_.position()};
  // Lines that were of no use are told once, too: the position goes beyond them.
  const bool fault = std::exchange(fault_found_, false);
  if (fault || !found_.empty()) {
    budget.metrics -= std::min(budget.metrics, found_.size());
    events.push_back(RunReported{run_, attempt_, std::exchange(found_, {}), position});
  }
  return at_end;
}

bool Intake::read_file(LineFile& file, std::string& buffer, IntakeBudget& budget, bool last,
                       std::vector<TargetEvent>& events, const LineFile::Sink& sink) {
  if (!file) return true;
  const auto progress = file.read(buffer, std::min(kSlice, budget.bytes), last, sink);
  budget.bytes -= std::min(budget.bytes, progress.bytes);
  if (progress.truncated)
    events.push_back(
        TargetNote{run_, std::string(&file == &metrics_ ? "metrics.jsonl" : "stdout.log") +
                             " was cut short by the program and is read from its "
                             "beginning again; open it for appending"});
  return progress.at_end;
}

void Intake::take_metric_line(const LineFile::Line& line, std::vector<TargetEvent>& events) {
  if (line.cut)
    return note(metrics_, line.offset, "it is longer than 1 MB and was left out", events);
  Metric metric;
  std::string fault;
  if (parse_metric_line(line.text, metric, fault) == LineKind::metric)
    found_.push_back(std::move(metric));
  if (!fault.empty()) note(metrics_, line.offset, fault, events);
}

void Intake::take_output_line(const LineFile::Line& line, std::vector<TargetEvent>& events) {
  if (line.text.empty()) return;
  std::vector<std::string> faults;
  patterns_->search(line.text, found_, faults);
  for (const std::string& fault : faults) note(output_, line.offset, fault, events);
}

void Intake::note(const LineFile& file, std::uint64_t offset, const std::string& what,
                  std::vector<TargetEvent>& events) {
  fault_found_ = true;
  if (++faults_ > kFaultsTold) return;
  const char* name = &file == &metrics_ ? "metrics.jsonl" : "stdout.log";
  events.push_back(TargetNote{
      run_, std::string(name) + ":" + std::to_string(file.line_number(offset)) + ": " + what});
}

void Intake::close(std::vector<TargetEvent>& events) {
  if (faults_ > kFaultsTold)
    events.push_back(
        TargetNote{run_, base::plural(static_cast<long long>(faults_ - kFaultsTold), "more line") +
                             " of its metrics could not be used as they are; only the first " +
                             std::to_string(kFaultsTold) + " are told"});
  metrics_.close();
  output_.close();
}

}  // namespace hdrive::compute
