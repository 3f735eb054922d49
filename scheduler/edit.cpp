// SPDX-License-Identifier: Apache-2.0
//
// Changing a sweep while all that happened is kept, and what a resumed one could still do.
#include "hdrive/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "hdrive/config.h"
#include "hdrive/state.h"
#include "hdrive/sweep.h"
#include "scheduler/repeats.h"
#include "scheduler/stop_rules.h"

namespace hdrive {
namespace {

constexpr char kStored[] = "configuration";  // what the stored text is called

// What the runs so far were drawn from and judged by; another one is another sweep.
struct Kept {
  std::string_view key;
  bool (*same)(const SweepSpec& a, const SweepSpec& b);
  std::string_view why;
};
constexpr Kept kKept[] = {
    {"parameter_space", [](const SweepSpec& a, const SweepSpec& b) { return a.space == b.space; },
     "the runs so far were drawn from it"},
    {"sampling.type",
     [](const SweepSpec& a, const SweepSpec& b) { return a.sampling.name == b.sampling.name; },
     "the runs so far were drawn by it; its options may change"},
    {"primary_metric_config.name",
     [](const SweepSpec& a, const SweepSpec& b) { return a.primary_metric == b.primary_metric; },
     "the runs so far were judged by it"},
    {"primary_metric_config.goal",
     [](const SweepSpec& a, const SweepSpec& b) { return a.goal == b.goal; },
     "the runs so far were judged by it"},
    {"seed", [](const SweepSpec& a, const SweepSpec& b) { return a.seed == b.seed; },
     "the runs so far were drawn with it"},
    {"resume_from",
     [](const SweepSpec& a, const SweepSpec& b) { return a.resume_from == b.resume_from; },
     "what a sweep takes over is read when it begins"},
    {"resume_child_runs",
     [](const SweepSpec& a, const SweepSpec& b) {
       return a.resume_child_runs == b.resume_child_runs;
     },
     "what a sweep takes over is read when it begins"},
    {"name", [](const SweepSpec& a, const SweepSpec& b) { return a.name == b.name; },
     "the sweep is known by it"},
    {"experiment",
     [](const SweepSpec& a, const SweepSpec& b) { return a.experiment == b.experiment; },
     "the sweep is known by it"},
};

Result<void> refuse_to_lose(const SweepSpec& before, const SweepSpec& after, std::int64_t runs) {
  for (const Kept& kept : kKept)
    if (!kept.same(before, after))
      return Error{std::string(kept.key),
                   fmt::format("cannot be changed while the runs are kept: {}; begin a new sweep",
                               kept.why)};
  if (after.max_total_runs < runs && after.max_total_runs < before.max_total_runs)
    return Error{"max_total_runs",
                 fmt::format("cannot be {}: there are {} already; {} starts no more",
                             after.max_total_runs, base::plural(runs, "run"), runs)};
  return {};
}

Result<void> check_algorithms(const SweepSpec& spec) {
  auto sampler =
      make_sampler(spec.sampling, spec.space,
                   {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs});
  if (!sampler) return sampler.error();
  auto policy = make_policy(spec.policy, spec.goal);
  if (!policy) return policy.error();
  return {};
}

// The stored text was sound, and the user does not see it: an error in it comes from the settings,
// so it is told under their keys.
std::string errors_of(const LoadedConfig& loaded, const Settings& settings) {
  std::vector<std::string> keys, errors;
  for (const auto& [key, value] : settings) keys.push_back("--set " + key);
  for (const Problem& problem : loaded.problems) {
    if (problem.severity != Problem::Severity::error) continue;
    const bool stored = problem.file == kStored;
    errors.push_back(stored ? base::join(keys, ", ") + ": " + problem.text : problem.message());
  }
  return base::join(errors, "\n");
}

// Of Settings: the value is a point to put behind SweepSpec::start_points.
constexpr std::string_view kAddStartPoint = "start_points+";

// Points to add become the list with them at its end: the one who asks need not know what is there.
Settings with_points_added(const SweepSpec& spec, const Settings& settings) {
  Settings result;
  std::string points;
  for (const auto& [key, value] : settings) {
    if (key == kAddStartPoint)
      points += (points.empty() ? "" : ", ") + value;
    else
      result.emplace_back(key, value);
  }
  if (points.empty()) return result;
  std::string before;
  for (const Assignment& point : spec.start_points) before += to_json(point) + ", ";
  result.emplace_back("start_points", "[" + before + points + "]");
  return result;
}

// Both signs of a record's structure are escaped.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\')
      result += "\\\\";
    else if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result;
}

std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size())
      result += text[i];
    else
      result += text[++i] == 'n' ? '\n' : text[i];
  }
  return result;
}

}  // namespace

std::string write_settings(const Settings& settings) {
  std::string text;
  for (const auto& [key, value] : settings) text += escaped(key + "=" + value) + "\n";
  return text;
}

Settings read_settings(const std::string& text) {
  Settings settings;
  for (const std::string_view line : base::split(text, '\n')) {
    if (line.empty()) continue;
    const std::string setting = unescaped(line);
    const std::size_t equals = std::min(setting.find('='), setting.size());
    settings.emplace_back(setting.substr(0, equals),
                          setting.substr(std::min(equals + 1, setting.size())));
  }
  return settings;
}

Result<SpecEdit> edit_spec(const SweepSpec& spec, const Settings& settings, std::int64_t runs) {
  ConfigOverrides overrides;
  overrides.set = with_points_added(spec, settings);
  overrides.needs_command = false;
  const std::string before = to_hdconfig(spec);
  LoadedConfig loaded = parse_config(before, kStored, spec.source_directory, overrides);
  if (!loaded.ok()) return Error{"", errors_of(loaded, settings)};
  SpecEdit edit{std::move(loaded.spec), "", ""};
  if (auto kept = refuse_to_lose(spec, edit.spec, runs); !kept) return kept.error();
  if (auto sound = check(edit.spec); !sound) return sound.error();
  if (auto made = check_algorithms(edit.spec); !made) return made.error();
  if (edit.spec.start_points.size() > spec.start_points.size() && runs >= edit.spec.max_total_runs)
    return Error{"", fmt::format("there is no run left for another start point: all {} of "
                                 "max_total_runs were created; raise it first",
                                 base::plural(runs, "run"))};
  edit.config = to_hdconfig(edit.spec);
  edit.what = base::join(changes(spec, edit.spec), ", ");
  return edit;
}

std::optional<NothingLeft> nothing_left(const SweepSpec& spec, const SweepState& state) {
  const History& history = state.history();
  if (state.active() >= spec.max_duration) {
    const double minutes = static_cast<double>(spec.max_duration.count()) / 60'000;
    return NothingLeft{
        fmt::format("its max_duration_minutes ({}) are used up", base::shortest(minutes)),
        fmt::format("max_duration_minutes={}", base::shortest(2 * minutes))};
  }
  if (auto reached = scheduler::target_reached(spec, state))
    return NothingLeft{*std::move(reached), ""};
  scheduler::ProgressWatch progress(spec);
  progress.load(history);
  if (auto stalled = progress.stalled(history))
    return NothingLeft{*std::move(stalled), "stop_without_progress=0"};
  for (RunId id = 0; id < history.size(); ++id) {
    const Run& run = history.run(id);
    const bool again = run.ended_by == EndCause::interrupt || run.ended_by == EndCause::budget;
    if (!is_terminal(run.status) || again) return std::nullopt;
  }
  if (scheduler::next_repeat(spec, state)) return std::nullopt;
  if (state.counted_runs() >= spec.max_total_runs)
    return NothingLeft{fmt::format("all of its {} have ended", base::plural(history.size(), "run")),
                       fmt::format("max_total_runs={}", 2 * state.counted_runs())};
  const bool changed = !state.edits().empty() && state.edits().back().at > state.changed();
  if (state.end() == SweepEnd::exhausted && !changed)
    return NothingLeft{fmt::format("its search space has nothing left after {}",
                                   base::plural(history.size(), "run")),
                       ""};
  return std::nullopt;
}

}  // namespace hdrive
