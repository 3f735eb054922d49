// SPDX-License-Identifier: Apache-2.0
#include "python/errors.h"

#include <nanobind/nanobind.h>

#include "python/convert.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

const char* exception_for(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::invalid:
      return "ConfigError";
    case Error::Kind::not_found:
      return "NotFoundError";
    case Error::Kind::not_allowed:
      return "NotAllowedError";
    case Error::Kind::no_room:
    case Error::Kind::no_resources:
      return "NoResourcesError";
    case Error::Kind::busy:
      return "SweepLocked";
    case Error::Kind::damaged:
      return "StoreDamaged";
    case Error::Kind::other:
      break;
  }
  return "HdriveError";
}

}  // namespace

void raise(const char* exception, const std::string& text) {
  const nb::object type = nb::module_::import_("hdrive._errors").attr(exception);
  PyErr_SetObject(type.ptr(), to_text_object(text).ptr());
  throw nb::python_error();
}

void raise(const Error& error) { raise(exception_for(error.kind), error.message()); }

}  // namespace hdrive::python
