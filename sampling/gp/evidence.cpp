// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/evidence.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

namespace hdrive::sampling::gp {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Failures beyond these are left out, oldest first, some at a time.
constexpr std::size_t kMostFailures = 64, kFailuresAtATime = 32;
// Points tried more often than this count once, by their mean.
constexpr std::size_t kMostReplicates = 8;
// How much better than the best a new value may count, where all values have variance 1.
constexpr double kMostImproved = 8;
// Curves that more runs than these come to or leave are ranked anew.
constexpr std::size_t kMostChanged = 16;

double sign_of(const History& history) { return history.goal() == Goal::maximize ? -1.0 : 1.0; }

// Whether nothing but the run itself kept it from its end.
bool crashed(const Run& run) {
  return run.status == RunStatus::failed &&
         (run.ended_by == EndCause::exited || run.ended_by == EndCause::signaled);
}

// SplitMix64's finaliser.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Of what an observation says of its run; that of several is the sum.
std::uint64_t digest_of(const Observation& it) {
  const auto run = 0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(it.run + 1);
  return mixed(mixed(mixed(run) + static_cast<std::uint64_t>(it.kind)) +
               std::bit_cast<std::uint64_t>(it.value));
}

// Rows of equal points with final values among `rows`, where there are too many, as groups; all
// others alone. In the order of their first members.
std::vector<std::vector<std::size_t>> group_replicates(
    const std::vector<const Observation*>& rows) {
  const auto key = [&](std::size_t i) -> std::pair<bool, const Coordinates&> {
    return {rows[i]->kind == Observation::Kind::value, *rows[i]->point};
  };
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && key(order[end]) == key(order[begin])) ++end;
    if (end - begin > kMostReplicates && key(order[begin]).first) {
      groups.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(begin),
                          order.begin() + static_cast<std::ptrdiff_t>(end));
      continue;
    }
    for (std::size_t i = begin; i < end; ++i) groups.push_back({order[i]});
  }
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a.front() < b.front(); });
  return groups;
}

}  // namespace

std::optional<double> Curves::expected(const History& history, double value, std::int64_t reports) {
  const Ranked& ranked = at(history, reports);
  if (ranked.early.empty()) return std::nullopt;
  const auto lower = std::lower_bound(ranked.early.begin(), ranked.early.end(), value);
  const auto upper = std::upper_bound(lower, ranked.early.end(), value);
  const auto place = static_cast<std::size_t>((lower - ranked.early.begin()) + (upper - lower) / 2);
  return std::min(value, ranked.final[std::min(place, ranked.final.size() - 1)]);
}

const Curves::Ranked& Curves::at(const History& history, std::int64_t reports) {
  const auto [entry, is_new] = ranked_.try_emplace(reports);
  Ranked& ranked = entry->second;
  if (!is_new) return ranked;
  for (const RunId id : completed_) {
    const auto pair = values(history, id, reports);
    if (!pair) continue;
    ranked.early.push_back(pair->first);
    ranked.final.push_back(pair->second);
  }
  std::sort(ranked.early.begin(), ranked.early.end());
  std::sort(ranked.final.begin(), ranked.final.end());
  return ranked;
}

// The best value after so many reports, and the best of all.
std::optional<std::pair<double, double>> Curves::values(const History& history, RunId id,
                                                        std::int64_t reports) {
  if (static_cast<std::int64_t>(history.reports(id).size()) < reports) return std::nullopt;
  const double sign = sign_of(history);
  const auto early = history.best(id, reports);
  return std::pair(early ? sign * *early : std::numeric_limits<double>::max(),
                   sign * *history.best(id));
}

void Curves::follow(const History& history, std::vector<RunId> completed) {
  std::vector<RunId> added, removed;
  std::set_difference(completed.begin(), completed.end(), completed_.begin(), completed_.end(),
                      std::back_inserter(added));
  std::set_difference(completed_.begin(), completed_.end(), completed.begin(), completed.end(),
                      std::back_inserter(removed));
  if (added.size() + removed.size() > kMostChanged) {
    *this = Curves(std::move(completed));
    return;
  }
  const auto insert = [](std::vector<double>& into, double value) {
    into.insert(std::upper_bound(into.begin(), into.end(), value), value);
  };
  const auto erase = [](std::vector<double>& from, double value) {
    from.erase(std::lower_bound(from.begin(), from.end(), value));
  };
  const auto change = [&](const std::vector<RunId>& runs, const auto& with) {
    for (auto& [reports, ranked] : ranked_)
      for (const RunId id : runs)
        if (const auto pair = values(history, id, reports)) {
          with(ranked.early, pair->first);
          with(ranked.final, pair->second);
        }
  };
  change(added, insert);
  change(removed, erase);
  completed_ = std::move(completed);
}

Observation Observer::observation_of(const History& history, RunId id) {
  using Kind = Observation::Kind;
  Observation result = of(id);
  result.value = 0;
  result.kind = result.point ? outcome_of(history, id) : Kind::nothing;
  if (result.kind == Kind::value) result.value = loss_of(history, id);
  if (result.kind != Kind::partial) return result;
  const double reached = loss_of(history, id);
  auto expected =
      curves_.expected(history, reached, static_cast<std::int64_t>(history.reports(id).size()));
  if (!expected && crashed(history.run(id))) expected = reached;
  if (expected)
    result.value = *expected;
  else
    result.kind = Kind::nothing;
  return result;
}

void Observer::replace(Observation observation) {
  Observation& place = of(observation.run);
  digest_ -= digest_of(place);
  place = std::move(observation);
  digest_ += digest_of(place);
}

void Observer::observe_run(const History& history, RunId id) {
  const auto i = static_cast<std::size_t>(id);
  const Run& run = history.run(id);
  if (i == seen_.size()) {
    auto point = encoding_.encode(run.parameters);
    observations_.push_back(
        {Observation::Kind::nothing, id,
         point ? std::make_shared<const Coordinates>(*std::move(point)) : nullptr, 0});
    digest_ += digest_of(observations_.back());
    seen_.push_back({});
  }
  const OutcomeKind outcome = outcome_of(history, id);
  if (outcome == OutcomeKind::pending) pending_.push_back(id);
  if (!observations_[i].point || outcome == OutcomeKind::pending || outcome == OutcomeKind::nothing)
    return;
  seen_[i] = {run.ended, outcome == OutcomeKind::value};
  if (outcome == OutcomeKind::partial) partial_.push_back(id);
  if (!last_ ||
      std::pair(run.ended, id) > std::pair(seen_[static_cast<std::size_t>(*last_)].ended, *last_))
    last_ = id;
}

void Observer::reset() {
  observations_.clear();
  seen_.clear();
  pending_.clear();
  partial_.clear();
  digest_ = mixed(history_.first);
  last_.reset();
  curves_ = Curves{};
  held_out_.reset();
}

// The runs that are new or have ended.
std::vector<RunId> Observer::observe_changes(const History& history) {
  std::vector<RunId> changed;
  for (const RunId id : std::exchange(pending_, {})) {
    if (!is_terminal(history.run(id).status)) {
      pending_.push_back(id);
      continue;
    }
    observe_run(history, id);
    changed.push_back(id);
  }
  for (auto id = static_cast<RunId>(seen_.size()); id < history.size(); ++id) {
    observe_run(history, id);
    changed.push_back(id);
  }
  return changed;
}

std::vector<RunId> Observer::completed(std::optional<RunId> except) const {
  std::vector<RunId> result;
  for (std::size_t i = 0; i < seen_.size(); ++i)
    if (seen_[i].completed && static_cast<RunId>(i) != except)
      result.push_back(static_cast<RunId>(i));
  return result;
}

const std::vector<Observation>& Observer::update(const History& history, Newest newest) {
  const std::pair now(history.identity(), history.restarts());
  if (std::exchange(history_, now) != now) reset();
  if (held_out_) replace(*std::exchange(held_out_, {}));
  std::vector<RunId> changed = observe_changes(history);
  auto held_out = newest == Newest::held_out ? last_ : std::nullopt;
  // Only runs that were stopped early need the curves of the others.
  if (!partial_.empty()) {
    if (auto others = completed(held_out); others != curves_.completed()) {
      curves_.follow(history, std::move(others));
      changed.insert(changed.end(), partial_.begin(), partial_.end());
    }
  }
  for (const RunId id : changed) replace(observation_of(history, id));
  // What tells nothing after all is not waited for.
  if (held_out && of(*held_out).kind == Observation::Kind::nothing) held_out.reset();
  if (held_out) {
    held_out_ = of(*held_out);
    replace({Observation::Kind::pending, *held_out, held_out_->point, 0});
  }
  return observations_;
}

std::vector<Observation> observe(const History& history, const Encoding& encoding) {
  return Observer(encoding).update(history, Observer::Newest::included);
}

namespace {

// Those before run `before` that say something; of many failures the newest.
std::vector<const Observation*> rows_of(const std::vector<Observation>& observations,
                                        RunId before) {
  using Kind = Observation::Kind;
  std::vector<const Observation*> rows;
  std::size_t failures = 0;
  for (const Observation& observation : observations) {
    if (observation.run >= before || observation.kind == Kind::pending ||
        observation.kind == Kind::nothing)
      continue;
    failures += observation.kind == Kind::failure;
    rows.push_back(&observation);
  }
  if (failures <= kMostFailures) return rows;
  std::size_t left_out =
      (failures - kMostFailures + kFailuresAtATime - 1) / kFailuresAtATime * kFailuresAtATime;
  std::erase_if(rows, [&](const Observation* row) {
    if (row->kind != Kind::failure || left_out == 0) return false;
    --left_out;
    return true;
  });
  return rows;
}

// The pairs of a score and a value, both strictly ascending.
std::vector<Dataset::Known> ascending(const std::vector<double>& scores,
                                      const std::vector<double>& values) {
  std::vector<Dataset::Known> all, result;
  for (std::size_t i = 0; i < scores.size(); ++i) all.push_back({scores[i], values[i]});
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::pair(a.score, a.value) < std::pair(b.score, b.value);
  });
  for (const Dataset::Known& each : all)
    if (result.empty() || (each.score > result.back().score && each.value > result.back().value))
      result.push_back(each);
  return result;
}

// Adds a group of rows of one point and kind as one, by their mean.
void add_group(Dataset& data, const std::vector<const Observation*>& rows,
               const std::vector<double>& scores, const std::vector<std::size_t>& group) {
  using Kind = Observation::Kind;
  const Observation& first = *rows[group.front()];
  const int size = static_cast<int>(group.size());
  const double share = 1.0 / size;
  double score = 0, value = 0;
  for (const std::size_t i : group) {
    score += share * scores[i];
    value += share * rows[i]->value;
  }
  data.training.add(*first.point, score, share, first.kind == Kind::partial ? kPartialDoubt : 0);
  data.runs.push_back(first.run);
  data.values.push_back(first.kind == Kind::failure ? kNan : value);
  data.is_final.push_back(first.kind == Kind::value);
  if (first.kind == Kind::value) data.good += size;
  if (first.kind == Kind::failure) data.failures += size;
  if (first.kind == Kind::partial) data.partials += size;
}

}  // namespace

Dataset learn_from(const std::vector<Observation>& observations, RunId before,
                   std::size_t dimensions, Warp warp) {
  const std::vector<const Observation*> rows = rows_of(observations, before);
  std::vector<double> values;
  for (const Observation* row : rows)
    if (row->kind != Observation::Kind::failure) values.push_back(row->value);
  const std::vector<double> known = warped(values, warp);
  const auto [least, most] = std::minmax_element(known.begin(), known.end());

  Dataset data;
  data.failure_score = known.empty() ? 0 : *most + 0.5 * (*most - *least) + 1;
  std::vector<double> scores;
  for (std::size_t next = 0; const Observation* row : rows)
    scores.push_back(row->kind == Observation::Kind::failure ? data.failure_score : known[next++]);
  data.training.points = Points(dimensions, rows.size());
  for (const auto& group : group_replicates(rows)) add_group(data, rows, scores, group);
  data.known = ascending(known, values);
  return data;
}

double Dataset::unwarped(double score) const {
  if (known.empty()) return kNan;
  if (known.size() == 1) return known.front().value;
  auto after = std::lower_bound(known.begin(), known.end(), score,
                                [](const Known& each, double s) { return each.score < s; });
  after = std::clamp(after, known.begin() + 1, known.end() - 1);
  const Known &low = *(after - 1), &high = *after;
  return std::lerp(low.value, high.value, (score - low.score) / (high.score - low.score));
}

double Dataset::score(double value) const {
  if (known.empty()) return 0;
  if (value >= known.back().value) return known.back().score;
  // All values so far are equal: any other is as far from them as values usually are from each
  // other.
  if (known.size() == 1) return known.front().score - 1;
  auto after = std::lower_bound(known.begin(), known.end(), value,
                                [](const Known& each, double v) { return each.value < v; });
  after = std::max(after, known.begin() + 1);
  const Known &low = *(after - 1), &high = *after;
  // By halves, since the difference of two finite numbers may not be one.
  const double part = (value / 2 - low.value / 2) / (high.value / 2 - low.value / 2);
  const double score = low.score + part * (high.score - low.score);
  return std::max(std::isfinite(score) ? score : -INFINITY, known.front().score - kMostImproved);
}

}  // namespace hdrive::sampling::gp
