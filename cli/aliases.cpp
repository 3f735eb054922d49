// SPDX-License-Identifier: Apache-2.0
#include "cli/aliases.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "hdrive/spec.h"

namespace hdrive::cli {
namespace {

using Becomes = AliasOption::Becomes;
using Options = std::vector<AliasOption>;

constexpr std::string_view kSelect =
    "hdrive does not select from what it prints; select from its JSON, as in: hdrive list -f json "
    "| jq -r '.[].sweep_id'";

// Taken everywhere: the workspace means nothing, and what is printed has a format.
const Options& common() {
  static const Options kTable{
      {{"-g", "--resource-group"}},
      {{"-w", "--workspace-name"}},
      {{"--subscription", "--subscription-id"}},
      {{"--query"}, Becomes::refused, kSelect},
      {{"--debug"}, Becomes::nothing, {}, false},
      {{"--verbose"}, Becomes::nothing, {}, false},
      {{"--only-show-errors"}, Becomes::nothing, {}, false},
  };
  return kTable;
}

Options job_name() { return {{{"-n", "--name"}, Becomes::positional}}; }
Options run_id_option() { return {{{"-r", "--run"}, Becomes::positional}}; }

Options with(Options options, const Options& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

const Options& formats() {
  static const Options kTable{{{"-o", "--output"}, Becomes::option, "-f"},
                              {{"--query"}, Becomes::value, "--get"},
                              {{"--web", "-e"}, Becomes::nothing, {}, false}};
  return kTable;
}

Options target_options() {
  return {{{"-n", "--name"}, Becomes::option, "-n"}, {{"-o", "--output"}, Becomes::option, "-f"}};
}

constexpr std::string_view kCreate =
    "hdrive target create NAME makes a target of machines (--host) or of a cluster (--type slurm)";

std::vector<Alias> make_table() {
  return {
      {"job create",
       "run",
       "--detach",
       "",
       {{{"-f", "--file"}, Becomes::positional},
        {{"-n", "--name"}, Becomes::option, "--name"},
        {{"--set"}, Becomes::option, "--set"},
        {{"-s", "--stream"}, Becomes::without, "--detach", false},
        {{"-t", "--output-metadata-file"}, Becomes::option, "-t"},
        {{"-a", "--save-as"}},
        {{"-o", "--output"}},
        {{"--query"}, Becomes::printed, "name"},
        {{"-e", "--web"}, Becomes::nothing, {}, false},
        {{"--skip-validation"}, Becomes::nothing, {}, false}}},
      {"job validate",
       "validate",
       "",
       "",
       {{{"-f", "--file"}, Becomes::positional}, {{"--set"}, Becomes::option, "--set"}}},
      {"job list",
       "list",
       "",
       "",
       {{{"-p", "--parent-job-name"}, Becomes::selector, "status"},
        {{"-o", "--output"}, Becomes::option, "-f"},
        {{"--tag"}, Becomes::option, "--tag"},
        {{"--max-results"}, Becomes::option, "--last"},
        {{"--all-results"}, Becomes::nothing, {}, false},
        {{"--archived-only"}, Becomes::nothing, {}, false},
        {{"--include-archived"}, Becomes::nothing, {}, false}}},
      {"job show", "show", "", "", with(job_name(), formats())},
      {"job stream", "attach", "", "", job_name()},
      {"job cancel", "stop", "", "", job_name()},
      {"job download", "download", "", "",
       with(job_name(), {{{"-p", "--download-path"}, Becomes::option, "-d"},
                         {{"--output-name"}, Becomes::option, "--output"},
                         {{"--all"}, Becomes::flag, "--all-files", false}})},
      {"job archive", "", "", "sweeps stay until hdrive delete or hdrive prune removes them"},
      {"job restore", "", "", "sweeps stay until hdrive delete or hdrive prune removes them"},
      {"job update", "", "", "hdrive update SWEEP --set KEY=VALUE changes a sweep's configuration"},
      {"job show-services", "", "", "a run is a process on this machine"},
      {"job connect-ssh", "", "", "a run is a process on this machine"},
      {"run submit-hyperdrive", "run", "", ""},
      {"run submit-script", "submit-script", "", ""},
      {"run submit-pipeline", "", "", "hdrive run FILE runs a v2 pipeline of sweeps and commands"},
      {"run list",
       "list",
       "",
       "",
       {{{"-e", "--experiment-name"}, Becomes::option, "--experiment"},
        {{"--parent-run-id"}, Becomes::selector, "status"},
        {{"-o", "--output"}, Becomes::option, "-f"},
        {{"--path"}},
        {{"--last"}, Becomes::option, "--last"},
        {{"--status"}, Becomes::option, "--status"},
        {{"--tags"}, Becomes::option, "--tag"},
        {{"--pipeline-run-id"},
         Becomes::refused,
         "the sweeps of a pipeline are called NAME.STEP: hdrive list --name NAME."},
        {{"--compute-target-name"},
         Becomes::refused,
         "hdrive list does not choose by target; hdrive list --tag NAME=VALUE does by tags, which "
         "the "
         "file of a sweep gives it"},
        {{"--minimal"}, Becomes::nothing, {}, false}}},
      {"run show", "show", "", "",
       with(run_id_option(), {{{"-o", "--output"}, Becomes::option, "-f"},
                              {{"--query"}, Becomes::value, "--get"},
                              {{"-e", "--experiment-name"}},
                              {{"--path"}}})},
      {"run cancel", "stop", "", "",
       with(run_id_option(), {{{"-e", "--experiment-name"}}, {{"--path"}}})},
      {"run monitor-logs", "logs", "-f", "",
       with(run_id_option(), {{{"-e", "--experiment-name"}}, {{"--path"}}})},
      {"run download-logs", "download", "", "",
       with(run_id_option(), {{{"-d", "--dir"}, Becomes::option, "-d"},
                              {{"-e", "--experiment-name"}},
                              {{"--path"}}})},
      {"run update", "update", "", "",
       with(run_id_option(),
            {{{"--add-tag"}, Becomes::tag, "--set"}, {{"-e", "--experiment-name"}}, {{"--path"}}})},
      {"run monitor-tensorboard", "", "",
       "tensorboard --logdir .hdrive/SWEEP/runs follows what the runs write to ./logs"},
      {"computetarget list", "target", "list", "", {{{"-o", "--output"}, Becomes::option, "-f"}}},
      {"computetarget show", "target", "show", "", target_options()},
      {"computetarget attach remote", "target", "attach", "",
       with(target_options(), {{{"-a", "--address"}, Becomes::option, "--host"},
                               {{"-u", "--username"}, Becomes::option, "--user"},
                               {{"--ssh-port"}, Becomes::option, "--port"},
                               {{"--private-key-file"}, Becomes::option, "--identity-file"},
                               {{"--use-ssh"}, Becomes::nothing, {}, false}})},
      {"computetarget attach", "", "", kCreate},
      {"computetarget create", "", "", kCreate},
      {"computetarget update", "", "", kCreate},
      {"computetarget detach", "target", "delete", "", target_options()},
      {"computetarget delete", "target", "delete", "", target_options()},
  };
}

const AliasOption* find_option(const Alias& alias, std::string_view name) {
  for (const Options* table : {&alias.options, &common()})
    for (const AliasOption& option : *table)
      if (std::find(option.names.begin(), option.names.end(), name) != option.names.end())
        return &option;
  return nullptr;
}

// What az calls it, in our words. Its formats are more than ours, and so are the stages that it
// tells apart: here a run is queued, or it runs; and a sweep is at work.
std::string our_value(std::string_view verb, std::string_view option, const std::string& value) {
  if (option == "-f") return value.starts_with("json") ? "json" : "table";
  if (option != "--status") return value;
  static constexpr std::array<std::string_view, 5> kBefore{"notstarted", "provisioning",
                                                           "preparing", "starting", "queued"};
  static constexpr std::array<std::string_view, 3> kUnderWay{"finalizing", "cancelrequested",
                                                             "notresponding"};
  const std::string word = base::lower(value);
  if (std::find(kBefore.begin(), kBefore.end(), word) != kBefore.end())
    return verb == "status" ? "queued" : "running";
  if (std::find(kUnderWay.begin(), kUnderWay.end(), word) != kUnderWay.end()) return "running";
  return word;
}

// The names that az gives what it prints of a job, and those of `hdrive show`.
std::string our_path(const std::string& path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kPaths{{
      {"name", "id"},
      {"runId", "id"},
      {"display_name", "name"},
      {"displayName", "name"},
      {"experiment_name", "experiment"},
      {"experimentName", "experiment"},
      {"properties.best_child_run_id", "best_run_id"},
      {"properties.score", "best_primary_metric"},
      {"objective.primary_metric", "primary_metric_name"},
      {"objective.goal", "primary_metric_goal"},
  }};
  for (const auto& [theirs, ours] : kPaths)
    if (path == theirs) return std::string(ours);
  return path;
}

// Rewrites the words behind an alias one by one.
class Rewriter {
 public:
  explicit Rewriter(const Alias& alias) : alias_(alias), verb_(alias.verb) {}

  Rewritten rewrite(const std::vector<std::string>& words) {
    // Without rows of its own it takes what its verb takes.
    if (alias_.options.empty()) rest_ = words;
    choose_verb(words);
    for (std::size_t i = 0; i < words.size() && !alias_.options.empty(); ++i) {
      const std::size_t equals =
          words[i].starts_with("--") ? words[i].find('=') : std::string::npos;
      const std::string name = words[i].substr(0, equals);
      const AliasOption* option = name.starts_with('-') ? find_option(alias_, name) : nullptr;
      if (!option) {
        rest_.push_back(words[i]);
        continue;
      }
      std::vector<std::string> values;
      if (equals != std::string::npos)
        values.push_back(words[i].substr(equals + 1));
      else if (option->takes_value)
        while (i + 1 < words.size() && !words[i + 1].starts_with('-') &&
               (values.empty() || name == "--set"))
          values.push_back(words[++i]);
      take(*option, name, values);
    }
    return result();
  }

 private:
  // A verb that an option chooses is known before the values of the others are put in its words.
  void choose_verb(const std::vector<std::string>& words) {
    for (const std::string& word : words)
      if (const AliasOption* option = find_option(alias_, word.substr(0, word.find('=')));
          option && option->becomes == Becomes::selector)
        verb_ = option->to;
  }

  void take(const AliasOption& option, const std::string& name,
            const std::vector<std::string>& values) {
    switch (option.becomes) {
      case Becomes::positional:
      case Becomes::selector:
        front_.insert(front_.end(), values.begin(), values.end());
        break;
      case Becomes::value:
        for (const std::string& value : values) {
          rest_.emplace_back(option.to);
          rest_.push_back(our_path(value));
        }
        break;
      case Becomes::tag:
        for (const std::string& value : values) {
          rest_.emplace_back(option.to);
          rest_.push_back("tags." + value + (value.find('=') == std::string::npos ? "=" : ""));
        }
        break;
      case Becomes::printed:
        if (values != std::vector<std::string>{std::string(option.to)})
          refused_ = fmt::format(
              "{}: what is printed is the {} alone; hdrive show SWEEP --get KEY "
              "prints something else of it",
              name, option.to);
        break;
      case Becomes::refused:
        refused_ = fmt::format("{}: {}", name, option.to);
        break;
      case Becomes::option:
        for (const std::string& value : values) {
          rest_.emplace_back(option.to);
          rest_.push_back(our_value(verb_, option.to, value));
        }
        break;
      case Becomes::flag:
        rest_.emplace_back(option.to);
        break;
      case Becomes::without:
        always_ = false;
        break;
      case Becomes::nothing:
        ignored_.push_back(name);
        break;
    }
  }

  Rewritten result() {
    Rewritten result{&alias_, {}, std::move(ignored_), std::move(refused_)};
    if (alias_.verb.empty()) return result;
    result.arguments.emplace_back(verb_);
    for (std::string& word : front_) result.arguments.push_back(std::move(word));
    if (always_ && !alias_.always.empty()) result.arguments.emplace_back(alias_.always);
    for (std::string& word : rest_) result.arguments.push_back(std::move(word));
    return result;
  }

  const Alias& alias_;
  std::string_view verb_;
  bool always_ = true;
  std::vector<std::string> front_, rest_, ignored_;
  std::string refused_;
};

std::string option_text(const Alias& alias, const AliasOption& option) {
  switch (option.becomes) {
    case Becomes::positional:
      return "its value, alone";
    case Becomes::selector:
      return fmt::format("`hdrive {}` with its value", option.to);
    case Becomes::option:
    case Becomes::flag:
      return fmt::format("`{}`", option.to);
    case Becomes::value:
      return fmt::format("`{}`, by the names of `hdrive {} -f json`", option.to, alias.verb);
    case Becomes::tag:
      return fmt::format("`{} tags.NAME=VALUE`", option.to);
    case Becomes::printed:
      return fmt::format("nothing where it is `{}`, which is what is printed; else refused",
                         option.to);
    case Becomes::refused:
      return fmt::format("refused: {}", option.to);
    case Becomes::without:
      return fmt::format("no `{}`", alias.always);
    case Becomes::nothing:
      break;
  }
  return "nothing";
}

std::string names_text(const AliasOption& option) {
  std::vector<std::string> names(option.names.begin(), option.names.end());
  return "`" + base::join(names, "`, `") + "`";
}

constexpr std::string_view kHead = R"(# Azure's commands, and hdrive's

This page is generated: `hdrive config-reference --azure-cli > docs/azure-cli.md`.

Command lines of `az ml` run with `hdrive` in the place of `az ml`. Each of these spellings is an alias of one of hdrive's verbs, which takes
that verb's own options, too, and says the short way in one line on the standard error. A file called as the second word goes before
an alias: `hdrive run list` runs the configuration `list` where there is one.
)";

}  // namespace

const std::vector<Alias>& aliases() {
  static const std::vector<Alias> table = make_table();
  return table;
}

std::optional<Rewritten> rewrite_alias(const std::vector<std::string>& words) {
  if (words.size() < 2) return std::nullopt;
  std::error_code ignored;
  if (words[0] == "run" && std::filesystem::exists(words[1], ignored)) return std::nullopt;
  // "computetarget attach remote" before "computetarget attach".
  for (const std::ptrdiff_t count : {3, 2}) {
    if (words.size() < static_cast<std::size_t>(count)) continue;
    const std::string spelling = base::join({words.begin(), words.begin() + count}, " ");
    for (const Alias& alias : aliases())
      if (alias.words == spelling)
        return Rewriter(alias).rewrite({words.begin() + count, words.end()});
  }
  return std::nullopt;
}

std::string short_way(const Rewritten& rewritten) {
  std::string text = fmt::format("\"{}\": the short way is hdrive {}", rewritten.alias->words,
                                 shell_quote(rewritten.arguments));
  if (!rewritten.ignored.empty())
    text += fmt::format(" ({} {} nothing here)", base::join(rewritten.ignored, ", "),
                        rewritten.ignored.size() == 1 ? "means" : "mean");
  return text;
}

std::vector<std::string> aliases_behind(std::string_view word) {
  std::vector<std::string> result;
  for (const Alias& alias : aliases())
    if (alias.words.starts_with(std::string(word) + " "))
      result.emplace_back(alias.words.substr(word.size() + 1));
  return result;
}

std::string alias_reference() {
  std::string page(kHead);
  page += "\n| az ml | hdrive |\n|---|---|\n";
  for (const Alias& alias : aliases()) {
    const std::string always = alias.always.empty() ? "" : " " + std::string(alias.always);
    page += fmt::format("| `{}` | {} |\n", alias.words,
                        alias.verb.empty() ? "refused: " + std::string(alias.says)
                                           : fmt::format("`hdrive {}{}`", alias.verb, always));
  }
  page +=
      "\nTheir options that are not the verb's own:\n\n| az ml | option | becomes "
      "|\n|---|---|---|\n";
  for (const AliasOption& option : common())
    page += fmt::format("| all | {} | {} |\n", names_text(option), option_text({}, option));
  for (const Alias& alias : aliases())
    for (const AliasOption& option : alias.options)
      page += fmt::format("| `{}` | {} | {} |\n", alias.words, names_text(option),
                          option_text(alias, option));
  return page;
}

}  // namespace hdrive::cli
