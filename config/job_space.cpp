// SPDX-License-Identifier: Apache-2.0
#include "config/job_space.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "config/job_schema.h"
#include "hdrive/space.h"

namespace hdrive::config {
namespace {

constexpr std::string_view kDistribution = "distribution of search_space";
/// Objects in objects; the reader of parameters says the same of conditions, more precisely.
constexpr int kDeepest = 64;

NodePtr list_node(std::vector<NodePtr> items, Place place) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::list;
  node->items = std::move(items);
  node->place = place;
  return node;
}

NodePtr map_node(std::vector<Entry> entries, Place place) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::map;
  node->entries = std::move(entries);
  node->place = place;
  return node;
}

const ExpressionInfo* expression_called(std::string_view name) {
  for (const ExpressionInfo& info : expressions()) {
    if (base::fold(info.name) == base::fold(name)) return &info;
    for (const std::string_view alias : info.aliases)
      if (base::fold(alias) == base::fold(name)) return &info;
  }
  return nullptr;
}

// The distribution's name, where the node is one: an object whose type is an expression's.
const Entry* type_of(const Node& node) {
  for (const char* key : {"type", "spec"})
    if (const Entry* entry = node.find(key); entry && entry->value->is(Node::Kind::text))
      return entry;
  return nullptr;
}

bool is_drawn_by_itself(const Node& node) {
  const Entry* type = type_of(node);
  return type && expression_called(type->value->text);
}

bool holds_distributions(const Node& option) {
  return option.is(Node::Kind::map) &&
         std::any_of(option.entries.begin(), option.entries.end(),
                     [](const Entry& member) { return is_drawn_by_itself(*member.value); });
}

class Space {
 public:
  explicit Space(Problems& problems) : problems_(problems) {}

  NodePtr parameters(const Node& space) {
    std::vector<NodePtr> items;
    for (const Entry& entry : space.entries)
      if (NodePtr item = parameter(entry)) items.push_back(std::move(item));
    return list_node(std::move(items), space.place);
  }

 private:
  NodePtr parameter(const Entry& entry) {
    const Node& node = *entry.value;
    if (!node.is(Node::Kind::map)) {
      problems_.error(node.place, "the parameter " + in_quotes(entry.key) + " is " +
                                      describe(node) +
                                      "; allowed: a mapping with type and what that takes, as in "
                                      "{type: uniform, min_value: 0, max_value: 1}");
      return nullptr;
    }
    const Fields fields =
        read_fields(kDistribution, node, entry.place, " in this parameter", problems_);
    const Node* type = fields.find("type");
    if (!type) return nullptr;
    const NodePtr values = arguments(entry, fields, *type);
    if (!values) return nullptr;
    return made(entry, type->text, type->place, values);
  }

  static NodePtr made(const Entry& entry, const std::string& expression, Place at, NodePtr values) {
    return map_node({{"name", entry.place, text_node(entry.key, entry.place)},
                     {"expression", at, text_node(expression, at)},
                     {"values", values->place, values}},
                    entry.value->place);
  }

  // The arguments in their order. Of an unknown distribution nothing, which the reader tells.
  NodePtr arguments(const Entry& entry, const Fields& fields, const Node& type) {
    const ExpressionInfo* info = expression_called(type.text);
    if (!info) return list_node({}, type.place);
    const bool choice = info->name == "choice";
    std::vector<std::string_view> wanted =
        choice ? std::vector<std::string_view>{"values"} : info->arguments;
    std::vector<NodePtr> items;
    bool sound = true;
    for (const std::string_view name : wanted) {
      const Entry* argument = entry.value->find(name);
      if (!argument || argument->value->is(Node::Kind::null)) {
        problems_.error(entry.place, "key " + in_quotes(name) +
                                         " is missing in this parameter of type " +
                                         std::string(info->name));
        sound = false;
      } else if (fields.find(name)) {
        items.push_back(argument->value);
      } else {
        sound = false;  // told
      }
    }
    for (const auto& [row, given] : fields.all())
      if (row->row.name != "type" &&
          std::find(wanted.begin(), wanted.end(), row->row.name) == wanted.end()) {
        std::vector<std::string> names(wanted.begin(), wanted.end());
        problems_.error(given->place, in_quotes(given->key) + " is no key of a parameter of type " +
                                          std::string(info->name) + "; allowed: type, " +
                                          listing(names));
      }
    if (!sound) return nullptr;
    return choice ? options(entry.key, *items[0]) : list_node(std::move(items), type.place);
  }

  NodePtr options(const std::string& choice, const Node& list) {
    const bool branches =
        std::any_of(list.items.begin(), list.items.end(),
                    [](const NodePtr& item) { return holds_distributions(*item); });
    std::vector<NodePtr> items;
    std::set<std::string> called;
    for (const NodePtr& item : list.items) {
      if (branches && item->is(Node::Kind::map) && depth_ < kDeepest)
        items.push_back(branch(choice, *item, called));
      else if (item->is(Node::Kind::map) && item->find("parameters"))
        // Not an option with parameters, as it would be in hdconfig.yml.
        items.push_back(option(item, list_node({}, item->place)));
      else
        items.push_back(item);
    }
    // In a list of their own: one list as the only option is then that option.
    return list_node({list_node(std::move(items), list.place)}, list.place);
  }

  static NodePtr option(NodePtr value, NodePtr parameters) {
    const Place place = value->place;
    return map_node(
        {{"value", place, std::move(value)}, {"parameters", place, std::move(parameters)}}, place);
  }

  NodePtr branch(const std::string& choice, const Node& object, std::set<std::string>& called) {
    ++depth_;
    std::vector<NodePtr> inner;
    std::vector<Entry> constants;
    std::vector<std::string> members;
    NodePtr own;
    for (const Entry& member : object.entries) {
      members.push_back(member.key);
      if (is_drawn_by_itself(*member.value)) {
        if (NodePtr item = parameter(member)) inner.push_back(std::move(item));
        continue;
      }
      constants.push_back(member);
      if (member.key == choice && member.value->is_scalar())
        own = member.value;
      else
        inner.push_back(made(member, "choice", member.value->place,
                             list_node({list_node({constant(member.value)}, member.value->place)},
                                       member.value->place)));
    }
    --depth_;
    NodePtr value = own ? own : name_of(object, constants, members, called);
    called.insert(value->text);
    return option(std::move(value), list_node(std::move(inner), object.place));
  }

  static NodePtr constant(const NodePtr& value) {
    const bool confusing = value->is(Node::Kind::map) && value->find("parameters");
    return confusing ? option(value, list_node({}, value->place)) : value;
  }

  static NodePtr name_of(const Node& object, const std::vector<Entry>& constants,
                         const std::vector<std::string>& members,
                         const std::set<std::string>& called) {
    if (!constants.empty()) {
      const NodePtr map = map_node(constants, object.place);
      if (const auto value = to_value(*map); value && !called.contains(to_text(*value)))
        return text_node(to_text(*value), object.place);
    }
    std::string name = base::join(members, "+");
    for (int number = 2; called.contains(name); ++number)
      name = base::join(members, "+") + " " + std::to_string(number);
    return text_node(name, object.place);
  }

  Problems& problems_;
  int depth_ = 0;
};

}  // namespace

NodePtr parameter_list(const Node& space, Problems& problems) {
  return Space(problems).parameters(space);
}

}  // namespace hdrive::config
