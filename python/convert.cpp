// SPDX-License-Identifier: Apache-2.0
#include "python/convert.h"

#include "base/text.h"
#include "python/errors.h"

namespace hdrive::python {
namespace {

nb::object json_module() { return nb::module_::import_("json"); }

// In UTF-8, where it has one.
std::string encoded(nb::handle text, const char* errors) {
  PyObject* bytes = PyUnicode_AsEncodedString(text.ptr(), "utf-8", errors);
  if (!bytes) throw nb::python_error();
  const nb::object owner = nb::steal(bytes);
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(bytes, &data, &size) != 0) throw nb::python_error();
  return {data, static_cast<std::size_t>(size)};
}

// What a parameter is called or set to.
std::string text(nb::handle object) {
  try {
    return encoded(object, "strict");
  } catch (const nb::python_error&) {
    raise(Error{"", text_of(object) + " is no text that can be kept: it has lone surrogates",
                Error::Kind::invalid});
  }
}

std::string name_of_type(nb::handle object) { return nb::type_name(object.type()).c_str(); }

Value integer(nb::handle object) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
  if (overflow != 0)
    raise(Error{"",
                "the integer " + text_of(object) +
                    " does not fit into 64 bits; write it as a float or as text",
                Error::Kind::invalid});
  if (number == -1 && PyErr_Occurred()) throw nb::python_error();
  return static_cast<std::int64_t>(number);
}

// JSON has neither sets nor functions, and ends somewhere: json.dumps says so.
Value json(nb::handle object) {
  nb::dict options;
  options["separators"] = nb::make_tuple(",", ":");
  options["ensure_ascii"] = false;
  nb::object written;
  try {
    written = json_module().attr("dumps")(object, **options);
  } catch (const nb::python_error& error) {
    if (!error.matches(PyExc_RecursionError) && !error.matches(PyExc_ValueError)) throw;
    raise(Error{"", "a list or dict that contains itself, or is nested too deep, is no value",
                Error::Kind::invalid});
  }
  return Json{text(written)};
}

}  // namespace

nb::object to_python(const Value& value) {
  struct Convert {
    nb::object operator()(std::monostate) const { return nb::none(); }
    nb::object operator()(bool it) const { return nb::bool_(it); }
    nb::object operator()(std::int64_t it) const { return nb::int_(it); }
    nb::object operator()(double it) const { return nb::float_(it); }
    nb::object operator()(const std::string& it) const {
      // What a configuration file said need not be UTF-8.
      PyObject* text =
          PyUnicode_DecodeUTF8(it.data(), static_cast<Py_ssize_t>(it.size()), "surrogateescape");
      if (!text) throw nb::python_error();
      return nb::steal(text);
    }
    nb::object operator()(const Json& it) const { return json_module().attr("loads")(it.text); }
  };
  return std::visit(Convert{}, value);
}

Value to_value(nb::handle object) {
  PyObject* const it = object.ptr();
  if (it == Py_None) return std::monostate{};
  if (PyBool_Check(it)) return it == Py_True;
  if (PyLong_Check(it)) return integer(object);
  if (PyFloat_Check(it)) return PyFloat_AsDouble(it);
  if (PyUnicode_Check(it)) return text(object);
  if (PyList_Check(it) || PyTuple_Check(it) || PyDict_Check(it)) return json(object);
  // A scalar of NumPy, torch, JAX: what it holds.
  if (nb::hasattr(object, "dtype") && nb::hasattr(object, "item"))
    return to_value(nb::object(object.attr("item")()));
  if (PyIndex_Check(it)) return integer(nb::steal(PyNumber_Index(it)));
  if (nb::hasattr(object, "__float__")) return to_number(object);
  throw nb::type_error(("a value is None, a bool, an int, a float, a str, or a list or dict of "
                        "these; not a " +
                        name_of_type(object))
                           .c_str());
}

nb::dict to_python(const Assignment& assignment) {
  nb::dict values;
  for (const Binding& binding : assignment) {
    const std::string_view name = bare_name(binding.name);
    values[nb::str(name.data(), name.size())] = to_python(binding.value);
  }
  return values;
}

Assignment to_assignment(nb::dict values) {
  Assignment assignment;
  for (const auto& [name, value] : values) {
    if (!PyUnicode_Check(name.ptr()))
      throw nb::type_error(("a parameter's name is a str, not a " + name_of_type(name)).c_str());
    assignment.push_back({text(name), to_value(value)});
  }
  return assignment;
}

std::string text_of(nb::handle object) {
  PyObject* text = PyObject_Str(object.ptr());
  if (!text) {
    PyErr_Clear();
    return name_of_type(object);
  }
  return encoded(nb::steal(text), "backslashreplace");
}

nb::str to_text_object(std::string_view text) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace");
  if (!decoded) throw nb::python_error();
  return nb::steal<nb::str>(decoded);
}

double to_number(nb::handle object) {
  if (PyFloat_Check(object.ptr())) return PyFloat_AsDouble(object.ptr());
  if (PyUnicode_Check(object.ptr()) || PyBytes_Check(object.ptr()))
    throw nb::type_error(("a number is wanted, not the text " + text_of(nb::repr(object))).c_str());
  PyObject* number = PyNumber_Float(object.ptr());
  if (!number) {
    PyErr_Clear();
    throw nb::type_error(("a number is wanted, not a " + name_of_type(object)).c_str());
  }
  return PyFloat_AsDouble(nb::steal(number).ptr());
}

std::int64_t to_integer(nb::handle object) {
  PyObject* index = PyNumber_Index(object.ptr());
  if (!index) {
    PyErr_Clear();
    // 3.0 is the step 3 of many training loops.
    const double number = to_number(object);
    if (number == static_cast<double>(static_cast<std::int64_t>(number)))
      return static_cast<std::int64_t>(number);
    throw nb::type_error(("a whole number is wanted, not " + text_of(nb::repr(object))).c_str());
  }
  return std::get<std::int64_t>(integer(nb::steal(index)));
}

nb::object seconds_or_none(Time time) {
  if (time == Time{}) return nb::none();
  return nb::float_(seconds(time.time_since_epoch()));
}

Goal to_goal(const std::string& text) {
  const std::string word = base::lower(text);
  if (word == "minimize") return Goal::minimize;
  if (word == "maximize") return Goal::maximize;
  const std::string hint = base::did_you_mean(word, {"minimize", "maximize"});
  raise(Error{
      "goal",
      "\"" + text + "\" is none; allowed: minimize, maximize" + (hint.empty() ? "" : ";" + hint),
      Error::Kind::invalid});
}

std::string goal_text(Goal goal) { return goal == Goal::minimize ? "minimize" : "maximize"; }

RunStatus to_run_status(const std::string& text) {
  if (const auto status = run_status_from(text)) return *status;
  raise(Error{"status",
              "\"" + text +
                  "\" is none; allowed: Queued, Running, Completed, Failed, "
                  "Canceled",
              Error::Kind::invalid});
}

const char* level_text(Noted::Level level) {
  switch (level) {
    case Noted::Level::info:
      return "info";
    case Noted::Level::warning:
      return "warning";
    case Noted::Level::error:
      break;
  }
  return "error";
}

}  // namespace hdrive::python
