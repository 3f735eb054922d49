// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <map>

#include "base/text.h"
#include "cli/aliases.h"
#include "cli/argument_parser.h"
#include "cli/help.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {
namespace {

int run_verb(const Verb& verb, std::vector<std::string> arguments) {
  ArgumentParser parser;
  const Action action = verb.setup(parser, arguments);
  const auto parsed = parser.parse(std::move(arguments));
  if (!parsed)
    fail(kWrong,
         fmt::format("{}: {} (see: hdrive {} --help)", verb.name, parsed.error().what, verb.name));
  if (*parsed == ArgumentParser::Parsed::help) {
    print(verb_help(verb, parser));
    return kDone;
  }
  try {
    return action();
  } catch (Failure& failure) {
    if (failure.error) failure.message = error_text(*failure.error, parser.home());
    throw;
  }
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  for (const Verb& verb : verbs())
    if (!verb.hidden) names.emplace_back(verb.name);
  return names;
}

// What users of other programs call our verbs.
std::string verb_meant_by(const std::string& word) {
  static const std::map<std::string, std::string> kOthers{
      {"ls", "list"},       {"ps", "list"},        {"sweeps", "list"},   {"kill", "stop"},
      {"cancel", "stop"},   {"abort", "stop"},     {"follow", "attach"}, {"tail", "logs"},
      {"cat", "logs"},      {"rm", "delete"},      {"remove", "delete"}, {"clean", "prune"},
      {"start", "run"},     {"submit", "run"},     {"search", "run"},    {"continue", "resume"},
      {"restart", "retry"}, {"info", "show"},      {"describe", "show"}, {"results", "status"},
      {"runs", "status"},   {"check", "validate"}, {"draw", "sample"},   {"add", "enqueue"},
      {"set", "update"},    {"edit", "update"}};
  if (const auto known = kOthers.find(word); known != kOthers.end())
    return find_verb(known->second) ? known->second : "";
  const auto guess = base::nearest(word, verb_names());
  // Short words are near to anything: a wrong guess is worse than none.
  return guess && (guess->front() == word.front() || guess->size() == word.size()) ? *guess : "";
}

std::string unknown_verb(const std::vector<std::string>& words) {
  const std::string& word = words[0];
  if (word.starts_with('-')) return fmt::format("unknown option \"{}\"", word);
  if (const auto behind = aliases_behind(word); !behind.empty()) {
    const bool alone = words.size() < 2 || words[1].starts_with('-');
    const std::string meant = alone ? "" : base::did_you_mean(words[1], behind);
    return fmt::format("\"{0}{1} is no command; of Azure's there are {0} {2}{3}{4}", word,
                       alone ? "\" alone" : " " + words[1] + "\"", base::join(behind, ", "),
                       meant.empty() ? "" : ";", meant);
  }
  const std::string meant = verb_meant_by(word);
  return fmt::format("unknown command \"{}\"{}", word,
                     meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant));
}

// Azure's spelling of a command line becomes ours, and the user hears of the short way.
void take_alias(std::vector<std::string>& arguments) {
  const auto rewritten = rewrite_alias(arguments);
  if (!rewritten) return;
  if (rewritten->arguments.empty())
    fail(kWrong, fmt::format("\"{}\" is not for hdrive: {}", rewritten->alias->words,
                             rewritten->alias->says));
  if (!rewritten->refused.empty())
    fail(kWrong, fmt::format("\"{}\": {}", rewritten->alias->words, rewritten->refused));
  complain(short_way(*rewritten));
  arguments = rewritten->arguments;
}

int dispatch(std::vector<std::string> arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" ||
      arguments == std::vector<std::string>{"help"}) {
    print(overview());
    return kDone;
  }
  for (const char* version : {"--version", "-V", "-v"})
    if (arguments[0] == version) arguments[0] = "version";
  if (arguments[0] == "help") arguments = {arguments[1], "--help"};
  take_alias(arguments);
  const Verb* verb = find_verb(arguments[0]);
  if (verb == nullptr) fail(kWrong, unknown_verb(arguments) + " (see: hdrive --help)");
  arguments.erase(arguments.begin());
  return run_verb(*verb, std::move(arguments));
}

}  // namespace

const Verb* find_verb(std::string_view name) {
  for (const Verb& verb : verbs())
    if (verb.name == name) return &verb;
  return nullptr;
}

int run_command(int argc, char** argv) {
  // `hdrive list | head` ends quietly, whatever the parent ignores; verbs that own runs ignore it
  // again.
  std::signal(SIGPIPE, SIG_DFL);
  // A file that may not grow any more (ulimit -f) is a full disk and not the end. Programs that are started have the
  // signal at its default.
  std::signal(SIGXFSZ, [](int) {});
  try {
    return dispatch(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const Failure& failure) {
    if (!failure.message.empty())
      complain(failure.message);
    else if (failure.error)
      complain(failure.error->message());
    return failure.code;
  } catch (const std::exception& error) {
    complain(fmt::format("internal error: {}", error.what()));
    return kCannot;
  }
}

}  // namespace hdrive::cli
