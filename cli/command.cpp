// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>

#include "base/text.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// `unknown option "--sed"; did you mean "--seed"?`
std::string unknown(std::string_view kind, std::string_view word,
                    const std::vector<std::string>& candidates) {
  const std::string guess = base::did_you_mean(word, candidates);
  return fmt::format("unknown {} \"{}\"{}{}", kind, word, guess.empty() ? "" : ";", guess);
}

// What is wrong with the arguments, in our words where CLI11's name its own parts.
std::string usage_fault(const CLI::App& app, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
  const std::vector<std::string> rest = app.remaining();
  const std::string first = rest.empty() ? "" : rest.front();
  if (first.starts_with('-') && first != "--")
    return unknown("option", first.substr(0, first.find('=')), option_names(app));
  return fmt::format("unexpected argument \"{}\"", first);
}

int run_verb(const Verb& verb, std::vector<std::string> arguments) {
  CLI::App app;
  app.set_help_flag("-h,--help", "Show this help");
  const Action action = verb.setup(app, arguments);
  try {
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    print(verb_help(verb, app));
    return kDone;
  } catch (const CLI::ParseError& error) {
    fail(kWrong, fmt::format("{}: {} (see: hdrive {} --help)", verb.name, usage_fault(app, error),
                             verb.name));
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
