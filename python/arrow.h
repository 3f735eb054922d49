// SPDX-License-Identifier: Apache-2.0
//
// Columns through the Arrow C data interface, whose structures are declared by its specification and
// need no library: https://arrow.apache.org/docs/format/CDataInterface.html, CStreamInterface.html.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "python/columns.h"

namespace hdrive::python {

/// A PyCapsule "arrow_array_stream" of one record batch.
nanobind::object arrow_stream(std::shared_ptr<const Columns> columns);

}  // namespace hdrive::python
