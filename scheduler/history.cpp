// SPDX-License-Identifier: Apache-2.0
//
// History. Two layers: the runs with their series of reports; and, for each interval, what policies
// ask over all runs there. Number and leader of the runs at an interval are always kept. The three
// sorted sets are made when first asked for at that interval and kept up from then on, so that a
// sweep pays only for what its policy uses.
#include "hdrive/history.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "scheduler/parameter_index.h"
#include "scheduler/ranked_set.h"
#include "scheduler/series.h"

namespace hdrive {
namespace {

using scheduler::RankedSet;
using scheduler::Series;

constexpr double kWorst =
    -std::numeric_limits<double>::infinity();  ///< score of a run without best
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

constexpr int kChangeBits = 40;  ///< of a version; above them stands which history it is

std::uint64_t next_identity() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

/// The sorted sets of one interval; each holds only runs that reached it.
struct Orders {
  std::optional<RankedSet> all;         ///< by score of the best value
  std::optional<RankedSet> unfinished;  ///< the same, of those that have not ended
  std::optional<RankedSet> averages;    ///< by average, of those that have one
};

/// What is known of the runs that have at least N reports. `sum_of_ids` names the run where it is
/// only one: the first to get there, as in any sweep that judges as it goes. Then nobody has to be
/// searched.
struct AtInterval {
  std::uint32_t count = 0;
  std::int32_t leader = -1;  ///< -1: no finite value yet; kUnknown: to be searched
  double leader_score = kWorst;
  std::int64_t sum_of_ids = 0;
  std::unique_ptr<Orders> orders;

  static constexpr std::int32_t kUnknown = -2;

  /// A copy whose sorted sets are made when they are asked for.
  AtInterval without_orders() const {
    AtInterval copy;
    copy.count = count;
    copy.leader = leader;
    copy.leader_score = leader_score;
    copy.sum_of_ids = sum_of_ids;
    return copy;
  }

  void lead(std::int64_t run, double score) {
    if (leader == kUnknown || score == kWorst) return;
    if (score < leader_score || (score == leader_score && leader >= 0 && leader < run)) return;
    leader = static_cast<std::int32_t>(run);
    leader_score = score;
  }
};

/// What is kept of all runs together: of the sweep's own, and of these and the earlier ones.
struct Together {
  scheduler::ParameterIndex by_parameters;
  std::array<std::int64_t, 5> by_status{};
  AtInterval overall;  ///< only its leader: the incumbent

  std::int64_t& count(RunStatus status) { return by_status[static_cast<std::size_t>(status)]; }
};

}  // namespace

// Within, runs are known by their places: those of earlier sweeps first, then the sweep's own.
struct History::Impl {
  explicit Impl(Goal the_goal) : goal(the_goal), sign(the_goal == Goal::maximize ? 1.0 : -1.0) {}

  // ---- the runs

  const Series& series_at(RunId id) const { return series[static_cast<std::size_t>(id)]; }
  Run& run_at(RunId id) { return runs[static_cast<std::size_t>(id)]; }
  bool finished(RunId id) const { return is_terminal(runs[static_cast<std::size_t>(id)].status); }
  scheduler::ParameterIndex::Lookup parameters_of() const {
    return [this](RunId id) -> const Assignment& {
      return runs[static_cast<std::size_t>(id)].parameters;
    };
  }
  std::int64_t earlier() const { return static_cast<std::int64_t>(taken_over.size()); }
  /// Calls `change` for each of the sums that the run at this place belongs to.
  template <class Change>
  void together(RunId id, Change change) {
    if (id >= earlier()) change(of_own);
    if (earlier() > 0) change(of_all);
  }
  Together& together_of(bool with_earlier) { return with_earlier ? of_all : of_own; }
  void append(Run run);

  // ---- scores: more is better, under either goal

  double score(double value) const { return std::isfinite(value) ? sign * value : kWorst; }
  double score(std::optional<double> value) const { return value ? sign * *value : kWorst; }
  double value(double of_score) const { return of_score == kWorst ? kNaN : sign * of_score; }
  RankedSet::Key key(RunId id, std::int64_t interval) const {
    return {score(series[static_cast<std::size_t>(id)].best(interval)), id};
  }

  // ---- the intervals

  AtInterval* at(std::int64_t interval) {
    if (interval < 1 || interval > static_cast<std::int64_t>(intervals.size())) return nullptr;
    return &intervals[static_cast<std::size_t>(interval - 1)];
  }
  /// Calls `visit(id)` for each run that reached the interval.
  template <class Visit>
  void for_each_at(std::int64_t interval, Visit visit) {
    const AtInterval* here = at(interval);
    if (!here || here->count == 0) return;
    if (here->count == 1) return visit(here->sum_of_ids);
    for (std::size_t id = 0; id < series.size(); ++id)
      if (series[id].size() >= interval) visit(static_cast<RunId>(id));
  }
  Orders& orders_at(AtInterval& here) {
    if (!here.orders) here.orders = std::make_unique<Orders>();
    return *here.orders;
  }
  const RankedSet& ranking(AtInterval& here, std::int64_t interval, Ranked ranked);
  const RankedSet& averages(AtInterval& here, std::int64_t interval);
  void find_leader(AtInterval& here, std::int64_t interval);
  void join(RunId id, std::int64_t interval);
  void leave(RunId id, std::int64_t interval);
  void rank_unfinished(RunId id, bool unfinished);

  Goal goal;
  double sign;
  std::uint64_t version = next_identity() << kChangeBits;
  std::int64_t restarts = 0;
  std::deque<Run> runs;  ///< deques: references stay good while runs are added, nothing is copied
  std::deque<Series> series;
  Together of_own, of_all;  ///< the latter is kept only where something was taken over
  std::vector<AtInterval> intervals;
  bool ranks_unfinished = false;  ///< somebody asked
  std::vector<EarlierRun>
      taken_over;                  ///< without parameters and reports, which lie with the others
  std::unique_ptr<History> whole;  ///< the view with_earlier(); null: nothing was taken over
};

const RankedSet& History::Impl::ranking(AtInterval& here, std::int64_t interval, Ranked ranked) {
  const bool all = ranked == Ranked::all;
  std::optional<RankedSet>& set = all ? orders_at(here).all : orders_at(here).unfinished;
  if (!all) ranks_unfinished = true;
  if (set) return *set;
  set.emplace();
  for_each_at(interval, [&](RunId id) {
    if (all || !finished(id)) set->insert(key(id, interval));
  });
  return *set;
}

const RankedSet& History::Impl::averages(AtInterval& here, std::int64_t interval) {
  std::optional<RankedSet>& set = orders_at(here).averages;
  if (set) return *set;
  set.emplace();
  for_each_at(interval, [&](RunId id) {
    if (const auto mean = series_at(id).average(interval)) set->insert({*mean, id});
  });
  return *set;
}

void History::Impl::find_leader(AtInterval& here, std::int64_t interval) {
  if (here.leader != AtInterval::kUnknown) return;
  here.leader = -1;
  here.leader_score = kWorst;
  for_each_at(interval, [&](RunId id) { here.lead(id, key(id, interval).score()); });
}

/// The run has just made its report number `interval`.
void History::Impl::join(RunId id, std::int64_t interval) {
  if (interval > static_cast<std::int64_t>(intervals.size())) intervals.emplace_back();
  AtInterval& here = *at(interval);
  const RankedSet::Key key = this->key(id, interval);
  ++here.count;
  here.sum_of_ids += id;
  here.lead(id, key.score());
  together(id, [&](Together& sums) { sums.overall.lead(id, key.score()); });
  if (!here.orders) return;
  Orders& orders = *here.orders;
  if (orders.all) orders.all->insert(key);
  if (orders.unfinished && !finished(id)) orders.unfinished->insert(key);
  if (!orders.averages) return;
  if (const auto mean = series_at(id).average(interval)) orders.averages->insert({*mean, id});
}

/// The run's reports are about to be forgotten.
void History::Impl::leave(RunId id, std::int64_t interval) {
  AtInterval& here = *at(interval);
  --here.count;
  here.sum_of_ids -= id;
  if (here.leader == id) here.leader = AtInterval::kUnknown;
  if (!here.orders) return;
  Orders& orders = *here.orders;
  if (orders.all) orders.all->erase(key(id, interval));
  if (orders.unfinished) orders.unfinished->erase(key(id, interval));
  if (!orders.averages) return;
  if (const auto mean = series_at(id).average(interval)) orders.averages->erase({*mean, id});
}

/// The run ended, or came back without a restart.
void History::Impl::rank_unfinished(RunId id, bool unfinished) {
  if (!ranks_unfinished) return;
  for (std::int64_t interval = 1; interval <= series_at(id).size(); ++interval) {
    AtInterval& here = *at(interval);
    if (!here.orders || !here.orders->unfinished) continue;
    RankedSet& set = *here.orders->unfinished;
    unfinished ? set.insert(key(id, interval)) : set.erase(key(id, interval));
  }
}

void History::Impl::append(Run run) {
  const auto id = static_cast<RunId>(runs.size());
  const RunStatus status = run.status;
  runs.push_back(std::move(run));
  series.emplace_back();
  together(id, [&](Together& sums) {
    ++sums.count(status);
    sums.by_parameters.add(id, parameters_of());
  });
  ++version;
}

bool EarlierRun::operator==(const EarlierRun& other) const {
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  return sweep == other.sweep && run == other.run && parameters == other.parameters &&
         status == other.status && ended_by == other.ended_by && goes_on == other.goes_on &&
         std::equal(reports.begin(), reports.end(), other.reports.begin(), other.reports.end(),
                    same);
}

History::History(Goal goal) : impl_(std::make_shared<Impl>(goal)) {}
History::~History() = default;
History::History(History&&) noexcept = default;
History& History::operator=(History&&) noexcept = default;

// The place of run 0.
std::int64_t History::first() const { return with_earlier_ ? 0 : impl_->earlier(); }

std::size_t History::index(RunId id) const {
  const RunId place = id + first();
  if (place < 0 || place >= static_cast<RunId>(impl_->runs.size()))
    throw std::out_of_range("the history holds no run " + std::to_string(id));
  return static_cast<std::size_t>(place);
}

History History::snapshot() const {
  History copy(impl_->goal);
  Impl& to = *copy.impl_;
  to.version = impl_->version;
  to.restarts = impl_->restarts;
  to.runs = impl_->runs;
  to.series = impl_->series;
  to.taken_over = impl_->taken_over;
  for (auto [from, into] :
       {std::pair(&impl_->of_own, &to.of_own), std::pair(&impl_->of_all, &to.of_all)}) {
    into->by_parameters = from->by_parameters;
    into->by_status = from->by_status;
    into->overall = from->overall.without_orders();
  }
  to.intervals.reserve(impl_->intervals.size());
  for (const AtInterval& here : impl_->intervals) to.intervals.push_back(here.without_orders());
  if (impl_->whole) copy.show_whole();
  return copy;
}

// The view shares what it shows, and does not own it: its owner has it.
void History::show_whole() {
  auto view = std::make_unique<History>(impl_->goal);
  view->impl_ = std::shared_ptr<Impl>(std::shared_ptr<Impl>(), impl_.get());
  view->with_earlier_ = true;
  impl_->whole = std::move(view);
}

// ---- recording -----------------------------------------------------------------------------------

void History::add_earlier(EarlierRun earlier) {
  if (size() > 0)
    throw std::invalid_argument("runs of earlier sweeps come before all others, and there is one");
  Run run;
  run.id = earlier.run;
  run.parameters = std::move(earlier.parameters);
  run.status = earlier.status;
  run.ended_by = earlier.ended_by;
  const std::vector<double> reports = std::exchange(earlier.reports, {});
  earlier.parameters.clear();
  impl_->taken_over.push_back(std::move(earlier));
  if (!impl_->whole) show_whole();
  impl_->append(std::move(run));
  const RunId place = impl_->earlier() - 1;
  Series& series = impl_->series.back();
  for (const double value : reports) {
    series.append(value, impl_->sign);
    impl_->join(place, series.size());
  }
}

void History::add(Run run) {
  if (run.id != size())
    throw std::invalid_argument("run " + std::to_string(run.id) + " was added where run " +
                                std::to_string(size()) + " is next");
  impl_->append(std::move(run));
}

void History::set_status(RunId id, RunStatus status, EndCause ended_by) {
  const auto place = static_cast<RunId>(index(id));
  Run& run = impl_->run_at(place);
  const bool was_finished = is_terminal(run.status);
  impl_->together(place, [&](Together& sums) {
    --sums.count(run.status);
    ++sums.count(status);
  });
  run.status = status;
  run.ended_by = ended_by;
  if (was_finished != is_terminal(status)) impl_->rank_unfinished(place, was_finished);
  ++impl_->version;
}

Run& History::edit(RunId id) {
  ++impl_->version;
  return impl_->runs[index(id)];
}

void History::report(RunId id, double value) {
  const std::size_t place = index(id);
  Series& series = impl_->series[place];
  series.append(value, impl_->sign);
  impl_->join(static_cast<RunId>(place), series.size());
  ++impl_->version;
}

void History::restart(RunId id) {
  const auto place = static_cast<RunId>(index(id));
  Series& series = impl_->series[index(id)];
  for (std::int64_t interval = 1; interval <= series.size(); ++interval)
    impl_->leave(place, interval);
  series = Series();
  impl_->together(place, [&](Together& sums) {
    if (sums.overall.leader == place) sums.overall.leader = AtInterval::kUnknown;
  });
  set_status(id, RunStatus::queued);
  Run& run = edit(id);
  ++run.attempt;
  ++impl_->restarts;
  run.reason.clear();
  run.exit_code.reset();
  run.signal.reset();
  run.started = run.ended = Time{};
}

// ---- the runs ------------------------------------------------------------------------------------

Goal History::goal() const { return impl_->goal; }

std::int64_t History::size() const {
  return static_cast<std::int64_t>(impl_->runs.size()) - first();
}

const Run& History::run(RunId id) const { return impl_->runs[index(id)]; }

std::int64_t History::count(RunStatus status) const {
  return impl_->together_of(with_earlier_).count(status);
}

std::uint64_t History::version() const { return impl_->version; }
std::uint64_t History::identity() const { return impl_->version >> kChangeBits; }

std::int64_t History::restarts() const { return impl_->restarts; }

std::optional<RunId> History::find(const Assignment& parameters) const {
  const auto place =
      impl_->together_of(with_earlier_).by_parameters.find(parameters, impl_->parameters_of());
  return place ? std::optional(*place - first()) : std::nullopt;
}

bool History::better(double a, double b) const { return impl_->score(a) > impl_->score(b); }

// ---- runs of earlier sweeps ----------------------------------------------------------------------

std::int64_t History::earlier() const { return with_earlier_ ? 0 : impl_->earlier(); }

const EarlierRun& History::earlier_run(std::int64_t number) const {
  return impl_->taken_over.at(static_cast<std::size_t>(number));
}

const History& History::with_earlier() const { return impl_->whole ? *impl_->whole : *this; }

std::string History::name(RunId id) const {
  const RunId place = static_cast<RunId>(index(id));
  if (place >= impl_->earlier()) return "run " + std::to_string(place - impl_->earlier());
  const EarlierRun& earlier = earlier_run(place);
  constexpr std::size_t kShort = 11;  // "HD_" and eight digits, as the command shows sweeps
  return "run " + std::to_string(earlier.run) + " of " + earlier.sweep.substr(0, kShort);
}

// ---- the primary metric --------------------------------------------------------------------------

std::span<const double> History::reports(RunId id) const {
  return impl_->series[index(id)].values();
}

std::optional<double> History::best(RunId id, std::int64_t interval) const {
  return impl_->series[index(id)].best(interval);
}

std::optional<double> History::best(RunId id) const {
  return best(id, std::numeric_limits<std::int64_t>::max());
}

std::optional<double> History::average(RunId id, std::int64_t interval) const {
  return impl_->series[index(id)].average(interval);
}

std::optional<RunId> History::incumbent(Include include) const {
  const auto left_out = [&](const Run& run) {
    return (run.status == RunStatus::failed && !include.failed) ||
           (run.status == RunStatus::canceled && !include.canceled);
  };
  AtInterval& overall = impl_->together_of(with_earlier_).overall;
  const bool known = overall.leader != AtInterval::kUnknown;
  if (known && overall.leader == -1) return std::nullopt;
  if (known && !left_out(impl_->run_at(overall.leader))) return overall.leader - first();

  AtInterval found;
  bool complete = true;
  for (RunId id = 0; id < size(); ++id) {
    if (left_out(run(id))) {
      complete = false;
    } else {
      found.lead(id + first(), impl_->score(best(id)));
    }
  }
  if (complete) std::swap(overall, found);
  const std::int32_t leader = complete ? overall.leader : found.leader;
  if (leader < 0) return std::nullopt;
  return leader - first();
}

// ---- over the runs at an interval ----------------------------------------------------------------

std::int64_t History::count_at(std::int64_t interval) const {
  const AtInterval* here = impl_->at(interval);
  return here ? here->count : 0;
}

std::optional<History::Leader> History::leader_at(std::int64_t interval) const {
  AtInterval* here = impl_->at(interval);
  if (!here) return std::nullopt;
  impl_->find_leader(*here, interval);
  if (here->leader < 0) return std::nullopt;
  return Leader{here->leader - first(), impl_->value(here->leader_score)};
}

std::optional<History::Median> History::median_average_of_others(RunId except,
                                                                 std::int64_t interval) const {
  const auto own_place = static_cast<RunId>(index(except));
  const Series& own = impl_->series_at(own_place);
  AtInterval* here = impl_->at(interval);
  if (!here) return std::nullopt;
  const RankedSet& set = impl_->averages(*here, interval);

  const std::optional<double> mean =
      own.size() >= interval ? own.average(interval) : std::nullopt;  // ranked only there
  const std::int64_t peers = set.size() - (mean ? 1 : 0);
  if (peers == 0) return std::nullopt;
  const auto other = [&](std::int64_t place) {
    const RankedSet::Key& key = set.select(place);
    const bool passed = mean && !(key < RankedSet::Key(*mean, own_place));
    return passed ? set.select(place + 1).score() : key.score();
  };
  const double upper = other(peers / 2);
  const double lower = peers % 2 == 0 ? other(peers / 2 - 1) : upper;
  return Median{std::midpoint(lower, upper), peers};
}

History::Rank History::rank_at(RunId id, std::int64_t interval, Ranked ranked) const {
  const auto place = static_cast<RunId>(index(id));
  const Series& own = impl_->series_at(place);
  AtInterval* here = impl_->at(interval);
  if (!here) return Rank{1, 1};
  const RankedSet& set = impl_->ranking(*here, interval, ranked);
  const bool counted = own.size() >= interval && (ranked == Ranked::all || !impl_->finished(place));
  return Rank{set.rank(impl_->key(place, interval)) + 1, set.size() + (counted ? 0 : 1)};
}

double History::value_at_rank(std::int64_t from_worst, std::int64_t interval, Ranked ranked) const {
  AtInterval* here = impl_->at(interval);
  if (!here) return kNaN;
  const RankedSet& set = impl_->ranking(*here, interval, ranked);
  if (from_worst < 1 || from_worst > set.size()) return kNaN;
  return impl_->value(set.select(from_worst - 1).score());
}

}  // namespace hdrive
