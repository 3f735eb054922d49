// SPDX-License-Identifier: Apache-2.0
//
// Start points, from a file's `start_points` and from the words of `hdrive enqueue`.
#include "config/load.h"

namespace hdrive {
namespace config {
namespace {

// One parameter of a point; nothing if it is reported.
std::optional<Binding> read_binding(Loader& loader, const Entry& entry) {
  auto value = to_value(*entry.value);
  if (!value) {
    loader.problems.error(entry.value->place, value.error().what);
    return std::nullopt;
  }
  Binding binding{entry.key, *std::move(value)};
  if (auto fits = partial_point(loader.spec.space, {binding}); !fits) {
    loader.problems.error(entry.value->place, fits.error().message());
    return std::nullopt;
  }
  return binding;
}

void read_point(Loader& loader, const Node& node) {
  if (!node.is(Node::Kind::map))
    return loader.problems.error(node.place, "a start point is " + describe(node) +
                                                 "; allowed: a mapping from parameters to values");
  const std::size_t before = loader.problems.errors();
  Assignment given;
  for (const Entry& entry : node.entries)
    if (auto binding = read_binding(loader, entry)) given.push_back(*std::move(binding));
  if (loader.problems.errors() != before) return;
  auto point = partial_point(loader.spec.space, given);
  if (!point) return loader.problems.error(node.place, point.error().message());
  loader.spec.start_points.push_back(*std::move(point));
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
