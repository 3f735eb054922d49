// SPDX-License-Identifier: Apache-2.0
//
// hdrive._core: the C++ library for the Python package, which alone uses it.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string>

#include "hdrive/version.h"
#include "python/bind.h"
#include "python/gil.h"

NB_MODULE(_core, module) {
  using namespace hdrive::python;
  // Engines call back on threads of their own, which know of one interpreter.
  if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0)
    throw nanobind::import_error("hdrive works in the main interpreter, not in a sub-interpreter");
  // What is alive when the interpreter ends is no leak of this module: sweeps are, by design.
  nanobind::set_leak_warnings(false);
  module.doc() = "The C++ library behind the package hdrive; not for direct use.";
  module.attr("version") = std::string(hdrive::version());
  module.def("end_interpreter", end_interpreter, nanobind::arg("end"));
  bind_space(module);
  bind_spec(module);
  bind_environment(module);
  bind_config(module);
  bind_targets(module);
  bind_pipeline(module);
  bind_history(module);
  bind_sampler(module);
  bind_store(module);
  bind_reader(module);
  bind_catalog(module);
  bind_sweep(module);
  bind_ask_tell(module);
}
