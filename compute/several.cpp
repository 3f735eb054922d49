// SPDX-License-Identifier: Apache-2.0
#include "compute/several.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace hdrive::compute {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr int kFailuresInARow = 3;
constexpr minutes kFirstTimeAside{10}, kLongestTimeAside{120};
// How often a target is looked at that cannot say when it has something to tell.
constexpr milliseconds kLookEvery{20};

RunId run_of(const TargetEvent& event) {
  return std::visit(
      [](const auto& each) -> RunId {
        if constexpr (std::is_same_v<std::decay_t<decltype(each)>, TargetNote>)
          return each.run.value_or(-1);
        else
          return each.run;
      },
      event);
}

// "workstation:" and what the target itself calls the run.
std::string handle_at(const std::string& name, const std::string& handle) {
  return name + ":" + handle;
}

}  // namespace

SeveralTargets::SeveralTargets(std::vector<TargetShare> shares, std::shared_ptr<Clock> clock)
    : clock_(std::move(clock)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (TargetShare& share : shares) places_.push_back({std::move(share), {}, 0, 0, std::nullopt});
}

Result<std::shared_ptr<SeveralTargets>> SeveralTargets::make(std::vector<TargetShare> shares,
                                                             std::shared_ptr<Clock> clock) {
  if (shares.empty()) return Error{"target", "no target is named", Error::Kind::invalid};
  std::set<std::string> names;
  for (const TargetShare& share : shares)
    if (!names.insert(share.name).second)
      return Error{"target", "the target " + share.name + " is named twice", Error::Kind::invalid};
  std::shared_ptr<SeveralTargets> made(new SeveralTargets(std::move(shares), std::move(clock)));
  if (!made->wake_) return base::system_error("eventfd", "make one", errno);
  return made;
}

// ---- where runs go -------------------------------------------------------------------------------

bool SeveralTargets::has_room(const Place& place) const {
  const auto live = static_cast<std::int64_t>(place.runs.size());
  if (place.share.slots > 0 && live >= place.share.slots) return false;
  const auto capacity = place.share.target->capacity();
  return !capacity || live < capacity->runs;
}

bool SeveralTargets::is_aside(const Place& place) const {
  return place.aside_until && *place.aside_until > clock_->now();
}

// Those with room, in the order given; those set aside only where no other is left, the one whose time is over first.
std::vector<std::size_t> SeveralTargets::order() const {
  std::vector<std::size_t> usable, aside;
  for (std::size_t i = 0; i < places_.size(); ++i)
    if (has_room(places_[i])) (is_aside(places_[i]) ? aside : usable).push_back(i);
  const bool all_aside = std::all_of(places_.begin(), places_.end(),
                                     [&](const Place& place) { return is_aside(place); });
  if (!usable.empty() || !all_aside || aside.empty()) return usable;
  return {*std::min_element(aside.begin(), aside.end(), [&](std::size_t a, std::size_t b) {
    return *places_[a].aside_until < *places_[b].aside_until;
  })};
}

Result<void> SeveralTargets::start(const RunRequest& request) {
  if (live_.contains(request.run))
    return Error{fmt::format("run {}", request.run), "it runs already", Error::Kind::invalid};
  std::optional<Error> refused;
  for (const std::size_t index : order()) {
    Place& place = places_[index];
    auto started = place.share.target->start(request);
    if (started) {
      place.runs.insert(request.run);
      live_[request.run] = {request.attempt, index, {}, false, false, false};
      return {};
    }
    // What is wrong with the run itself is so everywhere.
    if (!lies_outside(started.error().kind)) return started;
    refused = started.error();
    if (!passes_by_itself(refused->kind)) note_failure(index, refused->message());
    refused->where = place.share.name + (refused->where.empty() ? "" : ": " + refused->where);
  }
  if (refused) return *std::move(refused);
  return Error{"", "all places of the targets are taken", Error::Kind::busy};
}

// ---- runs of an earlier engine -------------------------------------------------------------------

Result<void> SeveralTargets::adopt(std::span<const RunRequest> requests) {
  std::vector<std::vector<RunRequest>> for_place(places_.size());
  for (const RunRequest& request : requests) {
    Live live{request.attempt, std::nullopt, {}, false, false, false};
    const std::size_t colon = request.handle.find(':');
    RunRequest asked = request;
    if (colon == std::string::npos) {
      // Nobody has told who took it: each may have.
      for (std::size_t i = 0; i < places_.size(); ++i) {
        live.asked.insert(i);
        for_place[i].push_back(asked);
      }
    } else {
      const std::string name = request.handle.substr(0, colon);
      const auto place = std::find_if(places_.begin(), places_.end(),
                                      [&](const Place& each) { return each.share.name == name; });
      if (place == places_.end())
        return Error{
            fmt::format("run {}", request.run),
            fmt::format(
                "it was sent to the target {}, which is not among the sweep's any more; name it in "
                "\"target\" again, or run `hdrive stop` where it is still there",
                name),
            Error::Kind::invalid};
      live.place = static_cast<std::size_t>(place - places_.begin());
      live.accepted = true;
      asked.handle = request.handle.substr(colon + 1);
      for_place[*live.place].push_back(std::move(asked));
    }
    for (std::size_t i = 0; i < places_.size(); ++i)
      if (live.place == i || live.asked.contains(i)) places_[i].runs.insert(request.run);
    live_[request.run] = std::move(live);
  }
  for (std::size_t i = 0; i < places_.size(); ++i)
    if (!for_place[i].empty())
      if (auto adopted = places_[i].share.target->adopt(for_place[i]); !adopted) return adopted;
  return {};
}

// ---- the rest of the contract --------------------------------------------------------------------

std::optional<TargetCapacity> SeveralTargets::capacity() const {
  TargetCapacity all;
  for (const Place& place : places_) {
    const auto own = place.share.target->capacity();
    if (!own && place.share.slots == 0) return std::nullopt;
    const std::int64_t runs = !own                    ? place.share.slots
                              : place.share.slots > 0 ? std::min(own->runs, place.share.slots)
                                                      : own->runs;
    all.runs += runs;
    all.limit += fmt::format("{}{} of {}", all.limit.empty() ? "" : ", ", runs, place.share.name);
  }
  return all;
}

void SeveralTargets::cancel(RunId run, CancelMode mode) {
  const auto found = live_.find(run);
  if (found == live_.end()) return;
  found->second.canceled = true;
  for (std::size_t i = 0; i < places_.size(); ++i)
    if (found->second.place == i || found->second.asked.contains(i))
      places_[i].share.target->cancel(run, mode);
}

std::string SeveralTargets::describe() const {
  std::vector<std::string> names;
  for (const Place& place : places_) names.push_back(place.share.name);
  return base::join(names, ", ");
}

// ---- waiting -------------------------------------------------------------------------------------

void SeveralTargets::wait(Time deadline, std::stop_token stop, std::vector<TargetEvent>& events) {
  const std::stop_callback wake(stop, [this] {
    const std::uint64_t one = 1;
    if (::write(wake_.get(), &one, sizeof one) < 0) return;  // full: it wakes already
  });
  const std::size_t from = events.size();
  while (true) {
    collect(events);
    if (events.size() > from || stop.stop_requested() || clock_->now() >= deadline) return;
    await_any(deadline, events);
  }
}

void SeveralTargets::ask(std::size_t index, Time until, std::vector<TargetEvent>& events) {
  std::vector<TargetEvent> told;
  places_[index].share.target->wait(until, {}, told);
  for (TargetEvent& event : told) take(index, std::move(event), events);
}

// What each has to tell now.
void SeveralTargets::collect(std::vector<TargetEvent>& events) {
  for (std::size_t i = 0; i < places_.size(); ++i) ask(i, clock_->now(), events);
  std::move(notes_.begin(), notes_.end(), std::back_inserter(events));
  notes_.clear();
}

void SeveralTargets::await_any(Time deadline, std::vector<TargetEvent>& events) {
  std::vector<pollfd> descriptors{{wake_.get(), POLLIN, 0}};
  std::size_t soonest = 0;
  Time latest = deadline;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Readiness ready = places_[i].share.target->readiness();
    if (ready.descriptor >= 0) descriptors.push_back({ready.descriptor, POLLIN, 0});
    if (ready.descriptor < 0 && ready.latest == Time::min())
      ready.latest = clock_->now() + kLookEvery;
    if (ready.latest < latest) latest = ready.latest, soonest = i;
  }
  // A simulated clock goes on only while a target waits.
  if (!clock_->real()) return ask(soonest, latest, events);
  const auto left = std::chrono::ceil<milliseconds>(std::max(latest - clock_->now(), Duration{0}));
  const auto timeout = static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
  if (::poll(descriptors.data(), descriptors.size(), timeout) > 0 && descriptors[0].revents != 0) {
    std::uint64_t ignored = 0;
    if (::read(wake_.get(), &ignored, sizeof ignored) < 0) return;
  }
}

// An event of the target `index`, as the sweep is to see it.
void SeveralTargets::take(std::size_t index, TargetEvent event, std::vector<TargetEvent>& events) {
  Place& place = places_[index];
  const RunId run = run_of(event);
  if (std::holds_alternative<TargetNote>(event)) {
    auto& note = std::get<TargetNote>(event);
    if (!note.run) note.note = place.share.name + ": " + note.note;
    events.push_back(std::move(event));
    return;
  }
  const auto found = live_.find(run);
  if (found == live_.end()) return;
  Live& live = found->second;
  if (!live.place) {
    // Of those that were asked the one that has it answers with something else.
    if (std::holds_alternative<RunNotFound>(event)) {
      live.asked.erase(index);
      place.runs.erase(run);
      if (!live.asked.empty()) return;
      events.push_back(std::move(event));
      forget(run);
      return;
    }
    if (std::holds_alternative<RunUnreachable>(event) ||
        std::holds_alternative<RunReachable>(event)) {
      // It says nothing of where the run is.
      const bool lost = std::holds_alternative<RunUnreachable>(event);
      if (std::exchange(live.unreachable, lost) == lost) return;
      events.push_back(std::move(event));
      return;
    }
    for (const std::size_t other : live.asked)
      if (other != index) places_[other].runs.erase(run);
    live.asked.clear();
    live.place = index;
  } else if (live.place != index) {
    return;
  }

  if (auto* accepted = std::get_if<RunAccepted>(&event)) {
    if (std::exchange(live.accepted, true)) return;
    accepted->handle = handle_at(place.share.name, accepted->handle);
  } else if (std::holds_alternative<RunBegan>(event)) {
    note_success(index);
    // So that the next engine knows where it is.
    if (!std::exchange(live.accepted, true))
      events.push_back(RunAccepted{run, live.attempt, handle_at(place.share.name, "")});
  } else if (const auto* deferred = std::get_if<RunDeferred>(&event)) {
    // It was taken and given back. Whatever the reason, and also where it passes by itself: the next run would go there
    // again, while others have room.
    note_failure(index, deferred->why.message());
    forget(run);
  } else if (const auto* exited = std::get_if<RunExited>(&event)) {
    if (exited->not_started) note_failure(index, exited->note);
    forget(run);
  } else if (const auto* vanished = std::get_if<RunVanished>(&event)) {
    if (!live.canceled) note_failure(index, vanished->note);
    forget(run);
  } else if (std::holds_alternative<RunNotFound>(event)) {
    forget(run);
  }
  events.push_back(std::move(event));
}

void SeveralTargets::forget(RunId run) {
  for (Place& place : places_) place.runs.erase(run);
  live_.erase(run);
}

// ---- targets that fail ---------------------------------------------------------------------------

void SeveralTargets::note_failure(std::size_t index, const std::string& why) {
  Place& place = places_[index];
  if (places_.size() == 1) return;  // there is nowhere else to go
  if (++place.failures < kFailuresInARow) return;
  place.failures = 0;
  // Where it is tried all the same, since all others are aside, it only lets another one have its turn; and what was
  // on its way there when it was set aside fails as the rest did.
  const bool again = is_aside(place);
  if (!again) ++place.times_aside;
  const minutes pause =
      std::min(kLongestTimeAside, kFirstTimeAside * (1 << std::min(place.times_aside - 1, 5)));
  place.aside_until = clock_->now() + pause;
  if (again) return;
  notes_.emplace_back(TargetNote{
      std::nullopt,
      fmt::format(
          "the target {} is set aside for {} minutes, since it failed {} times in a row: {}",
          place.share.name, pause.count(), kFailuresInARow, why)});
}

void SeveralTargets::note_success(std::size_t index) {
  places_[index].failures = places_[index].times_aside = 0;
  places_[index].aside_until.reset();
}

}  // namespace hdrive::compute

namespace hdrive {

Result<std::shared_ptr<ComputeTarget>> make_several_targets(std::vector<TargetShare> shares,
                                                            std::shared_ptr<Clock> clock) {
  auto made = compute::SeveralTargets::make(std::move(shares), std::move(clock));
  if (!made) return made.error();
  return std::shared_ptr<ComputeTarget>(*std::move(made));
}

}  // namespace hdrive
