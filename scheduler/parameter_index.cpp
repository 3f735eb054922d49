// SPDX-License-Identifier: Apache-2.0
#include "scheduler/parameter_index.h"

#include <string>

namespace hdrive::scheduler {
namespace {

void mix(std::uint64_t& hash, std::uint64_t word) {
  // The finaliser of splitmix64 over the running hash.
  hash += word + 0x9e3779b97f4a7c15U;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
  hash ^= hash >> 31;
}

/// Equal values have equal hashes; std::hash<double> takes 0.0 and -0.0, which are equal, as one.
struct HashOf {
  std::uint64_t operator()(std::monostate) const { return 0; }
  std::uint64_t operator()(bool value) const { return value ? 1 : 0; }
  std::uint64_t operator()(std::int64_t value) const { return static_cast<std::uint64_t>(value); }
  std::uint64_t operator()(double value) const { return std::hash<double>{}(value); }
  std::uint64_t operator()(const std::string& value) const {
    return std::hash<std::string>{}(value);
  }
  std::uint64_t operator()(const Json& value) const { return std::hash<std::string>{}(value.text); }
};

std::uint64_t hash_of(const Assignment& assignment) {
  std::uint64_t hash = assignment.size();
  for (const Binding& binding : assignment) {
    mix(hash, std::hash<std::string>{}(binding.name));
    mix(hash, binding.value.index());  // 2 and 2.0 are different values
    mix(hash, std::visit(HashOf{}, binding.value));
  }
  return hash;
}

}  // namespace

void ParameterIndex::add(std::int64_t run, const Lookup& parameters_of) {
  const Assignment& parameters = parameters_of(run);
  // With a NaN in it an assignment does not even equal itself; nobody will find it.
  if (parameters != parameters || find(parameters, parameters_of)) return;
  runs_.emplace(hash_of(parameters), static_cast<std::uint32_t>(run));
}

std::optional<std::int64_t> ParameterIndex::find(const Assignment& parameters,
                                                 const Lookup& parameters_of) const {
  const auto [begin, end] = runs_.equal_range(hash_of(parameters));
  for (auto it = begin; it != end; ++it)
    if (parameters_of(it->second) == parameters) return it->second;
  return std::nullopt;
}

}  // namespace hdrive::scheduler
