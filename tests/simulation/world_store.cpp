// SPDX-License-Identifier: Apache-2.0
//
// The world as a store: it fails, tears and stalls, and hands out what others ask.
#include <fmt/format.h>

#include <utility>

#include "tests/simulation/auditor.h"
#include "tests/simulation/world.h"

namespace hdrive::simulation {
namespace {

using std::chrono::milliseconds;

class WorldStore final : public Store {
 public:
  WorldStore(World& world, std::shared_ptr<Store> inner)
      : world_(world), inner_(std::move(inner)) {}

  const SweepHeader& header() const override { return inner_->header(); }

  Result<void> append(std::span<const Change> given) override {
    world_.point("before an append");
    const bool refused = world_.dice.chance(world_.scenario.refused);
    if (world_.dice.chance(world_.scenario.stalled))
      world_.advance(world_.now() + milliseconds{world_.dice.between(1, 3000)});
    if (const auto error = trouble(refused)) {
      world_.store_failing = true;
      world_.note("the store cannot be written");
      if (world_.fault == Fault::lies_about_storing) return {};
      return *error;
    }
    const std::vector<Change> changes = distorted(given);
    if (auto done = inner_->append(changes); !done)
      throw Violation{"store order", done.error().message()};
    world_.store_failing = false;
    world_.auditor->on_append(changes);
    world_.point("after an append");
    return {};
  }

  Result<void> replay(const std::string& only_metric,
                      const std::function<void(const Change&)>& tell) override {
    return inner_->replay(only_metric, tell);
  }

  Result<std::vector<Request>> take_requests() override {
    world_.point("before it hears requests");
    if (world_.dice.chance(world_.scenario.refused)) return Error{"store", "cannot be read"};
    std::vector<Request> taken = std::exchange(world_.requests, {});
    for (const Request& request : taken) {
      world_.note(fmt::format("the engine hears request {}", request.id));
      if (request.kind == Request::Kind::stop_sweep) world_.stop_heard = true;
      world_.unanswered[request.id] = request;
    }
    if (world_.fault == Fault::never_answers) return std::vector<Request>{};
    if (world_.fault == Fault::ignores_pause)
      if (std::erase_if(
              taken, [](const Request& it) { return it.kind == Request::Kind::pause_sweep; }) > 0)
        world_.auditor->assume_paused();
    return taken;
  }
  bool takes_requests() const override { return true; }

 private:
  std::optional<Error> trouble(bool refused) const {
    if (world_.store_gone()) return Error{"store", "was deleted", Error::Kind::not_found};
    if (world_.locked()) return Error{"store", "is locked", Error::Kind::busy};
    if (world_.store_full() || refused)
      return Error{"store", "the disk is full", Error::Kind::no_room};
    return std::nullopt;
  }

  // What a broken engine would have stored.
  std::vector<Change> distorted(std::span<const Change> given) const {
    std::vector<Change> changes(given.begin(), given.end());
    const auto drop = [&](auto matches) { std::erase_if(changes, matches); };
    switch (world_.fault) {
      case Fault::drops_endings:
        drop([](const Change& it) { return std::holds_alternative<RunEnded>(it); });
        break;
      case Fault::drops_verdicts:
        drop([](const Change& it) {
          const auto* judged = std::get_if<RunJudged>(&it);
          return judged && judged->verdict.action == Verdict::Action::stop;
        });
        break;
      case Fault::drops_proposals:
        for (Change& it : changes)
          if (auto* proposed = std::get_if<RunProposed>(&it)) ++proposed->run;
        break;
      case Fault::ends_twice:
        for (const Change& it : given)
          if (std::holds_alternative<RunEnded>(it)) changes.push_back(it);
        break;
      case Fault::miscounts_time:
        for (Change& it : changes)
          if (auto* changed = std::get_if<SweepChanged>(&it))
            changed->active += std::chrono::hours{5};
        break;
      case Fault::edits_at_will:
        for (Change& it : changes)
          if (auto* edited = std::get_if<SweepEdited>(&it))
            edited->config += "max_trials: 9999999\n";
        break;
      case Fault::drops_metrics:
        for (Change& it : changes)
          if (auto* metrics = std::get_if<RunMetrics>(&it); metrics && !metrics->metrics.empty())
            metrics->metrics.pop_back();
        break;
      case Fault::doubles_metrics:
        for (Change& it : changes)
          if (auto* metrics = std::get_if<RunMetrics>(&it); metrics && !metrics->metrics.empty())
            metrics->metrics.push_back(metrics->metrics.back());
        break;
      default:
        break;
    }
    return changes;
  }

  World& world_;
  std::shared_ptr<Store> inner_;
};

}  // namespace

std::shared_ptr<Store> make_store(World& world, std::shared_ptr<Store> inner) {
  return std::make_shared<WorldStore>(world, std::move(inner));
}

}  // namespace hdrive::simulation
