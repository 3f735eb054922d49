// SPDX-License-Identifier: Apache-2.0
#include "compute/distribution.h"

#include <algorithm>

#include "base/text.h"

namespace hdrive {
namespace {

struct TypeName {
  DistributionType type;
  std::string_view name;
};
constexpr TypeName kTypeNames[] = {{DistributionType::none, "none"},
                                   {DistributionType::mpi, "mpi"},
                                   {DistributionType::pytorch, "pytorch"},
                                   {DistributionType::tensorflow, "tensorflow"}};

}  // namespace

std::string_view to_string(DistributionType type) {
  for (const TypeName& each : kTypeNames)
    if (each.type == type) return each.name;
  return "none";
}

std::optional<DistributionType> distribution_type(std::string_view name) {
  for (const TypeName& each : kTypeNames)
    if (each.name == name) return each.type;
  return std::nullopt;
}

std::int64_t processes_on_a_node(const RunResources& resources, const Distribution& distribution) {
  const std::int64_t served = distribution.workers + distribution.parameter_servers;
  if (distribution.type != DistributionType::tensorflow || served == 0)
    return resources.processes_per_node;
  return (served + resources.nodes - 1) / resources.nodes;
}

namespace compute {

std::string plan_text(const RunRequest& request) {
  const Distribution& how = request.distribution;
  if (how.type == DistributionType::none) return "";
  const std::int64_t nodes = request.resources.nodes,
                     here = processes_on_a_node(request.resources, how);
  const bool served = how.workers + how.parameter_servers > 0;
  const std::int64_t workers = served ? how.workers : nodes * here;
  std::string text(to_string(how.type));
  for (const std::int64_t number : {nodes, here, workers, how.parameter_servers,
                                    std::int64_t{how.metrics_of_all}, std::int64_t{request.node}})
    text += " " + std::to_string(number);
  return text + " " + (how.launcher.empty() ? "mpirun" : base::join(how.launcher, " "));
}

}  // namespace compute
}  // namespace hdrive
