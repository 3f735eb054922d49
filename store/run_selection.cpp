// SPDX-License-Identifier: Apache-2.0
#include "store/run_selection.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/text.h"

namespace hdrive::store {
namespace {

using By = RunOrder::By;

// By which runs are put in order: numbers before texts.
struct Key {
  double number = 0;
  std::string text = "";
  bool is_text = false;

  friend bool operator<(const Key& a, const Key& b) {
    if (a.is_text != b.is_text) return b.is_text;
    return a.is_text ? a.text < b.text : a.number < b.number;
  }
};
using MaybeKey = std::optional<Key>;

Key key_of(double number) { return {number}; }
Key key_of(Time time) { return {static_cast<double>(time.time_since_epoch().count())}; }

MaybeKey key_of(const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
  if (const auto* truth = std::get_if<bool>(&value)) return key_of(*truth ? 1.0 : 0.0);
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return key_of(static_cast<double>(*integer));
  if (const auto* number = std::get_if<double>(&value)) {
    if (std::isnan(*number)) return std::nullopt;
    return key_of(*number);
  }
  return Key{0, to_text(value), true};
}

MaybeKey key_of(By by, const RunState& state) {
  switch (by) {
    case By::status:  // in the order of the words
      return Key{0, std::string(to_string(state.status)), true};
    case By::started:
      if (state.started) return key_of(*state.started);
      break;
    case By::ended:
      if (state.ended) return key_of(*state.ended);
      break;
    case By::duration:
      if (state.started && state.ended)
        return key_of(static_cast<double>((*state.ended - *state.started).count()));
      break;
    default:
      break;
  }
  return std::nullopt;
}

// Whether only the run itself tells it.
bool is_of_row(By by) {
  return by == By::created || by == By::attempt || by == By::cpu_time || by == By::peak_memory ||
         by == By::parameter;
}

MaybeKey key_of(const RunOrder& order, const StoredRun& run) {
  switch (order.by) {
    case By::created:
      return key_of(run.run.created);
    case By::attempt:
      return key_of(static_cast<double>(run.run.attempt));
    case By::cpu_time:
      if (run.cpu_time) return key_of(static_cast<double>(run.cpu_time->count()));
      break;
    case By::peak_memory:
      if (run.peak_memory) return key_of(static_cast<double>(*run.peak_memory));
      break;
    case By::parameter:
      if (const Value* value = find(run.run.parameters, order.name)) return key_of(*value);
      break;
    default:
      break;
  }
  return std::nullopt;
}

bool has_text(const Run& run, const std::string& lower) {
  return base::lower(to_json(run.parameters) + ' ' + run.proposal + ' ' + run.reason).find(lower) !=
         std::string::npos;
}

class Selection {
 public:
  Selection(Parts& parts, const StoredRuns& runs, const RunQuery& query)
      : parts_(parts), runs_(runs), query_(query) {}

  Result<std::vector<RunId>> make() {
    const auto states = parts_.states();
    if (!states) return states.error();
    const By by = query_.order.by;
    for (const RunState& state : **states) {
      if (fits(state)) matching_.push_back(state.run);
      keys_.push_back(key_of(by, state));
    }
    Result<void> read;
    if (by == By::best || by == By::last) read = read_metric();
    if (read && (is_of_row(by) || !query_.filter.text.empty())) read = read_rows();
    if (!read) return read.error();
    put_in_order();
    return std::move(matching_);
  }

 private:
  bool fits(const RunState& state) const {
    const RunFilter& filter = query_.filter;
    const auto& statuses = filter.statuses;
    return (statuses.empty() ||
            std::find(statuses.begin(), statuses.end(), state.status) != statuses.end()) &&
           state.run >= filter.from.value_or(0) && (!filter.below || state.run < *filter.below);
  }

  MaybeKey& key(RunId run) { return keys_[static_cast<std::size_t>(run)]; }

  Result<void> read_metric() {
    const Result<SweepHeader> header = parts_.header();
    if (!header) return header.error();
    const auto metric = parts_.name(query_.order.name.empty() ? header->metric : query_.order.name);
    if (!metric) return metric.error();
    if (*metric == nullptr) return {};
    const bool highest = header->goal == Goal::maximize;
    return parts_.each_figure(**metric, [&](RunId run, const MetricSummary& it) {
      double value = it.last;
      if (query_.order.by == By::best) value = highest ? -it.greatest : it.least;
      if (!std::isnan(value) && run >= 0 && static_cast<std::size_t>(run) < keys_.size())
        key(run) = key_of(value);
    });
  }

  Result<void> read_rows() {
    const std::string lower = base::lower(query_.filter.text);
    std::vector<RunId> kept;
    for (const RunId number : matching_) {
      const Result<StoredRun> run = runs_.facts(number);
      if (!run) return run.error();
      if (!has_text(run->run, lower)) continue;
      kept.push_back(number);
      if (is_of_row(query_.order.by)) key(number) = key_of(query_.order, *run);
    }
    matching_ = std::move(kept);
    return {};
  }

  // Those without a value come last, whichever way.
  void put_in_order() {
    const bool down = query_.order.descending;
    if (query_.order.by == By::number) {
      if (down) std::reverse(matching_.begin(), matching_.end());
      return;
    }
    std::stable_sort(matching_.begin(), matching_.end(), [&](RunId a, RunId b) {
      const MaybeKey &one = key(a), &other = key(b);
      if (!one || !other) return one.has_value() && !other;
      return down ? *other < *one : *one < *other;
    });
  }

  Parts& parts_;
  const StoredRuns& runs_;
  const RunQuery& query_;
  std::vector<RunId> matching_;
  std::vector<MaybeKey> keys_;  // by number
};

}  // namespace

Result<std::vector<RunId>> select_runs(Parts& parts, const StoredRuns& runs,
                                       const RunQuery& query) {
  return Selection(parts, runs, query).make();
}

}  // namespace hdrive::store
