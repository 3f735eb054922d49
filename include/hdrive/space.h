// SPDX-License-Identifier: Apache-2.0
//
// The search space: HyperDrive's ten parameter expressions, four of hdrive's own, and what they
// mean.
//
// Pure data and pure functions, safe from any thread. Logarithms and exponentials are natural;
// "round" rounds half to even; q-forms are not clamped to their bounds (reference, 1.1 and 10.5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hdrive/result.h"
#include "hdrive/value.h"

namespace hdrive {

struct Choice {  ///< one of the options, each equally likely
  std::vector<Value> options;
  bool operator==(const Choice& other) const;  ///< by `same_value`
};
struct RandInt {  ///< an integer from 0 to upper - 1
  std::int64_t upper = 1;
  bool operator==(const RandInt&) const = default;
};
struct Uniform {  ///< U(min, max)
  double min = 0, max = 1;
  bool operator==(const Uniform&) const = default;
};
struct QUniform {  ///< round(U(min, max) / q) q
  double min = 0, max = 1, q = 1;
  bool operator==(const QUniform&) const = default;
};
struct LogUniform {  ///< exp(U(min, max)); min and max are already logarithms
  double min = 0, max = 1;
  bool operator==(const LogUniform&) const = default;
};
struct QLogUniform {  ///< round(exp(U(min, max)) / q) q
  double min = 0, max = 1, q = 1;
  bool operator==(const QLogUniform&) const = default;
};
struct Normal {  ///< N(mu, sigma), sigma the standard deviation
  double mu = 0, sigma = 1;
  bool operator==(const Normal&) const = default;
};
struct QNormal {  ///< round(N(mu, sigma) / q) q
  double mu = 0, sigma = 1, q = 1;
  bool operator==(const QNormal&) const = default;
};
struct LogNormal {  ///< exp(N(mu, sigma)); mu and sigma are those of the logarithm
  double mu = 0, sigma = 1;
  bool operator==(const LogNormal&) const = default;
};
struct QLogNormal {  ///< round(exp(N(mu, sigma)) / q) q
  double mu = 0, sigma = 1, q = 1;
  bool operator==(const QLogNormal&) const = default;
};

// hdrive's own, whose bounds are the values themselves.

struct LogUniformValues {  ///< evenly on a logarithmic scale from min to max, which are above 0
  double min = 1, max = 1;
  bool operator==(const LogUniformValues&) const = default;
};
struct QLogUniformValues {  ///< the same, then rounded: round(x / q) q
  double min = 1, max = 1, q = 1;
  bool operator==(const QLogUniformValues&) const = default;
};
struct IntUniform {  ///< an integer from min to max, both included
  std::int64_t min = 0, max = 0;
  bool operator==(const IntUniform&) const = default;
};
struct IntLogUniform {  ///< an integer from min (at least 1) to max, evenly on a logarithmic scale
  std::int64_t min = 1, max = 1;
  bool operator==(const IntLogUniform&) const = default;
};

using Expression = std::variant<Choice, RandInt, Uniform, QUniform, LogUniform, QLogUniform, Normal,
                                QNormal, LogNormal, QLogNormal, LogUniformValues, QLogUniformValues,
                                IntUniform, IntLogUniform>;

/// Where a conditional parameter exists: in the sets in which `parameter` does and has the option.
struct Condition {
  std::string parameter;  ///< a choice before it in the list; of several with that name the last
  Value option;           ///< one of its options
  bool operator==(const Condition& other) const {
    return parameter == other.parameter && same_value(option, other.option);
  }
};

struct Parameter {
  std::string name;  ///< used verbatim on the command line; "--" is put in front of a bare name
  Expression expression;
  /// Nothing: it exists in every set. Where it does not exist, a set has no binding for it.
  std::optional<Condition> condition = {};
  bool operator==(const Parameter&) const = default;
};

struct SearchSpace {
  /// In file order, which is the order on the command line: behind a choice what exists under its
  /// first option, then what exists under the second, and so on. Parameters may share a name where
  /// they can never exist together.
  std::vector<Parameter> parameters;
  bool operator==(const SearchSpace&) const = default;
};

/// How one expression is written in hdconfig.yml: its name and its positional arguments.
struct ExpressionInfo {
  std::string_view name;  ///< "qloguniform"
  std::vector<std::string_view>
      arguments;             ///< {"min_value", "max_value", "q"}; choice: {"options..."}
  std::string_view formula;  ///< "round(exp(U(min, max)) / q) q"
  std::vector<std::string_view> aliases = {};  ///< other spellings that are taken: "int"
  bool own = false;                            ///< hdrive's, not HyperDrive's
  bool integers = false;                       ///< its arguments are integers
};

/// The expressions in the order of the variant: entry i describes alternative i.
const std::vector<ExpressionInfo>& expressions();

/// The expression's name, "choice" to "int_log_uniform".
std::string_view expression_name(const Expression& expression);

/// The expression in HyperDrive's wire form: `["uniform",[0.01,0.9]]`, `["choice",[["a","b"]]]`.
std::string to_json(const Expression& expression);

/// The expression as a call, for a person to read: `uniform(0.01, 0.9)`, `choice("a", "b")`.
std::string to_text(const Expression& expression);

/// What is wrong with the expression's arguments (min above max, q or sigma not positive, no
/// options, upper below 1, not finite, bounds whose exp overflows or vanishes, no logarithm), as
/// one sentence; nothing if it is sound. The functions below expect a sound expression.
std::optional<std::string> fault(const Expression& expression);

/// round(number / q) q, ties to even: what the q-forms do to a number. An integer where q is one
/// and the result fits in 64 bits, else a real.
Value quantize(double number, double q);

/// Whether the expression can produce the value. Numbers compare as numbers (2 and 2.0 are equal),
/// and lattice points to within rounding (0.3 is a multiple of 0.1).
bool contains(const Expression& expression, const Value& value);

/// Whether two values are the same option: numbers compare as numbers, whatever their kind (1 and
/// 1.0, 0.0 and -0.0), booleans are none; NaN is the same as NaN.
bool same_option(const Value& a, const Value& b);

/// How many conditions a parameter may depend on, one on another.
inline constexpr int kDeepestCondition = 16;

/// Fails where the space is not sound: an expression's fault, a name that two parameters have which
/// can exist together, a condition on no choice or no option of it, or a parameter that stands
/// apart from its choice. The functions below expect a sound space.
Result<void> check(const SearchSpace& space);

/// For each parameter the index of the one its condition names; nothing where it has none.
std::vector<std::optional<std::size_t>> parents(const SearchSpace& space);

/// Whether parameter number `index` exists in a set with these bindings, of which only those before
/// it in the list count. A sampler that makes a set in the order of the list asks for each before
/// it draws it.
bool is_active(const SearchSpace& space, std::size_t index, const Assignment& assignment);

/// Fails naming the first parameter that is missing, unknown, repeated, out of its range, or given
/// where it does not exist.
Result<void> check(const SearchSpace& space, const Assignment& assignment);

/// What was given of a point, as a draw would have it: in the space's order, its spelling of the
/// names, and its kinds of values (an option as listed, 2 for 2.0 among integers). Fails as `check`
/// does, but takes a part; the choices that a given parameter depends on are added where they are
/// not given.
Result<Assignment> partial_point(const SearchSpace& space, const Assignment& given);

/// How many different values there are: of choices, integers and the q-forms of uniform draws;
/// nothing for the rest, and for lattices of more than 2^53 points. An option listed twice counts
/// once, also where it is listed as 1 and as 1.0.
std::optional<std::uint64_t> cardinality(const Expression& expression);

/// How many different sets there are: the product over the parameters, of a choice with conditional
/// ones the sum over its options. Nothing where one is infinite or the number passes 2^63.
std::optional<std::uint64_t> cardinality(const SearchSpace& space);

/// Value number `index` (from 0, below cardinality) of a finite expression: options as listed,
/// integers and lattice points ascending.
Value level(const Expression& expression, std::uint64_t index);

/// The probability with which a random draw gives `level(expression, index)`; an option listed
/// twice is twice as likely.
double level_probability(const Expression& expression, std::uint64_t index);

/// All levels of a choice with their probabilities, in order: a pass over its options, where asking
/// for each by its number would be as many.
std::vector<std::pair<Value, double>> levels(const Choice& choice);

/// Point number `index` (from 0, below cardinality) of a finite space, the first parameter slowest.
Assignment point(const SearchSpace& space, std::uint64_t index);

/// Place on the unit interval: linear for uniform, logarithmic for the logarithmic forms (of their
/// rounded values the middle of what is rounded to them), the normal CDF (clipped to [1e-6, 1 -
/// 1e-6]) for the normal family, (k + 0.5) / K for value k of K other finite ones. Requires
/// `contains(expression, value)`.
double encode(const Expression& expression, const Value& value);

/// The inverse of `encode`, snapping to the nearest value of a finite expression. `unit` in [0, 1].
Value decode(const Expression& expression, double unit);

}  // namespace hdrive
