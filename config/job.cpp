// SPDX-License-Identifier: Apache-2.0
#include "config/job.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <variant>

#include "base/text.h"
#include "config/job_inputs.h"
#include "config/job_space.h"
#include "config/job_trial.h"
#include "config/key_check.h"
#include "hdrive/policy.h"
#include "hdrive/sampler.h"

namespace hdrive::config {
namespace {

namespace fs = std::filesystem;

constexpr double kDay = 24 * 60 * 60;
constexpr double kCentury = 36'500 * kDay;
constexpr std::int64_t kMostTrials = 1000;
constexpr double kTimeout = 60 * kDay;

std::string scalar_of(const Node& root, const char* key) {
  const Entry* entry = root.find(key);
  return entry && entry->value->is_scalar() ? base::fold(entry->value->text) : std::string();
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(round_to_count(seconds * 1000));
}

/// A sweep or command job while it is being read.
class JobReader {
 public:
  JobReader(Loader& loader, const AssetMap& assets, const std::set<std::string>& unmade)
      : loader_(loader),
        assets_(assets),
        inputs_(loader, assets, unmade),
        trial_(loader, assets, inputs_) {}

  void read_sweep(const Node& root) {
    const Fields fields = own_keys(root, "job");
    // The first generation is known by its words.
    loader_.appends = root.find("job_type") || scalar_of(root, "type") == "sweepjob";
    read_space(fields);  // after the sampler, whose logbase counts for it
    read_objective(fields);
    read_early_termination(fields);
    read_limits(fields);
    read_names(fields, root);
    if (loader_.overrides.command.empty()) {
      trial_.read(fields);
    } else {
      inputs_.read_values(fields.find("inputs"), loader_.directory);
      loader_.given["command"] = root.place;
    }
  }

  void read_command(const Node& root) {
    const Fields fields = own_keys(root, "command job");
    SweepSpec& spec = loader_.spec;
    be_one_run(loader_, "command");
    loader_.given["max_total_runs"] = loader_.given["sampling"] = root.place;
    if (const Node* limits = fields.find("limits")) {
      const Fields limit = read_fields("limits of a command job", *limits, limits->place,
                                       " in \"limits\"", loader_.problems);
      read_seconds(limit.entry("timeout"), spec.max_run_duration);
    }
    read_names(fields, root);
    trial_.read(fields);
  }

 private:
  Problems& problems() { return loader_.problems; }

  // The job's own keys; those that only hdrive has are read as in hdconfig.yml.
  Fields own_keys(const Node& root, std::string_view mapping) {
    Node job = root;
    job.entries.clear();
    for (const Entry& entry : root.entries) {
      if (entry.key == "compute" && is_known(*entry.value)) continue;
      const KeyInfo* own = key_of_hdrive(entry.key);
      if (!own)
        job.entries.push_back(entry);
      else if (check_value(*own, own->name, *entry.value, problems())) {
        loader_.given[entry.key] = entry.place;
        own->read(loader_, entry);
      }
    }
    // Its entries are shared with `root`, which outlives the fields.
    job_ = std::make_shared<Node>(std::move(job));
    return read_fields(mapping, *job_, root.place, "", problems());
  }

  // A target of targets.yml, or what the map of names says: another target, or this machine.
  bool is_known(const Node& compute) const {
    if (!compute.is(Node::Kind::text)) return false;
    const auto mapped = assets_.compute(compute.text);
    return take_compute(loader_, mapped.value_or(compute.text)) || mapped.has_value();
  }

  static const KeyInfo* key_of_hdrive(std::string_view name) {
    for (const KeyInfo& row : schema())
      if (row.section == Section::top && row.own && row.read && row.name == name &&
          !is_of_a_job(name))
        return &row;
    return nullptr;
  }

  static bool is_of_a_job(std::string_view name) {
    return name == "command" || name == "append_parameters" || name == "source_directory" ||
           std::any_of(job_schema().begin(), job_schema().end(), [&](const JobKey& key) {
             return (key.mapping == "job" || key.mapping == "command job") && key.row.name == name;
           });
  }

  void read_names(const Fields& fields, const Node& root) {
    const Entry* name = fields.entry("name");
    if (name) read_name(loader_, *name);
    if (const Node* description = fields.find("description"))
      loader_.spec.description = description->text;
    if (const Node* tags = fields.find("tags"))
      loader_.spec.tags = tags_of(*tags, loader_.problems);
    const Node* shown = name ? nullptr : fields.find("display_name");
    if (shown && shown->text.find('/') == std::string::npos && shown->text != "last")
      read_name(loader_, *fields.entry("display_name"));
    if (const Node* experiment = fields.find("experiment_name"))
      loader_.spec.experiment = experiment->text;
    else if (root.place.source == 0)
      loader_.spec.experiment = loader_.directory.filename().string();
  }

  // ---- sampling ---------------------------------------------------------------------------------

  void read_space(const Fields& fields) {
    const double base = read_sampling(fields);
    const Entry* space = fields.entry("search_space");
    if (!space) return;
    if (space->value->entries.empty())
      return problems().error(space->value->place,
                              "\"search_space\" is empty; allowed: one or more parameters");
    const std::size_t before = problems().errors();
    space_ = parameter_list(*space->value, problems());
    const bool sound = problems().errors() == before;
    if (!space_->items.empty()) read_parameter_space(loader_, *space_);
    loader_.space_sound = loader_.space_sound && sound;
    if (base != 1)
      for (Parameter& each : loader_.spec.space.parameters) scale(each.expression, base);
  }

  // Reads the sampler and gives the natural logarithm of its logbase.
  double read_sampling(const Fields& fields) {
    const Entry* entry = fields.entry("sampling_algorithm");
    if (!entry) return 1;
    const Node& node = *entry->value;
    loader_.given["sampling"] = entry->place;
    const std::size_t before = problems().errors();
    double base = 1;
    if (node.is(Node::Kind::map)) {
      const Fields options = read_fields("sampling_algorithm", node, entry->place,
                                         " in " + in_quotes(entry->key), problems());
      if (const Node* type = options.find("type")) set_sampler(entry->key, *type);
      base = read_options(options);
    } else if (node.is(Node::Kind::text)) {
      set_sampler(entry->key, node);
    } else {
      problems().error(node.place, in_quotes(entry->key) + " is " + describe(node) +
                                       "; allowed: the name of a sampler, or a mapping with type, "
                                       "seed, rule and logbase");
    }
    loader_.sampling_sound = problems().errors() == before;
    return base;
  }

  void set_sampler(std::string_view key, const Node& type) {
    const AlgorithmInfo* info = find_algorithm(sampler_algorithms(), type.text);
    if (info)
      loader_.spec.sampling = {std::string(info->name), {}};
    else
      problems().error(type.place, unknown_algorithm(key, sampler_algorithms(), type.text) +
                                       " (see: hdrive list-algorithms)");
  }

  double read_options(const Fields& options) {
    SweepSpec& spec = loader_.spec;
    if (const Entry* seed = options.entry("seed")) read_seed(loader_, *seed);
    if (const Node* rule = options.find("rule")) {
      const std::string word = base::fold(rule->text);
      if (word != "sobol" && word != "random")
        problems().error(rule->place,
                         "unknown rule " + in_quotes(rule->text) + "; allowed: random, sobol");
      else if (spec.sampling.name != "random")
        problems().warn(rule->place, "\"rule\" has no effect: it is random sampling's");
      else if (word == "sobol")
        spec.sampling.name = "sobol";
    }
    const Node* base = options.find("logbase");
    if (!base || base::fold(base->text) == "e") return 1;
    if (base->is_number() && base->number > 1 && std::isfinite(base->number))
      return std::log(base->number);
    problems().error(base->place,
                     "\"logbase\" is " + describe(*base) + "; allowed: e, or a number above 1");
    return 1;
  }

  // b^U(min, max) is exp(U(min ln b, max ln b)), and so for the normal forms.
  static void scale(Expression& expression, double factor) {
    const auto both = [factor](double& one, double& other) {
      one *= factor;
      other *= factor;
    };
    if (auto* e = std::get_if<LogUniform>(&expression)) both(e->min, e->max);
    if (auto* e = std::get_if<QLogUniform>(&expression)) both(e->min, e->max);
    if (auto* e = std::get_if<LogNormal>(&expression)) both(e->mu, e->sigma);
    if (auto* e = std::get_if<QLogNormal>(&expression)) both(e->mu, e->sigma);
  }

  // ---- what is optimised, and how long ----------------------------------------------------------

  void read_objective(const Fields& fields) {
    const Entry* entry = fields.entry("objective");
    if (!entry) return;
    const Fields objective =
        read_fields("objective", *entry->value, entry->place, " in \"objective\"", problems());
    if (const Node* metric = objective.find("primary_metric"))
      loader_.spec.primary_metric = metric->text;
    const Entry* goal = objective.entry("goal");
    if (goal) read_goal(loader_, *goal);
  }

  void read_early_termination(const Fields& fields) {
    const Entry* entry = fields.entry("early_termination");
    if (!entry) return;
    const Node& node = *entry->value;
    loader_.given["policy"] = entry->place;
    if (!node.is(Node::Kind::map) && !node.is(Node::Kind::text)) {
      loader_.policy_sound = false;
      return problems().error(node.place, "\"early_termination\" is " + describe(node) +
                                              "; allowed: a mapping with type and the policy's "
                                              "options");
    }
    // A word alone is the type; earlier files call the type otherwise.
    auto map = std::make_shared<Node>(node);
    map->kind = Node::Kind::map;
    if (node.is(Node::Kind::text)) map->entries = {{"type", node.place, entry->value}};
    for (Entry& option : map->entries)
      if (!node.find("type") && (option.key == "spec" || option.key == "policy_type"))
        option.key = "type";
    policy_ = {entry->key, entry->place, map};
    read_policy_mapping(loader_, policy_);
  }

  void read_limits(const Fields& fields) {
    SweepSpec& spec = loader_.spec;
    spec.max_total_runs = kMostTrials;
    spec.max_duration = milliseconds(kTimeout);
    Fields limits;
    if (const Entry* entry = fields.entry("limits"))
      limits = read_fields("limits", *entry->value, entry->place, " in \"limits\"", problems());
    for (const Fields* each : std::initializer_list<const Fields*>{&limits, &fields}) {
      if (const Entry* total = once("max_total_runs", each->entry("max_total_trials")))
        spec.max_total_runs = *total->value->integer();
      if (const Entry* most = once("max_concurrent_runs", each->entry("max_concurrent_trials"))) {
        spec.max_concurrent_runs = *most->value->integer();
        loader_.concurrency_given = true;
      }
      if (const Entry* minutes = once("max_duration_minutes", each->entry("timeout_minutes")))
        spec.max_duration = milliseconds(minutes->value->number * 60);
    }
    read_seconds(once("max_duration_minutes", limits.entry("timeout")), spec.max_duration);
    read_seconds(once("max_run_duration_seconds", limits.entry("trial_timeout")),
                 spec.max_run_duration);
  }

  // The entry, unless the same limit was given elsewhere.
  const Entry* once(const char* limit, const Entry* entry) {
    if (!entry) return nullptr;
    if (loader_.given.emplace(limit, entry->place).second) return entry;
    problems().error(entry->place,
                     in_quotes(entry->key) + " is given in another place, too; remove one");
    return nullptr;
  }

  void read_seconds(const Entry* entry, std::chrono::milliseconds& to) {
    if (!entry) return;
    const auto seconds = seconds_of(*entry->value);
    if (seconds && *seconds <= kCentury)
      to = milliseconds(*seconds);
    else
      problems().error(entry->value->place, in_quotes(entry->key) + " is " +
                                                describe(*entry->value) +
                                                "; allowed: a number of seconds above 0, or text "
                                                "such as PT1H30M");
  }

  Loader& loader_;
  const AssetMap& assets_;
  NodePtr job_, space_;
  Entry policy_;
  JobInputs inputs_;
  JobTrial trial_;
};

}  // namespace

std::optional<double> seconds_of(const Node& node) {
  if (node.is_number())
    return node.number > 0 && std::isfinite(node.number) ? std::optional(node.number)
                                                         : std::nullopt;
  std::string_view text = node.text;
  if (!node.is(Node::Kind::text) || !text.starts_with('P')) return std::nullopt;
  text.remove_prefix(1);
  struct Unit {
    char letter;
    bool time;
    double seconds;
  };
  static constexpr Unit kUnits[] = {{'W', false, 7 * kDay},
                                    {'D', false, kDay},
                                    {'H', true, 3600},
                                    {'M', true, 60},
                                    {'S', true, 1}};
  bool time = false;
  double seconds = 0;
  while (!text.empty()) {
    if (text.starts_with('T') && !time) {
      time = true;
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find_first_not_of("0123456789.");
    const auto number = base::parse_number(text.substr(0, std::min(end, text.size())));
    if (!number || end == std::string_view::npos) return std::nullopt;
    const auto unit = std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& each) {
      return each.letter == text[end] && each.time == time;
    });
    if (unit == std::end(kUnits)) return std::nullopt;
    seconds += *number * unit->seconds;
    text.remove_prefix(end + 1);
  }
  return seconds > 0 ? std::optional(seconds) : std::nullopt;
}

FileKind kind_of(const Node& root) {
  if (!root.is(Node::Kind::map)) return FileKind::hdconfig;
  std::string type = scalar_of(root, "type");
  if (type.empty()) type = scalar_of(root, "job_type");
  const std::string schema = scalar_of(root, "$schema");
  const auto is = [&](const char* name, const char* file) {
    return type == name || (type.empty() && schema.find(file) != std::string::npos);
  };
  if (root.find("sampling")) return FileKind::hdconfig;
  if (is("pipeline", "pipelinejob")) return FileKind::pipeline;
  if (is("command", "commandjob")) return FileKind::command_job;
  if (is("sweep", "sweepjob") || type == "sweepjob") return FileKind::sweep_job;
  return root.find("search_space") && (root.find("trial") || root.find("objective"))
             ? FileKind::sweep_job
             : FileKind::hdconfig;
}

bool is_of_unknown_type(const Node& root, Problems& problems) {
  constexpr std::string_view kAllowed = "hdrive runs jobs of type sweep, command and pipeline";
  constexpr std::string_view kAzures[] = {"automl", "parallel", "spark", "import", "finetuning"};
  if (!root.is(Node::Kind::map) || root.find("sampling")) return false;
  const Entry* type = root.find("type") ? root.find("type") : root.find("job_type");
  if (scalar_of(root, "$schema").find("component.schema") != std::string::npos) {
    problems.error(root.find("$schema")->value->place,
                   "this is a component, which runs only in a job; name its file as the \"trial\" "
                   "of a sweep, or as the \"component\" of a pipeline's step");
    return true;
  }
  if (!type || !type->value->is_scalar()) {
    const Entry* schema = root.find("$schema");
    if (kind_of(root) != FileKind::hdconfig || !schema ||
        scalar_of(root, "$schema").find("azureml") == std::string::npos)
      return false;
    problems.error(schema->value->place, "this is no job by its $schema; " + std::string(kAllowed));
    return true;
  }
  const std::string word = base::fold(type->value->text);
  for (const char* known : {"sweep", "sweepjob", "command", "pipeline"})
    if (word == known) return false;
  if (std::find(std::begin(kAzures), std::end(kAzures), word) != std::end(kAzures)) {
    problems.error(type->value->place, "jobs of type " + in_quotes(type->value->text) +
                                           " run on Azure alone; " + std::string(kAllowed));
    return true;
  }
  const std::string meant = base::did_you_mean(type->value->text, {"sweep", "command", "pipeline"});
  problems.error(type->value->place, "unknown job type " + in_quotes(type->value->text) +
                                         "; allowed: sweep, command, pipeline" +
                                         (meant.empty() ? "" : ";" + meant));
  return true;
}

void read_job(Loader& loader, const Node& root) {
  if (kind_of(root) == FileKind::pipeline)
    return loader.problems.error(
        root.place, "this is a pipeline, which \"hdrive run\" takes; here a sweep is wanted");
  const AssetMap assets =
      AssetMap::read(loader.directory, loader.overrides.asset_map, loader.problems);
  read_step(loader, root, assets, {});
}

void read_step(Loader& loader, const Node& step, const AssetMap& assets,
               const std::set<std::string>& unmade) {
  loader.job = true;
  JobReader reader(loader, assets, unmade);
  if (kind_of(step) == FileKind::command_job)
    reader.read_command(step);
  else
    reader.read_sweep(step);
}

}  // namespace hdrive::config
