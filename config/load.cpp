// SPDX-License-Identifier: Apache-2.0
//
// From a file, or its text, to a specification: read, apply --set, check key by key, then the
// whole.
#include "config/load.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "config/job.h"
#include "config/key_check.h"
#include "config/schema.h"
#include "hdrive/sampler.h"

namespace hdrive {
namespace config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = std::size_t{16} << 20;

std::int64_t processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

fs::path full_path(const fs::path& path) {
  std::error_code error;
  fs::path result = fs::absolute(path.empty() ? fs::path(".") : path, error);
  if (error) result = path;
  result = result.lexically_normal();
  if (!result.has_filename() && result.has_parent_path() && result != result.root_path())
    result = result.parent_path();
  return result;
}

// The tree with every --set applied; one that cannot be is a problem and changes nothing.
NodePtr apply_sets(Loader& loader, NodePtr root) {
  for (const auto& [key, text] : loader.overrides.set) {
    const int source = loader.problems.add_source("--set " + key, text, Problems::Lines::untold);
    const NodePtr value = read_yaml(source, loader.problems);
    if (!value) continue;
    const auto path = base::split(key, '.');
    const bool gap =
        std::any_of(path.begin(), path.end(), [](std::string_view part) { return part.empty(); });
    auto changed = gap ? Result<NodePtr>(Error{"",
                                               "a key is empty; allowed: --set key=value or "
                                               "--set policy.type=value"})
                       : replaced(root, path, value, {source, 0, 0});
    if (changed)
      root = *std::move(changed);
    else
      loader.problems.error({source, 0, 0}, changed.error().what);
  }
  return root;
}

std::string required_keys() {
  std::vector<std::string> names;
  for (const KeyInfo& row : schema())
    if (row.section == Section::top && row.required) names.emplace_back(row.name);
  return listing(names);
}

// Whether the sampler tries each point once, so that the number of runs follows from the space.
bool is_exhaustive(const Node& root) {
  const Entry* sampling = root.find("sampling");
  const Entry* type = sampling ? sampling->value->find("type") : nullptr;
  const AlgorithmInfo* info =
      type ? find_algorithm(sampler_algorithms(), type->value->text) : nullptr;
  return info && info->exhaustive;
}

void read_top(Loader& loader, const Node& root) {
  if (root.is(Node::Kind::null))
    return loader.problems.error({root.place.source, 1, 1},
                                 "the file is empty; it needs at least " + required_keys());
  if (!root.is(Node::Kind::map))
    return loader.problems.error(
        root.place, "the file is " + describe(root) +
                        "; allowed: a mapping of keys to values, at least " + required_keys());
  auto rows = rows_of(Section::top);
  if (is_exhaustive(root))
    for (KeyInfo& row : rows)
      if (row.name == "max_total_runs") row.required = false;
  for (const auto& [row, entry] : check_mapping(rows, root, root.place, "", loader.problems)) {
    loader.given[std::string(row->name)] = entry->place;
    row->read(loader, *entry);
  }
}

void set_source_directory(Loader& loader) {
  SweepSpec& spec = loader.spec;
  if (!loader.overrides.source_directory.empty()) {
    spec.source_directory = full_path(loader.overrides.source_directory);
    std::error_code error;
    if (!fs::is_directory(spec.source_directory, error))
      loader.problems.error({0, 0, 0}, "the source directory " +
                                           in_quotes(spec.source_directory.string()) +
                                           " is not a directory");
  } else if (spec.source_directory.empty()) {
    const fs::path& typed = loader.overrides.command_directory;
    spec.source_directory = typed.empty() ? loader.directory : full_path(typed);
  }
}

// Of a grid: as many runs as it has combinations, or a warning that fewer leave some out.
void set_total_runs(Loader& loader) {
  SweepSpec& spec = loader.spec;
  const AlgorithmInfo* info = find_algorithm(sampler_algorithms(), spec.sampling.name);
  if (!info || !info->exhaustive || !loader.sampling_sound || !loader.space_sound) return;
  const auto& all = spec.space.parameters;
  if (!std::all_of(all.begin(), all.end(),
                   [](const Parameter& each) { return cardinality(each.expression); }))
    return;  // told by the sampler
  const auto size = cardinality(spec.space);
  if (!loader.given.contains("max_total_runs")) {
    constexpr std::uint64_t kMost = 1'000'000'000;
    spec.max_total_runs = static_cast<std::int64_t>(std::min(size.value_or(kMost), kMost));
  } else if (!size || static_cast<std::uint64_t>(spec.max_total_runs) < *size) {
    const std::string count = size ? std::to_string(*size) : "more than 2^63";
    loader.problems.warn(
        loader.given["max_total_runs"],
        "the grid has " + count + " combinations, and only the first " +
            std::to_string(spec.max_total_runs) +
            " of them are tried, in which the first parameters hardly change; leave max_total_runs "
            "out to try all, or use random sampling");
  }
}

bool is_pilot(const NamedTarget& target) {
  const auto* slurm = std::get_if<SlurmOptions>(&target.options);
  return slurm && slurm->pilot;
}

void check_pilots(Loader& loader, const std::vector<NamedTarget>& targets) {
  if (loader.spec.nodes_per_run <= 1) return;
  for (const NamedTarget& target : targets)
    if (is_pilot(target))
      loader.problems.error(loader.nodes_place,
                            fmt::format("a run has {} nodes, but with pilot: true, as the target "
                                        "{} has it, each run is on one node; "
                                        "allowed: 1, or a target of type slurm without pilot",
                                        loader.spec.nodes_per_run, in_quotes(target.name)));
}

// What targets have room for, as far as that is written down; one of which nothing is said counts
// as much as this machine.
void set_concurrency(Loader& loader) {
  const std::vector<NamedTarget> targets = look_up_targets(loader);
  check_pilots(loader, targets);
  if (loader.concurrency_given) return;
  const SweepSpec& spec = loader.spec;
  const std::int64_t runs = std::max<std::int64_t>(1, spec.max_total_runs);
  std::int64_t at_once = processors();
  if (!targets.empty()) {
    const std::int64_t here = at_once;
    at_once = 0;
    for (const NamedTarget& target : targets) {
      // A target with too few hosts for a run says so itself.
      const std::int64_t room =
          std::max<std::int64_t>(1, slots_of(target, spec.nodes_per_run).value_or(here));
      // Without slots of its own a pilot's are its processors.
      const bool shared = is_pilot(target) && target.slots == 0 && spec.cpus_per_run > 0;
      at_once += shared ? std::max<std::int64_t>(1, room / spec.cpus_per_run) : room;
    }
    loader.spec.max_concurrent_runs = std::min(runs, at_once);
    return;
  }
  if (spec.cpus_per_run > 0) at_once = std::max<std::int64_t>(1, at_once / spec.cpus_per_run);
  // A run with a GPU of its own leaves the processors mostly alone. Of `auto` the target knows the
  // number.
  if (!spec.gpus.empty() && spec.gpus[0] != "auto")
    at_once = static_cast<std::int64_t>(std::max(
        1.0, std::floor(static_cast<double>(spec.gpus.size()) / spec.gpus_per_run + 1e-9)));
  loader.spec.max_concurrent_runs = std::min(runs, at_once);
}

void set_command(Loader& loader) {
  const auto& command = loader.overrides.command;
  if (command.empty()) return;
  loader.spec.command = command;
  // HyperDrive's positional arguments are a script and what follows it.
  const bool interpreted = !loader.interpreter.empty() && command[0].ends_with(".py");
  if (interpreted) loader.spec.command.insert(loader.spec.command.begin(), loader.interpreter);
  const Place place{loader.problems.add_source("command line"), 0, 0};
  loader.command_places.assign(loader.spec.command.size(), place);
  if (interpreted && loader.interpreter_place.line > 0)
    loader.command_places[0] = loader.interpreter_place;
}

}  // namespace

std::string fmt_number(double number) {
  if (std::abs(number) < 1e15 && number == std::floor(number))
    return std::to_string(static_cast<std::int64_t>(number));
  return base::shortest(number);
}

// From where the relative paths of a file count. What comes through a pipe has no directory of its
// own: that of /dev/stdin or /proc/123/fd/63 is nobody's.
fs::path directory_of(const fs::path& file) {
  std::error_code error;
  const std::string full = full_path(file).string();
  const bool piped =
      full.starts_with("/dev/") || full.starts_with("/proc/") || !fs::is_regular_file(file, error);
  return piped ? fs::path(".") : file.parent_path();
}

Result<std::string> read_text(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) {
    std::vector<std::string> neighbours;
    const fs::path parent = file.has_parent_path() ? file.parent_path() : fs::path(".");
    for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error))
      neighbours.push_back(it->path().filename().string());
    std::sort(neighbours.begin(), neighbours.end());
    const std::string hint = base::did_you_mean(file.filename().string(), neighbours);
    return Error{"", "the file does not exist" + (hint.empty() ? "" : ";" + hint)};
  }
  if (fs::is_directory(status)) {
    const bool inside = fs::exists(file / "hdconfig.yml", error);
    return Error{
        "",
        std::string("this is a directory; allowed: a file") +
            (inside ? "; did you mean " + in_quotes((file / "hdconfig.yml").string()) + "?" : "")};
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Error{"", "the file cannot be opened; check that you may read it"};
  std::string text(kLargestFile + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) return Error{"", "the file cannot be read"};
  if (text.size() > kLargestFile)
    return Error{"",
                 "the file is too large; allowed: " + std::to_string(kLargestFile >> 20) + " MB"};
  return text;
}

namespace {

NodePtr read_tree(Loader& loader, std::string_view text, const std::string& name) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Problems& problems = loader.problems;
  loader.directory = full_path(loader.directory);
  NodePtr root = read_yaml(problems.add_source(name, std::string(text)), problems);
  return root ? apply_sets(loader, root) : nullptr;
}

}  // namespace

NodePtr read_root(Loader& loader, const fs::path& file) {
  auto text = read_text(file);
  if (text) return read_tree(loader, *text, file.string());
  loader.problems.error({loader.problems.add_source(file.string()), 0, 0}, text.error().what);
  return nullptr;
}

void read_configuration(Loader& loader, std::string_view text, const std::string& name) {
  const NodePtr root = read_tree(loader, text, name);
  if (!root || is_of_unknown_type(*root, loader.problems)) return;
  if (kind_of(*root) == FileKind::hdconfig)
    read_top(loader, *root);
  else
    read_job(loader, *root);
  finish(loader, root->is(Node::Kind::map));
}

void finish(Loader& loader, bool has_keys) {
  read_start_points(loader);
  read_resources(loader);
  read_distribution(loader);
  read_run_configuration(loader);
  check_processes(loader);
  read_cancel_grace(loader);
  set_command(loader);
  set_source_directory(loader);
  set_total_runs(loader);
  set_concurrency(loader);
  if (has_keys) check_command(loader);
  check_algorithms(loader);
  if (loader.overrides.azure && loader.problems.errors() == 0) warn_of_azure(loader);
}

void be_one_run(Loader& loader, std::string what) {
  SweepSpec& spec = loader.spec;
  spec.sampling = {"grid", {}};
  spec.space.parameters = {{"job", Choice{{Value(std::move(what))}}, {}}};
  spec.primary_metric = "none";
  spec.stop_without_primary_metric = false;
  spec.max_total_runs = spec.max_concurrent_runs = 1;
  loader.concurrency_given = loader.space_sound = loader.sampling_sound = true;
}

LoadedConfig result_of(Loader& loader) {
  return {std::move(loader.spec), loader.problems.take(), std::move(loader.surroundings),
          loader.seed_given, loader.concurrency_given};
}

}  // namespace config

LoadedConfig parse_config(std::string_view text, const std::string& name,
                          const std::filesystem::path& directory,
                          const ConfigOverrides& overrides) {
  config::Problems problems;
  config::Loader loader{problems, overrides, directory, {}};
  read_configuration(loader, text, name);
  return result_of(loader);
}

Result<std::string> file_as_json(const std::filesystem::path& file) {
  auto text = config::read_text(file);
  if (!text) return Error{file.string(), text.error().what, Error::Kind::invalid};
  if (text->starts_with("\xEF\xBB\xBF")) text->erase(0, 3);
  config::Problems problems;
  const auto root =
      config::read_yaml(problems.add_source(file.string(), *std::move(text)), problems);
  std::string errors;
  for (const Problem& problem : problems.take())
    if (problem.severity == Problem::Severity::error)
      errors += (errors.empty() ? "" : "\n") + problem.message();
  if (!root || !errors.empty()) return Error{"", errors, Error::Kind::invalid};
  const auto value = config::to_value(*root);
  if (!value) return Error{file.string(), value.error().message(), Error::Kind::invalid};
  return to_json(*value);
}

LoadedConfig single_run(const ConfigOverrides& overrides) {
  using namespace config;
  Problems problems;
  Loader loader{problems, overrides, full_path("."), {}};
  problems.add_source("command line", {}, Problems::Lines::untold);
  be_one_run(loader, "script");
  loader.spec.append_parameters = false;
  read_run_configuration(loader);
  set_command(loader);
  set_source_directory(loader);
  check_command(loader);
  return result_of(loader);
}

LoadedConfig load_config(const std::filesystem::path& file, const ConfigOverrides& overrides) {
  const bool standard_input = file == "-";
  const std::filesystem::path source = standard_input ? "/dev/stdin" : file;
  const std::string name = standard_input ? "standard input" : file.string();
  auto text = config::read_text(source);
  if (text) return parse_config(*text, name, config::directory_of(source), overrides);
  LoadedConfig failed;
  failed.problems.push_back({Problem::Severity::error, name, 0, 0, std::move(text.error().what)});
  return failed;
}

}  // namespace hdrive
