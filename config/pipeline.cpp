// SPDX-License-Identifier: Apache-2.0
//
// Pipelines: the graph of the steps, and each step as a job in which `${{parent...}}` is replaced.
#include "hdrive/pipeline.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

#include "base/text.h"
#include "config/job.h"
#include "config/job_schema.h"

namespace hdrive {
namespace config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParent = "parent.";

struct ParentReference {
  std::string_view text;  ///< as written
  std::string_view path;  ///< "jobs.train.outputs.model"
};

// The next `${{parent.x}}` of the text from `from` on. `bare`: also one without "parent.", as the
// first pipelines had them where steps are given their inputs and outputs.
std::optional<ParentReference> next_reference(std::string_view text, std::size_t& from, bool bare) {
  for (std::size_t at = text.find("${{", from); at != text.npos; at = text.find("${{", at + 3)) {
    const std::size_t end = text.find("}}", at);
    if (end == text.npos) return std::nullopt;
    const std::string_view inside = base::trim(text.substr(at + 3, end - at - 3));
    from = end + 2;
    if (inside.starts_with(kParent))
      return ParentReference{text.substr(at, end + 2 - at), inside.substr(kParent.size())};
    for (const std::string_view group : {"inputs.", "outputs.", "jobs."})
      if (bare && inside.starts_with(group))
        return ParentReference{text.substr(at, end + 2 - at), inside};
  }
  return std::nullopt;
}

// "jobs.STEP.outputs.NAME" taken apart.
struct OutputReference {
  std::string step, output;
};
std::optional<OutputReference> output_of(std::string_view path) {
  const auto parts = base::split(path, '.');
  if (parts.size() != 4 || parts[0] != "jobs" || parts[2] != "outputs") return std::nullopt;
  return OutputReference{std::string(parts[1]), std::string(parts[3])};
}

/// What a `${{parent...}}` stands for; null where that was reported.
using Replace = std::function<NodePtr(std::string_view path, Place place, std::string_view text)>;

// The tree with every reference replaced: one that is a whole text by what it stands for, one in a
// text by its text.
NodePtr replaced_in(const NodePtr& node, const Replace& replace, bool bare) {
  if (node->is(Node::Kind::text)) {
    std::size_t from = 0;
    auto reference = next_reference(node->text, from, bare);
    if (!reference) return node;
    if (reference->text == base::trim(node->text)) {
      const NodePtr value = replace(reference->path, node->place, reference->text);
      if (!value) return text_node("", node->place);
      auto moved = std::make_shared<Node>(*value);
      moved->place = node->place;
      return moved;
    }
    std::string text;
    std::size_t copied = 0;
    for (; reference; reference = next_reference(node->text, from, bare)) {
      const auto begin = static_cast<std::size_t>(reference->text.data() - node->text.data());
      const NodePtr value = replace(reference->path, node->place, reference->text);
      text += node->text.substr(copied, begin - copied) + (value ? value->text : "");
      copied = begin + reference->text.size();
    }
    return text_node(text + node->text.substr(copied), node->place);
  }
  if (node->is_scalar()) return node;
  auto copy = std::make_shared<Node>(*node);
  for (NodePtr& item : copy->items) item = replaced_in(item, replace, bare);
  for (Entry& entry : copy->entries) entry.value = replaced_in(entry.value, replace, bare);
  return copy;
}

// Where a step says what it is given and what it gives.
bool is_binding(std::string_view key) { return key == "inputs" || key == "outputs"; }

/// A pipeline while it is being read.
class PipelineReader {
 public:
  PipelineReader(Problems& problems, fs::path directory)
      : problems_(problems), directory_(std::move(directory)) {}

  /// The head and the graph. False: the steps cannot be told.
  bool read(const NodePtr& root) {
    root_ = root;
    const Node own = without_keys_of_steps(*root);
    const Fields fields = read_fields("pipeline", own, root->place, "", problems_);
    if (const Node* shown = fields.find("display_name")) pipeline_.name = shown->text;
    if (const Node* name = fields.find("name")) pipeline_.name = name->text;
    pipeline_.experiment = directory_.filename().string();
    if (const Node* experiment = fields.find("experiment_name"))
      pipeline_.experiment = experiment->text;
    if (const Entry* compute = fields.entry("compute")) compute_ = *compute;
    if (const Node* settings = fields.find("settings")) read_settings(*settings);
    if (const Node* description = fields.find("description")) description_ = description->text;
    if (const Node* tags = fields.find("tags")) tags_ = tags_of(*tags, problems_);
    inputs_ = fields.find("inputs");
    outputs_ = fields.find("outputs");
    jobs_ = fields.find("jobs");
    if (!jobs_) return false;
    if (jobs_->entries.empty())
      problems_.error(jobs_->place, "\"jobs\" is empty; allowed: one or more steps");
    for (const Entry& entry : jobs_->entries) add_step(entry);
    return order();
  }

  /// Where steps run that do not say so; told once where that is nowhere.
  void read_compute(Loader& loader, const AssetMap& assets) {
    if (!compute_) return;
    const std::string& name = compute_->value->text;
    const auto mapped = assets.compute(name);
    default_target_ = mapped.value_or(name);
    if (take_compute(loader, *default_target_) || mapped) return;
    default_target_.reset();
    problems_.warn(compute_->place, in_quotes(compute_->key) +
                                        " has no effect: the runs are processes on this machine");
  }

  const Entry* find(std::string_view step) const { return jobs_ ? jobs_->find(step) : nullptr; }
  Pipeline& pipeline() { return pipeline_; }

  /// Reads one step. Outputs of steps that have no folder are taken to be there.
  void read_one(Loader& loader, const std::string& name, const StepOutputs& outputs,
                const AssetMap& assets) {
    std::set<std::string> unmade;
    const auto replace = [&](auto path, Place place, auto text) {
      return value_of(path, place, text, outputs, unmade);
    };
    auto step = std::make_shared<Node>(*typed(*find(name)));
    for (Entry& entry : step->entries)
      entry.value = replaced_in(entry.value, replace, is_binding(entry.key));
    step_ = std::move(step);
    if (environment_) loader.default_environment = &*environment_;
    read_step(loader, *step_, assets, unmade);
    if (default_target_ && !step_->find("compute")) take_compute(loader, *default_target_);
    loader.spec.experiment = pipeline_.experiment;
    loader.spec.tags.insert(tags_.begin(), tags_.end());  // where the step has none of that name
    if (loader.spec.description.empty()) loader.spec.description = description_;
    finish(loader, true);
  }

  void take_outputs(const std::string& name, std::vector<std::string> outputs) {
    known_outputs_[name] = std::move(outputs);
  }

 private:
  // What a step has, a job's keys or hdrive's own, is not the pipeline's: told with its place there.
  Node without_keys_of_steps(const Node& root) {
    const auto is_of = [](std::string_view key, std::string_view mapping) {
      return std::any_of(job_schema().begin(), job_schema().end(), [&](const JobKey& row) {
        return row.mapping == mapping && row.row.name == key;
      });
    };
    const auto is_own = [](std::string_view key) {
      const auto rows = rows_of(Section::top);
      return std::any_of(rows.begin(), rows.end(),
                         [&](const KeyInfo& row) { return row.own && row.name == key; });
    };
    Node own = root;
    std::erase_if(own.entries, [&](const Entry& entry) {
      const std::string& key = entry.key;
      if (is_of(key, "pipeline") ||
          !(is_of(key, "job") || is_of(key, "command job") || is_own(key)))
        return false;
      problems_.error(entry.place, in_quotes(key) +
                                       " is a key of a step: it belongs below the "
                                       "step's name in \"jobs\", and is set by --set jobs.STEP." +
                                       key + "=VALUE");
      return true;
    });
    return own;
  }

  void read_settings(const Node& settings) {
    const Fields fields = read_fields("settings of a pipeline", settings, settings.place,
                                      " in \"settings\"", problems_);
    if (const Node* goes_on = fields.find("continue_on_step_failure"))
      pipeline_.continue_on_step_failure = goes_on->boolean;
    if (const Entry* compute = fields.entry("default_compute")) compute_ = *compute;
    if (const Entry* environment = fields.entry("environment")) environment_ = *environment;
  }

  void add_step(const Entry& entry) {
    PipelineStep step{entry.key, false, {}, {}};
    const Node& node = *entry.value;
    if (entry.key.empty() || entry.key.find_first_of("/. ") != std::string::npos)
      problems_.error(entry.place, "a step is called " + in_quotes(entry.key) +
                                       "; allowed: a name without blanks, dots and slashes");
    if (!node.is(Node::Kind::map))
      return problems_.error(node.place, "the step " + in_quotes(entry.key) + " is " +
                                             describe(node) +
                                             "; allowed: a mapping with type, command or sweep");
    const Entry* type = node.find("type");
    const std::string word = type ? base::fold(type->value->text) : std::string();
    if (type && word != "command" && word != "sweep" && word != "component")
      return problems_.error(type->value->place, "the step " + in_quotes(entry.key) +
                                                     " is of type " + in_quotes(type->value->text) +
                                                     "; allowed: command, sweep");
    step.sweep = kind_of(*typed(entry)) == FileKind::sweep_job;
    for (const Entry& each : node.entries) collect_needs(*each.value, step, is_binding(each.key));
    pipeline_.steps.push_back(std::move(step));
  }

  // A step may leave out its type where its keys tell it; the first pipelines said "component".
  static NodePtr typed(const Entry& step) {
    const Entry* type = step.value->find("type");
    if (type && base::fold(type->value->text) != "component") return step.value;
    auto copy = std::make_shared<Node>(*step.value);
    std::erase_if(copy->entries, [](const Entry& entry) { return entry.key == "type"; });
    const bool sweep = copy->find("search_space") || copy->find("trial");
    copy->entries.insert(copy->entries.begin(),
                         {"type", step.place, text_node(sweep ? "sweep" : "command", step.place)});
    return copy;
  }

  void collect_needs(const Node& node, PipelineStep& step, bool bare) {
    if (node.is(Node::Kind::text)) {
      std::size_t from = 0;
      while (const auto reference = next_reference(node.text, from, bare)) {
        const auto output = output_of(reference->path);
        if (!output || !jobs_->find(output->step)) continue;  // told when the step is read
        if (std::find(step.needs.begin(), step.needs.end(), output->step) == step.needs.end())
          step.needs.push_back(output->step);
      }
    }
    for (const NodePtr& item : node.items) collect_needs(*item, step, bare);
    for (const Entry& entry : node.entries) collect_needs(*entry.value, step, bare);
  }

  // Puts the steps behind what they need; those left over need each other.
  bool order() {
    std::vector<PipelineStep> waiting = std::move(pipeline_.steps), done;
    std::set<std::string> names;
    while (!waiting.empty()) {
      const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const auto& step) {
        return std::all_of(step.needs.begin(), step.needs.end(), [&](const std::string& need) {
          // One that could not be read was told, and is in nobody's way.
          return names.contains(need) ||
                 std::none_of(waiting.begin(), waiting.end(),
                              [&](const PipelineStep& each) { return each.name == need; });
        });
      });
      if (ready == waiting.end()) break;
      names.insert(ready->name);
      done.push_back(std::move(*ready));
      waiting.erase(ready);
    }
    pipeline_.steps = std::move(done);
    if (waiting.empty()) return true;
    report_cycle(waiting);
    return false;
  }

  void report_cycle(const std::vector<PipelineStep>& waiting) {
    // From one that waits along what it waits for, until a step comes again.
    std::vector<std::string> path{waiting.front().name};
    while (true) {
      const auto step = std::find_if(waiting.begin(), waiting.end(),
                                     [&](const auto& each) { return each.name == path.back(); });
      const auto need = std::find_if(step->needs.begin(), step->needs.end(), [&](const auto& name) {
        return std::any_of(waiting.begin(), waiting.end(),
                           [&](const PipelineStep& each) { return each.name == name; });
      });
      const auto again = std::find(path.begin(), path.end(), *need) - path.begin();
      const bool round = again < std::ssize(path);
      path.push_back(*need);
      if (!round) continue;
      path.erase(path.begin(), path.begin() + again);
      break;
    }
    problems_.error(jobs_->find(path.front())->place,
                    "steps need each other's outputs, so that none can be the first: " +
                        base::join(path, " needs "));
  }

  NodePtr value_of(std::string_view path, Place place, std::string_view text,
                   const StepOutputs& outputs, std::set<std::string>& unmade) {
    if (path.starts_with("inputs.")) return input(path.substr(7), place);
    if (path.starts_with("outputs.")) return own_output(path.substr(8), place);
    const auto output = output_of(path);
    if (!output) {
      problems_.error(place, "unknown placeholder " + in_quotes(text) +
                                 "; allowed: ${{parent.inputs.NAME}}, "
                                 "${{parent.jobs.STEP.outputs.NAME}} and, of an output, "
                                 "${{parent.outputs.NAME}}");
      return nullptr;
    }
    if (!check_output(*output, place)) return nullptr;
    const auto folder = outputs.find(output->step);
    const bool made = folder != outputs.end();
    const fs::path file =
        (made ? folder->second : fs::path("/outputs of") / output->step) / output->output;
    std::error_code error;
    if (made && !fs::exists(file, error))
      problems_.error(place, "the step " + in_quotes(output->step) +
                                 " has ended and not written its output " +
                                 in_quotes(output->output) + ", which was to be " + file.string());
    // What is not there is told once.
    if (!made || !fs::exists(file, error)) unmade.insert(file.string());
    return text_node(file.string(), place);
  }

  NodePtr input(std::string_view name, Place place) {
    const Entry* entry = inputs_ ? inputs_->find(name) : nullptr;
    if (entry) return entry->value;
    std::vector<std::string> names;
    if (inputs_)
      for (const Entry& each : inputs_->entries) names.push_back(each.key);
    report_missing_name("the pipeline has no input", name, names, place);
    return nullptr;
  }

  NodePtr own_output(std::string_view name, Place place) {
    // What the pipeline says of it, whether it is a file, is the step's.
    if (const Entry* entry = outputs_ ? outputs_->find(name) : nullptr) return entry->value;
    std::vector<std::string> names;
    if (outputs_)
      for (const Entry& each : outputs_->entries) names.push_back(each.key);
    report_missing_name("the pipeline has no output", name, names, place);
    return nullptr;
  }

  bool check_output(const OutputReference& output, Place place) {
    if (!jobs_->find(output.step)) {
      std::vector<std::string> names;
      for (const Entry& each : jobs_->entries) names.push_back(each.key);
      report_missing_name("the pipeline has no step", output.step, names, place);
      return false;
    }
    const auto known = known_outputs_.find(output.step);
    if (known == known_outputs_.end()) return true;
    const auto& names = known->second;
    if (std::find(names.begin(), names.end(), output.output) != names.end()) return true;
    report_missing_name("the step " + in_quotes(output.step) + " has no output", output.output,
                        names, place);
    return false;
  }

  void report_missing_name(const std::string& what, std::string_view name,
                           const std::vector<std::string>& names, Place place) {
    const std::string hint = base::did_you_mean(name, names);
    problems_.error(place, what + " " + in_quotes(name) +
                               (names.empty() ? "; it has none" : "; allowed: " + listing(names)) +
                               (hint.empty() ? "" : ";" + hint));
  }

  Problems& problems_;
  fs::path directory_;
  NodePtr root_, step_;
  std::string description_;
  std::map<std::string, std::string> tags_;
  std::optional<Entry> compute_, environment_;
  std::optional<std::string> default_target_;
  const Node* inputs_ = nullptr;
  const Node* outputs_ = nullptr;
  const Node* jobs_ = nullptr;
  std::map<std::string, std::vector<std::string>> known_outputs_;
  Pipeline pipeline_;
};

}  // namespace
}  // namespace config

bool Pipeline::ok() const {
  return std::none_of(problems.begin(), problems.end(), [](const Problem& problem) {
    return problem.severity == Problem::Severity::error;
  });
}

bool is_pipeline(const std::filesystem::path& file) {
  std::error_code error;
  // What is no regular file could be read only once.
  if (!std::filesystem::is_regular_file(file, error)) return false;
  auto text = config::read_text(file);
  if (!text) return false;
  config::Problems problems;
  const auto root = config::read_yaml(problems.add_source(file.string(), *text), problems);
  return root && config::kind_of(*root) == config::FileKind::pipeline;
}

Pipeline load_pipeline(const std::filesystem::path& file, const ConfigOverrides& overrides) {
  using namespace config;
  Problems problems;
  Loader loader{problems, overrides, directory_of(file), {}};
  const NodePtr root = read_root(loader, file);
  PipelineReader reader(problems, loader.directory);
  if (root && reader.read(root)) {
    const AssetMap assets = AssetMap::read(loader.directory, overrides.asset_map, problems);
    reader.read_compute(loader, assets);
    for (PipelineStep& step : reader.pipeline().steps) {
      Loader one{problems, overrides, loader.directory, {}};
      reader.read_one(one, step.name, {}, assets);
      step.outputs = one.outputs;
      reader.take_outputs(step.name, one.outputs);
    }
  }
  Pipeline pipeline = std::move(reader.pipeline());
  pipeline.problems = problems.take();
  return pipeline;
}

LoadedConfig load_step(const std::filesystem::path& file, const std::string& step,
                       const StepOutputs& outputs, const ConfigOverrides& overrides) {
  using namespace config;
  Problems problems;
  Loader loader{problems, overrides, directory_of(file), {}};
  const NodePtr root = read_root(loader, file);
  PipelineReader reader(problems, loader.directory);
  if (root && reader.read(root) && reader.find(step)) {
    const AssetMap assets = AssetMap::read(loader.directory, overrides.asset_map, problems);
    Loader head{problems, overrides, loader.directory, {}};
    reader.read_compute(head, assets);
    reader.read_one(loader, step, outputs, assets);
  } else if (problems.errors() == 0) {
    problems.error({0, 0, 0}, "the pipeline has no step " + in_quotes(step));
  }
  return result_of(loader);
}

std::optional<std::string> blocked_by(const PipelineStep& step,
                                      const std::map<std::string, StepEnd>& ended) {
  for (const std::string& need : step.needs) {
    const auto found = ended.find(need);
    if (found != ended.end() && found->second != StepEnd::completed) return need;
  }
  return std::nullopt;
}

bool can_begin(const PipelineStep& step, const std::map<std::string, StepEnd>& ended) {
  return std::all_of(step.needs.begin(), step.needs.end(), [&](const std::string& need) {
    const auto found = ended.find(need);
    return found != ended.end() && found->second == StepEnd::completed;
  });
}

}  // namespace hdrive
