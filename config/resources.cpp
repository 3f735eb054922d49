// SPDX-License-Identifier: Apache-2.0
//
// target and resources: where runs go, and what they ask of that place.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "config/key_check.h"
#include "config/load.h"
#include "config/quantity.h"
#include "config/write.h"

namespace hdrive::config {
namespace {

// A key that says the same as one of `resources`: only one of them may be there.
bool is_said_twice(Loader& loader, const Entry& entry, const char* other) {
  const auto given = loader.given.find(other);
  if (given == loader.given.end()) return false;
  loader.problems.error(entry.place, "\"" + entry.key + "\" of \"resources\" and \"" + other +
                                         "\" say the same; allowed: one of them");
  return true;
}

LoadedTargets targets_near(const Loader& loader, const std::filesystem::path& source) {
  std::vector<std::filesystem::path> files{source / kTargetsFile};
  files.insert(files.end(), loader.overrides.targets_files.begin(),
               loader.overrides.targets_files.end());
  return load_targets(files);
}

void read_gpus_of_a_run(Loader& loader, const Entry& entry) {
  if (is_said_twice(loader, entry, "gpus_per_run")) return;
  read_gpus_per_run(loader, entry);
  if (loader.spec.gpus.empty()) loader.spec.gpus = {"auto"};
}

}  // namespace

void read_concurrency(Loader& loader, const Entry& entry) {
  constexpr std::int64_t kMost = 1'000'000;
  const Node& node = *entry.value;
  if (node.is(Node::Kind::text) && base::lower(node.text) == "auto") return;
  const auto runs = node.integer();
  if (!runs || *runs < 1 || *runs > kMost) {
    std::string advice =
        node.is(Node::Kind::text) && node.text.find_first_not_of("0123456789") == node.text.npos
            ? "; without quotes it would be a number"
            : base::did_you_mean(node.text, {"auto"});
    return loader.problems.error(node.place,
                                 "\"" + entry.key + "\" is " + describe(node) +
                                     "; allowed: an integer from 1 to 1000000, or auto" +
                                     (advice.starts_with(' ') ? ";" + advice : advice));
  }
  loader.spec.max_concurrent_runs = *runs;
  loader.concurrency_given = true;
}

void read_target_names(Loader& loader, const Entry& entry) {
  const std::vector<std::string> names = read_words(loader, entry, "target");
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i))
      return loader.problems.error(entry.value->place,
                                   "the target " + in_quotes(names[i]) + " is listed twice");
  loader.spec.targets = names;
  // What is so anyway.
  if (names.size() == 1 && base::fold(names[0]) == "local") loader.spec.targets.clear();
}

bool take_compute(Loader& loader, std::string_view name) {
  constexpr std::string_view kPrefix = "azureml:";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  if (name == "local") return true;
  const LoadedTargets loaded = targets_near(loader, loader.directory);
  if (!find_targets(loaded, {std::string(name)})) return false;
  if (!loader.given.contains("target")) loader.spec.targets = {std::string(name)};
  return true;
}

std::vector<NamedTarget> look_up_targets(Loader& loader) {
  const SweepSpec& spec = loader.spec;
  if (spec.targets.empty()) return {};
  const LoadedTargets loaded = targets_near(loader, spec.source_directory);
  std::vector<NamedTarget> targets;
  for (const std::string& name : spec.targets) {
    auto found = find_targets(loaded, {name});
    if (found)
      targets.push_back(std::move(found->front()));
    else
      report_missing(loader, loader.given["target"], found.error().message());
  }
  return targets;
}

std::string write_targets(const SweepSpec& spec) {
  return spec.targets.size() == 1 ? yaml_text(spec.targets[0]) : write_words(spec.targets);
}

void read_resources(Loader& loader) {
  if (!loader.resources) return;
  const Entry& entry = *loader.resources;
  static const auto rows = rows_of(Section::resources);
  SweepSpec& spec = loader.spec;
  for (const auto& [row, each] :
       check_mapping(rows, *entry.value, entry.place, " in \"resources\"", loader.problems)) {
    const Node& value = *each->value;
    if (row->name == "cpus" && !is_said_twice(loader, *each, "cpus_per_run")) {
      spec.cpus_per_run = *value.integer();
    } else if (row->name == "gpus") {
      read_gpus_of_a_run(loader, *each);
    } else if (row->name == "memory") {
      constexpr std::uint64_t kLeast = 1'000'000;  // less holds no program
      const auto bytes = bytes_of(value);
      if (bytes && *bytes >= kLeast)
        spec.memory_per_run = *bytes;
      else if (bytes && *bytes > 0)
        loader.problems.error(
            value.place,
            "\"memory\" is " + describe(value) + ", which are " + std::to_string(*bytes) +
                " bytes; allowed: at least 1 MB, as bytes, or as a number with a unit: 16 GB");
      else
        loader.problems.error(
            value.place, "\"memory\" is " + describe(value) + "; allowed: " + allowed_text(*row));
    } else if (row->name == "nodes") {
      spec.nodes_per_run = *value.integer();
      loader.nodes_place = value.place;
    } else if (row->name == "processes_per_node") {
      spec.processes_per_node = *value.integer();
      loader.processes_place = value.place;
    } else if (row->name == "time" && !is_said_twice(loader, *each, "max_run_duration_seconds")) {
      const auto time = duration_of(value);
      if (time)
        spec.max_run_duration = *time;
      else
        loader.problems.error(value.place,
                              "\"time\" is " + describe(value) + "; allowed: " + kDurationAllowed);
    }
  }
}

std::string write_resources(const SweepSpec& spec) {
  const SweepSpec usual;
  std::string text;
  if (spec.memory_per_run != usual.memory_per_run)
    text += "\n  memory: " + yaml_bytes(spec.memory_per_run);
  if (spec.nodes_per_run != usual.nodes_per_run)
    text += "\n  nodes: " + std::to_string(spec.nodes_per_run);
  if (spec.processes_per_node != usual.processes_per_node)
    text += "\n  processes_per_node: " + std::to_string(spec.processes_per_node);
  return text;
}

}  // namespace hdrive::config
