// SPDX-License-Identifier: Apache-2.0
//
// Values between Python and C++. All of it needs the interpreter lock (GIL).
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <optional>
#include <string>
#include <string_view>

#include "hdrive/changes.h"
#include "hdrive/clock.h"
#include "hdrive/history.h"
#include "hdrive/value.h"

namespace hdrive::python {

namespace nb = nanobind;

/// None, bool, int, float, str; a Json as the list or dict that it is.
nb::object to_python(const Value& value);
/// The value of a Python object: scalars of NumPy and the like count as what they hold, Decimal as
/// a float, lists and dicts become JSON. Raises TypeError for what stands for no value, ConfigError
/// for an integer beyond 64 bits.
Value to_value(nb::handle object);

/// By names without leading dashes, in order.
nb::dict to_python(const Assignment& assignment);
Assignment to_assignment(nb::dict values);

/// str(object) in UTF-8; what is no Unicode in it (a file's name in another encoding) escaped by
/// backslashes, as a traceback shows it. An object whose str() fails gives the name of its type.
std::string text_of(nb::handle object);
/// Text that a program wrote, which need not be UTF-8.
nb::str to_text_object(std::string_view text);

/// Whatever float() takes, text excepted. Raises TypeError.
double to_number(nb::handle object);
/// Whatever operator.index() takes.
std::int64_t to_integer(nb::handle object);

/// Seconds since the Unix epoch; None for a moment that has not come.
nb::object seconds_or_none(Time time);

inline Time time_of(double seconds) {
  return Time{std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds))};
}
inline double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// "minimize" or "maximize", in any case. Raises ConfigError.
Goal to_goal(const std::string& text);
std::string goal_text(Goal goal);
/// "Queued", "Completed", .... Raises ConfigError.
RunStatus to_run_status(const std::string& text);
/// "info", "warning" or "error".
const char* level_text(Noted::Level level);

}  // namespace hdrive::python
