// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/space.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <utility>

#include "base/text.h"
#include "hdrive/space.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

// One of the expressions with plain numbers as arguments, by the names of expressions().
Expression numeric(const std::string& name, const nb::list& given) {
  const auto real = [&](std::size_t i) { return to_number(given[i]); };
  const auto whole = [&](std::size_t i) { return to_integer(given[i]); };
  if (name == "randint") return RandInt{whole(0)};
  if (name == "uniform") return Uniform{real(0), real(1)};
  if (name == "quniform") return QUniform{real(0), real(1), real(2)};
  if (name == "loguniform") return LogUniform{real(0), real(1)};
  if (name == "qloguniform") return QLogUniform{real(0), real(1), real(2)};
  if (name == "normal") return Normal{real(0), real(1)};
  if (name == "qnormal") return QNormal{real(0), real(1), real(2)};
  if (name == "lognormal") return LogNormal{real(0), real(1)};
  if (name == "qlognormal") return QLogNormal{real(0), real(1), real(2)};
  if (name == "log_uniform_values") return LogUniformValues{real(0), real(1)};
  if (name == "q_log_uniform_values") return QLogUniformValues{real(0), real(1), real(2)};
  if (name == "int_uniform") return IntUniform{whole(0), whole(1)};
  if (name == "int_log_uniform") return IntLogUniform{whole(0), whole(1)};
  raise(Error{name, "is no expression", Error::Kind::invalid});
}

Expression make_expression(const std::string& name, const nb::list& arguments) {
  Expression expression;
  if (name == "choice") {
    Choice choice;
    for (const nb::handle option : arguments) choice.options.push_back(to_value(option));
    expression = std::move(choice);
  } else {
    expression = numeric(name, arguments);
  }
  if (const auto wrong = fault(expression)) raise(Error{name, *wrong, Error::Kind::invalid});
  return expression;
}

nb::list options_of(const Expression& expression) {
  nb::list options;
  if (const auto* choice = std::get_if<Choice>(&expression))
    for (const Value& option : choice->options) options.append(to_python(option));
  return options;
}

// Of triples: a parameter's name, its expression, and None or the choice and the option that it exists
// under.
SearchSpace make_space(const nb::list& given) {
  SearchSpace space;
  for (const nb::handle each : given) {
    const auto parts = nb::cast<nb::tuple>(each);
    Parameter parameter{nb::cast<std::string>(parts[0]), nb::cast<Expression>(parts[1])};
    if (!parts[2].is_none()) {
      const auto condition = nb::cast<nb::tuple>(parts[2]);
      parameter.condition = Condition{nb::cast<std::string>(condition[0]), to_value(condition[1])};
    }
    space.parameters.push_back(std::move(parameter));
  }
  valid_or_raise(check(space));
  return space;
}

nb::list parameters_of(const SearchSpace& space) {
  nb::list parameters;
  for (const Parameter& parameter : space.parameters) {
    nb::object condition = nb::none();
    if (parameter.condition)
      condition =
          nb::make_tuple(parameter.condition->parameter, to_python(parameter.condition->option));
    parameters.append(nb::make_tuple(parameter.name, parameter.expression, condition));
  }
  return parameters;
}

}  // namespace

void bind_space(nb::module_& module) {
  nb::class_<Expression>(module, "Expression", "How one parameter is drawn.")
      .def_prop_ro("name", [](const Expression& it) { return std::string(expression_name(it)); })
      .def_prop_ro("options", options_of, "Of a choice; else empty.")
      .def_prop_ro("cardinality", [](const Expression& it) { return cardinality(it); })
      .def(
          "contains",
          [](const Expression& it, nb::object value) { return contains(it, to_value(value)); },
          nb::arg("value").none())
      .def(
          "encode",
          [](const Expression& it, nb::object value) {
            const Value converted = to_value(value);
            if (!contains(it, converted))
              raise(
                  Error{to_text(it), "cannot produce " + to_json(converted), Error::Kind::invalid});
            return encode(it, converted);
          },
          nb::arg("value").none())
      .def("decode",
           [](const Expression& it, double unit) {
             if (!(unit >= 0 && unit <= 1))
               raise(Error{"decode", "a place on the unit interval is wanted, from 0 to 1",
                           Error::Kind::invalid});
             return to_python(decode(it, unit));
           })
      .def("to_json", [](const Expression& it) { return to_json(it); })
      .def("__repr__", [](const Expression& it) { return to_text(it); })
      .def(
          "__eq__",
          [](const Expression& it, nb::object other) {
            return nb::isinstance<Expression>(other) && nb::cast<Expression>(other) == it;
          },
          nb::arg("other").none())
      .def("__hash__", [](const Expression& it) { return std::hash<std::string>{}(to_json(it)); });
  nb::class_<SearchSpace>(module, "Space", "Parameters in order.")
      .def_prop_ro("parameters", parameters_of)
      .def_prop_ro("cardinality", [](const SearchSpace& it) { return cardinality(it); })
      .def("check",
           [](const SearchSpace& it, nb::dict point) {
             static_cast<void>(valid_or_raise(partial_point(it, to_assignment(point))));
           })
      .def("point", [](const SearchSpace& it, std::uint64_t index) {
        const auto size = cardinality(it);
        if (!size || index >= *size)
          raise(Error{"point", "there is no such point", Error::Kind::invalid});
        return to_python(point(it, index));
      });
  module.def("expression", make_expression);
  module.def("space", make_space);
}

}  // namespace hdrive::python
