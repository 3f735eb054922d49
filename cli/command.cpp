// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <exception>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {
namespace {

// `unknown option "--sed"; did you mean "--seed"?`
std::string unknown(std::string_view kind, std::string_view word,
                    const std::vector<std::string>& candidates) {
  const std::string guess = base::did_you_mean(word, candidates);
  return fmt::format("unknown {} \"{}\"{}{}", kind, word, guess.empty() ? "" : ";", guess);
}

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
  return action();
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  for (const Verb& verb : verbs())
    if (!verb.hidden) names.emplace_back(verb.name);
  return names;
}

int dispatch(std::vector<std::string> arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" ||
      arguments == std::vector<std::string>{"help"}) {
    print(overview());
    return kDone;
  }
  if (arguments[0] == "--version") arguments[0] = "version";
  if (arguments[0] == "help") arguments = {arguments[1], "--help"};
  const Verb* verb = find_verb(arguments[0]);
  if (verb == nullptr)
    fail(kWrong,
         unknown(arguments[0].starts_with('-') ? "option" : "command", arguments[0], verb_names()) +
             " (see: hdrive --help)");
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
  // `hdrive list | head` ends quietly, whatever the parent ignores; verbs that own runs ignore it again.
  std::signal(SIGPIPE, SIG_DFL);
  try {
    return dispatch(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const Failure& failure) {
    if (!failure.message.empty()) complain(failure.message);
    return failure.code;
  } catch (const std::exception& error) {
    complain(fmt::format("internal error: {}", error.what()));
    return kCannot;
  }
}

}  // namespace hdrive::cli
