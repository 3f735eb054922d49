// SPDX-License-Identifier: Apache-2.0
//
// A specification as a v2 sweep job, which hdrive reads as the same sweep, and the conversion of a
// file from one format to the other.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "base/text.h"
#include "config/job.h"
#include "config/placeholders.h"
#include "config/write.h"

namespace hdrive {
namespace config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOutputs = "HDRIVE_OUTPUTS_DIR";
constexpr std::string_view kValue = "AZUREML_PARAMETER_", kData = "AZUREML_DATAREFERENCE_";

// A key of a search space has letters, digits and '_'.
std::string space_key(std::string_view name) { return variable_name("", bare_name(name)); }

std::string placed(std::string_view group, std::string_view name) {
  return "${{" + std::string(group) + "." + std::string(name) + "}}";
}

std::string number(double value) { return yaml_value(Value(value)); }
std::string number(std::int64_t value) { return std::to_string(value); }

// ---- the search space ---------------------------------------------------------------------------

// The keys and values of a distribution that is no choice: "min_value: 0.0, max_value: 1.0".
template <class T>
std::string keys_of(const T& e) {
  if constexpr (std::is_same_v<T, Choice>) {
    return "";
  } else if constexpr (requires { e.upper; }) {
    return "upper: " + number(e.upper);
  } else {
    std::string text;
    if constexpr (requires { e.mu; })
      text = "mu: " + number(e.mu) + ", sigma: " + number(e.sigma);
    else
      text = "min_value: " + number(e.min) + ", max_value: " + number(e.max);
    if constexpr (requires { e.q; }) text += ", q: " + number(e.q);
    return text;
  }
}

class JobSpace {
 public:
  explicit JobSpace(const SearchSpace& space) : space_(space), parents_(parents(space)) {}

  std::string text() const {
    std::string text;
    for (std::size_t i = 0; i < parents_.size(); ++i)
      if (!parents_[i]) text += parameter(i, "\n  ");
    return text;
  }

 private:
  std::string parameter(std::size_t index, const std::string& line) const {
    const Parameter& each = space_.parameters[index];
    const std::string key = yaml_text(space_key(each.name)) + ":";
    const auto* choice = std::get_if<Choice>(&each.expression);
    if (!choice)
      return line + key + " {type: " + std::string(expression_name(each.expression)) + ", " +
             std::visit([](const auto& e) { return keys_of(e); }, each.expression) + "}";
    if (std::find(parents_.begin(), parents_.end(), index) == parents_.end()) {
      std::vector<std::string> options;
      for (const Value& option : choice->options) options.push_back(yaml_value(option));
      return line + key + " {type: choice, values: [" + base::join(options, ", ") + "]}";
    }
    std::string text = line + key + line + "  type: choice" + line + "  values:";
    std::set<std::string> written;
    for (const Value& option : choice->options)
      text += line + "  - " + branch(index, option, written, line + "    ");
    return text;
  }

  // An option with parameters is an object, in which the option's own value goes by the choice's
  // name; where it is listed twice the parameters stand in the first.
  std::string branch(std::size_t of, const Value& option, std::set<std::string>& written,
                     const std::string& line) const {
    std::string members;
    if (written.insert(to_json(option)).second)
      for (std::size_t i = 0; i < parents_.size(); ++i)
        if (parents_[i] == of && same_value(space_.parameters[i].condition->option, option))
          members += parameter(i, line);
    if (members.empty()) return yaml_value(option);
    const bool structured = std::holds_alternative<Json>(option);
    return yaml_text(space_key(space_.parameters[of].name)) + ": " +
           (structured ? base::json_string(to_text(option)) : yaml_value(option)) + members;
  }

  const SearchSpace& space_;
  std::vector<std::optional<std::size_t>> parents_;
};

// ---- the command --------------------------------------------------------------------------------

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// Where a job of the first generation has what is appended (config/job_trial.cpp).
constexpr std::string_view kAppended = " \"$@\"";

/// The command as a job's line with inputs and outputs.
class JobCommand {
 public:
  explicit JobCommand(const SweepSpec& spec) : spec_(spec) {
    const auto& words = spec.command;
    // What reading a job makes of its command, or what was written for a shell in the first place.
    const bool shell = words.size() >= 3 && words[0] == "bash" && words[1] == "-c";
    if (shell && words.size() == 3 && !spec.append_parameters) {
      line = words[2];
    } else if (shell && words.size() == 4 && words[3] == "bash" && spec.append_parameters &&
               words[2].ends_with(kAppended)) {
      line = words[2].substr(0, words[2].size() - kAppended.size()) + appended();
    } else {
      // What a shell in it reads is read from the environment, as the words of its own that it has
      // to be: replaced in the text they would fall apart at blanks.
      from_words();
      take_inputs(false);
      return;
    }
    take_outputs();
    for (const Parameter& each : spec.space.parameters)
      place(sweep_variable(each.name), placed("search_space", space_key(each.name)));
    take_inputs(true);
  }

  std::string line;
  std::map<std::string, std::string> inputs, outputs, variables;  ///< as YAML

 private:
  // "${X}" as one word, and ${X} between other quotes: both read back as they were.
  void place(const std::string& variable, const std::string& placeholder) {
    replace_all(line, "\"${" + variable + "}\"", placeholder);
    replace_all(line, "${" + variable + "}", placeholder);
  }

  void from_words() {
    bool places = false;
    for (const std::string& word : spec_.command) {
      std::string text;
      for (const Piece& piece : pieces_of(word)) {
        const bool parameter = piece.kind == Piece::Kind::parameter;
        places = places || parameter;
        text += parameter ? placed("search_space", space_key(piece.name))
                          : shell_quote({"", std::string(piece.text)}).substr(3);
      }
      if (word.empty()) text = "''";
      line += (line.empty() ? "" : " ") + text;
    }
    if (spec_.append_parameters && !places && !line.empty()) line += appended();
  }

  // What is appended to a command, each word with a blank in front.
  std::string appended() const {
    std::string text;
    std::set<std::string> seen;
    for (const Parameter& each : spec_.space.parameters)
      if (seen.insert(each.name).second)
        text += " " + (each.name.starts_with('-') ? each.name : "--" + each.name) + " " +
                placed("search_space", space_key(each.name));
    return text;
  }

  void take_outputs() {
    const std::string make = "mkdir -p \"$" + std::string(kOutputs) + "/";
    const std::size_t end = line.find('\n');
    const std::string variable = "${" + std::string(kOutputs) + "}/";
    for (std::size_t at = line.find(variable); at != line.npos; at = line.find(variable, at + 1)) {
      const std::size_t from = at + variable.size();
      const std::size_t to = line.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", from);
      if (to != from) outputs[line.substr(from, to - from)] = "{type: uri_file}";
    }
    if (line.starts_with(make) && end != line.npos) {
      const std::string head = line.substr(0, end);
      line.erase(0, end + 1);
      for (const std::string_view word : base::split(head, ' ')) {
        const std::size_t slash = word.find('/');
        if (slash != word.npos)
          outputs[std::string(word.substr(slash + 1, word.size() - slash - 2))] =
              "{type: uri_folder}";
      }
    }
    for (auto output = outputs.rbegin(); output != outputs.rend(); ++output)
      for (const char* quote : {"\"", ""})
        replace_all(line, quote + variable + output->first + quote,
                    placed("outputs", output->first));
  }

  void take_inputs(bool placed_in_line) {
    for (const auto& [name, value] : spec_.environment_variables) {
      const bool data = name.starts_with(kData);
      if (!data && !name.starts_with(kValue)) {
        variables[name] = yaml_text(value);
        continue;
      }
      const std::string input = name.substr(data ? kData.size() : kValue.size());
      std::error_code error;
      const char* type = fs::is_regular_file(value, error) ? "uri_file" : "uri_folder";
      inputs[input] = data ? std::string("{type: ") + type + ", path: " + yaml_text(value) + "}"
                           : base::json_string(value);
      if (placed_in_line) place(name, placed("inputs", input));
    }
  }

  const SweepSpec& spec_;
};

// ---- the file -----------------------------------------------------------------------------------

std::string block(std::string_view key, const std::map<std::string, std::string>& entries,
                  std::string_view indent) {
  std::string text;
  for (const auto& [name, value] : entries)
    text += std::string(indent) + "  " + yaml_text(name) + ": " + value + "\n";
  return text.empty() ? text : std::string(indent) + std::string(key) + ":\n" + text;
}

std::string write_algorithm(std::string type, const AlgorithmSpec& spec) {
  std::string text = "  type: " + std::move(type) + "\n";
  for (const auto& [name, value] : spec.options)
    text += "  " + yaml_text(name) + ": " + yaml_value(value) + "\n";
  return text;
}

std::string write_sampling_algorithm(const SweepSpec& spec, bool seed) {
  const bool sobol = spec.sampling.name == "sobol";
  std::string text = "sampling_algorithm:\n  type: " + (sobol ? "random" : spec.sampling.name) +
                     "\n" + (sobol ? "  rule: sobol\n" : "");
  // Of a job the options stand beside hdrive's own keys; a sampler of Azure's has none.
  if (seed && spec.seed <= 9223372036854775807ULL)
    text += "  seed: " + std::to_string(spec.seed) + "\n";
  return text;
}

std::string seconds(std::chrono::milliseconds time) {
  return base::shortest(static_cast<double>(time.count()) / 1000);
}

std::string write_limits(const SweepSpec& spec, bool concurrency) {
  std::string text = "limits:\n  max_total_trials: " + std::to_string(spec.max_total_runs) + "\n";
  if (concurrency)
    text += "  max_concurrent_trials: " + std::to_string(spec.max_concurrent_runs) + "\n";
  text += "  timeout: " + seconds(spec.max_duration) + "\n";
  if (spec.max_run_duration != SweepSpec().max_run_duration)
    text += "  trial_timeout: " + seconds(spec.max_run_duration) + "\n";
  return text;
}

// The keys that a job has in another form, or not at all but in hdrive's own part.
bool is_in_the_job(std::string_view key) {
  static const std::set<std::string_view> kKeys{"sampling",
                                                "policy",
                                                "primary_metric_name",
                                                "primary_metric_goal",
                                                "max_total_runs",
                                                "max_concurrent_runs",
                                                "max_duration_minutes",
                                                "command",
                                                "append_parameters",
                                                "source_directory",
                                                "environment_variables",
                                                "seed",
                                                "name",
                                                "experiment_name",
                                                "description",
                                                "tags",
                                                "max_run_duration_seconds",
                                                "distribution",
                                                "resources"};
  return kKeys.contains(key);
}

// How many processes a run has, and on how many machines.
std::string write_processes(const SweepSpec& spec) {
  const Distribution& how = spec.distribution;
  std::string text;
  if (spec.nodes_per_run > 1)
    text += "  resources:\n    instance_count: " + std::to_string(spec.nodes_per_run) + "\n";
  if (how.type == DistributionType::none) return text;
  text += "  distribution:\n    type: " + std::string(to_string(how.type)) + "\n";
  const auto add = [&](const char* key, std::int64_t count, std::int64_t usual) {
    if (count != usual) text += "    " + std::string(key) + ": " + std::to_string(count) + "\n";
  };
  if (how.type == DistributionType::tensorflow) {
    add("worker_count", how.workers, spec.nodes_per_run);
    add("parameter_server_count", how.parameter_servers, 0);
  } else {
    add("process_count_per_instance", spec.processes_per_node, 1);
  }
  return text;
}

std::string write_job(const SweepSpec& spec, bool seed, bool concurrency) {
  const JobCommand command(spec);
  std::string text =
      "$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json\ntype: sweep\n";
  if (!spec.name.empty()) text += "name: " + yaml_text(spec.name) + "\n";
  if (!spec.experiment.empty()) text += "experiment_name: " + yaml_text(spec.experiment) + "\n";
  if (!spec.description.empty()) text += "description: " + yaml_text(spec.description) + "\n";
  if (!spec.tags.empty()) text += "tags:" + write_texts(spec.tags) + "\n";
  text += "trial:\n  command: " + base::json_string(command.line) + "\n";
  if (!spec.source_directory.empty())
    text += "  code: " + yaml_text(spec.source_directory.string()) + "\n";
  text += block("environment_variables", command.variables, "  ");
  text += write_processes(spec);
  text += block("inputs", command.inputs, "") + block("outputs", command.outputs, "");
  text += write_sampling_algorithm(spec, seed);
  text += "search_space:" + JobSpace(spec.space).text() + "\n";
  text += "objective:\n  primary_metric: " + yaml_text(spec.primary_metric) +
          "\n  goal: " + base::lower(to_string(spec.goal)) + "\n";
  if (spec.policy.name != "no_termination" || !spec.policy.options.empty())
    text += "early_termination:\n" + write_algorithm(spec.policy.name, spec.policy);
  text += write_limits(spec, concurrency);
  std::string own;
  for (const KeyInfo& row : schema()) {
    if (!row.write || is_in_the_job(row.name)) continue;
    if (const std::string value = row.write(spec); !value.empty())
      own += std::string(row.name) + (value.front() == '\n' ? ":" : ": ") + value + "\n";
  }
  return text + (own.empty() ? "" : "# hdrive's own keys:\n" + own);
}

void warn_at(Loader& loader, const std::map<std::string, Place>& places, const std::string& key,
             const std::string& text) {
  const auto found = places.find(key);
  loader.problems.warn(found == places.end() ? Place{0, 0, 0} : found->second, text);
}

// What Azure itself would not take of the job that is written.
void tell_inexpressible(Loader& loader) {
  const SweepSpec& spec = loader.spec;
  static const std::set<std::string_view> kSamplers{"random", "grid", "bayesian", "sobol"};
  if (!kSamplers.contains(spec.sampling.name))
    warn_at(loader, loader.given, "sampling",
            "sampling: Azure has no " + spec.sampling.name + " sampling; hdrive alone reads it");
  for (const auto& [option, value] : spec.sampling.options)
    warn_at(loader, loader.options, "sampling." + option,
            "sampling." + option + ": a v2 job has no such option; it is left out");
  if (!azure_has_policy(spec.policy.name))
    warn_at(loader, loader.given, "policy",
            "policy: Azure has no " + spec.policy.name + "; hdrive alone reads it");
  for (const Parameter& each : spec.space.parameters) {
    if (expressions()[each.expression.index()].own)
      warn_at(loader, loader.defined, each.name,
              "parameter " + in_quotes(each.name) + ": Azure has no " +
                  std::string(expression_name(each.expression)) + "; hdrive alone reads it");
    if (space_key(each.name) != bare_name(each.name))
      warn_at(loader, loader.defined, each.name,
              "parameter " + in_quotes(each.name) + ": a v2 job takes letters, digits and \"_\" " +
                  "in a name; it is written " + in_quotes(space_key(each.name)));
  }
  if (spec.memory_per_run > 0)
    warn_at(loader, loader.given, "resources",
            "resources.memory: a v2 job has no such key; it is left out");
  if (spec.distribution.metrics_of_all || !spec.distribution.launcher.empty())
    warn_at(loader, loader.given, "distribution",
            "distribution: a v2 job has no metrics and no launcher in it; they are left out");
  for (const KeyInfo& row : schema())
    if (row.own && row.write && !is_in_the_job(row.name) && !row.write(spec).empty())
      warn_at(loader, loader.given, std::string(row.name),
              std::string(row.name) +
                  ": a v2 job has no such key; it is written as hdrive's own, "
                  "which Azure refuses");
  if (spec.command.empty())
    loader.problems.warn({0, 0, 0}, "command: there is none, and a v2 job needs one");
  loader.problems.warn({0, 0, 0},
                       "environment: Azure needs one in \"trial\", and hdconfig.yml has none");
}

// Without the line of a key that nobody gave.
void drop(std::string& text, const std::string& key) {
  const std::size_t from = text.find("\n" + key + ": ");
  if (from != text.npos) text.erase(from, text.find('\n', from + 1) - from);
}

}  // namespace
}  // namespace config

std::string to_sweep_job(const SweepSpec& spec) { return config::write_job(spec, true, true); }

Conversion convert_config(const std::filesystem::path& file, const ConfigOverrides& overrides,
                          const std::filesystem::path& directory) {
  using namespace config;
  Conversion result;
  Problems problems;
  const bool standard_input = file == "-";
  const fs::path source = standard_input ? "/dev/stdin" : file;
  const std::string name = standard_input ? "standard input" : file.string();
  auto text = read_text(source);
  if (!text) {
    result.problems.push_back({Problem::Severity::error, name, 0, 0, text.error().what});
    return result;
  }
  Loader loader{problems, overrides, directory_of(source), {}};
  read_configuration(loader, *text, name);
  if (problems.errors() == 0) {
    SweepSpec& spec = loader.spec;
    std::error_code error;
    spec.source_directory = fs::proximate(spec.source_directory, directory, error);
    if (loader.job) {
      result.text = to_hdconfig(spec);
      if (!loader.seed_given) drop(result.text, "seed");
      if (!loader.concurrency_given) drop(result.text, "max_concurrent_runs");
    } else {
      tell_inexpressible(loader);
      result.text = write_job(spec, loader.seed_given, loader.concurrency_given);
    }
  }
  result.problems = problems.take();
  return result;
}

}  // namespace hdrive
