// SPDX-License-Identifier: Apache-2.0
#include "store/change_log.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

namespace hdrive::store {
namespace {

constexpr std::size_t kBlockBytes = 256 * 1024;

enum class Kind : std::uint8_t { null, no, yes, integer, real, text, json };

// Small numbers of either sign become small unsigned ones.
std::uint64_t zigzag(std::int64_t number) {
  return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}
std::int64_t unzigzag(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

}  // namespace

// ---- writing ------------------------------------------------------------------------------------

class ChangeLog::Writer {
 public:
  explicit Writer(ChangeLog& log) : log_(log), bytes_(log.record_) { bytes_.clear(); }

  void record(const Change& change) {
    number(change.index());
    std::visit([this](const auto& it) { write(it); }, change);
  }

 private:
  void byte(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }
  void integer(std::int64_t value) { number(zigzag(value)); }
  template <class Enum>
  void word(Enum value) {
    byte(static_cast<std::uint8_t>(value));
  }
  void real(double value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof value);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_.append(value);
  }
  void name(std::string_view value) { number(log_.intern(value)); }
  void time(Time value) {
    const std::int64_t count = value.time_since_epoch().count();
    // Unsigned, since times may be as far apart as they like.
    integer(static_cast<std::int64_t>(static_cast<std::uint64_t>(count) -
                                      static_cast<std::uint64_t>(log_.before_.time)));
    log_.before_.time = count;
  }
  void repeated(const std::string& value, std::string& before) {
    byte(value == before);
    if (value == before) return;
    text(value);
    before = value;
  }
  template <class Integer>
  void maybe(const std::optional<Integer>& value) {
    byte(value.has_value());
    if (value) integer(*value);
  }
  void run(RunId run, int attempt) {
    integer(run);
    integer(attempt);
  }
  void value(const Value& value) {
    std::visit(
        [this](const auto& it) {
          using T = std::decay_t<decltype(it)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            word(Kind::null);
          } else if constexpr (std::is_same_v<T, bool>) {
            word(it ? Kind::yes : Kind::no);
          } else if constexpr (std::is_same_v<T, std::int64_t>) {
            word(Kind::integer), integer(it);
          } else if constexpr (std::is_same_v<T, double>) {
            word(Kind::real), real(it);
          } else if constexpr (std::is_same_v<T, std::string>) {
            word(Kind::text), text(it);
          } else {
            word(Kind::json), text(it.text);
          }
        },
        value);
  }

  void parameters(const Assignment& parameters) {
    number(parameters.size());
    for (const Binding& binding : parameters) name(binding.name), value(binding.value);
  }

  void write(const RunProposed& it) {
    integer(it.run);
    parameters(it.parameters);
    repeated(it.reason, log_.before_.proposal);
    number(it.start_point ? 1 : 0);
    time(it.at);
  }
  void write(const RunStarted& it) {
    run(it.run, it.attempt);
    integer(it.pid);
    time(it.at);
    maybe(it.slot);
  }
  void write(const RunSubmitted& it) {
    run(it.run, it.attempt);
    text(it.handle);
    time(it.at);
  }
  void write(const RunContact& it) {
    run(it.run, it.attempt);
    byte(it.lost);
    text(it.why);
    time(it.at);
  }
  void write(const RunMetrics& it) {
    run(it.run, it.attempt);
    time(it.at);
    text(it.cursor);
    number(it.metrics.size());
    for (const Metric& metric : it.metrics) {
      name(metric.name);
      real(metric.value);
      byte(static_cast<std::uint8_t>(metric.step.has_value() | (metric.time.has_value() << 1)));
      if (metric.step) integer(*metric.step);
      if (metric.time) time(*metric.time);
    }
  }
  void write(const RunJudged& it) {
    run(it.run, it.attempt);
    word(it.verdict.action);
    word(it.verdict.finding);
    integer(it.verdict.interval);
    integer(it.verdict.peers);
    real(it.verdict.value);
    real(it.verdict.threshold);
    integer(it.verdict.leader);
    text(it.verdict.note);
    text(it.reason);
    time(it.at);
  }
  void write(const RunCanceling& it) {
    run(it.run, it.attempt);
    word(it.cause);
    text(it.reason);
    time(it.at);
  }
  void write(const RunEnded& it) {
    run(it.run, it.attempt);
    word(it.status);
    word(it.cause);
    maybe(it.exit_code);
    maybe(it.signal);
    repeated(it.reason, log_.before_.end);
    text(it.stderr_tail);
    time(it.at);
    maybe(it.cpu_time ? std::optional(it.cpu_time->count()) : std::nullopt);
    maybe(it.peak_memory);
  }
  void write(const RunRequeued& it) {
    run(it.run, it.attempt);
    text(it.reason);
    time(it.at);
    word(it.cause);
  }
  void write(const SweepChanged& it) {
    word(it.status);
    word(it.end);
    text(it.reason);
    integer(it.active.count());
    time(it.at);
  }
  void write(const Noted& it) {
    word(it.level);
    maybe(it.run);
    text(it.text);
    time(it.at);
  }

  void write(const SweepEdited& it) {
    text(it.config);
    text(it.what);
    time(it.at);
  }
  void write(const EarlierRunTaken& it) {
    integer(it.number);
    text(it.earlier.sweep);
    integer(it.earlier.run);
    parameters(it.earlier.parameters);
    word(it.earlier.status);
    word(it.earlier.ended_by);
    byte(it.earlier.goes_on);
    number(it.earlier.reports.size());
    for (const double report : it.earlier.reports) real(report);
    time(it.at);
  }
  void write(const RequestAnswered& it) {
    integer(it.request);
    byte(it.accepted);
    text(it.text);
    time(it.at);
  }

  ChangeLog& log_;
  std::string& bytes_;
};

// ---- reading ------------------------------------------------------------------------------------

class ChangeLog::Reader {
 public:
  Reader(const ChangeLog& log, std::string_view bytes, std::optional<std::uint64_t> only,
         Before& before)
      : log_(log), bytes_(bytes), only_(only), before_(before) {}

  bool more() const { return at_ < bytes_.size(); }

  void read(Change& change) {
    read(number(), change, std::make_index_sequence<std::variant_size_v<Change>>());
  }

 private:
  template <std::size_t... I>
  void read(std::size_t kind, Change& change, std::index_sequence<I...>) {
    ((kind == I ? make<I>(change) : void()), ...);
  }
  // Keeps the change's buffers where it was of the same kind: most of a log is metrics.
  template <std::size_t I>
  void make(Change& change) {
    if (change.index() != I) change.template emplace<I>();
    fill(std::get<I>(change));
  }

  std::uint8_t byte() { return static_cast<std::uint8_t>(bytes_[at_++]); }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if (next < 0x80) return value;
    }
  }
  std::int64_t integer() { return unzigzag(number()); }
  int small() { return static_cast<int>(integer()); }
  template <class Enum>
  Enum word() {
    return static_cast<Enum>(byte());
  }
  double real() {
    double value;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string text() {
    const std::size_t size = number();
    at_ += size;
    return std::string(bytes_.substr(at_ - size, size));
  }
  Time time() {
    before_.time = static_cast<std::int64_t>(static_cast<std::uint64_t>(before_.time) +
                                             static_cast<std::uint64_t>(integer()));
    return Time(Duration(before_.time));
  }
  std::string repeated(std::string& before) {
    if (byte() == 0) before = text();
    return before;
  }
  template <class Integer>
  std::optional<Integer> maybe() {
    if (byte() == 0) return std::nullopt;
    return static_cast<Integer>(integer());
  }
  Value value() {
    switch (word<Kind>()) {
      case Kind::null:
        return std::monostate{};
      case Kind::no:
        return false;
      case Kind::yes:
        return true;
      case Kind::integer:
        return integer();
      case Kind::real:
        return real();
      case Kind::text:
        return text();
      case Kind::json:
        return Json{text()};
    }
    return std::monostate{};
  }

  // Members of a braced list are read in the order written.
  Assignment parameters() {
    Assignment read(number());
    for (Binding& binding : read) {
      binding.name = log_.names_[number()];
      binding.value = value();
    }
    return read;
  }

  void fill(RunProposed& it) {
    it.run = integer();
    it.parameters = parameters();
    it.reason = repeated(before_.proposal);
    it.start_point = number() != 0;
    it.at = time();
  }
  void fill(RunStarted& it) {
    it = RunStarted{integer(), small(), integer(), time(), maybe<int>()};
  }
  void fill(RunSubmitted& it) { it = RunSubmitted{integer(), small(), text(), time()}; }
  void fill(RunContact& it) { it = RunContact{integer(), small(), byte() != 0, text(), time()}; }
  void fill(RunMetrics& it) {
    it.run = integer();
    it.attempt = small();
    it.at = time();
    it.cursor = text();
    it.metrics.clear();
    for (std::uint64_t left = number(); left > 0; --left) {
      const std::uint64_t name = number();
      Metric metric;
      metric.value = real();
      const std::uint8_t present = byte();
      if (present & 1) metric.step = integer();
      if (present & 2) metric.time = time();
      if (only_ && *only_ != name) continue;
      metric.name = log_.names_[name];
      it.metrics.push_back(std::move(metric));
    }
  }
  void fill(RunJudged& it) {
    it.run = integer();
    it.attempt = small();
    it.verdict = Verdict{word<Verdict::Action>(),
                         word<Verdict::Finding>(),
                         integer(),
                         integer(),
                         real(),
                         real(),
                         integer(),
                         text()};
    it.reason = text();
    it.at = time();
  }
  void fill(RunCanceling& it) {
    it = RunCanceling{integer(), small(), word<EndCause>(), text(), time()};
  }
  void fill(RunEnded& it) {
    it = RunEnded{integer(),    small(),      word<RunStatus>(),     word<EndCause>(),
                  maybe<int>(), maybe<int>(), repeated(before_.end), text(),
                  time()};
    if (const auto count = maybe<std::int64_t>()) it.cpu_time = Duration(*count);
    it.peak_memory = maybe<std::int64_t>();
  }
  void fill(RunRequeued& it) {
    it = RunRequeued{integer(), small(), text(), time(), word<EndCause>()};
  }
  void fill(SweepChanged& it) {
    it = SweepChanged{word<SweepStatus>(), word<SweepEnd>(), text(), Duration(integer()), time()};
  }
  void fill(Noted& it) { it = Noted{word<Noted::Level>(), maybe<RunId>(), text(), time()}; }

  void fill(SweepEdited& it) { it = SweepEdited{text(), text(), time()}; }
  void fill(EarlierRunTaken& it) {
    it = EarlierRunTaken{integer(), {text(), integer(), parameters()}};
    it.earlier.status = word<RunStatus>();
    it.earlier.ended_by = word<EndCause>();
    it.earlier.goes_on = byte() != 0;
    it.earlier.reports.resize(number());
    for (double& report : it.earlier.reports) report = real();
    it.at = time();
  }
  void fill(RequestAnswered& it) { it = RequestAnswered{integer(), byte() != 0, text(), time()}; }

  const ChangeLog& log_;
  std::string_view bytes_;
  std::optional<std::uint64_t> only_;
  Before& before_;
  std::size_t at_ = 0;
};

// ---- the log ------------------------------------------------------------------------------------

std::uint64_t ChangeLog::intern(std::string_view name) {
  const auto [entry, added] = numbers_.try_emplace(std::string(name), names_.size());
  if (added) names_.emplace_back(name);
  return entry->second;
}

void ChangeLog::add(const Change& change) {
  Writer(*this).record(change);
  if (blocks_.empty() || blocks_.back().size() + record_.size() > kBlockBytes) {
    blocks_.emplace_back();
    blocks_.back().reserve(std::max(kBlockBytes, record_.size()));
  }
  blocks_.back() += record_;
  if (record_.capacity() > kBlockBytes) record_ = std::string();
}

void ChangeLog::replay(const std::string& only_metric,
                       const std::function<void(const Change&)>& tell) const {
  std::optional<std::uint64_t> only;
  if (!only_metric.empty()) {
    const auto entry = numbers_.find(only_metric);
    only = entry == numbers_.end() ? names_.size() : entry->second;  // the latter names nothing
  }
  Change change;
  Before before;
  for (const std::string& block : blocks_)
    for (Reader reader(*this, block, only, before); reader.more();) {
      reader.read(change);
      tell(change);
    }
}

}  // namespace hdrive::store
