// SPDX-License-Identifier: Apache-2.0
//
// Readers of the top-level keys that need more than their kind and range checked.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <system_error>

#include "base/text.h"
#include "base/unicode.h"
#include "config/key_check.h"
#include "config/load.h"
#include "config/quantity.h"
#include "hdrive/target.h"

namespace hdrive::config {
namespace {

// Set for each run by hdrive itself, after what the configuration says.
bool is_reserved(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "AZUREML_RUN_ID",     "HDRIVE_ATTEMPT",    "HDRIVE_LOGS_DIR",   "HDRIVE_METRICS_FILE",
      "HDRIVE_OUTPUTS_DIR", "HDRIVE_PARAMETERS", "HDRIVE_RUN_DIR",    "HDRIVE_RUN_ID",
      "HDRIVE_RUN_NUMBER",  "HDRIVE_SEED",       "HDRIVE_SOURCE_DIR", "HDRIVE_SWEEP_ID"};
  return name.starts_with("AZUREML_SWEEP_") ||
         std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

void add_pattern(Loader& loader, const Node& node) {
  if (!node.is(Node::Kind::text)) {
    loader.problems.error(node.place, "a metric pattern is " + describe(node) +
                                          "; allowed: a regular expression as text" +
                                          quoting_advice(loader.problems, node));
    return;
  }
  if (const auto fault = metric_pattern_fault(node.text))
    loader.problems.error(
        node.place, "the metric pattern " + in_quotes(node.text) + " cannot be used: " + *fault);
  else
    loader.spec.metric_patterns.push_back(node.text);
}

}  // namespace

void read_goal(Loader& loader, const Entry& entry) {
  const std::string word = base::fold(entry.value->text);
  if (word == "maximize" || word == "minimize") {
    loader.spec.goal = word == "maximize" ? Goal::maximize : Goal::minimize;
    return;
  }
  std::string hint = base::did_you_mean(entry.value->text, {"Maximize", "Minimize"});
  if (word == "max") hint = " did you mean \"Maximize\"?";
  if (word == "min") hint = " did you mean \"Minimize\"?";
  loader.problems.error(entry.value->place,
                        "unknown " + entry.key + " " + in_quotes(entry.value->text) +
                            "; allowed: Maximize, Minimize" + (hint.empty() ? "" : ";" + hint));
}

namespace {

// The one of `allowed` that the entry names, in any case; else an error.
template <class Enum>
void read_word(Loader& loader, const Entry& entry, std::initializer_list<Enum> allowed,
               Enum& value) {
  std::vector<std::string> words;
  for (const Enum each : allowed) {
    words.emplace_back(to_string(each));
    if (base::fold(entry.value->text) != base::fold(words.back())) continue;
    value = each;
    return;
  }
  const std::string hint = base::did_you_mean(entry.value->text, words);
  loader.problems.error(entry.value->place, "unknown " + entry.key + " " +
                                                in_quotes(entry.value->text) +
                                                "; allowed: " + base::join(words, ", ") +
                                                (hint.empty() ? "" : ";" + hint));
}

}  // namespace

void read_working_directory(Loader& loader, const Entry& entry) {
  read_word(loader, entry, {WorkingDirectory::run, WorkingDirectory::source},
            loader.spec.working_directory);
}

void read_keep_work(Loader& loader, const Entry& entry) {
  read_word(loader, entry, {KeepWork::never, KeepWork::failed, KeepWork::always},
            loader.spec.keep_work);
}

void read_mlflow(Loader& loader, const Entry& entry) {
  read_word(loader, entry, {MlflowServer::automatic, MlflowServer::always, MlflowServer::never},
            loader.spec.mlflow);
}

void read_azureml_sdk(Loader& loader, const Entry& entry) {
  read_word(loader, entry, {AzuremlSdk::stand_in, AzuremlSdk::real, AzuremlSdk::automatic},
            loader.spec.azureml_sdk);
}

namespace {

enum class MetricSource { file, tensorboard };
std::string_view to_string(MetricSource source) {
  return source == MetricSource::file ? "file" : "tensorboard";
}

}  // namespace

void read_metric_source(Loader& loader, const Entry& entry) {
  MetricSource source = MetricSource::file;
  read_word(loader, entry, {MetricSource::file, MetricSource::tensorboard}, source);
  loader.spec.tensorboard_metrics = source == MetricSource::tensorboard;
}

void read_snapshot_max_file(Loader& loader, const Entry& entry) {
  if (const auto bytes = bytes_of(*entry.value))
    loader.spec.snapshot_max_file = *bytes;
  else
    loader.problems.error(entry.value->place,
                          in_quotes(entry.key) + " is " + describe(*entry.value) +
                              "; allowed: a size such as 500 kB, 10 MB or 2 GB, or a number of "
                              "bytes");
}

void read_seed(Loader& loader, const Entry& entry) {
  const Node& node = *entry.value;
  if (!node.is(Node::Kind::integer) || node.negative || node.overflow)
    return loader.problems.error(
        node.place,
        "\"seed\" is " + describe(node) + "; allowed: an integer from 0 to 18446744073709551615");
  loader.spec.seed = node.magnitude;
  loader.seed_given = true;
}

void read_name(Loader& loader, const Entry& entry) {
  const std::string& name = entry.value->text;
  if (name.find('/') != name.npos || base::has_control(name))
    return loader.problems.error(entry.value->place,
                                 "\"name\" is " + in_quotes(name) +
                                     "; allowed: text without slashes and control characters");
  if (name == "last")
    return loader.problems.error(entry.value->place,
                                 "\"name\" is \"last\"; allowed: any other word, since this one "
                                 "stands for the newest sweep");
  loader.spec.name = name;
}

void report_missing(Loader& loader, Place place, std::string text) {
  if (loader.overrides.needs_command || loader.overrides.needs_files)
    loader.problems.error(place, std::move(text));
  else
    loader.problems.warn(place, std::move(text));
}

void read_source_directory(Loader& loader, const Entry& entry) {
  std::filesystem::path path = loader.directory / entry.value->text;
  path = path.lexically_normal();
  if (!path.has_filename() && path != path.root_path()) path = path.parent_path();
  loader.spec.source_directory = path;
  std::error_code error;
  if (!loader.overrides.source_directory.empty() || std::filesystem::is_directory(path, error))
    return;
  // A finished sweep can be shown after its sources are gone; none can be started without them.
  const std::string text = "\"source_directory\" is " + in_quotes(entry.value->text) + ", but " +
                           in_quotes(path.string()) +
                           " is not a directory; allowed: one that exists";
  report_missing(loader, entry.value->place, text);
}

std::optional<std::string> scalar_text(Problems& problems, const Node& node,
                                       std::string_view what) {
  if (!node.is_scalar() || node.is(Node::Kind::null)) {
    problems.error(node.place, std::string(what) + " is " + describe(node) +
                                   "; allowed: text (an empty one is written \"\")");
    return std::nullopt;
  }
  if (node.text.find('\0') != std::string::npos) {
    problems.error(node.place, std::string(what) + " is " + describe(node) +
                                   "; allowed: text without zero bytes");
    return std::nullopt;
  }
  return node.text;
}

namespace {

constexpr double kDaySeconds = 24 * 60 * 60;

std::optional<double> grace_from(const std::string& text) {
  const auto seconds = base::parse_number(text);
  return seconds && *seconds >= 0 && *seconds <= kDaySeconds ? seconds : std::nullopt;
}

}  // namespace

void read_cancel_grace(Loader& loader) {
  const auto& variables = loader.spec.environment_variables;
  const auto found = variables.find(std::string(kKillTimeout));
  if (found == variables.end() || loader.given.contains("cancel_grace_seconds")) return;
  if (const auto seconds = grace_from(found->second))
    loader.spec.cancel_grace = std::chrono::milliseconds(std::llround(*seconds * 1000));
}

void add_environment_variable(Loader& loader, const Entry& entry,
                              std::map<std::string, std::string>& to) {
  const auto text = scalar_text(loader.problems, *entry.value,
                                "the environment variable " + in_quotes(entry.key));
  if (entry.key.empty() || entry.key.find('=') != std::string::npos ||
      entry.key.find('\0') != std::string::npos)
    return loader.problems.error(entry.place,
                                 in_quotes(entry.key) +
                                     " cannot be the name of an environment variable; allowed: "
                                     "text without \"=\"");
  if (is_reserved(entry.key))
    return loader.problems.warn(entry.place,
                                "the environment variable " + in_quotes(entry.key) +
                                    " is set by hdrive itself; this value is not used");
  if (text && entry.key == kKillTimeout && !grace_from(*text))
    return loader.problems.error(
        entry.value->place,
        in_quotes(entry.key) + " is " + in_quotes(*text) + "; allowed: seconds from 0 to 86400");
  if (text) to[entry.key] = *text;
}

void read_environment(Loader& loader, const Entry& entry) {
  for (const Entry& variable : entry.value->entries)
    add_environment_variable(loader, variable, loader.spec.environment_variables);
}

std::map<std::string, std::string> tags_of(const Node& node, Problems& problems) {
  std::map<std::string, std::string> tags;
  for (const Entry& tag : node.entries) {
    const Node& value = *tag.value;
    const auto text = value.is(Node::Kind::null)
                          ? std::optional<std::string>("")
                          : scalar_text(problems, value, "the tag " + in_quotes(tag.key));
    if (tag.key.empty() || tag.key.find_first_of("=\n") != std::string::npos)
      problems.error(tag.place, in_quotes(tag.key) +
                                    " cannot be the name of a tag; allowed: "
                                    "one line without \"=\"");
    else if (text)
      tags[tag.key] = *text;
  }
  return tags;
}

void read_metric_patterns(Loader& loader, const Entry& entry) {
  const Node& node = *entry.value;
  if (!node.is(Node::Kind::list)) return add_pattern(loader, node);
  for (const NodePtr& item : node.items) add_pattern(loader, *item);
}

std::vector<std::string> read_words(Loader& loader, const Entry& entry, std::string_view what) {
  const Node& node = *entry.value;
  std::vector<std::string> words;
  const auto add = [&](const Node& each) {
    const auto word = scalar_text(loader.problems, each,
                                  "a " + std::string(what) + " of " + in_quotes(entry.key));
    if (!word) return;
    if (word->empty())
      loader.problems.error(each.place, in_quotes(entry.key) + " names an empty " +
                                            std::string(what) + "; allowed: one that there is");
    else
      words.push_back(*word);
  };
  if (!node.is(Node::Kind::list)) add(node);
  for (const NodePtr& item : node.items) add(*item);
  return words;
}

std::vector<std::string> read_hook(Loader& loader, const Entry& entry) {
  const Node& node = *entry.value;
  const std::string key = in_quotes(entry.key);
  if (node.is(Node::Kind::text) && !node.text.empty()) {
    const auto text = scalar_text(loader.problems, node, key);
    return text ? std::vector<std::string>{"/bin/sh", "-c", *text} : std::vector<std::string>{};
  }
  std::vector<std::string> words;
  if (!node.is(Node::Kind::list) || node.items.empty()) {
    loader.problems.error(
        node.place,
        key + " is " + (node.is(Node::Kind::list) ? std::string("an empty list") : describe(node)) +
            "; allowed: a list of words, or one text for `sh -c`");
    return words;
  }
  for (const NodePtr& item : node.items)
    if (auto word = scalar_text(loader.problems, *item, "a word of " + key))
      words.push_back(*std::move(word));
  return words;
}

// Numbers, and the names that drivers give ("GPU-8f1c...", "MIG-...").
void read_gpus(Loader& loader, const Entry& entry) {
  const Node& node = *entry.value;
  auto& gpus = loader.spec.gpus;
  gpus.clear();
  if (node.is(Node::Kind::text) && base::lower(node.text) == "auto") {
    gpus = {"auto"};
    return;
  }
  if (!node.is(Node::Kind::list))
    return loader.problems.error(node.place,
                                 "\"gpus\" is " + describe(node) +
                                     "; allowed: auto, or a list of GPU numbers such as [0, 1, 3]");
  for (const NodePtr& item : node.items) {
    const auto number = item->integer();
    const bool name = item->is(Node::Kind::text) && !item->text.empty() &&
                      item->text.find_first_of(", \t\n\0") == std::string::npos;
    if (!name && (!number || *number < 0)) {
      loader.problems.error(
          item->place, "a GPU is " + describe(*item) +
                           "; allowed: its number from 0, or its name as nvidia-smi -L gives it");
      continue;
    }
    std::string gpu = name ? item->text : std::to_string(*number);
    if (std::find(gpus.begin(), gpus.end(), gpu) != gpus.end())
      loader.problems.error(item->place, "GPU " + gpu + " is listed twice");
    else
      gpus.push_back(std::move(gpu));
  }
}

void read_gpus_per_run(Loader& loader, const Entry& entry) {
  const double gpus = entry.value->number;
  if (gpus > 1 && gpus != std::floor(gpus))
    return loader.problems.error(entry.value->place,
                                 "\"gpus_per_run\" is " + describe(*entry.value) +
                                     "; allowed: a whole number of GPUs, or a part of one below 1");
  loader.spec.gpus_per_run = gpus;
}

// "3x5": the best three, five times each.
void read_repeat_best(Loader& loader, const Entry& entry) {
  constexpr std::int64_t kMost = 10'000;
  const std::string& text = entry.value->text;
  const auto part = [&](std::size_t from, std::size_t to) -> std::int64_t {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data() + from, text.data() + to, number);
    return error == std::errc() && end == text.data() + to && number <= kMost ? number : 0;
  };
  const std::size_t cross = std::min(text.find('x'), text.size());
  const std::int64_t runs = part(0, cross);
  const std::int64_t times = cross < text.size() ? part(cross + 1, text.size()) : 0;
  if (runs < 1 || times < 1)
    return loader.problems.error(
        entry.value->place,
        "\"repeat_best\" is " + describe(*entry.value) +
            "; allowed: how many of the best parameter sets, and how often each, "
            "each from 1 to 10000, such as 3x5");
  loader.spec.repeat_best = {runs, times};
}

void read_command(Loader& loader, const Entry& entry) {
  const Node& node = *entry.value;
  if (node.is(Node::Kind::text)) {
    auto words = split_words(node.text);
    if (!words) return loader.problems.error(node.place, "\"command\": " + words.error().what);
    if (node.text.find('\0') != std::string::npos || words->empty())
      return loader.problems.error(node.place, "\"command\" is " + describe(node) +
                                                   "; allowed: a program and its arguments");
    loader.spec.command = *std::move(words);
    loader.command_places.assign(loader.spec.command.size(), node.place);
    return;
  }
  if (!node.is(Node::Kind::list) || node.items.empty())
    return loader.problems.error(
        node.place,
        "\"command\" is " +
            (node.is(Node::Kind::list) ? std::string("an empty list") : describe(node)) +
            "; allowed: a list of words, or one text that is split into words as a "
            "shell would" +
            quoting_advice(loader.problems, node));
  for (const NodePtr& item : node.items) {
    const auto word = scalar_text(loader.problems, *item, "a word of \"command\"");
    if (!word) continue;
    loader.spec.command.push_back(*word);
    loader.command_places.push_back(item->place);
  }
}

}  // namespace hdrive::config
