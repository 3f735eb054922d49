// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/spec.h: a specification, its durations in seconds.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <cmath>

#include "hdrive/config.h"
#include "hdrive/ids.h"
#include "hdrive/policy.h"
#include "hdrive/sampler.h"
#include "hdrive/spec.h"
#include "hdrive/sweep.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

nb::tuple algorithm(const AlgorithmSpec& spec) {
  nb::dict options;
  for (const auto& [name, value] : spec.options) options[name.c_str()] = to_python(value);
  return nb::make_tuple(spec.name, options);
}

AlgorithmSpec to_algorithm(const nb::tuple& given, const std::vector<AlgorithmInfo>& table,
                           std::string_view family) {
  AlgorithmSpec spec;
  const auto name = nb::cast<std::string>(given[0]);
  const AlgorithmInfo* info = find_algorithm(table, name);
  if (!info) raise(Error{"", unknown_algorithm(family, table, name), Error::Kind::invalid});
  spec.name = info->name;
  for (const auto& [option, value] : nb::cast<nb::dict>(given[1])) {
    if (!PyUnicode_Check(option.ptr()))
      raise(Error{name, "an option's name is a str, not " + text_of(nb::repr(option)),
                  Error::Kind::invalid});
    if (!value.is_none()) spec.options[nb::cast<std::string>(option)] = to_value(value);
  }
  valid_or_raise(check_options(*info, spec));
  return spec;
}

nb::dict to_dict(const Distribution& distribution) {
  nb::dict result;
  result["type"] = std::string(to_string(distribution.type));
  result["worker_count"] = distribution.workers;
  result["parameter_server_count"] = distribution.parameter_servers;
  result["metrics"] = distribution.metrics_of_all ? "all" : "rank_0";
  result["launcher"] = distribution.launcher;
  return result;
}

[[noreturn]] void refuse_distribution(const std::string& name, nb::handle value,
                                      const char* allowed) {
  raise(Error{"distribution", name + " is " + text_of(nb::repr(value)) + "; allowed: " + allowed,
              Error::Kind::invalid});
}

// What stands for a key of "distribution". How the numbers go together is found as in a file.
template <class T>
T distribution_value(const std::string& name, nb::handle value, const char* allowed) {
  T result;
  if (!nb::try_cast<T>(value, result)) refuse_distribution(name, value, allowed);
  return result;
}

Distribution to_distribution(const nb::dict& given) {
  Distribution result;
  for (const auto& [key, value] : given) {
    const std::string name = text_of(key);
    const auto number = [&name, it = nb::handle(value)] {
      constexpr auto kAllowed = "a whole number from 0 on";
      const auto count = distribution_value<std::int64_t>(name, it, kAllowed);
      if (count < 0) refuse_distribution(name, it, kAllowed);
      return count;
    };
    if (name == "type") {
      constexpr auto kAllowed = "pytorch, mpi, tensorflow or none";
      const auto type = distribution_type(distribution_value<std::string>(name, value, kAllowed));
      if (!type) refuse_distribution(name, value, kAllowed);
      result.type = *type;
    } else if (name == "worker_count") {
      result.workers = number();
    } else if (name == "parameter_server_count") {
      result.parameter_servers = number();
    } else if (name == "metrics") {
      const auto whose = distribution_value<std::string>(name, value, "rank_0 or all");
      if (whose != "rank_0" && whose != "all") refuse_distribution(name, value, "rank_0 or all");
      result.metrics_of_all = whose == "all";
    } else if (name == "launcher") {
      result.launcher =
          distribution_value<std::vector<std::string>>(name, value, "a list of words, each a str");
    } else {
      raise(Error{"distribution",
                  "there is no " + name +
                      "; allowed: type, worker_count, parameter_server_count, metrics, launcher",
                  Error::Kind::invalid});
    }
  }
  return result;
}

// What a configuration file may not say a sweep may not be made of either: it is kept as one.
void check_as_file(const SweepSpec& spec) {
  ConfigOverrides overrides;
  overrides.needs_command = false;
  const LoadedConfig loaded =
      parse_config(to_hdconfig(spec), "hdconfig.yml", spec.source_directory, overrides);
  std::string text;
  for (const Problem& problem : loaded.problems)
    if (problem.severity == Problem::Severity::error)
      text += (text.empty() ? "" : "\n") + problem.text;
  if (!loaded.ok()) raise("ConfigError", text);
}

using Milliseconds = std::chrono::milliseconds;

Milliseconds to_milliseconds(double seconds, const char* what) {
  // A hundred years are for ever: the most that a configuration file may say.
  constexpr double kMost = 52560000.0 * 60;
  if (!(seconds >= 0))
    raise(Error{what, "a duration in seconds is 0 or more", Error::Kind::invalid});
  return Milliseconds{std::llround(std::min(seconds, kMost) * 1000)};
}

template <Milliseconds SweepSpec::*member>
void bind_duration(nb::class_<SweepSpec>& spec, const char* name) {
  spec.def_prop_rw(
      name, [](const SweepSpec& it) { return std::chrono::duration<double>(it.*member).count(); },
      [name](SweepSpec& it, double seconds) { it.*member = to_milliseconds(seconds, name); });
}

}  // namespace

void bind_spec(nb::module_& module) {
  nb::class_<SweepSpec> spec(module, "Spec", "All that defines a sweep.");
  spec.def(nb::init<>())
      .def_prop_rw(
          "sampling", [](const SweepSpec& it) { return algorithm(it.sampling); },
          [](SweepSpec& it, nb::tuple given) {
            it.sampling = to_algorithm(given, sampler_algorithms(), "sampling");
          })
      .def_prop_rw(
          "policy", [](const SweepSpec& it) { return algorithm(it.policy); },
          [](SweepSpec& it, nb::tuple given) {
            it.policy = to_algorithm(given, policy_algorithms(), "policy");
          })
      .def_rw("space", &SweepSpec::space)
      .def_rw("primary_metric", &SweepSpec::primary_metric)
      .def_prop_rw(
          "goal", [](const SweepSpec& it) { return goal_text(it.goal); },
          [](SweepSpec& it, const std::string& goal) { it.goal = to_goal(goal); })
      .def_rw("max_total_runs", &SweepSpec::max_total_runs)
      .def_rw("max_concurrent_runs", &SweepSpec::max_concurrent_runs)
      .def_rw("seed", &SweepSpec::seed)
      .def_rw("name", &SweepSpec::name)
      .def_rw("experiment", &SweepSpec::experiment)
      .def_rw("description", &SweepSpec::description)
      .def_rw("tags", &SweepSpec::tags)
      .def_rw("command", &SweepSpec::command)
      .def_rw("append_parameters", &SweepSpec::append_parameters)
      .def_prop_rw(
          "source_directory", [](const SweepSpec& it) { return it.source_directory.string(); },
          [](SweepSpec& it, const std::string& path) { it.source_directory = path; })
      .def_prop_rw(
          "working_directory",
          [](const SweepSpec& it) { return std::string(to_string(it.working_directory)); },
          [](SweepSpec& it, const std::string& where) {
            if (where != "run" && where != "source")
              raise(Error{"working_directory",
                          "\"" + where + "\" is not allowed; \"run\" or \"source\" is",
                          Error::Kind::invalid});
            it.working_directory =
                where == "source" ? WorkingDirectory::source : WorkingDirectory::run;
          })
      .def_prop_rw(
          "mlflow", [](const SweepSpec& it) { return std::string(to_string(it.mlflow)); },
          [](SweepSpec& it, const std::string& choice) {
            for (const auto one :
                 {MlflowServer::automatic, MlflowServer::always, MlflowServer::never})
              if (to_string(one) == choice) {
                it.mlflow = one;
                return;
              }
            raise(Error{"mlflow",
                        "\"" + choice + "\" is not allowed; \"auto\", \"always\" or \"never\" is",
                        Error::Kind::invalid});
          })
      .def_rw("server_address", &SweepSpec::server_address)
      .def_rw("server_advertise", &SweepSpec::server_advertise)
      .def_prop_rw(
          "server_certificate", [](const SweepSpec& it) { return it.server_certificate.string(); },
          [](SweepSpec& it, const std::string& path) { it.server_certificate = path; })
      .def_prop_rw(
          "server_key", [](const SweepSpec& it) { return it.server_key.string(); },
          [](SweepSpec& it, const std::string& path) { it.server_key = path; })
      .def_rw("environment_variables", &SweepSpec::environment_variables)
      .def_rw("max_lost_retries", &SweepSpec::max_lost_retries)
      .def_rw("max_failed_retries", &SweepSpec::max_failed_retries)
      .def_rw("gpus", &SweepSpec::gpus)
      .def_rw("gpus_per_run", &SweepSpec::gpus_per_run)
      .def_rw("cpus_per_run", &SweepSpec::cpus_per_run)
      .def_rw("targets", &SweepSpec::targets)
      .def_rw("memory_per_run", &SweepSpec::memory_per_run)
      .def_rw("nodes_per_run", &SweepSpec::nodes_per_run)
      .def_rw("processes_per_node", &SweepSpec::processes_per_node)
      .def_prop_rw(
          "distribution", [](const SweepSpec& it) { return to_dict(it.distribution); },
          [](SweepSpec& it, const nb::dict& given) { it.distribution = to_distribution(given); })
      .def_rw("metric_patterns", &SweepSpec::metric_patterns)
      .def_rw("tensorboard_metrics", &SweepSpec::tensorboard_metrics)
      .def_prop_rw(
          "azureml_sdk", [](const SweepSpec& it) { return std::string(to_string(it.azureml_sdk)); },
          [](SweepSpec& it, const std::string& sdk) {
            for (const AzuremlSdk each :
                 {AzuremlSdk::stand_in, AzuremlSdk::real, AzuremlSdk::automatic})
              if (sdk == to_string(each)) {
                it.azureml_sdk = each;
                return;
              }
            raise(Error{"azureml_sdk",
                        "\"" + sdk + "\" is not allowed; \"stand_in\", \"real\" or \"auto\" is",
                        Error::Kind::invalid});
          })
      .def_prop_rw(
          "start_points",
          [](const SweepSpec& it) {
            nb::list points;
            for (const Assignment& point : it.start_points) points.append(to_python(point));
            return points;
          },
          [](SweepSpec& it, const nb::list& points) {
            it.start_points.clear();
            for (const nb::handle point : points)
              it.start_points.push_back(valid_or_raise(
                  partial_point(it.space, to_assignment(nb::cast<nb::dict>(point)))));
          })
      .def_rw("resume_from", &SweepSpec::resume_from)
      .def_rw("resume_child_runs", &SweepSpec::resume_child_runs)
      .def_rw("stop_without_primary_metric", &SweepSpec::stop_without_primary_metric)
      .def_rw("stop_when_all_fail", &SweepSpec::stop_when_all_fail)
      .def_rw("stop_after_consecutive_failures", &SweepSpec::stop_after_consecutive_failures)
      .def_rw("stop_at", &SweepSpec::stop_at, nb::arg().none())
      .def_rw("stop_without_progress", &SweepSpec::stop_without_progress)
      .def_prop_rw(
          "repeat_best",
          [](const SweepSpec& it) { return std::pair(it.repeat_best.runs, it.repeat_best.times); },
          [](SweepSpec& it, std::pair<std::int64_t, std::int64_t> given) {
            it.repeat_best = {given.first, given.second};
          })
      .def("copy", [](const SweepSpec& it) { return it; })
      .def("check",
           [](const SweepSpec& it) {
             valid_or_raise(check(it));
             valid_or_raise(
                 make_sampler(it.sampling, it.space,
                              {it.goal, it.seed, it.max_total_runs, it.max_concurrent_runs}));
             valid_or_raise(make_policy(it.policy, it.goal));
             check_as_file(it);
           })
      .def("differences",
           [](const SweepSpec& it, const SweepSpec& other) { return differences(it, other); })
      .def("to_hdconfig", [](const SweepSpec& it) { return to_hdconfig(it); });
  bind_duration<&SweepSpec::max_duration>(spec, "max_duration");
  bind_duration<&SweepSpec::max_run_duration>(spec, "max_run_duration");
  bind_duration<&SweepSpec::cancel_grace>(spec, "cancel_grace");
  bind_duration<&SweepSpec::max_silent>(spec, "max_silent");
  module.def("new_seed", new_seed);
}

}  // namespace hdrive::python
