// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace hdrive::sampling::gp {

std::string explanation(const History& history, const Precomputation& work,
                        const std::optional<Observation>& newest, const Candidate& candidate,
                        RunId incumbent) {
  const Dataset& data = work.data;
  const double sign = history.goal() == Goal::maximize ? -1 : 1;
  // Of what the run will report, noise included.
  const double deviation =
      std::sqrt(candidate.prediction.variance + work.model->hyperparameters().noise);
  const double mean = candidate.prediction.mean;
  const double high = data.unwarped(mean + deviation), low = data.unwarped(mean - deviation);
  const auto is = [&](Observation::Kind kind) { return newest && newest->kind == kind ? 1 : 0; };
  const int failures = data.failures + is(Observation::Kind::failure);
  const int partials = data.partials + is(Observation::Kind::partial);
  const int good = data.good + is(Observation::Kind::value);
  const auto pending =
      std::count_if(work.pending.begin(), work.pending.end(),
                    [&](const auto& each) { return !newest || each.run != newest->run; });
  std::string text = fmt::format(
      "model of {}: log expected improvement {:.3g}, predicted {:.6g} +- {:.2g}; incumbent {}",
      base::plural(good + failures + partials, "result"), candidate.log_improvement,
      sign * data.unwarped(mean), high / 2 - low / 2, history.name(incumbent));
  if (const auto value = history.best(incumbent)) text += fmt::format(" with {:.6g}", *value);
  if (failures > 0) text += fmt::format("; {} failed", failures);
  if (partials > 0) text += fmt::format("; {} stopped early", partials);
  if (pending > 0) text += fmt::format("; {} pending considered", pending);
  return text;
}

}  // namespace hdrive::sampling::gp
