// SPDX-License-Identifier: Apache-2.0
//
// sampling and policy: a type from a table of algorithms, and the options of its row.
#include <algorithm>

#include "base/text.h"
#include "config/key_check.h"
#include "config/load.h"
#include "config/schema.h"
#include "hdrive/policy.h"
#include "hdrive/sampler.h"

namespace hdrive::config {
namespace {

struct Family {
  Section section;
  std::string_view key;
  const std::vector<AlgorithmInfo>& (*table)();
};
constexpr Family kSamplers{Section::sampling, "sampling", sampler_algorithms};
constexpr Family kPolicies{Section::policy, "policy", policy_algorithms};

void report_unknown_type(Loader& loader, const Family& family, const Node& type) {
  loader.problems.error(type.place, unknown_algorithm(family.key, family.table(), type.text) +
                                        " (see: hdrive list-algorithms)");
}

// The keys allowed beside `type`: the section's own, and the options of the algorithm; of every one
// while the type itself is wrong, so that a typing error there does not condemn the options.
std::vector<KeyInfo> rows_for(const Family& family, const AlgorithmInfo* algorithm) {
  std::vector<KeyInfo> rows = rows_of(family.section);
  const auto add = [&](const AlgorithmInfo& each) {
    for (const OptionInfo& option : each.options) {
      const bool known = std::any_of(rows.begin(), rows.end(),
                                     [&](const KeyInfo& row) { return row.name == option.name; });
      if (known) continue;
      rows.push_back(row_of(family.section, option));
      if (!algorithm) rows.back().required = false;
    }
  };
  if (algorithm) {
    add(*algorithm);
  } else {
    for (const AlgorithmInfo& each : family.table()) add(each);
  }
  return rows;
}

Value option_value(const KeyInfo& row, const Node& node) {
  switch (row.kind) {
    case KeyKind::integer:
      return *node.integer();
    case KeyKind::number:
      return node.number;
    case KeyKind::boolean:
      return node.boolean;
    default:
      return node.text;
  }
}

// HyperDrive takes an interval of 0 for 1.
NodePtr without_zero_interval(const Node& map) {
  auto copy = std::make_shared<Node>(map);
  for (Entry& entry : copy->entries) {
    if (entry.key != "evaluation_interval" || entry.value->integer() != 0) continue;
    auto one = std::make_shared<Node>(*entry.value);
    one->text = "1";
    one->magnitude = 1;
    one->number = 1;
    entry.value = one;
  }
  return copy;
}

// Reads `map`, which stands at `key`, and gives the section's other entries (parameter_space) to
// `other`.
template <class Other>
bool read_algorithm(Loader& loader, const Family& family, std::string_view key, const Node& given,
                    Place place, AlgorithmSpec& spec, Other other) {
  const std::size_t before = loader.problems.errors();
  const NodePtr map = without_zero_interval(given);
  const Entry* type = map->find("type");
  const AlgorithmInfo* algorithm = nullptr;
  if (type && type->value->is(Node::Kind::text)) {
    algorithm = find_algorithm(family.table(), type->value->text);
    if (!algorithm && !type->value->text.empty()) report_unknown_type(loader, family, *type->value);
  }
  std::string what = " in \"" + std::string(key) + "\"";
  if (algorithm) {
    what += " of type " + std::string(algorithm->name);
    spec = {std::string(algorithm->name), {}};
  }
  const std::vector<KeyInfo> rows = rows_for(family, algorithm);
  std::size_t others = 0;  // errors of what is not the algorithm's own business
  for (const auto& [row, entry] : check_mapping(rows, *map, place, what, loader.problems)) {
    if (row->name == "type") continue;
    const std::size_t then = loader.problems.errors();
    if (!other(row->name, *entry)) {
      spec.options[std::string(row->name)] = option_value(*row, *entry->value);
      loader.options[std::string(family.key) + "." + std::string(row->name)] = entry->place;
    }
    others += loader.problems.errors() - then;
  }
  return algorithm && loader.problems.errors() - others == before;
}

void warn_of_few_runs(Loader& loader) {
  const SweepSpec& spec = loader.spec;
  const AlgorithmInfo* info = find_algorithm(sampler_algorithms(), spec.sampling.name);
  if (!info || info->runs_per_parameter == 0 || !loader.given.contains("max_total_runs")) return;
  const auto parameters =
      std::count_if(spec.space.parameters.begin(), spec.space.parameters.end(),
                    [](const Parameter& each) { return cardinality(each.expression) != 1; });
  const std::int64_t enough = info->runs_per_parameter * parameters;
  if (spec.max_total_runs >= enough) return;
  loader.problems.warn(loader.given["max_total_runs"],
                       base::plural(spec.max_total_runs, "run") +
                           (spec.max_total_runs == 1 ? " is few for " : " are few for ") +
                           std::string(info->name) + " sampling of " +
                           base::plural(parameters, "parameter") + "; recommended: at least " +
                           std::to_string(info->runs_per_parameter) +
                           " runs a parameter, which is " + std::to_string(enough));
}

}  // namespace

void read_sampling(Loader& loader, const Entry& entry) {
  loader.sampling_sound =
      read_algorithm(loader, kSamplers, entry.key, *entry.value, entry.place, loader.spec.sampling,
                     [&](std::string_view key, const Entry& other) {
                       if (key != "parameter_space") return false;
                       read_parameter_space(loader, *other.value);
                       return true;
                     });
}

void read_policy(Loader& loader, const Entry& entry) {
  if (entry.value->is(Node::Kind::null)) return;
  loader.policy_sound = false;
  if (!entry.value->is(Node::Kind::map))
    return loader.problems.error(entry.value->place,
                                 "\"policy\" is " + describe(*entry.value) +
                                     "; allowed: a mapping with type and the policy's options");
  read_policy_mapping(loader, entry);
}

void read_policy_mapping(Loader& loader, const Entry& entry) {
  loader.policy_sound =
      read_algorithm(loader, kPolicies, entry.key, *entry.value, entry.place, loader.spec.policy,
                     [](std::string_view, const Entry&) { return false; });
}

void check_algorithms(Loader& loader) {
  const SweepSpec& spec = loader.spec;
  if (loader.policy_sound && loader.given.contains("policy")) {
    const auto policy = make_policy(spec.policy, spec.goal);
    if (!policy) loader.problems.error(loader.given["policy"], policy.error().message());
  }
  if (!loader.sampling_sound || !loader.space_sound) return;
  const SamplerContext context{spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs};
  const auto sampler = make_sampler(spec.sampling, spec.space, context);
  if (!sampler) loader.problems.error(loader.given["sampling"], sampler.error().message());
  warn_of_few_runs(loader);
}

}  // namespace hdrive::config
