// SPDX-License-Identifier: Apache-2.0
//
// Start points, from a file's `start_points` and from the words of `hdrive enqueue`.
#include <algorithm>

#include "config/load.h"

namespace hdrive {
namespace config {
namespace {

void read_point(Loader& loader, const Node& node) {
  if (!node.is(Node::Kind::map))
    return loader.problems.error(node.place, "a start point is " + describe(node) +
                                                 "; allowed: a mapping from parameters to values");
  Assignment given;
  bool sound = true;
  for (const Entry& entry : node.entries) {
    auto value = to_value(*entry.value);
    if (value)
      given.push_back({entry.key, *std::move(value)});
    else
      loader.problems.error(entry.value->place, value.error().what);
    sound = sound && value;
  }
  // All that is wrong is told, so each parameter found wanting is taken out.
  for (;;) {
    auto point = partial_point(loader.spec.space, given);
    if (point) {
      if (sound) loader.spec.start_points.push_back(*std::move(point));
      return;
    }
    sound = false;
    const auto wrong = std::find_if(given.begin(), given.end(), [&](const Binding& binding) {
      return point.error().where == "parameter \"" + binding.name + "\"";
    });
    if (wrong == given.end()) return loader.problems.error(node.place, point.error().message());
    loader.problems.error(node.find(wrong->name)->value->place, point.error().message());
    given.erase(wrong);
  }
}

}  // namespace

void read_start_points(Loader& loader) {
  if (!loader.start_points || !loader.space_sound) return;
  for (const NodePtr& item : loader.start_points->items) read_point(loader, *item);
}

}  // namespace config

Result<Assignment> parse_point(const SearchSpace& space,
                               const std::vector<std::pair<std::string, std::string>>& given) {
  Assignment assignment;
  for (const auto& [name, text] : given) {
    config::Problems problems;
    const config::NodePtr node = config::read_yaml(problems.add_source(name, text), problems);
    if (!node) return Error{"parameter \"" + name + "\"", problems.take().front().text};
    auto value = config::to_value(*node);
    if (!value) return Error{"parameter \"" + name + "\"", value.error().what};
    assignment.push_back({name, *std::move(value)});
  }
  return partial_point(space, assignment);
}

}  // namespace hdrive
