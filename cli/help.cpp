// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace hdrive::cli {
namespace {

constexpr int kIndent = 2;
constexpr int kTermWidth = 28;
constexpr int kUsageIndent = 7;  // "usage: "

// One entry of a list: its head, and its text wrapped beside it (below it, where the term is long).
std::string entry(const std::string& head, std::string_view text, int term_width, int width) {
  const std::string indent(kIndent, ' ');
  const std::string hanging(static_cast<std::size_t>(kIndent + term_width), ' ');
  std::string result = indent + head;
  const int room = std::max(20, width - kIndent - term_width);
  const bool below = display_width(head) + kIndent > term_width;
  bool first = !below;
  if (below) result += "\n";
  for (const std::string& line : wrap(text, room)) {
    result += first ? std::string(static_cast<std::size_t>(term_width - display_width(head)), ' ')
                    : hanging;
    result += line + "\n";
    first = false;
  }
  return result;
}

std::string paragraph(std::string_view text, int width) {
  std::string result;
  for (const std::string_view part : base::split(text, '\n'))
    for (const std::string& line : wrap(part, width)) result += line + "\n";
  return result;
}

int help_width() {
  const int width = output_width();
  return width <= 0 ? 100 : std::min(width, 100);
}

}  // namespace

std::string argument_head(const Argument& argument) {
  if (!argument.is_option()) return argument.value;
  const std::string names = base::join(argument.names, ", ");
  return argument.takes_value() ? names + " " + argument.value : names;
}

std::string_view selector_sentence() {
  return "SWEEP is an id, a unique beginning of one, a name, a directory, or `last`, the newest; "
         "SWEEP/RUN adds a run's number or `best`.";
}

std::vector<Meaning> exit_codes() {
  return {{"0", "done"},
          {"1", "it could not be done: a file, a database, a process"},
          {"2", "wrong usage or a wrong configuration; nothing was started"},
          {"3", "no run succeeded, or none has a value yet"},
          {"4", "no such sweep or run"},
          {"5", "the sweep stopped itself and kept its budget; hdrive resume goes on with it"},
          {"130", "ended before its time: Ctrl-C, SIGTERM, SIGHUP or `hdrive stop`"}};
}

std::vector<Meaning> environment_variables() {
  return {{"HDRIVE_HOME", "where sweeps are kept, instead of .hdrive"},
          {"NO_COLOR", "not empty: no live display and no escape codes"},
          {"TERM", "unset or dumb: the same"},
          {"COLUMNS", "the width of tables and help, instead of the terminal's"},
          {"HDRIVE_METRICS_FILE", "set for runs; where hdrive log appends"}};
}

std::string overview() {
  const int width = help_width();
  std::string result = paragraph(
      "hdrive: hyperparameter sweeps on machines you own\n\n"
      "usage: hdrive <command> [options]\n\ncommands:",
      width);
  for (const Verb& verb : verbs())
    if (!verb.hidden) result += entry(std::string(verb.name), verb.summary, 18, width);
  result +=
      "\nexamples:\n"
      "  hdrive run hdconfig.yml -- python train.py --epochs 20\n"
      "  hdrive status last\n"
      "  hdrive show last/best\n"
      "\n" +
      paragraph(selector_sentence(), width) +
      "\n"
      "exit codes:\n";
  for (const auto& [code, meaning] : exit_codes())
    result += entry(std::string(code), meaning, 6, width);
  return result + "\n`hdrive <command> --help` tells more of each command.\n";
}

std::string verb_help(const Verb& verb, const ArgumentParser& parser) {
  const int width = help_width();
  std::string result, indent;
  const std::string usage =
      fmt::format("usage: hdrive {}{}{}", verb.name, verb.usage.empty() ? "" : " ", verb.usage);
  for (const std::string& line : wrap(usage, width - kUsageIndent)) {
    result += indent + line + "\n";
    indent = std::string(kUsageIndent, ' ');
  }
  result += "\n" + paragraph(verb.details.empty() ? fmt::format("{}.", verb.summary)
                                                  : std::string(verb.details),
                             width);
  std::string positionals, options;
  for (const Argument& argument : parser.arguments()) {
    if (argument.hidden) continue;
    std::string& list = argument.is_option() ? options : positionals;
    list += entry(argument_head(argument), argument.description, kTermWidth, width);
  }
  if (!positionals.empty()) result += "\narguments:\n" + positionals;
  if (!options.empty()) result += "\noptions:\n" + options;
  if (!verb.examples.empty()) result += "\nexamples:\n";
  for (const std::string_view example : verb.examples) result += fmt::format("  {}\n", example);
  return result;
}

}  // namespace hdrive::cli
