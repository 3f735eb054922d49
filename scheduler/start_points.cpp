// SPDX-License-Identifier: Apache-2.0
#include "scheduler/start_points.h"

#include <fmt/format.h>

#include "hdrive/random.h"
#include "hdrive/sampler.h"
#include "hdrive/warm_start.h"

namespace hdrive::scheduler {
namespace {

// The earlier runs that go on, by their places among those taken over.
std::vector<std::int64_t> going_on(const History& history) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t number = 0; number < history.earlier(); ++number)
    if (history.earlier_run(number).goes_on) numbers.push_back(number);
  return numbers;
}

RunProposed start_anew(const History& history, std::int64_t number) {
  const EarlierRun& earlier = history.earlier_run(number);
  RunProposed proposed;
  proposed.run = history.size();
  proposed.start_point = true;
  proposed.parameters = history.run(number - history.earlier()).parameters;
  proposed.reason = to_text(Continuation{earlier.sweep, earlier.run});
  return proposed;
}

}  // namespace

bool has_start_point(const SweepSpec& spec, const SweepState& state) {
  return static_cast<std::size_t>(state.start_points_used()) <
         going_on(state.history()).size() + spec.start_points.size();
}

std::optional<RunProposed> next_start_point(const SweepSpec& spec, const SweepState& state) {
  auto used = static_cast<std::size_t>(state.start_points_used());
  const std::vector<std::int64_t> again = going_on(state.history());
  if (used < again.size()) return start_anew(state.history(), again[used]);
  used -= again.size();
  if (used >= spec.start_points.size()) return std::nullopt;
  // With the choices on which what is given depends. That it fits was checked with the
  // specification.
  const auto completed = partial_point(spec.space, spec.start_points[used]);
  const Assignment& given = completed ? *completed : spec.start_points[used];
  RunProposed proposed;
  proposed.run = state.history().size();
  proposed.start_point = true;
  for (std::uint32_t i = 0; i < spec.space.parameters.size(); ++i) {
    if (!is_active(spec.space, i, proposed.parameters)) continue;
    const Parameter& parameter = spec.space.parameters[i];
    RandomStream random(spec.seed, proposed.run, i);
    const Value* value = find(given, parameter.name);
    proposed.parameters.push_back(
        {parameter.name, value ? *value : draw(parameter.expression, random)});
  }
  proposed.reason = fmt::format("start point {} of {}", used + 1, spec.start_points.size());
  if (given.size() < proposed.parameters.size())
    proposed.reason += fmt::format("; {} of its {} values drawn at random, seed {}",
                                   proposed.parameters.size() - given.size(),
                                   proposed.parameters.size(), spec.seed);
  return proposed;
}

}  // namespace hdrive::scheduler
