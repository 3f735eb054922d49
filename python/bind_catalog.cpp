// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/catalog.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "hdrive/catalog.h"
#include "python/bind.h"
#include "python/errors.h"
#include "python/gil.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

// The directories, and what could not be read.
nb::tuple sweeps(const std::string& home) {
  std::vector<Error> problems;
  const auto entries = unlocked([&] { return list_sweeps(home, &problems); });
  nb::list found, unreadable;
  for (const SweepEntry& entry : entries) found.append(entry.directory.string());
  for (const Error& problem : problems) unreadable.append(problem.message());
  return nb::make_tuple(found, unreadable);
}

std::string find(const std::string& home, const std::string& selector) {
  return value_or_raise(unlocked([&] { return find_sweep(home, selector); })).directory.string();
}

}  // namespace

void bind_catalog(nb::module_& module) {
  module.def("list_sweeps", sweeps);
  module.def("find_sweep", find);
}

}  // namespace hdrive::python
