// SPDX-License-Identifier: Apache-2.0
//
// The places where runs can go: what targets.yml says of them, and trying one.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/azure_arguments.h"
#include "cli/config_arguments.h"
#include "cli/listing.h"
#include "cli/lookup.h"
#include "cli/signals.h"
#include "cli/targets.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/target_test.h"
#include "hdrive/targets.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string action = "list", name, option_name, type, user, port, identity_file;
  std::vector<std::string> hosts, set;
  std::string slots, output_dir;
  bool global = false;
  Format format = Format::table;
  AzureArguments azure;
};

// What is wrong with one target does not keep the others from being listed.
LoadedTargets load_and_report() {
  LoadedTargets loaded = load_targets(targets_files_here());
  for (const Problem& problem : loaded.problems) complain(printable(problem.message()));
  return loaded;
}

NamedTarget target_or_fail(const LoadedTargets& loaded, const std::string& name) {
  auto found = find_targets(loaded, {name});
  if (!found) fail(kNotFound, found.error());
  return std::move(found->front());
}

std::string slots_text(const NamedTarget& target) {
  const auto slots = slots_of(target);
  return slots ? std::to_string(*slots) : "auto";
}

// Where a target is: the hosts, the partition, the batch system.
std::string place_text(const NamedTarget& target) {
  if (const auto* ssh = std::get_if<SshOptions>(&target.options)) {
    std::vector<std::string> hosts;
    for (const SshHost& host : ssh->hosts) hosts.push_back(host.host);
    return base::join(hosts, ", ");
  }
  if (const auto* slurm = std::get_if<SlurmOptions>(&target.options)) return slurm->partition;
  if (const auto* command = std::get_if<CommandOptions>(&target.options)) {
    const std::string system = command->system.empty() ? command->submit.front() : command->system;
    return command->queue.empty() ? system : system + " " + command->queue;
  }
  return "this machine";
}

int list(const Options& options) {
  LoadedTargets loaded = load_and_report();
  loaded.targets.insert(loaded.targets.begin(),
                        value_or_fail(find_targets(loaded, {"local"})).front());
  Listing listing;
  listing.columns = {{"name", "TARGET", Align::left, 8},
                     {"type", "TYPE"},
                     {"slots", "SLOTS", Align::right},
                     {"place", "PLACE", Align::left, 8, 2},
                     {"file", "FILE", Align::left, 8, 1}};
  const auto add = [&](const NamedTarget& target, bool hidden) {
    const std::string file =
        target.file.empty() ? "" : fmt::format("{}:{}", target.file.string(), target.line);
    const auto slots = slots_of(target);
    listing.rows.push_back({{target.name, printable(target.name) + (hidden ? " (hidden)" : "")},
                            {target.type, target.type},
                            {JsonValue(slots), slots_text(target)},
                            {place_text(target), printable(place_text(target))},
                            {file, printable(file)}});
  };
  for (const NamedTarget& target : loaded.targets) add(target, false);
  for (const NamedTarget& target : loaded.hidden) add(target, true);
  write(listing, options.format);
  return loaded.ok() ? kDone : kWrong;
}

int show(const Options& options) {
  const NamedTarget target = target_or_fail(load_and_report(), options.name);
  if (options.format == Format::json) {
    std::string keys;
    for (const auto& [key, value] : target.written)
      keys += (keys.empty() ? "" : ",") + base::json_string(key) + ":" + base::json_string(value);
    print(fmt::format("{{\"name\":{},\"type\":{},\"file\":{},\"line\":{},\"keys\":{{{}}}}}\n",
                      base::json_string(target.name), base::json_string(target.type),
                      base::json_string(target.file.string()), target.line, keys));
    return kDone;
  }
  print(fmt::format("name: {}\n", printable(target.name)));
  if (target.written.empty()) print(fmt::format("type: {}\n", target.type));
  for (const auto& [key, value] : target.written)
    print(fmt::format("{}: {}\n", printable(key), printable(value)));
  if (!target.file.empty())
    print(fmt::format("file: {}:{}\n", printable(target.file.string()), target.line));
  return kDone;
}

// ---- changes -------------------------------------------------------------------------------------

fs::path file_for_new(const Options& options) {
  const auto files = targets_files_here();
  if (!options.global) return kTargetsFile;
  if (files.size() < 2)
    fail(kWrong,
         "--global: neither XDG_CONFIG_HOME nor HOME says where the user's configuration is");
  return files[1];
}

// The file that has the target, sound or not.
fs::path file_of(const Options& options) {
  if (options.global) return file_for_new(options);
  const LoadedTargets loaded = load_targets(targets_files_here());
  for (const NamedTarget& target : loaded.targets)
    if (target.name == options.name) return target.file;
  for (const fs::path& file : loaded.files) {
    const LoadedTargets alone = load_targets({file});
    if (std::find(alone.faulty.begin(), alone.faulty.end(), options.name) != alone.faulty.end())
      return file;
  }
  auto found = find_targets(loaded, {options.name});
  if (!found) fail(kNotFound, found.error());
  fail(kWrong,
       fmt::format("target {}: this machine is always there and has no options", options.name));
}

std::vector<std::pair<std::string, std::string>> settings_of(const Options& options, bool is_new) {
  auto set = parse_settings(options.set);
  const auto has = [&](std::string_view key) {
    return std::any_of(set.begin(), set.end(), [&](const auto& pair) { return pair.first == key; });
  };
  if (!options.slots.empty()) set.insert(set.begin(), {"slots", options.slots});
  if (!options.hosts.empty()) {
    // Mappings, whose keys can be set later one by one.
    std::vector<std::string> hosts;
    for (const std::string& host : options.hosts) {
      std::string text = "{host: " + base::json_string(host);
      if (!options.port.empty()) text += ", port: " + options.port;
      if (!options.user.empty()) text += ", user: " + base::json_string(options.user);
      if (!options.identity_file.empty())
        text +=
            ", identity_file: " + base::json_string(fs::absolute(options.identity_file).string());
      hosts.push_back(text + "}");
    }
    set.insert(set.begin(), {"hosts", "[" + base::join(hosts, ", ") + "]"});
  } else if (!options.identity_file.empty() || !options.user.empty() || !options.port.empty()) {
    fail(kWrong,
         "--user, --port and --identity-file are those of a --host; of one that is there already "
         "they "
         "are changed by --set, as in --set hosts.0.port=2201");
  }
  if (!options.type.empty())
    set.insert(set.begin(), {"type", options.type});
  else if (is_new && !has("type"))
    set.insert(set.begin(), {"type", options.hosts.empty() ? "" : "ssh"});
  if (is_new && set.front().second.empty())
    fail(kWrong, "target create: --type is wanted: ssh, slurm or command");
  return set;
}

int change(const Options& options, TargetEdit::Kind kind) {
  if (options.name.empty())
    fail(kWrong, fmt::format("target {0}: a name is wanted, as in: hdrive target {0} workstation",
                             options.action));
  const fs::path file = kind == TargetEdit::Kind::add ? file_for_new(options) : file_of(options);
  std::error_code error;
  std::string text;
  if (fs::exists(file, error)) text = value_or_fail(base::read_file(file, 1 << 20));
  TargetEdit edit{kind, options.name, {}};
  if (kind != TargetEdit::Kind::remove)
    edit.set = settings_of(options, kind == TargetEdit::Kind::add);
  if (kind == TargetEdit::Kind::change && edit.set.empty())
    fail(kWrong, "target update: what is to change? --set KEY=VALUE, as in --set slots=4");
  const EditedTargets edited = edit_targets(text, file, edit);
  report_problems(edited.problems, Purpose::look);
  if (file.has_parent_path()) ok_or_fail(base::make_directories(file.parent_path()));
  ok_or_fail(base::write_output(file, edited.text));
  print(fmt::format("{} {} in {}\n", printable(options.name),
                    kind == TargetEdit::Kind::add      ? "added"
                    : kind == TargetEdit::Kind::change ? "changed"
                                                       : "removed",
                    printable(file.string())));
  return kDone;
}

// ---- trying one ----------------------------------------------------------------------------------

int test(const Options& options) {
  const NamedTarget named = target_or_fail(load_and_report(), options.name);
  const StopSignal stop;
  const SignalWatcher watcher(stop);
  bool passed = true;
  const auto tell_step = [&](const TargetTestStep& step) {
    print(fmt::format(
        "{} {}{}\n", step.passed ? "ok  " : "FAIL", step.name,
        step.detail.empty() ? "" : ": " + base::join(printable_lines(step.detail), "\n     ")));
    if (!step.advice.empty()) print(fmt::format("     {}\n", printable(step.advice)));
    passed &= step.passed;
  };
  LocalTargetOptions runs;
  runs.command_path = own_directory();
  ok_or_fail(test_target(named, runs, new_home_directory(options.output_dir), stop, tell_step));
  if (stop.level() > 0) return kInterrupted;
  return passed ? kDone : kCannot;
}

int act(Options& options) {
  if (!options.option_name.empty()) {
    if (!options.name.empty() && options.name != options.option_name)
      fail(kWrong, fmt::format("target {}: two names are given, \"{}\" and \"{}\"", options.action,
                               options.name, options.option_name));
    options.name = options.option_name;
  }
  if (options.action == "list") {
    if (!options.name.empty())
      fail(kWrong,
           fmt::format("target list: unexpected argument \"{}\"; hdrive target show {} shows one",
                       options.name, options.name));
    return list(options);
  }
  if (options.action == "show" || options.action == "test") {
    if (options.name.empty())
      fail(kWrong, fmt::format("target {}: a name is wanted; hdrive target list shows them",
                               options.action));
    return options.action == "show" ? show(options) : test(options);
  }
  return change(options, options.action == "update"   ? TargetEdit::Kind::change
                         : options.action == "delete" ? TargetEdit::Kind::remove
                                                      : TargetEdit::Kind::add);
}

}  // namespace

Action setup_target(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  parser.choice("action", options->action,
                {"list", "create", "attach", "show", "test", "update", "delete"}, "ACTION",
                "list (the default), create, attach, show, test, update or delete");
  parser.text("name", options->name, "NAME", "The target's name");
  parser.text("-n,--name", options->option_name, "NAME", "The same, as az ml has it");
  parser
      .text("--type", options->type, "TYPE",
            "Of create: ssh, slurm or command; ssh where a --host is given")
      .suggestions = {"ssh", "slurm", "command"};
  parser.texts("--host", options->hosts, "HOST",
               "A host of an ssh target: node1, ada@node1 or ada@node1:2201");
  parser.text("--user", options->user, "USER", "Who logs in to these hosts");
  parser.text("--port", options->port, "PORT", "The port of their ssh servers");
  parser.text("--identity-file", options->identity_file, "FILE", "The private key for these hosts")
      .completion = Completion::files;
  parser.text("--slots", options->slots, "N", "How many runs are there at once");
  parser.texts("--set", options->set, "KEY=VALUE",
               "Set a key of targets.yml, a dotted one too (hosts.0.port=2201); may be repeated");
  parser.flag("--global", options->global,
              "Use the user's targets.yml instead of the working directory's");
  add_workspace_options(parser, options->azure);
  add_format_option(parser, options->format);
  add_home_option(parser, options->output_dir);
  return [options] { return act(*options); };
}

}  // namespace hdrive::cli
