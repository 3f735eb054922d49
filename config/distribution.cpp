// SPDX-License-Identifier: Apache-2.0
//
// distribution: a run of several processes, in hdconfig.yml, in a v2 job and in a run configuration.
#include "config/distribution.h"

#include <algorithm>

#include "base/text.h"
#include "config/key_check.h"
#include "config/load.h"
#include "config/scalar.h"
#include "config/write.h"

namespace hdrive::config {
namespace {

constexpr std::int64_t kMostServed = 1000;  // workers and parameter servers of one run

void read_type(Loader& loader, const Node& node) {
  const std::string given = node.is(Node::Kind::text) ? base::lower(node.text) : "";
  if (const auto type = distribution_type(given)) {
    loader.spec.distribution.type = *type;
    return;
  }
  const std::string advice = base::did_you_mean(given, {"pytorch", "mpi", "tensorflow", "none"});
  loader.problems.error(node.place, "\"distribution\" is " + describe(node) +
                                        "; allowed: pytorch, mpi, tensorflow or none" +
                                        (given == "ray" ? "; start Ray in the script itself" : "") +
                                        (advice.empty() ? "" : ";" + advice));
}

void read_metrics_of(Loader& loader, const Node& node) {
  const std::string given = base::lower(node.text);
  loader.spec.distribution.metrics_of_all = given == "all";
  if (given == "all" || given == "rank_0") return;
  const std::string advice = base::did_you_mean(given, {"rank_0", "all"});
  loader.problems.error(node.place, "\"metrics\" of \"distribution\" is " + describe(node) +
                                        "; allowed: rank_0 or all" +
                                        (advice.empty() ? "" : ";" + advice));
}

// The supervisor is told them in one text.
void read_launcher(Loader& loader, const Entry& entry) {
  std::vector<std::string> words;
  if (entry.value->is(Node::Kind::text))
    for (const std::string_view word : base::split(std::string_view(entry.value->text), ' '))
      if (!word.empty()) words.emplace_back(word);
  if (!entry.value->is(Node::Kind::text)) words = read_words(loader, entry, "word");
  for (const std::string& word : words)
    if (word.find_first_of(" \t\n") != std::string::npos)
      return loader.problems.error(
          entry.value->place,
          "a word of \"launcher\" is " + in_quotes(word) + "; allowed: words without blanks");
  loader.spec.distribution.launcher = std::move(words);
}

bool belongs(Loader& loader, const Entry& entry, DistributionType type) {
  if (loader.spec.distribution.type == type) return true;
  loader.problems.error(entry.place, in_quotes(entry.key) + " is a key of type " +
                                         std::string(to_string(type)) + " alone");
  return false;
}

}  // namespace

void check_distribution(Loader& loader, Place place) {
  const Distribution& how = loader.spec.distribution;
  if (how.workers + how.parameter_servers > kMostServed)
    loader.problems.error(place, "a run has " +
                                     std::to_string(how.workers + how.parameter_servers) +
                                     " workers and parameter servers; allowed: at most " +
                                     std::to_string(kMostServed));
}

void check_processes(Loader& loader) {
  const SweepSpec& spec = loader.spec;
  const bool distributed = spec.distribution.type != DistributionType::none;
  // Who embeds the library may have a target of his own.
  const bool here = loader.overrides.needs_files && spec.targets.empty();
  if (spec.nodes_per_run > 1 && here)
    loader.problems.error(loader.nodes_place, "a run has " + std::to_string(spec.nodes_per_run) +
                                                  " nodes, but this machine is one; allowed: 1, or "
                                                  "a target of type slurm, or of type ssh with "
                                                  "several hosts");
  if (spec.processes_per_node > 1 && here && !distributed)
    loader.problems.error(loader.processes_place,
                          "a run has " + std::to_string(spec.processes_per_node) +
                              " processes, but nothing says what starts them; add distribution: "
                              "pytorch, mpi or tensorflow (docs/distributed.md)");
  if (!distributed || !loader.surroundings.container) return;
  const auto place = loader.given.find("distribution");
  loader.problems.error(
      place == loader.given.end() ? Place{} : place->second,
      "a distributed run has no image: its processes are started one by one, in what "
      "the targets have; allowed: an environment of packages, or a script that starts "
      "its own processes in the image, as in: torchrun --nproc-per-node 2 train.py");
}

void read_distribution(Loader& loader) {
  if (!loader.distribution) return;
  const Entry& entry = *loader.distribution;
  SweepSpec& spec = loader.spec;
  if (!entry.value->is(Node::Kind::map)) return read_type(loader, *entry.value);
  static const auto rows = rows_of(Section::distribution);
  const auto read =
      check_mapping(rows, *entry.value, entry.place, " in \"distribution\"", loader.problems);
  for (const auto& [row, each] : read)
    if (row->name == "type") read_type(loader, *each->value);
  for (const auto& [row, each] : read) {
    if (row->name == "processes_per_node") {
      const bool twice = loader.resources && loader.resources->value->is(Node::Kind::map) &&
                         spec.processes_per_node != 1;
      if (twice && spec.processes_per_node != *each->value->integer())
        loader.problems.error(each->place,
                              "\"processes_per_node\" of \"resources\" is another number; allowed: "
                              "one of them");
      spec.processes_per_node = *each->value->integer();
    } else if (row->name == "worker_count" &&
               belongs(loader, *each, DistributionType::tensorflow)) {
      spec.distribution.workers = *each->value->integer();
    } else if (row->name == "parameter_server_count" &&
               belongs(loader, *each, DistributionType::tensorflow)) {
      spec.distribution.parameter_servers = *each->value->integer();
    } else if (row->name == "metrics") {
      read_metrics_of(loader, *each->value);
    } else if (row->name == "launcher" && belongs(loader, *each, DistributionType::mpi)) {
      read_launcher(loader, *each);
    }
  }
  Distribution& how = spec.distribution;
  if (how.parameter_servers > 0 && how.workers == 0) how.workers = spec.nodes_per_run;
  check_distribution(loader, entry.place);
}

void read_job_distribution(Loader& loader, const Fields& fields, Place place) {
  SweepSpec& spec = loader.spec;
  if (const Node* type = fields.find("type")) read_type(loader, *type);
  const auto number = [&](const char* key, std::int64_t otherwise) {
    const Node* node = fields.find(key);
    return node ? node->integer().value_or(otherwise) : otherwise;
  };
  spec.processes_per_node = number("process_count_per_instance", spec.processes_per_node);
  if (spec.distribution.type == DistributionType::tensorflow) {
    spec.distribution.workers = number("worker_count", spec.nodes_per_run);
    spec.distribution.parameter_servers = number("parameter_server_count", 0);
  }
  loader.given.emplace("distribution", place);
  check_distribution(loader, place);
}

void take_processes(Loader& loader, const RunProcesses& processes, Place place) {
  SweepSpec& spec = loader.spec;
  if (spec.nodes_per_run == 1) spec.nodes_per_run = processes.nodes;
  if (loader.distribution || processes.type == DistributionType::none) return;
  spec.distribution.type = processes.type;
  if (spec.processes_per_node == 1) spec.processes_per_node = processes.per_node;
  if (processes.type == DistributionType::tensorflow) {
    spec.distribution.workers = processes.workers;
    spec.distribution.parameter_servers = processes.servers;
  }
  check_distribution(loader, place);
}

std::string write_distribution(const SweepSpec& spec) {
  const Distribution& how = spec.distribution;
  if (how == Distribution{}) return "";
  std::string text = "\n  type: " + std::string(to_string(how.type));
  if (how.workers > 0) text += "\n  worker_count: " + std::to_string(how.workers);
  if (how.parameter_servers > 0)
    text += "\n  parameter_server_count: " + std::to_string(how.parameter_servers);
  if (how.metrics_of_all) text += "\n  metrics: all";
  if (!how.launcher.empty()) text += "\n  launcher: " + yaml_text(base::join(how.launcher, " "));
  return text;
}

}  // namespace hdrive::config
