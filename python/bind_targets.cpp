// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/targets.h: targets.yml, read and changed. Targets themselves are made where a sweep
// starts (bind_sweep.cpp).
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>

#include "hdrive/targets.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"
#include "python/gil.h"
#include "python/loaded.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

std::vector<std::string> files(const std::string& here, const nb::callable& variable) {
  std::vector<std::string> found;
  for (const auto& file : targets_files(here, [&](const char* name) {
         return nb::cast<std::optional<std::string>>(variable(name));
       }))
    found.push_back(file.string());
  return found;
}

nb::dict described(const NamedTarget& target) {
  nb::dict row;
  row["name"] = to_text_object(target.name);
  row["type"] = target.type;
  row["slots"] = slots_of(target);
  row["file"] = to_text_object(target.file.string());
  nb::dict keys;
  for (const auto& [key, value] : target.written) keys[to_text_object(key)] = to_text_object(value);
  row["keys"] = keys;
  return row;
}

// The targets of these files, and what is wrong with others in them.
nb::tuple load(const std::vector<std::string>& files) {
  const LoadedTargets loaded = unlocked([&] { return load_targets({files.begin(), files.end()}); });
  nb::list targets, problems;
  for (const NamedTarget& target : loaded.targets) targets.append(described(target));
  for (const Problem& problem : loaded.problems) problems.append(to_text_object(problem.message()));
  return nb::make_tuple(targets, problems);
}

// Which of these names stand for what: "local" is always there. Raises for others, naming those
// there are.
nb::list find(const std::vector<std::string>& files, const std::vector<std::string>& names) {
  const auto found = valid_or_raise(unlocked([&] {
    return find_targets(load_targets({files.begin(), files.end()}), names);
  }));
  nb::list targets;
  for (const NamedTarget& target : found) targets.append(described(target));
  return targets;
}

std::string edited(const std::string& text, const std::string& file, TargetEdit::Kind kind,
                   const std::string& name, const Settings& set) {
  const EditedTargets changed = unlocked([&] {
    return edit_targets(text, file, {kind, name, set});
  });
  warnings_or_raise(changed.problems);
  return changed.text;
}

}  // namespace

void bind_targets(nb::module_& module) {
  module.def("targets_files", files, nb::arg("here"), nb::arg("variable"));
  module.def("load_targets", load);
  module.def("find_targets", find);
  module.def("with_target", [](const std::string& text, const std::string& file,
                               const std::string& name, const Settings& set) {
    return edited(text, file, TargetEdit::Kind::add, name, set);
  });
  module.def("without_target",
             [](const std::string& text, const std::string& file, const std::string& name) {
               return edited(text, file, TargetEdit::Kind::remove, name, {});
             });
}

}  // namespace hdrive::python
