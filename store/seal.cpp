// SPDX-License-Identifier: Apache-2.0
#include "store/seal.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string_view>

#include "store/database.h"
#include "store/exact.h"

namespace hdrive::store {

// Multiply and fold, 8 bytes at a time. All of it is written out here, since digests are kept in files.
class Seal::Hash {
 public:
  Hash(Source source, std::uint64_t kind) : source_(source) { mix(kind); }

  template <class Integer>
  Hash& integer(Integer value) {
    mix(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
    return *this;
  }
  Hash& real(double value) {
    // The file knows one NaN and one zero.
    if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
    if (value == 0) value = 0;
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    mix(bits);
    return *this;
  }
  Hash& text(std::string_view value) {
    mix(value.size());
    for (; value.size() >= 8; value.remove_prefix(8)) mix(word(value.data()));
    mix(word(value.data(), value.size()));
    return *this;
  }
  Hash& duration(Duration value) {
    if (source_ == Source::as_appended) value = duration_of(seconds_of(value));
    return integer(value.count());
  }
  Hash& time(Time value) { return duration(value.time_since_epoch()); }
  template <class Integer>
  Hash& maybe(const std::optional<Integer>& value) {
    return value ? integer(1).integer(*value) : integer(0);
  }

  std::uint64_t value() const {
    std::uint64_t result = state_ ^ (state_ >> 32);
    result *= 0xd6e8feb86659fd93;
    return result ^ (result >> 32);
  }

 private:
  static std::uint64_t word(const char* data, std::size_t size) {
    std::uint64_t result = 0;
    for (std::size_t i = 0; i < size; ++i)
      result |= static_cast<std::uint64_t>(static_cast<unsigned char>(data[i])) << (8 * i);
    return result;
  }
  // The same of eight bytes, which is most of a long text.
  static std::uint64_t word(const char* data) {
    if constexpr (std::endian::native != std::endian::little) return word(data, 8);
    std::uint64_t result = 0;
    std::memcpy(&result, data, sizeof result);
    return result;
  }
  void mix(std::uint64_t value) {
    state_ = (state_ ^ value) * 0x9e3779b97f4a7c15;
    state_ ^= state_ >> 29;
  }

  Source source_;
  std::uint64_t state_ = 0x48445256;
};

namespace {

// Kinds of facts. Numbers are kept in files: new ones go to the end.
enum Kind : std::uint64_t {
  kHeader = 1,
  kProposal,
  kStart,
  kMetric,
  kReport,
  kVerdict,
  kCancel,
  kEnd,
  kRequeue,
  kSweep,
  kNote,
  kEdit,
  kSummary,
  kName,
  kRunState,
  kRunStart,
  kNumbers,
  kEarlier,
  kSubmission,
  kContactLost,
};

}  // namespace

Seal::Slots* Seal::change(RunId run) {
  const RunId place = run - first_;
  if (place < 0 || place >= static_cast<RunId>(runs_.size())) return nullptr;
  Slots& slots = runs_[static_cast<std::size_t>(place)];
  if (source_ == Source::as_appended) before_.push_back({static_cast<std::size_t>(place), slots});
  return &slots;
}

void Seal::put(RunId run, Slot slot, std::uint64_t hash) {
  Slots* slots = change(run);
  if (!slots) return;
  sums_.digest += hash - (*slots)[slot];
  (*slots)[slot] = hash;
}

void Seal::put_state(RunId run, Slot slot, std::uint64_t hash) {
  Slots* slots = change(run);
  if (!slots) return;
  sums_.parts.states += hash - (*slots)[slot];
  (*slots)[slot] = hash;
}

void Seal::put_metrics(RunId run, std::uint64_t sum) {
  sums_.digest += sum;
  if (Slots* slots = change(run)) (*slots)[kMetrics] += sum;
}

void Seal::mark() {
  marked_ = sums_;
  marked_runs_ = runs_.size();
  before_.clear();
}

void Seal::undo() {
  sums_ = marked_;
  for (auto it = before_.rbegin(); it != before_.rend(); ++it) runs_[it->run] = it->slots;
  runs_.resize(marked_runs_);
  before_.clear();
}

std::uint64_t Seal::of(const SweepHeader& it, Source source) {
  Hash hash(source, kHeader);
  for (const std::string* text :
       {&it.id, &it.name, &it.experiment, &it.config, &it.metric, &it.version})
    hash.text(*text);
  hash.integer(static_cast<int>(it.goal)).time(it.created);
  // What a header may lack is left out, so that the digests of earlier versions stay right.
  if (!it.snapshot.empty()) hash.integer(1).text(it.snapshot);
  if (!it.properties.empty()) hash.integer(2).text(properties_to_json(it.properties));
  return hash.value();
}

void Seal::add(const Change& change) {
  std::visit([this](const auto& it) { take(it); }, change);
}

void Seal::add_metric(RunId run, int attempt, std::string_view name, double value,
                      const std::optional<std::int64_t>& step, Time time) {
  put_metrics(run, metric(run, attempt, name, value, step, time));
}

std::uint64_t Seal::metric(RunId run, int attempt, std::string_view name, double value,
                           const std::optional<std::int64_t>& step, Time time) const {
  return Hash(source_, kMetric)
      .integer(run)
      .integer(attempt)
      .text(name)
      .real(value)
      .maybe(step)
      .time(time)
      .value();
}

std::uint64_t Seal::facts(RunId run) const {
  const Slots& slots = runs_[static_cast<std::size_t>(run - first_)];
  return std::accumulate(slots.begin(), slots.begin() + kEnded + 1, std::uint64_t{0});
}

std::uint64_t Seal::metrics(RunId run) const {
  return runs_[static_cast<std::size_t>(run - first_)][kMetrics];
}

std::uint64_t Seal::verdicts(RunId run) const {
  const Slots& slots = runs_[static_cast<std::size_t>(run - first_)];
  return slots[kKept] + slots[kStopped];
}

// ---- single rows --------------------------------------------------------------------------------

std::uint64_t Seal::of(RunId run, std::string_view metric, const MetricSummary& it) {
  return Hash(Source::as_stored, kSummary)
      .integer(run)
      .text(metric)
      .integer(it.count)
      .integer(it.finite)
      .real(it.last)
      .maybe(it.last_step)
      .real(it.least)
      .real(it.greatest)
      .value();
}

// With a time.
std::uint64_t Seal::of(RunId run, int attempt, const Metric& it) {
  return Seal(Source::as_stored).metric(run, attempt, it.name, it.value, it.step, *it.time);
}

std::uint64_t Seal::of_name(std::int64_t number, std::string_view name) {
  return Hash(Source::as_stored, kName).integer(number).text(name).value();
}

// When it started does not change with the rest, and is put apart by the engine, too.
std::uint64_t Seal::of_state(RunId run, int attempt, RunStatus status, EndCause ended_by,
                             const std::optional<Time>& ended, Source source) {
  Hash hash(source, kRunState);
  hash.integer(run).integer(attempt);
  hash.integer(static_cast<int>(status)).integer(static_cast<int>(ended_by));
  if (ended) hash.time(*ended);
  return hash.value();
}

std::uint64_t Seal::of_start(RunId run, Time at, Source source) {
  return Hash(source, kRunStart).integer(run).time(at).value();
}

std::uint64_t Seal::of(const RunState& it) {
  const std::uint64_t started =
      it.started ? of_start(it.run, *it.started, Source::as_stored) : std::uint64_t{0};
  return started +
         of_state(it.run, it.attempt, it.status, it.ended_by, it.ended, Source::as_stored);
}

std::uint64_t Seal::of(const SweepChanged& it, Source source) {
  return Hash(source, kSweep)
      .integer(static_cast<int>(it.status))
      .integer(static_cast<int>(it.end))
      .text(it.reason)
      .duration(it.active)
      .time(it.at)
      .value();
}

std::uint64_t Seal::of(const Noted& it, Source source) {
  return Hash(source, kNote)
      .integer(static_cast<int>(it.level))
      .maybe(it.run)
      .text(it.text)
      .time(it.at)
      .value();
}

std::uint64_t Seal::of_edit(std::string_view what, Time at, Source source) {
  return Hash(source, kEdit).text(what).time(at).value();
}

std::uint64_t Seal::of(std::span<const std::int64_t> numbers, std::string_view text) {
  Hash hash(Source::as_stored, kNumbers);
  for (const std::int64_t number : numbers) hash.integer(number);
  return hash.text(text).value();
}

// ---- changes ------------------------------------------------------------------------------------

void Seal::add_report(const RunMetrics& it) {
  Hash hash(source_, kReport);
  hash.integer(it.run).integer(it.attempt);
  // As it was sealed when there was no other kind of cursor.
  if (const auto position = position_from(it.cursor); !position)
    hash.text(it.cursor);
  else if (hash.integer(position->metrics).integer(position->output); position->mlflow != 0)
    hash.integer(position->mlflow);
  put(it.run, kReported, hash.time(it.at).value());
}

namespace {

// A number as JSON in a form of the digest's own: the shortest text. How to_json writes numbers may change, what was
// sealed may not.
std::string sealed_number(double number) {
  if (!std::isfinite(number)) return to_json(Value(number));
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string sealed_text(const Assignment& parameters) {
  std::string text = "{";
  for (const Binding& binding : parameters) {
    if (text.size() > 1) text += ',';
    const auto* number = std::get_if<double>(&binding.value);
    text += to_json(Value(binding.name)) + ':' +
            (number ? sealed_number(*number) : to_json(binding.value));
  }
  return text + '}';
}

}  // namespace

void Seal::take(const RunProposed& it) {
  runs_.emplace_back();
  sums_.parts.runs = static_cast<std::int64_t>(runs_.size());
  put_state(it.run, kState,
            of_state(it.run, 1, RunStatus::queued, EndCause::none, std::nullopt, source_));
  put(it.run, kProposed,
      Hash(source_, kProposal)
          .integer(it.run)
          .text(sealed_text(it.parameters))
          .text(lost_in_json(it.parameters).value_or(""))
          .text(it.reason)
          .time(it.at)
          .integer(it.start_point ? 1 : 0)
          .value());
}

void Seal::take(const RunSubmitted& it) {
  put(it.run, kSubmitted,
      Hash(source_, kSubmission)
          .integer(it.run)
          .integer(it.attempt)
          .text(it.handle)
          .time(it.at)
          .value());
}

// Contact that is there is no fact of its own.
void Seal::take(const RunContact& it) {
  if (!it.lost) return put(it.run, kContact, 0);
  put(it.run, kContact,
      Hash(source_, kContactLost)
          .integer(it.run)
          .integer(it.attempt)
          .text(it.why)
          .time(it.at)
          .value());
}

void Seal::take(const RunStarted& it) {
  Hash hash(source_, kStart);
  hash.integer(it.run).integer(it.attempt).integer(it.pid).time(it.at);
  if (it.slot) hash.integer(*it.slot);
  put(it.run, kStarted, hash.value());
  put_state(it.run, kStateStarted, of_start(it.run, it.at, source_));
  put_state(
      it.run, kState,
      of_state(it.run, it.attempt, RunStatus::running, EndCause::none, std::nullopt, source_));
}

void Seal::take(const RunMetrics& it) {
  std::uint64_t sum = 0;
  for (const Metric& each : it.metrics)
    sum += metric(it.run, it.attempt, each.name, each.value, each.step, each.time.value_or(it.at));
  put_metrics(it.run, sum);
  add_report(it);
}

void Seal::take(const RunJudged& it) {
  const Verdict& verdict = it.verdict;
  put(it.run, verdict.action == Verdict::Action::stop ? kStopped : kKept,
      Hash(source_, kVerdict)
          .integer(it.run)
          .integer(it.attempt)
          .integer(static_cast<int>(verdict.action))
          .integer(static_cast<int>(verdict.finding))
          .integer(verdict.interval)
          .integer(verdict.peers)
          .real(verdict.value)
          .real(verdict.threshold)
          .integer(std::max<RunId>(verdict.leader, -1))
          .text(verdict.note)
          .text(it.reason)
          .time(it.at)
          .value());
}

void Seal::take(const RunCanceling& it) {
  put(it.run, kCanceling,
      Hash(source_, kCancel)
          .integer(it.run)
          .integer(it.attempt)
          .integer(static_cast<int>(it.cause))
          .text(it.reason)
          .time(it.at)
          .value());
}

void Seal::take(const RunEnded& it) {
  Hash hash(source_, kEnd);
  hash.integer(it.run)
      .integer(it.attempt)
      .integer(static_cast<int>(it.status))
      .integer(static_cast<int>(it.cause))
      .maybe(it.exit_code)
      .maybe(it.signal)
      .text(it.reason)
      .text(it.stderr_tail)
      .time(it.at);
  if (it.cpu_time) hash.integer(1).duration(*it.cpu_time);
  if (it.peak_memory) hash.integer(2).integer(*it.peak_memory);
  put(it.run, kEnded, hash.value());
  put(it.run, kContact, 0);
  put_state(it.run, kState, of_state(it.run, it.attempt, it.status, it.cause, it.at, source_));
}

void Seal::take(const RunRequeued& it) {
  // What was of the attempt before stays in the digest, and is never replaced again; but for its contact, which
  // nobody keeps.
  put(it.run, kContact, 0);
  if (Slots* slots = change(it.run))
    std::fill(slots->begin() + kRequeued, slots->begin() + kState, 0);
  put_state(it.run, kStateStarted, 0);
  put_state(it.run, kState,
            of_state(it.run, it.attempt, RunStatus::queued, EndCause::none, std::nullopt, source_));
  put(it.run, kRequeued,
      Hash(source_, kRequeue)
          .integer(it.run)
          .integer(it.attempt)
          .text(it.reason)
          .integer(static_cast<int>(it.cause))
          .time(it.at)
          .value());
}

void Seal::take(const SweepChanged& it) {
  sums_.parts.status = of(it, source_);
  sums_.parts.changes += sums_.parts.status;
  sums_.digest += sums_.parts.status;
}

void Seal::take(const Noted& it) {
  const std::uint64_t hash = of(it, source_);
  sums_.parts.notes += hash;
  sums_.digest += hash;
}

void Seal::take(const EarlierRunTaken& it) {
  const EarlierRun& run = it.earlier;
  Hash hash(source_, kEarlier);
  hash.integer(it.number)
      .text(run.sweep)
      .integer(run.run)
      .text(sealed_text(run.parameters))
      .text(lost_in_json(run.parameters).value_or(""))
      .integer(static_cast<int>(run.status))
      .integer(static_cast<int>(run.ended_by))
      .integer(run.goes_on ? 1 : 0)
      .time(it.at);
  for (const double report : run.reports) hash.real(report);
  sums_.digest += hash.value();
}

void Seal::take(const SweepEdited& it) {
  sums_.parts.edits += of_edit(it.what, it.at, source_);
  sums_.digest += Hash(source_, kEdit).text(it.config).text(it.what).time(it.at).value();
}

}  // namespace hdrive::store
