// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/config.h and registry.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "hdrive/config.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"
#include "python/gil.h"
#include "python/loaded.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

nb::tuple load(const std::string& file, const Settings& set,
               const std::vector<std::string>& command, bool needs_command) {
  ConfigOverrides overrides;
  overrides.set = set;
  overrides.command = command;
  overrides.needs_command = needs_command;
  return told(unlocked([&] { return load_config(file, overrides); }));
}

// `starts`: what it names is to be there.
nb::tuple load_run_configuration(const std::string& file, const std::string& directory,
                                 const std::string& asset_map, bool starts) {
  ConfigOverrides overrides;
  overrides.run_configuration = file;
  overrides.source_directory = directory;
  overrides.asset_map = asset_map;
  overrides.needs_command = false;
  overrides.needs_files = starts;
  return told(unlocked([&] { return single_run(overrides); }));
}

nb::list algorithms(const std::vector<AlgorithmInfo>& table) {
  nb::list rows;
  for (const AlgorithmInfo& info : table) {
    nb::dict row;
    row["name"] = nb::str(info.name.data(), info.name.size());
    row["summary"] = nb::str(info.summary.data(), info.summary.size());
    row["exhaustive"] = info.exhaustive;
    nb::list options;
    for (const OptionInfo& option : info.options) {
      nb::dict described;
      described["name"] = nb::str(option.name.data(), option.name.size());
      described["summary"] = nb::str(option.summary.data(), option.summary.size());
      described["default"] = nb::str(option.default_text.data(), option.default_text.size());
      described["required"] = option.required;
      options.append(described);
    }
    row["options"] = options;
    rows.append(row);
  }
  return rows;
}

}  // namespace

std::vector<std::string> warnings_or_raise(const std::vector<Problem>& problems) {
  std::string errors;
  std::vector<std::string> warnings;
  for (const Problem& problem : problems)
    if (problem.severity == Problem::Severity::error)
      errors += (errors.empty() ? "" : "\n") + problem.message();
    else
      warnings.push_back(problem.message());
  if (!errors.empty()) raise("ConfigError", errors);
  return warnings;
}

nb::tuple told(const LoadedConfig& loaded) {
  const std::vector<std::string> warnings = warnings_or_raise(loaded.problems);
  return nb::make_tuple(loaded.spec, warnings, loaded.seed_given, loaded.concurrency_given,
                        loaded.surroundings);
}

void bind_config(nb::module_& module) {
  module.def("load_config", load);
  module.def("load_run_configuration", load_run_configuration);
  module.def("find_run_configuration", [](const std::string& directory, const std::string& name) {
    return valid_or_raise(find_run_configuration(directory, name)).string();
  });
  module.def("file_as_json", [](const std::string& file) {
    return valid_or_raise(unlocked([&] { return file_as_json(file); }));
  });
  module.def("differences",
             [](const SweepSpec& one, const SweepSpec& other) { return differences(one, other); });
  module.def("samplers", [] { return algorithms(sampler_algorithms()); });
  module.def("policies", [] { return algorithms(policy_algorithms()); });
}

}  // namespace hdrive::python
