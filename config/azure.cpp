// SPDX-License-Identifier: Apache-2.0
//
// What Azure itself would refuse in a specification that is fine here.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "config/schema.h"
#include "hdrive/config.h"

namespace hdrive {
namespace {

using config::KeyInfo;
using config::Section;

/// Collects the warnings for one specification.
class AzureCheck {
 public:
  AzureCheck(const SweepSpec& spec, const std::string& file) : spec_(spec), file_(file) {}

  std::vector<Problem> run() {
    check_sampling();
    check_policy();
    check_steps();
    check_limits();
    check_own_keys();
    return std::move(problems_);
  }

 private:
  void warn(const std::string& text) {
    problems_.push_back({Problem::Severity::warning, file_, 0, 0, "Azure: " + text});
  }

  void check_sampling() {
    const std::string& name = spec_.sampling.name;
    if (name != "random" && name != "grid" && name != "bayesian")
      return warn("there is no " + name + " sampling; allowed: random, grid, bayesian");
    for (const auto& [option, value] : spec_.sampling.options)
      warn("sampling takes no option \"" + option + "\"");
    if (name == "grid") check_expressions({"choice"});
    if (name != "bayesian") return;
    check_expressions({"choice", "quniform", "uniform"});
    if (spec_.policy.name != "no_termination")
      warn(
          "bayesian sampling goes with no early termination; remove the policy, or make it "
          "NoTerminationPolicy");
  }

  void check_expressions(const std::set<std::string_view>& allowed) {
    for (const Parameter& parameter : spec_.space.parameters) {
      const std::string_view name = expression_name(parameter.expression);
      if (allowed.contains(name)) continue;
      std::vector<std::string> names(allowed.begin(), allowed.end());
      warn(spec_.sampling.name + " sampling takes no " + std::string(name) + " (parameter " +
           config::in_quotes(parameter.name) + "); allowed: " + config::listing(names));
    }
  }

  void check_policy() {
    static const std::set<std::string_view> kPolicies{"bandit", "median_stopping", "no_termination",
                                                      "truncation_selection"};
    static const std::set<std::string_view> kOptions{"delay_evaluation", "evaluation_interval",
                                                     "slack_amount", "slack_factor",
                                                     "truncation_percentage"};
    if (!kPolicies.contains(spec_.policy.name))
      return warn("there is no policy " + spec_.policy.name +
                  "; allowed: BanditPolicy, MedianStoppingPolicy, NoTerminationPolicy, "
                  "TruncationSelectionPolicy");
    for (const auto& [option, value] : spec_.policy.options)
      if (!kOptions.contains(option)) warn("the policy takes no option \"" + option + "\"");
  }

  void check_steps() {
    for (const Parameter& parameter : spec_.space.parameters) {
      const double q = std::visit(
          [](const auto& expression) {
            if constexpr (requires { expression.q; })
              return expression.q;
            else
              return 1.0;
          },
          parameter.expression);
      if (q != std::floor(q))
        warn("q of parameter " + config::in_quotes(parameter.name) + " is " + base::shortest(q) +
             "; allowed: an integer");
    }
  }

  void check_limits() {
    if (spec_.max_total_runs > 1000)
      warn("max_total_runs is " + std::to_string(spec_.max_total_runs) + "; allowed: 1 to 1000");
    if (spec_.max_concurrent_runs > 100)
      warn("max_concurrent_runs is " + std::to_string(spec_.max_concurrent_runs) +
           "; allowed: 1 to 100");
    if (spec_.max_duration.count() % 60 != 0)
      warn("max_duration_minutes is " +
           base::shortest(static_cast<double>(spec_.max_duration.count()) / 60) +
           "; allowed: an integer");
    if (spec_.primary_metric.size() > 255)
      warn("primary_metric_name has " + std::to_string(spec_.primary_metric.size()) +
           " bytes; allowed: 255");
  }

  // A key counts as present when its value is not the default. source_directory always has a value,
  // and the seed may have been drawn.
  void check_own_keys() {
    const SweepSpec defaults;
    for (const KeyInfo& row : config::schema()) {
      if (!row.own || row.name == "source_directory" || row.name == "seed") continue;
      if (row.write(spec_) != row.write(defaults))
        warn("hdconfig.yml has no key \"" + std::string(row.name) +
             "\"; it is hdrive's own, so remove it there");
    }
  }

  const SweepSpec& spec_;
  const std::string& file_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> azure_problems(const SweepSpec& spec, const std::string& file) {
  return AzureCheck(spec, file).run();
}

}  // namespace hdrive
