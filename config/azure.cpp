// SPDX-License-Identifier: Apache-2.0
//
// What Azure itself would refuse in a specification that is fine here.
#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <set>
#include <utility>

#include "base/text.h"
#include "config/load.h"
#include "config/schema.h"
#include "hdrive/config.h"

namespace hdrive {
namespace {

using config::KeyInfo;
using config::Section;

/// What a warning is about: a key of the top level, an option ("policy.slack_factor"), or a
/// parameter.
struct Subject {
  enum class Kind { key, option, parameter };
  Kind kind = Kind::key;
  std::string name;
};
Subject key(std::string name) { return {Subject::Kind::key, std::move(name)}; }
Subject parameter(std::string name) { return {Subject::Kind::parameter, std::move(name)}; }

std::string call(std::string_view name, std::initializer_list<double> arguments) {
  std::string text;
  for (const double argument : arguments)
    text += (text.empty() ? "" : ", ") + base::shortest(argument);
  return std::string(name) + " with [" + text + "]";
}

// How one of hdrive's own expressions is said in HyperDrive's.
std::string in_azure(const Expression& expression) {
  if (const auto* e = std::get_if<LogUniformValues>(&expression))
    return call("loguniform", {std::log(e->min), std::log(e->max)});
  if (const auto* e = std::get_if<QLogUniformValues>(&expression))
    return call("qloguniform", {std::log(e->min), std::log(e->max), e->q});
  if (const auto* e = std::get_if<IntUniform>(&expression)) {
    const auto min = static_cast<double>(e->min), max = static_cast<double>(e->max);
    if (e->min == 0) return call("randint", {max + 1});
    return call("quniform", {min, max, 1}) + ", which draws the two ends half as often";
  }
  const auto* e = std::get_if<IntLogUniform>(&expression);
  if (!e) return "one of the ten";
  return call("qloguniform", {std::log(static_cast<double>(e->min) - 0.5),
                              std::log(static_cast<double>(e->max) + 0.5), 1});
}

/// Tells the warnings for one specification.
class AzureCheck {
 public:
  using Warn = std::function<void(const Subject&, const std::string&)>;
  AzureCheck(const SweepSpec& spec, Warn warn) : spec_(spec), warn_(std::move(warn)) {}

  void run() {
    check_space();
    check_sampling();
    check_policy();
    check_steps();
    check_limits();
    check_own_keys();
  }

 private:
  void warn(const Subject& subject, const std::string& text) { warn_(subject, "Azure: " + text); }

  void check_space() {
    for (const Parameter& each : spec_.space.parameters) {
      const ExpressionInfo& info = expressions()[each.expression.index()];
      if (info.own)
        warn(parameter(each.name), "there is no expression " + std::string(info.name) +
                                       " (parameter " + config::in_quotes(each.name) + "); write " +
                                       in_azure(each.expression));
    }
    std::set<std::string> told;
    for (const Parameter& each : spec_.space.parameters)
      if (each.condition && told.insert(each.condition->parameter).second)
        warn(parameter(each.condition->parameter),
             "hdconfig.yml has no options with parameters (those of " +
                 config::in_quotes(each.condition->parameter) +
                 "); list all parameters beside each other");
  }

  void check_sampling() {
    const std::string& name = spec_.sampling.name;
    if (name != "random" && name != "grid") check_order();
    if (name != "random" && name != "grid" && name != "bayesian")
      return warn(key("sampling"),
                  "there is no " + name + " sampling; allowed: random, grid, bayesian");
    for (const auto& [option, value] : spec_.sampling.options)
      warn({Subject::Kind::option, "sampling." + option},
           "sampling takes no option \"" + option + "\"");
    if (name == "grid") check_expressions({"choice"});
    if (name != "bayesian") return;
    check_expressions({"choice", "quniform", "uniform"});
    if (spec_.policy.name != "no_termination")
      warn(key("policy"),
           "bayesian sampling goes with no early termination; remove the policy, or make it "
           "NoTerminationPolicy");
  }

  // Samplers that learn, and those that spread points, lay integers out along a line.
  void check_order() {
    for (const Parameter& each : spec_.space.parameters)
      if (std::holds_alternative<RandInt>(each.expression))
        warn(parameter(each.name),
             "randint is meant for seeds, whose neighbours are as different as others; here they "
             "are "
             "taken as ordered (parameter " +
                 config::in_quotes(each.name) + ")");
  }

  void check_expressions(const std::set<std::string_view>& allowed) {
    for (const Parameter& each : spec_.space.parameters) {
      const ExpressionInfo& info = expressions()[each.expression.index()];
      const std::string_view name = info.name;
      if (info.own || allowed.contains(name)) continue;  // hdrive's own are told anyway
      std::vector<std::string> names(allowed.begin(), allowed.end());
      warn(parameter(each.name), spec_.sampling.name + " sampling takes no " + std::string(name) +
                                     " (parameter " + config::in_quotes(each.name) +
                                     "); allowed: " + config::listing(names));
    }
  }

  void check_policy() {
    static const std::set<std::string_view> kOptions{"delay_evaluation", "evaluation_interval",
                                                     "slack_amount", "slack_factor",
                                                     "truncation_percentage"};
    if (!config::azure_has_policy(spec_.policy.name))
      return warn(key("policy"),
                  "there is no policy " + spec_.policy.name +
                      "; allowed: BanditPolicy, MedianStoppingPolicy, NoTerminationPolicy, "
                      "TruncationSelectionPolicy");
    for (const auto& [option, value] : spec_.policy.options)
      if (!kOptions.contains(option))
        warn({Subject::Kind::option, "policy." + option},
             "the policy takes no option \"" + option + "\"");
  }

  void check_steps() {
    for (const Parameter& each : spec_.space.parameters) {
      const double q = std::visit(
          [](const auto& expression) {
            if constexpr (requires { expression.q; })
              return expression.q;
            else
              return 1.0;
          },
          each.expression);
      if (q != std::floor(q))
        warn(parameter(each.name), "q of parameter " + config::in_quotes(each.name) + " is " +
                                       base::shortest(q) + "; allowed: an integer");
    }
  }

  void check_limits() {
    if (spec_.max_total_runs > 1000)
      warn(key("max_total_runs"),
           "max_total_runs is " + std::to_string(spec_.max_total_runs) + "; allowed: 1 to 1000");
    if (spec_.max_concurrent_runs > 100)
      warn(key("max_concurrent_runs"), "max_concurrent_runs is " +
                                           std::to_string(spec_.max_concurrent_runs) +
                                           "; allowed: 1 to 100");
    if (spec_.max_duration.count() % 60'000 != 0)
      warn(key("max_duration_minutes"),
           "max_duration_minutes is " +
               base::shortest(static_cast<double>(spec_.max_duration.count()) / 60'000) +
               "; allowed: an integer");
    if (spec_.primary_metric.size() > 255)
      warn(key("primary_metric_name"), "primary_metric_name has " +
                                           std::to_string(spec_.primary_metric.size()) +
                                           " bytes; allowed: 255");
  }

  // A key counts as present when its value is not the default. source_directory always has a value,
  // and the seed may have been drawn.
  void check_own_keys() {
    const SweepSpec defaults;
    for (const KeyInfo& row : config::schema()) {
      if (!row.own || row.name == "source_directory" || row.name == "seed") continue;
      if (row.write(spec_) != row.write(defaults))
        warn(key(std::string(row.name)), "hdconfig.yml has no key \"" + std::string(row.name) +
                                             "\"; it is hdrive's own, so remove it there");
    }
  }

  const SweepSpec& spec_;
  Warn warn_;
};

}  // namespace

namespace config {

bool azure_has_policy(std::string_view name) {
  static const std::set<std::string_view> kPolicies{"bandit", "median_stopping", "no_termination",
                                                    "truncation_selection"};
  return kPolicies.contains(name);
}

namespace {

// What depends on whether the file has a key.
void tell_of_the_file(Loader& loader) {
  const auto given = [&](const char* name) {
    const auto place = loader.given.find(name);
    return place == loader.given.end() ? std::nullopt : std::optional(place->second);
  };
  if (const auto place = given("seed"))
    loader.problems.warn(
        *place,
        "Azure: hdconfig.yml has no key \"seed\"; it is hdrive's own, so remove it "
        "there");
  if (const auto place = given("max_duration_minutes"))
    loader.problems.warn(
        *place,
        "Azure: max_duration_minutes counts all time since the submission; here without "
        "pauses and the time between a stop and a resume");
  if (!loader.concurrency_given)
    loader.problems.warn({0, 0, 0},
                         "Azure: without max_concurrent_runs all runs start at once; here " +
                             base::plural(loader.spec.max_concurrent_runs, "run") +
                             ", one for each processor");
}

}  // namespace

void warn_of_azure(Loader& loader) {
  const auto tell = [&](const Subject& subject, const std::string& text) {
    using Kind = Subject::Kind;
    const auto& places = subject.kind == Kind::key      ? loader.given
                         : subject.kind == Kind::option ? loader.options
                                                        : loader.defined;
    const auto place = places.find(subject.name);
    if (place != places.end()) return loader.problems.warn(place->second, text);
    // A key of our own that the file does not have need not be removed from it: its value came from
    // the command line, or a run configuration.
    const auto& rows = schema();
    const bool own = std::any_of(rows.begin(), rows.end(), [&](const KeyInfo& row) {
      return row.own && row.name == subject.name;
    });
    if (subject.kind != Kind::key || !own) loader.problems.warn({0, 0, 0}, text);
  };
  AzureCheck(loader.spec, tell).run();
  tell_of_the_file(loader);
}

}  // namespace config

std::vector<Problem> azure_problems(const SweepSpec& spec, const std::string& file) {
  std::vector<Problem> problems;
  const auto tell = [&](const Subject&, const std::string& text) {
    problems.push_back({Problem::Severity::warning, file, 0, 0, text});
  };
  AzureCheck(spec, tell).run();
  return problems;
}

}  // namespace hdrive
