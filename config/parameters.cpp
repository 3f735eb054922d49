// SPDX-License-Identifier: Apache-2.0
//
// sampling.parameter_space: each item a name, an expression and its arguments; under the options of
// a choice further ones.
#include <algorithm>
#include <utility>

#include "config/key_check.h"
#include "config/load.h"
#include "config/placeholders.h"
#include "config/schema.h"

namespace hdrive::config {
namespace {

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
  const std::string bare(bare_name(node.text));
  if (bare.empty())
    return loader.problems.error(node.place, "\"name\" is " + in_quotes(node.text) +
                                                 "; allowed: a name with more than dashes");
  if (node.text.find('\0') != std::string::npos)
    return loader.problems.error(
        node.place, "\"name\" is " + in_quotes(node.text) + "; allowed: text without zero bytes");
  for (const std::size_t index : loader.named[bare]) {
    const Definition& other = loader.definitions[index];
    if (exclude_each_other(scope, other)) continue;
    const bool plain = scope.path.empty() && other.path.empty();
    return loader.problems.error(
        node.place,
        "the parameter " + in_quotes(node.text) + " is defined twice; it stands " +
            place_text(loader, other.place, node.place.source) + " already" +
            (plain ? ""
                   : "; parameters may share a name only under different options of a choice"));
  }
  const std::string variable = sweep_variable(node.text);
  for (const std::size_t index : loader.sharing[variable]) {
    const Definition& other = loader.definitions[index];
    if (bare_name(other.name) != bare && !exclude_each_other(scope, other))
      loader.problems.warn(node.place, "the parameters " + in_quotes(other.name) + " and " +
                                           in_quotes(node.text) +
                                           " share the environment variable " + variable +
                                           "; the later one is in it");
  }
  loader.defined.emplace(node.text, node.place);
  loader.named[bare].push_back(loader.definitions.size());
  loader.sharing[variable].push_back(loader.definitions.size());
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
  std::vector<Branch> branches;
  if (auto read = read_expression(loader, *expression->value,
                                  values ? values->value.get() : nullptr, branches))
    loader.spec.space.parameters.push_back({name, *std::move(read), scope.condition});
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
