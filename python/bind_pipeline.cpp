// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/pipeline.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "hdrive/catalog.h"
#include "hdrive/pipeline.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"
#include "python/gil.h"
#include "python/loaded.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

ConfigOverrides overrides_of(const Settings& set) {
  ConfigOverrides overrides;
  overrides.set = set;
  return overrides;
}

// The steps, with the warnings of the file and of all of them.
nb::tuple load_pipeline_of(const std::string& file, const Settings& set) {
  auto pipeline = unlocked([&] { return load_pipeline(file, overrides_of(set)); });
  std::vector<std::string> warnings = warnings_or_raise(pipeline.problems);
  return nb::make_tuple(std::move(pipeline), warnings);
}

nb::tuple step(const std::string& file, const std::string& name,
               const std::map<std::string, std::string>& outputs, const Settings& set) {
  StepOutputs folders;
  for (const auto& [step, folder] : outputs) folders[step] = folder;
  return told(unlocked([&] { return load_step(file, name, folders, overrides_of(set)); }));
}

std::string outputs(const PipelineStep& step, const std::string& directory) {
  return value_or_raise(unlocked([&]() -> Result<std::filesystem::path> {
           auto sweep = find_sweep(std::filesystem::path(directory).parent_path(), directory);
           if (!sweep) return sweep.error();
           return outputs_of(step, *sweep);
         }))
      .string();
}

}  // namespace

void bind_pipeline(nb::module_& module) {
  nb::class_<PipelineStep>(module, "PipelineStep", "A step of a pipeline: a command, or a sweep.")
      .def_ro("name", &PipelineStep::name)
      .def_ro("sweep", &PipelineStep::sweep)
      .def_ro("needs", &PipelineStep::needs)
      .def_ro("outputs", &PipelineStep::outputs);
  nb::class_<Pipeline>(module, "Pipeline", "Steps, in an order in which they can be run.")
      .def_prop_ro("name", [](const Pipeline& it) { return to_text_object(it.name); })
      .def_prop_ro("experiment", [](const Pipeline& it) { return to_text_object(it.experiment); })
      .def_ro("continue_on_step_failure", &Pipeline::continue_on_step_failure)
      .def_ro("steps", &Pipeline::steps);
  module.def("load_pipeline", load_pipeline_of);
  module.def("load_step", step);
  module.def("step_outputs", outputs);
  module.def("new_pipeline_name", [](const Pipeline& pipeline, const std::string& file) {
    return new_pipeline_name(pipeline, file);
  });
  module.def("step_sweep_name", step_sweep_name);
}

}  // namespace hdrive::python
