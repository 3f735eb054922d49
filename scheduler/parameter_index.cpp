// SPDX-License-Identifier: Apache-2.0
#include "scheduler/parameter_index.h"

#include <cmath>
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
/// So are all NaNs here.
struct HashOf {
  std::uint64_t operator()(std::monostate) const { return 0; }
  std::uint64_t operator()(bool value) const { return value ? 1 : 0; }
  std::uint64_t operator()(std::int64_t value) const { return static_cast<std::uint64_t>(value); }
  std::uint64_t operator()(double value) const {
    return std::isnan(value) ? 1 : std::hash<double>{}(value);
  }
  std::uint64_t operator()(const std::string& value) const {
    return std::hash<std::string>{}(value);
  }
  std::uint64_t operator()(const Json& value) const { return std::hash<std::string>{}(value.text); }
};

std::uint32_t hash_of(const Assignment& assignment) {
  std::uint64_t hash = assignment.size();
  for (const Binding& binding : assignment) {
    mix(hash, std::hash<std::string>{}(binding.name));
    mix(hash, binding.value.index());  // 2 and 2.0 are different values
    mix(hash, std::visit(HashOf{}, binding.value));
  }
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

}  // namespace

// The step-th place to look for a hash, one after the other from its own.
std::size_t ParameterIndex::place(std::uint32_t hash, std::size_t step) const {
  return (hash + step) & (slots_.size() - 1);
}

void ParameterIndex::grow() {
  std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.run == kFree) continue;
    std::size_t step = 0;
    while (slots_[place(slot.hash, step)].run != kFree) ++step;
    slots_[place(slot.hash, step)] = slot;
  }
}

void ParameterIndex::add(std::int64_t run, const Lookup& parameters_of) {
  const Assignment& parameters = parameters_of(run);
  if (find(parameters, parameters_of)) return;
  if (4 * (taken_ + 1) > 3 * slots_.size()) grow();
  const std::uint32_t hash = hash_of(parameters);
  std::size_t step = 0;
  while (slots_[place(hash, step)].run != kFree) ++step;
  slots_[place(hash, step)] = {hash, static_cast<std::uint32_t>(run)};
  ++taken_;
}

std::optional<std::int64_t> ParameterIndex::find(const Assignment& parameters,
                                                 const Lookup& parameters_of) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t hash = hash_of(parameters);
  for (std::size_t step = 0;; ++step) {
    const Slot& slot = slots_[place(hash, step)];
    if (slot.run == kFree) return std::nullopt;
    if (slot.hash == hash && parameters_of(slot.run) == parameters) return slot.run;
  }
}

}  // namespace hdrive::scheduler
