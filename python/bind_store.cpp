// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/store.h, edit.h and requests.h, as far as a KeptSweep needs them.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "hdrive/edit.h"
#include "hdrive/store.h"
#include "python/bind.h"
#include "python/errors.h"
#include "python/gil.h"
#include "python/kept_sweep.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

Request::Kind kind_of(const std::string& word) {
  if (word == "stop") return Request::Kind::stop_sweep;
  if (word == "stop_run") return Request::Kind::stop_run;
  if (word == "pause") return Request::Kind::pause_sweep;
  if (word == "resume") return Request::Kind::resume_sweep;
  if (word == "update") return Request::Kind::update_sweep;
  if (word == "retry") return Request::Kind::retry_run;
  raise(Error{"request", "\"" + word + "\" is none", Error::Kind::invalid});
}

}  // namespace

void bind_store(nb::module_& module) {
  using Sweep = KeptSweep;
  nb::class_<Sweep>(module, "KeptSweep", "A sweep on disk or in memory.")
      .def_static("make",
                  [](const SweepSpec& spec, const std::string& home) {
                    return value_or_raise(unlocked([&] { return Sweep::make(spec, home); }));
                  })
      .def_static("open",
                  [](const std::string& directory) {
                    return value_or_raise(unlocked([&] { return Sweep::open(directory); }));
                  })
      .def_prop_ro("id", [](const Sweep& it) { return it.header().id; })
      .def_prop_ro("directory", [](const Sweep& it) { return it.directory().string(); })
      .def_prop_ro("view", [](const Sweep& it) { return it.view(); })
      .def("spec", [](const Sweep& it) { return value_or_raise(it.spec()); })
      .def("edit",
           [](Sweep& it, const Settings& settings) { return value_or_raise(it.edit(settings)); })
      .def("leave",
           [](Sweep& it, const std::string& kind, std::optional<RunId> run,
              const Settings& settings) {
             Request request;
             request.kind = kind_of(kind);
             request.run = run;
             if (!settings.empty()) request.payload = write_settings(settings);
             return value_or_raise(it.leave(request));
           })
      .def("answer", [](const Sweep& it, std::int64_t request) -> nb::object {
        const auto answer = value_or_raise(it.answer(request));
        if (!answer) return nb::none();
        return nb::make_tuple(answer->accepted, answer->text);
      });
}

}  // namespace hdrive::python
