// SPDX-License-Identifier: Apache-2.0
//
// sampling.parameter_space: each item a name, one of the ten expressions, and its arguments.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "base/text.h"
#include "config/load.h"
#include "config/placeholders.h"
#include "config/schema.h"

namespace hdrive::config {
namespace {

// The two that are not made of real numbers, by their place in the variant and the table.
constexpr std::size_t kChoice = 0, kRandInt = 1;
static_assert(std::is_same_v<std::variant_alternative_t<kChoice, Expression>, Choice>);
static_assert(std::is_same_v<std::variant_alternative_t<kRandInt, Expression>, RandInt>);

template <class T>
Expression with_arguments(std::span<const double> a) {
  if constexpr (std::is_same_v<T, Choice> || std::is_same_v<T, RandInt>)
    return T{};
  else if constexpr (requires { T{}.q; })
    return T{a[0], a[1], a[2]};
  else
    return T{a[0], a[1]};
}

// Expression number `index` of the variant, from its numeric arguments.
template <std::size_t... I>
Expression make_expression(std::size_t index, std::span<const double> arguments,
                           std::index_sequence<I...>) {
  using Make = Expression (*)(std::span<const double>);
  static constexpr Make kMakers[] = {&with_arguments<std::variant_alternative_t<I, Expression>>...};
  return kMakers[index](arguments);
}

std::optional<std::size_t> find_expression(std::string_view name) {
  const auto& table = expressions();
  for (std::size_t i = 0; i < table.size(); ++i)
    if (base::fold(table[i].name) == base::fold(name)) return i;
  return std::nullopt;
}

std::string joined_arguments(const ExpressionInfo& info) {
  std::string text;
  for (const std::string_view argument : info.arguments)
    text += (text.empty() ? "" : ", ") + std::string(argument);
  return text;
}

// The readers below fill `expression` and return true, or report what is wrong and return false.

// An option with parameters of its own.
struct Branch {
  Value option;
  const Node* parameters;
};

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
  std::set<std::string> seen;
  bool sound = true;
  for (const NodePtr& item : list.items) {
    auto value = read_option(loader, *item, branches);
    if (!value) {
      sound = false;
      continue;
    }
    const std::string text = to_json(*value);
    if (!seen.insert(text).second)
      loader.problems.warn(item->place, "the option " + shortened(text) +
                                            " is listed twice; it is drawn twice as often");
    choice.options.push_back(*std::move(value));
  }
  if (sound) expression = std::move(choice);
  return sound;
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
        fmt::format("{} takes {} ({}), not {}; write [{}]", info.name,
                    base::plural(static_cast<long long>(wanted), "value"), joined_arguments(info),
                    values.items.size(), joined_arguments(info)));
    return false;
  }
  KeyInfo row;
  row.kind = index == kRandInt ? KeyKind::integer : KeyKind::number;
  std::vector<double> arguments;
  bool sound = true;
  for (std::size_t i = 0; i < wanted; ++i) {
    const Node& item = *values.items[i];
    sound = check_value(row, info.arguments[i], item, loader.problems) && sound;
    arguments.push_back(item.number);
  }
  if (!sound) return false;
  if (index == kRandInt)
    expression = RandInt{*values.items[0]->integer()};
  else
    expression = make_expression(index, arguments,
                                 std::make_index_sequence<std::variant_size_v<Expression>>());
  return true;
}

// loguniform(0.001, 0.1) draws from 1.001 to 1.105: nearly always a mistake for log(0.001), log(0.1).
bool looks_like_plain_bounds(double min, double max) {
  if (min <= 0 || max <= min) return false;
  return min < 0.1 || max > 25 || (max - min < 1 && max / min >= 2);
}

template <class T>
void warn_of_plain_bounds(Loader& loader, const T& expression, std::string_view name, Place place) {
  if (!looks_like_plain_bounds(expression.min, expression.max)) return;
  loader.problems.warn(
      place, fmt::format("{} takes the natural logarithms of its bounds, so this draws from {:.4g} "
                         "to {:.4g}; for values from {:.6g} to {:.6g} write [{:.6g}, {:.6g}{}]",
                         name, std::exp(expression.min), std::exp(expression.max), expression.min,
                         expression.max, std::log(expression.min), std::log(expression.max),
                         std::is_same_v<T, QLogUniform> ? ", q" : ""));
}

// Rounding to multiples of q is not clamped, so that the lattice may begin or end outside the bounds.
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
}

bool read_expression(Loader& loader, std::size_t index, const Node& values, Expression& expression,
                     std::vector<Branch>& branches) {
  const bool read = index == kChoice ? read_choice(loader, values, expression, branches)
                                     : read_arguments(loader, index, values, expression);
  if (!read) return false;
  if (const auto what = fault(expression)) {
    loader.problems.error(values.place, fmt::format("{}: {}", expression_name(expression), *what));
    return false;
  }
  warn_of_oddities(loader, expression, values.place);
  return true;
}

// Where a parameter stands: under which options, or under none.
struct Scope {
  std::optional<Condition> condition;
  std::vector<std::pair<int, Value>> path;
};

// Whether some choice must have different options for the two to exist.
bool exclude_each_other(const Scope& a, const Definition& b) {
  for (std::size_t i = 0; i < std::min(a.path.size(), b.path.size()); ++i) {
    if (a.path[i].first != b.path[i].first) return false;
    if (!same_option(a.path[i].second, b.path[i].second)) return true;
  }
  return false;
}

std::string place_text(const Loader& loader, Place place, int here) {
  if (place.source == here && place.line > 0) return "on line " + std::to_string(place.line);
  return "in " + loader.problems.source_name(place.source);
}

void check_name(Loader& loader, const Node& node, const Scope& scope) {
  const std::string_view bare = bare_name(node.text);
  if (bare.empty())
    return loader.problems.error(node.place, "\"name\" is " + in_quotes(node.text) +
                                                 "; allowed: a name with more than dashes");
  for (const Definition& other : loader.definitions) {
    if (bare_name(other.name) != bare || exclude_each_other(scope, other)) continue;
    const bool plain = scope.path.empty() && other.path.empty();
    return loader.problems.error(
        node.place,
        "the parameter " + in_quotes(node.text) + " is defined twice; it stands " +
            place_text(loader, other.place, node.place.source) + " already" +
            (plain ? ""
                   : "; parameters may share a name only under different options of a choice"));
  }
  for (const Definition& other : loader.definitions)
    if (bare_name(other.name) != bare && !exclude_each_other(scope, other) &&
        sweep_variable(other.name) == sweep_variable(node.text))
      loader.problems.warn(node.place, "the parameters " + in_quotes(other.name) + " and " +
                                           in_quotes(node.text) +
                                           " share the environment variable " +
                                           sweep_variable(other.name) + "; the later one is in it");
  loader.defined.emplace(node.text, node.place);
  loader.definitions.push_back({node.text, node.place, scope.path});
}

void read_parameters(Loader& loader, const std::vector<NodePtr>& items, const Scope& scope);

// The parameters of a choice's options, behind the choice.
void read_branches(Loader& loader, const std::vector<Branch>& branches, const std::string& choice,
                   const Scope& scope) {
  const int number = loader.choices++;
  for (const Branch& branch : branches) {
    if (scope.path.size() == kDeepestCondition) {
      loader.problems.error(branch.parameters->place,
                            "options with parameters are nested too deeply; allowed: " +
                                std::to_string(kDeepestCondition) + " levels");
      continue;
    }
    Scope inner{Condition{choice, branch.option}, scope.path};
    inner.path.emplace_back(number, branch.option);
    read_parameters(loader, branch.parameters->items, inner);
  }
}

void read_parameter(Loader& loader, const NodePtr& item, const std::vector<KeyInfo>& rows,
                    const Scope& scope) {
  if (!item->is(Node::Kind::map))
    return loader.problems.error(item->place, "a parameter is " + describe(*item) +
                                                  "; allowed: a mapping with name, expression and "
                                                  "values");
  std::string name;
  const Entry* expression = nullptr;
  const Entry* values = nullptr;
  for (const auto& [row, entry] :
       check_mapping(rows, *item, item->place, " in this parameter", loader.problems)) {
    if (row->name == "name") {
      check_name(loader, *entry->value, scope);
      name = entry->value->text;
    }
    if (row->name == "expression") expression = entry;
    if (row->name == "values") values = entry;
  }
  if (!expression) return;
  const auto index = find_expression(expression->value->text);
  if (!index) {
    std::vector<std::string> names;
    for (const ExpressionInfo& info : expressions()) names.emplace_back(info.name);
    const std::string hint = base::did_you_mean(expression->value->text, names);
    return loader.problems.error(expression->value->place, "unknown expression " +
                                                               in_quotes(expression->value->text) +
                                                               "; allowed: " + listing(names) +
                                                               (hint.empty() ? "" : ";" + hint));
  }
  if (!values) return;
  Expression parsed;
  std::vector<Branch> branches;
  if (read_expression(loader, *index, *values->value, parsed, branches))
    loader.spec.space.parameters.push_back({name, std::move(parsed), scope.condition});
  read_branches(loader, branches, name, scope);
}

void read_parameters(Loader& loader, const std::vector<NodePtr>& items, const Scope& scope) {
  static const auto rows = rows_of(Section::parameter);
  for (const NodePtr& item : items) read_parameter(loader, item, rows, scope);
}

}  // namespace

void read_parameter_space(Loader& loader, const Node& list) {
  const std::size_t before = loader.problems.errors();
  if (list.items.empty())
    loader.problems.error(list.place,
                          "\"parameter_space\" is an empty list; allowed: one or more parameters");
  read_parameters(loader, list.items, {});
  loader.space_sound = loader.problems.errors() == before;
}

}  // namespace hdrive::config
