// SPDX-License-Identifier: Apache-2.0
//
// A parameter's expression and its arguments, with warnings of what was probably meant otherwise.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "config/key_check.h"
#include "config/load.h"
#include "config/schema.h"

namespace hdrive::config {
namespace {

// Choices are read by themselves.
constexpr std::size_t kChoice = 0;
static_assert(std::is_same_v<std::variant_alternative_t<kChoice, Expression>, Choice>);

template <class T>
T argument(const Node& node) {
  if constexpr (std::is_same_v<T, std::int64_t>)
    return *node.integer();
  else
    return node.number;
}

// An expression from its arguments, which are of the right kinds.
template <class T>
Expression with_arguments(const std::vector<NodePtr>& a) {
  T e;
  if constexpr (requires { e.upper; }) e.upper = argument<decltype(e.upper)>(*a[0]);
  if constexpr (requires { e.min; }) {
    e.min = argument<decltype(e.min)>(*a[0]);
    e.max = argument<decltype(e.max)>(*a[1]);
  }
  if constexpr (requires { e.mu; }) {
    e.mu = a[0]->number;
    e.sigma = a[1]->number;
  }
  if constexpr (requires { e.q; }) e.q = a[2]->number;
  return e;
}

// Expression number `index` of the variant.
template <std::size_t... I>
Expression make_expression(std::size_t index, const std::vector<NodePtr>& arguments,
                           std::index_sequence<I...>) {
  using Make = Expression (*)(const std::vector<NodePtr>&);
  static constexpr Make kMakers[] = {&with_arguments<std::variant_alternative_t<I, Expression>>...};
  return kMakers[index](arguments);
}

bool is_called(const ExpressionInfo& info, std::string_view name) {
  const std::string wanted = base::fold(name);
  return base::fold(info.name) == wanted ||
         std::any_of(info.aliases.begin(), info.aliases.end(),
                     [&](std::string_view alias) { return base::fold(alias) == wanted; });
}

std::optional<std::size_t> find_expression(std::string_view name) {
  const auto& table = expressions();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const auto& info) { return is_called(info, name); });
  if (found == table.end()) return std::nullopt;
  return static_cast<std::size_t>(found - table.begin());
}

// What other tools call an expression, where an edit distance would not find ours.
std::string known_elsewhere(std::string_view name) {
  struct Row {
    std::string_view theirs, ours;
  };
  static constexpr Row kRows[] = {
      {"lograndint", "int_log_uniform"},
      {"reciprocal", "log_uniform_values"},
      {"suggest_float", "uniform"},
      {"suggest_int", "int_uniform"},
      {"suggest_uniform", "uniform"},
      {"suggest_loguniform", "log_uniform_values"},
      {"suggest_categorical", "choice"},
      {"suggest_discrete_uniform", "quniform"},
      {"discrete_uniform", "quniform"},
      {"qrandint", "quniform"},
      {"constant", "choice"},
      {"grid_search", "choice"},
      {"log", "log_uniform_values"},
      {"double", "uniform"},
      {"real", "uniform"},
      {"bool", "choice"},
  };
  const auto row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& each) {
    return base::fold(each.theirs) == base::fold(name);
  });
  return row == std::end(kRows) ? "" : " did you mean \"" + std::string(row->ours) + "\"?";
}

void report_unknown(Loader& loader, const Node& node) {
  std::vector<std::string> names, spellings;
  for (const ExpressionInfo& info : expressions()) {
    names.emplace_back(info.name);
    spellings.emplace_back(info.name);
    for (const std::string_view alias : info.aliases) spellings.emplace_back(alias);
  }
  std::string hint = known_elsewhere(node.text);
  if (hint.empty()) hint = base::did_you_mean(node.text, spellings);
  loader.problems.error(node.place, "unknown expression " + in_quotes(node.text) + "; allowed: " +
                                        listing(names) + (hint.empty() ? "" : ";" + hint));
}

// Azure knows its ten names only.
void warn_of_alias(Loader& loader, const Node& node, const ExpressionInfo& info) {
  if (!loader.overrides.azure || info.own || base::fold(info.name) == base::fold(node.text)) return;
  loader.problems.warn(node.place, "Azure: there is no expression " + in_quotes(node.text) +
                                       "; write " + std::string(info.name));
}

std::string joined_arguments(const ExpressionInfo& info) {
  std::string text;
  for (const std::string_view argument : info.arguments)
    text += (text.empty() ? "" : ", ") + std::string(argument);
  return text;
}

// The readers below fill `expression` and return true, or report what is wrong and return false.

bool is_branch(const Node& item) { return item.find("parameters") != nullptr; }

bool is_distribution(const Node& node) {
  for (const char* key : {"type", "expression"})
    if (const Entry* entry = node.find(key); entry && find_expression(entry->value->text))
      return true;
  return false;
}

// Of an object that is drawn as a whole: what looks as if it was meant to be drawn by itself.
void warn_of_objects(Loader& loader, const Node& item) {
  const char* const advice =
      "; parameters that exist only with one option are written {value: ..., parameters: [...]}";
  for (const Entry& entry : item.entries) {
    if (is_distribution(*entry.value))
      loader.problems.warn(entry.place, "nothing is drawn for " + in_quotes(entry.key) +
                                            ", since the option is passed on as it is, a JSON "
                                            "object" +
                                            advice);
    else if (item.find("value") && entry.value->is(Node::Kind::list) &&
             base::nearest(entry.key, {"parameters"}))
      loader.problems.warn(entry.place,
                           "the option is passed on as it is, a JSON object; did you mean "
                           "\"parameters\" by " +
                               in_quotes(entry.key) + "?");
  }
}

// The value of one option, which may have parameters.
std::optional<Value> read_option(Loader& loader, const Node& item, std::vector<Branch>& branches) {
  const Node* node = &item;
  const Node* parameters = nullptr;
  if (is_branch(item)) {
    static const auto rows = rows_of(Section::option);
    node = nullptr;
    for (const auto& [row, entry] :
         check_mapping(rows, item, item.place, " in this option", loader.problems))
      (row->name == "value" ? node : parameters) = entry->value.get();
    if (!node) return std::nullopt;
  } else {
    warn_of_objects(loader, item);
  }
  auto value = to_value(*node);
  if (!value) {
    loader.problems.error(node->place, value.error().what);
    return std::nullopt;
  }
  if (parameters) branches.push_back({*value, parameters});
  return *std::move(value);
}

bool holds_zero_byte(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text && text->find('\0') != std::string::npos;
}

// Equal for what is one option: 1 and 1.0, 0.0 and -0.0.
std::string option_key(const Value& value) {
  constexpr double kBeyondIntegers = 9223372036854775808.0;  // 2^63
  const auto* real = std::get_if<double>(&value);
  if (real && *real == std::trunc(*real) && std::abs(*real) < kBeyondIntegers)
    return to_json(Value(static_cast<std::int64_t>(*real)));
  return to_json(value);
}

bool read_choice(Loader& loader, const Node& values, Expression& expression,
                 std::vector<Branch>& branches) {
  // One list as the only value is the list of options.
  const bool wrapped = values.items.size() == 1 && values.items[0]->is(Node::Kind::list);
  const Node& list = wrapped ? *values.items[0] : values;
  if (list.items.empty()) {
    loader.problems.error(values.place, "choice has no options; allowed: one or more of them");
    return false;
  }
  Choice choice;
  std::unordered_set<std::string> seen;
  bool sound = true;
  for (const NodePtr& item : list.items) {
    auto value = read_option(loader, *item, branches);
    if (value && holds_zero_byte(*value)) {
      loader.problems.error(item->place,
                            "the option " + in_quotes(to_text(*value)) +
                                " holds a zero byte; allowed: text without one, since neither a "
                                "command line nor the environment can hold it");
      value.reset();
    }
    if (!value) {
      sound = false;
      continue;
    }
    if (!seen.insert(option_key(*value)).second)
      loader.problems.warn(item->place, "the option " + shortened(to_json(*value)) +
                                            " is listed twice: it is drawn twice as often, by a "
                                            "grid once");
    choice.options.push_back(*std::move(value));
  }
  if (sound) expression = std::move(choice);
  return sound;
}

// Other tools give randint two bounds, and an integer a step.
std::string advice_on_count(const ExpressionInfo& info, std::size_t given) {
  if (info.name == "randint" && given == 2)
    return "; integers from min_value to max_value are int_uniform";
  if (info.name == "int_uniform" && given == 3)
    return "; for a step write quniform, or list the values as a choice";
  return "";
}

bool read_arguments(Loader& loader, std::size_t index, const Node& values, Expression& expression) {
  const ExpressionInfo& info = expressions()[index];
  const std::size_t wanted = info.arguments.size();
  const NodePtr only = values.items.size() == 1 ? values.items[0] : nullptr;
  if (only && only->is(Node::Kind::list) && only->items.size() == wanted)
    return read_arguments(loader, index, *only, expression);
  if (values.items.size() != wanted) {
    loader.problems.error(
        values.place,
        fmt::format("{} takes {} ({}), not {}; write [{}]{}", info.name,
                    base::plural(static_cast<long long>(wanted), "value"), joined_arguments(info),
                    values.items.size(), joined_arguments(info),
                    advice_on_count(info, values.items.size())));
    return false;
  }
  KeyInfo row;
  row.kind = info.integers ? KeyKind::integer : KeyKind::number;
  bool sound = true;
  for (std::size_t i = 0; i < wanted; ++i)
    sound = check_value(row, info.arguments[i], *values.items[i], loader.problems) && sound;
  if (sound)
    expression = make_expression(index, values.items,
                                 std::make_index_sequence<std::variant_size_v<Expression>>());
  return sound;
}

// loguniform(0.001, 0.1) draws from 1.001 to 1.105: nearly always a mistake for log(0.001),
// log(0.1).
bool looks_like_plain_bounds(double min, double max) {
  if (min <= 0 || max <= min) return false;
  return min < 0.1 || max > 25 || (max - min < 1 && max / min >= 2);
}

template <class T>
void warn_of_plain_bounds(Loader& loader, const T& expression, std::string_view name, Place place) {
  if (!looks_like_plain_bounds(expression.min, expression.max)) return;
  loader.problems.warn(
      place,
      fmt::format("{} takes the natural logarithms of its bounds, so this draws from {:.4g} "
                  "to {:.4g}; for values from {:.6g} to {:.6g} write {} with these bounds, "
                  "or [{:.6g}, {:.6g}{}]",
                  name, std::exp(expression.min), std::exp(expression.max), expression.min,
                  expression.max,
                  std::is_same_v<T, QLogUniform> ? "q_log_uniform_values" : "log_uniform_values",
                  std::log(expression.min), std::log(expression.max),
                  std::is_same_v<T, QLogUniform> ? ", q" : ""));
}

// Rounding to multiples of q is not clamped, so that the lattice may begin or end outside the
// bounds.
void warn_of_lattice(Loader& loader, const Expression& expression, double min, double max, double q,
                     Place place) {
  const auto count = cardinality(expression);
  if (!count) return;
  const double low = as_number(level(expression, 0)).value_or(min);
  const double high = as_number(level(expression, *count - 1)).value_or(max);
  const std::string name(expression_name(expression));
  if (*count == 1 && min < max)
    return loader.problems.warn(
        place, fmt::format("{} can only draw {}, since no other multiple of {} is near {:.6g} to "
                           "{:.6g}; choose a smaller q",
                           name, base::shortest(low), base::shortest(q), min, max));
  const double slack = 1e-9 * q;
  std::vector<std::string> outside;
  if (low < min - slack) outside.push_back(fmt::format("{:.6g}", low));
  if (high > max + slack) outside.push_back(fmt::format("{:.6g}", high));
  if (outside.empty()) return;
  loader.problems.warn(
      place, fmt::format("{} can draw {}, outside {:.6g} to {:.6g}, since values are rounded to "
                         "multiples of {} and not clamped",
                         name, base::join(outside, " and "), min, max, base::shortest(q)));
}

void warn_of_oddities(Loader& loader, const Expression& expression, Place place) {
  const std::string_view name = expression_name(expression);
  if (const auto* e = std::get_if<LogUniform>(&expression))
    warn_of_plain_bounds(loader, *e, name, place);
  if (const auto* e = std::get_if<QLogUniform>(&expression)) {
    warn_of_plain_bounds(loader, *e, name, place);
    warn_of_lattice(loader, expression, std::exp(e->min), std::exp(e->max), e->q, place);
  }
  if (const auto* e = std::get_if<QUniform>(&expression))
    warn_of_lattice(loader, expression, e->min, e->max, e->q, place);
  if (const auto* e = std::get_if<QLogUniformValues>(&expression))
    warn_of_lattice(loader, expression, e->min, e->max, e->q, place);
}

}  // namespace

std::optional<Expression> read_expression(Loader& loader, const Node& name, const Node* values,
                                          std::vector<Branch>& branches) {
  const auto index = find_expression(name.text);
  if (!index) {
    report_unknown(loader, name);
    return std::nullopt;
  }
  warn_of_alias(loader, name, expressions()[*index]);
  if (!values) return std::nullopt;
  Expression expression;
  const bool read = *index == kChoice ? read_choice(loader, *values, expression, branches)
                                      : read_arguments(loader, *index, *values, expression);
  if (!read) return std::nullopt;
  if (const auto what = fault(expression)) {
    loader.problems.error(values->place, fmt::format("{}: {}", expression_name(expression), *what));
    return std::nullopt;
  }
  warn_of_oddities(loader, expression, values->place);
  return expression;
}

}  // namespace hdrive::config
