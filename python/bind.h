// SPDX-License-Identifier: Apache-2.0
//
// What each bind_NAME.cpp adds to the module: what NAME.h declares.
#pragma once

#include <nanobind/nanobind.h>

namespace hdrive::python {

void bind_space(nanobind::module_& module);
void bind_spec(nanobind::module_& module);
void bind_config(nanobind::module_& module);
void bind_environment(nanobind::module_& module);
void bind_targets(nanobind::module_& module);
void bind_pipeline(nanobind::module_& module);
void bind_history(nanobind::module_& module);
void bind_sampler(nanobind::module_& module);
void bind_store(nanobind::module_& module);
void bind_reader(nanobind::module_& module);
void bind_catalog(nanobind::module_& module);
void bind_sweep(nanobind::module_& module);
void bind_ask_tell(nanobind::module_& module);

}  // namespace hdrive::python
