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
    : run_(run), attempt_(attempt), began_(position), patterns_(patterns) {
  if (metrics)
    metrics_.file = LineFile(std::move(metrics), position.metrics, {kLongestMetricLine, false});
  if (output)
    output_.file = LineFile(std::move(output), position.output, {kLongestOutputLine, true});
}

void Intake::take_mlflow(base::UniqueFd mlflow) {
  if (mlflow)
    mlflow_.file = LineFile(std::move(mlflow), began_.mlflow, {kLongestMetricLine, false});
}

IntakePosition Intake::position() const {
  const auto of = [](const Source& source, std::uint64_t began) {
    return source.file ? source.file.position() : began;
  };
  return {of(metrics_, began_.metrics), of(output_, began_.output), of(mlflow_, began_.mlflow)};
}

bool Intake::read(std::string& buffer, IntakeBudget& budget, bool last,
                  std::vector<TargetEvent>& events) {
  bool at_end = read_file(metrics_, buffer, budget, last, events, [&](const LineFile::Line& line) {
    take_metric_line(metrics_, line, events);
  });
  at_end &= read_file(mlflow_, buffer, budget, last, events,
                      [&](const LineFile::Line& line) { take_metric_line(mlflow_, line, events); });
  at_end &= read_file(output_, buffer, budget, last, events,
                      [&](const LineFile::Line& line) { take_output_line(line, events); });
  // Lines that were of no use are told once, too: the position goes beyond them.
  const bool fault = std::exchange(fault_found_, false);
  if (fault || !found_.empty()) {
    budget.metrics -= std::min(budget.metrics, found_.size());
    events.push_back(RunReported{run_, attempt_, std::exchange(found_, {}), to_cursor(position())});
  }
  if (last && at_end && take_replacement(events)) return false;
  return at_end;
}

// Programs that write a new file and rename it are right with every other file.
bool Intake::take_replacement(std::vector<TargetEvent>& events) {
  const auto path = std::exchange(metrics_path_, {});
  if (path.empty() || !metrics_.file) return false;
  auto there = base::open_regular(path);
  if (!there || metrics_.file.is(*there)) return false;
  metrics_.file = LineFile(*std::move(there), 0, {kLongestMetricLine, false});
  events.push_back(TargetNote{
      run_, std::string(metrics_.name) +
                " was replaced by another file, which is read only now that the run has ended; "
                "open the file for appending"});
  return true;
}

bool Intake::read_file(Source& source, std::string& buffer, IntakeBudget& budget, bool last,
                       std::vector<TargetEvent>& events, const LineFile::Sink& sink) {
  if (!source.file) return true;
  const auto progress = source.file.read(buffer, std::min(kSlice, budget.bytes), last, sink);
  budget.bytes -= std::min(budget.bytes, progress.bytes);
  if (progress.began_anew && ++source.began_anew == 1)
    events.push_back(TargetNote{
        run_, std::string(source.name) +
                  " was cut short or overwritten by the program and is read from its beginning "
                  "again; open it for appending"});
  return progress.at_end;
}

void Intake::take_metric_line(Source& source, const LineFile::Line& line,
                              std::vector<TargetEvent>& events) {
  if (line.cut) return note(source, line, "it is longer than 1 MB and was left out", events);
  Metric metric;
  std::string fault;
  if (parse_metric_line(line.text, metric, fault) == LineKind::metric)
    found_.push_back(std::move(metric));
  if (!fault.empty()) note(source, line, fault, events);
}

void Intake::take_output_line(const LineFile::Line& line, std::vector<TargetEvent>& events) {
  if (line.text.empty()) return;
  std::vector<PatternFault> faults;
  patterns_->search(line.text, found_, faults, /*look_for_missed=*/!misread_);
  for (const PatternFault& fault : faults) {
    if (std::exchange(fault.misread ? misread_ : no_number_, true)) {
      ++faults_;
      fault_found_ = true;
    } else {
      note(output_, line, fault.what, events);
    }
  }
}

void Intake::note(Source& source, const LineFile::Line& line, const std::string& what,
                  std::vector<TargetEvent>& events) {
  fault_found_ = true;
  if (++faults_ > kFaultsTold) return;
  ++faults_told_;
  const auto number = source.file.line_number(line);
  const std::string place =
      number ? ":" + std::to_string(*number) : ", byte " + std::to_string(line.offset);
  events.push_back(TargetNote{run_, source.name + place + ": " + what});
}

void Intake::close(std::vector<TargetEvent>& events) {
  if (faults_ > faults_told_) {
    const auto others = static_cast<long long>(faults_ - faults_told_);
    events.push_back(
        TargetNote{run_, base::plural(others, "more line") +
                             " of its metrics could not be used as they are; of metrics.jsonl the "
                             "first " +
                             std::to_string(kFaultsTold) +
                             " of a run are told, of what patterns find one of a kind"});
  }
  for (Source* source : {&metrics_, &mlflow_, &output_}) {
    if (source->began_anew > 1)
      events.push_back(TargetNote{run_, std::string(source->name) +
                                            " was cut short or overwritten " +
                                            std::to_string(source->began_anew) +
                                            " times in all; what was in it between "
                                            "two looks is lost"});
    source->file.close();
  }
}

}  // namespace hdrive::compute
