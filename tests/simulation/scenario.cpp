// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <string_view>

namespace hdrive::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds ms(std::int64_t count) { return milliseconds{count}; }

AlgorithmSpec some_policy(Dice& dice) {
  AlgorithmSpec policy;
  switch (dice.below(4)) {
    case 0:
      return {"no_termination", {}};
    case 1:
      policy.name = "bandit";
      if (dice.chance(0.5))
        policy.options["slack_factor"] = static_cast<double>(dice.between(0, 10)) / 10;
      else
        policy.options["slack_amount"] = static_cast<double>(dice.between(0, 20)) / 10;
      break;
    case 2:
      policy.name = "median_stopping";
      break;
    default:
      policy.name = "truncation_selection";
      policy.options["truncation_percentage"] = dice.between(10, 90);
      if (dice.chance(0.4)) policy.options["exclude_finished_jobs"] = true;
  }
  if (dice.chance(0.5)) policy.options["evaluation_interval"] = dice.between(1, 3);
  if (dice.chance(0.4)) policy.options["delay_evaluation"] = dice.between(1, 4);
  return policy;
}

// The samplers that the table has. Those that fit a model take long, and are as pure as the others.
void some_space(Dice& dice, SweepSpec& spec) {
  static constexpr std::string_view kQuick[] = {"random", "grid", "sobol", "latin_hypercube"};
  std::vector<std::string> quick, slow;
  for (const AlgorithmInfo& info : sampler_algorithms()) {
    const bool is_quick =
        std::find(std::begin(kQuick), std::end(kQuick), info.name) != std::end(kQuick);
    (is_quick ? quick : slow).emplace_back(info.name);
  }
  const std::vector<std::string>& names = !slow.empty() && dice.chance(0.01) ? slow : quick;
  spec.sampling.name =
      names[static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(names.size())))];
  const bool finite = spec.sampling.name == "grid" || dice.chance(0.2);
  Choice first, second;
  for (std::int64_t i = dice.between(1, 5); i > 0; --i) first.options.emplace_back(i);
  for (std::int64_t i = dice.between(1, 4); i > 0; --i)
    second.options.emplace_back("option " + std::to_string(i));
  spec.space.parameters = {{"a", first}, {"b", second}};
  if (dice.chance(0.3)) spec.space.parameters[1].condition = Condition{"a", first.options.back()};
  if (finite) return;
  spec.space.parameters.push_back({"lr", Uniform{0, 1}});
  const bool any_expression = spec.sampling.name == "random" || spec.sampling.name == "sobol";
  if (dice.chance(0.3) && any_expression) spec.space.parameters.push_back({"w", Normal{0, 1}});
}

SweepSpec some_spec(Dice& dice) {
  SweepSpec spec;
  some_space(dice, spec);
  spec.policy = some_policy(dice);
  spec.primary_metric = "loss";
  spec.goal = dice.chance(0.5) ? Goal::minimize : Goal::maximize;
  spec.seed = static_cast<std::uint64_t>(dice.below(1'000'000));
  spec.max_total_runs = dice.between(1, 14);
  spec.max_concurrent_runs = dice.between(1, 5);
  spec.max_duration = seconds{dice.chance(0.2) ? 60 : 3600};
  spec.max_run_duration = dice.chance(0.2) ? ms(dice.between(800, 4000)) : ms(600'000);
  spec.cancel_grace = ms(dice.between(0, 1500));
  spec.max_lost_retries = dice.between(0, 3);
  spec.stop_when_all_fail = dice.chance(0.5);
  spec.stop_without_primary_metric = dice.chance(0.5);
  spec.stop_after_consecutive_failures = dice.chance(0.5) ? 10 : dice.between(0, 4);
  if (dice.chance(0.3)) spec.max_failed_retries = dice.between(1, 2);
  if (dice.chance(0.1)) spec.stop_at = static_cast<double>(dice.between(0, 40)) / 8;
  if (dice.chance(0.1)) spec.stop_without_progress = dice.between(2, 5);
  if (dice.chance(0.1)) spec.max_silent = ms(dice.between(300, 1500));
  spec.command = {"train"};
  spec.source_directory = "/";
  return spec;
}

Settings some_settings(Dice& dice) {
  static const std::vector<std::pair<std::string, std::string>> kAll{
      {"max_total_runs", "1"},
      {"max_total_runs", "9"},
      {"max_total_runs", "18"},
      {"max_concurrent_runs", "1"},
      {"max_concurrent_runs", "6"},
      {"max_concurrent_runs", "0"},  // refused
      {"max_run_duration_seconds", "2"},
      {"max_duration_minutes", "30"},
      {"max_lost_retries", "2"},
      {"max_failed_retries", "1"},
      {"stop_after_consecutive_failures", "3"},
      {"policy", "{type: bandit, slack_factor: 0.1}"},
      {"policy", "{type: median_stopping, evaluation_interval: 2}"},
      {"policy", "{type: no_termination}"},
      {"policy.slack_factor", "0.3"},  // refused where it is no bandit
      {"policy.evaluation_interval", "1"},
      {"seed", "77"},        // refused
      {"no_such_key", "1"},  // refused
  };
  Settings settings;
  for (std::int64_t i = dice.between(1, 2); i > 0; --i)
    settings.push_back(
        kAll[static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(kAll.size())))]);
  return settings;
}

void some_incidents(Dice& dice, Scenario& scenario) {
  using Kind = Incident::Kind;
  static constexpr Kind kKinds[] = {
      Kind::stop,         Kind::stop_run,     Kind::pause,        Kind::resume,
      Kind::update,       Kind::update,       Kind::interrupt,    Kind::disk_full,
      Kind::suspended,    Kind::reboot,       Kind::lose_run,     Kind::lose_run,
      Kind::no_resources, Kind::program_gone, Kind::store_locked, Kind::store_gone};
  for (std::int64_t i = dice.below(6); i > 0; --i) {
    Incident incident;
    incident.kind = kKinds[dice.below(std::size(kKinds))];
    incident.at = ms(dice.between(0, 15'000));
    incident.length = ms(dice.between(50, 6000));
    incident.run = dice.below(scenario.spec.max_total_runs);
    if (incident.kind == Kind::program_gone && dice.chance(0.2)) incident.length += ms(70'000);
    if (incident.kind == Kind::store_gone && dice.chance(0.2)) incident.length += ms(10'000);
    if (incident.kind == Kind::update) incident.settings = some_settings(dice);
    scenario.incidents.push_back(incident);
    // Half of the interrupts come in pairs, and what is paused is mostly resumed.
    if (incident.kind == Kind::interrupt && dice.chance(0.5)) {
      incident.at += ms(dice.between(0, 1200));
      scenario.incidents.push_back(incident);
    } else if (incident.kind == Kind::pause && dice.chance(0.7)) {
      incident.kind = Kind::resume;
      incident.at += incident.length;
      scenario.incidents.push_back(incident);
    }
  }
  Incident at_last;  // nobody leaves a sweep paused for ever
  at_last.kind = Kind::resume;
  at_last.at = ms(60'000);
  scenario.incidents.push_back(at_last);
  std::stable_sort(scenario.incidents.begin(), scenario.incidents.end(),
                   [](const Incident& a, const Incident& b) { return a.at < b.at; });
}

}  // namespace

Scenario make_scenario(std::uint64_t seed) {
  Dice dice = Dice::of(seed, 1);
  Scenario scenario;
  scenario.seed = seed;
  scenario.spec = some_spec(dice);
  scenario.sqlite = seed % 200 == 0;
  some_incidents(dice, scenario);
  const bool deadly = dice.chance(0.7);
  for (std::int64_t i = deadly ? dice.between(1, 4) : 0; i > 0; --i)
    scenario.crash_after.push_back(dice.chance(0.5) ? dice.between(1, 40) : dice.between(1, 400));
  if (dice.chance(0.5)) scenario.late = 0.3;
  if (dice.chance(0.3)) scenario.stale = 0.1;
  if (dice.chance(0.3)) scenario.queued = 0.5;
  if (dice.chance(0.3)) scenario.outage = 0.1;
  if (dice.chance(0.2)) scenario.refused = 0.1;
  if (dice.chance(0.1)) scenario.stalled = 0.05;
  if (dice.chance(0.1)) scenario.unattachable = 0.1;
  if (dice.chance(0.2)) scenario.asked_early = 0.5;
  if (dice.chance(0.05)) {
    scenario.thrower = static_cast<Scenario::Thrower>(dice.between(1, 3));
    scenario.throws_at = dice.between(1, 20);
    // A sampler or a policy that was brought along stays when the specification changes.
    std::erase_if(scenario.incidents,
                  [](const Incident& it) { return it.kind == Incident::Kind::update; });
  }
  return scenario;
}

Result<SimulatedRun> Scenario::behaviour(const RunRequest& request) const {
  // The moods of a seed: in some, most runs fail, or none logs what is looked for.
  const bool hopeless = Dice::of(seed, 2).chance(0.05);
  const bool silent = Dice::of(seed, 3).chance(0.05);
  const bool fragile = Dice::of(seed, 4).chance(0.3);
  Dice dice = Dice::of(seed, 5, static_cast<std::uint64_t>(request.run),
                       static_cast<std::uint64_t>(request.attempt));
  if (dice.chance(hopeless ? 0.3 : 0.02)) return Error{"train", "no such program"};
  SimulatedRun run;
  Duration at{};
  for (std::int64_t i = dice.below(8); i > 0; --i) {
    at += dice.chance(0.2) ? ms(0) : ms(dice.between(20, 900));
    if (dice.chance(0.15)) run.reports.emplace_back(at, Metric{"time", dice.unit(), {}, {}});
    if (silent) continue;
    double value = static_cast<double>(dice.between(0, 40)) / 8;
    if (dice.chance(0.04)) value = std::numeric_limits<double>::quiet_NaN();
    if (dice.chance(0.02)) value = std::numeric_limits<double>::infinity();
    run.reports.emplace_back(at, Metric{"loss", value, i, {}});
  }
  run.duration = at + ms(dice.below(600));
  run.cancel_delay = ms(dice.chance(0.5) ? 0 : dice.between(1, 2500));
  if (dice.chance(hopeless ? 0.8 : 0.1)) {
    run.exit_code = static_cast<int>(dice.between(1, 3));
    run.stderr_tail = "something went wrong";
  } else if (dice.chance(0.05)) {
    run.exit_code.reset();
    run.signal = SIGSEGV;
  }
  run.vanishes = dice.chance(fragile ? 0.3 : 0.02);
  return run;
}

std::string describe(const Scenario& scenario) {
  static constexpr const char* kNames[] = {
      "stop",         "stop run",     "pause",        "resume",    "update",
      "interrupt",    "disk full",    "suspended",    "reboot",    "lose run",
      "no resources", "program gone", "store locked", "store gone"};
  std::string text = fmt::format("seed {}, {} store\n{}", scenario.seed,
                                 scenario.sqlite ? "SQLite" : "memory", to_hdconfig(scenario.spec));
  for (const Incident& incident : scenario.incidents) {
    text += fmt::format("at {} ms: {}", incident.at.count() / 1000,
                        kNames[static_cast<int>(incident.kind)]);
    if (incident.kind == Incident::Kind::stop_run || incident.kind == Incident::Kind::lose_run)
      text += fmt::format(" {}", incident.run);
    if (incident.length > Duration{} && incident.kind >= Incident::Kind::disk_full)
      text += fmt::format(" for {} ms", incident.length.count() / 1000);
    for (const auto& [key, value] : incident.settings) text += fmt::format(" {}={}", key, value);
    text += "\n";
  }
  for (const std::int64_t points : scenario.crash_after)
    text += fmt::format("an engine dies at its point {}\n", points);
  return text;
}

}  // namespace hdrive::simulation
