// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/environment.h: what is wanted around a program, and making it real.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <tuple>

#include "hdrive/environment.h"
#include "hdrive/target.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"
#include "python/gil.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

using Words = std::vector<std::string>;

// The folder, the Dockerfile's path in it, or the Dockerfile's text.
using Build = std::tuple<std::string, std::string, std::string>;

void set_container(Surroundings& around, const std::string& image,
                   const std::optional<Build>& build, const Words& arguments,
                   const std::string& shm_size, bool gpu, const Words& volumes) {
  Container container;
  container.image = image;
  if (build)
    container.build = ImageBuild{std::get<0>(*build), std::get<1>(*build), std::get<2>(*build)};
  container.arguments = arguments;
  container.shm_size = shm_size;
  container.gpu = gpu;
  container.volumes.assign(volumes.begin(), volumes.end());
  around.container = std::move(container);
}

// A variable of the interpreter's environment, which may differ from the process's.
std::optional<std::string> variable(const nb::callable& get, const char* name) {
  const nb::object value = get(name);
  if (value.is_none()) return std::nullopt;
  return nb::cast<std::string>(value);
}

// Calls it from wherever the work goes on; what it raises is left to the caller's next line.
std::function<void(const std::string&)> heard_by(const nb::callable& hear) {
  return [&hear](const std::string& text) {
    nb::gil_scoped_acquire lock;
    hear(to_text_object(text));
  };
}

EnvironmentOptions environment_options(const nb::callable& get, const nb::callable& tell) {
  EnvironmentOptions options;
  options.cache =
      value_or_raise(environments_directory([&](const char* name) { return variable(get, name); }));
  options.search_path = variable(get, "PATH").value_or("/bin:/usr/bin");
  options.tell = heard_by(tell);
  return options;
}

void make(SweepSpec& spec, const Surroundings& wanted, const nb::callable& get,
          const std::string& hdrive, const std::string& instead, const nb::callable& tell,
          const nb::callable& warn) {
  SurroundingsOptions options;
  options.environments = environment_options(get, tell);
  options.hdrive = hdrive;
  options.has_gpus = !find_gpus(variable(get, "CUDA_VISIBLE_DEVICES")).empty();
  options.instead = instead;
  options.warn = heard_by(warn);
  ok_or_raise(unlocked([&] { return make_surroundings(spec, wanted, options); }));
}

}  // namespace

void bind_environment(nb::module_& module) {
  nb::class_<Surroundings>(module, "Surroundings", "What is wanted around a program.")
      .def(nb::init<>())
      .def("set_container", set_container)
      .def("set_required",
           [](Surroundings& it, bool required) {
             if (it.container) it.container->required = required;
           })
      .def_prop_ro("has_packages", [](const Surroundings& it) { return it.packages.has_value(); })
      .def_prop_ro("packages",
                   [](const Surroundings& it) {
                     const PythonPackages none;
                     const PythonPackages& all = it.packages ? *it.packages : none;
                     return std::tuple(all.name, all.conda, all.pip);
                   })
      .def_prop_ro("has_container", [](const Surroundings& it) { return it.container.has_value(); })
      .def("drop_packages", [](Surroundings& it) { it.packages.reset(); });
  module.def("make_surroundings", make);
  module.def("is_bare_image", [](const std::string& image) { return is_bare_image(image); });
}

}  // namespace hdrive::python
