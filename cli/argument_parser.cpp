// SPDX-License-Identifier: Apache-2.0
#include "cli/argument_parser.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/text.h"

namespace hdrive::cli {
namespace {

// What a user calls it: an option by its long name, a positional by what the help calls its value.
std::string title(const Argument& argument) {
  return argument.is_option() ? argument.names.back() : argument.value;
}

std::vector<std::string> long_names(const std::deque<Argument>& arguments) {
  std::vector<std::string> names;
  for (const Argument& argument : arguments)
    for (const std::string& name : argument.names)
      if (name.starts_with("--") && !argument.hidden) names.push_back(name);
  return names;
}

std::string not_a_choice(const std::string& word, const std::vector<std::string>& choices) {
  const std::string guess = base::did_you_mean(word, choices);
  return fmt::format("unknown \"{}\"{} allowed: {}", word, ";" + guess, base::join(choices, ", "));
}

// Gives the value to the argument; one that it refuses ends the parsing.
void take(const Argument& argument, const std::string& value) {
  const auto& choices = argument.choices;
  const bool chosen =
      choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end();
  const std::string fault = chosen ? argument.take(value) : not_a_choice(value, choices);
  if (!fault.empty()) throw CLI::ValidationError(title(argument) + ": " + fault);
}

CLI::Option* declare(CLI::App& app, const Argument& argument) {
  const std::string names = base::join(argument.names, ",");
  if (!argument.takes_value())
    return app.add_flag_callback(names, [&argument] { argument.take(""); });
  if (!argument.repeated) {
    const auto take_it = [&argument](const std::string& value) { take(argument, value); };
    return app.add_option_function<std::string>(names, take_it)->required(argument.required);
  }
  const auto take_each = [&argument](const std::vector<std::string>& values) {
    for (const std::string& value : values) take(argument, value);
  };
  auto* option = app.add_option_function<std::vector<std::string>>(names, take_each);
  // One word each time: the next may be a positional.
  if (argument.is_option())
    option->expected(1)->allow_extra_args(false)->multi_option_policy(
        CLI::MultiOptionPolicy::TakeAll);
  return option->required(argument.required);
}

// `unknown option "--sed"; did you mean "--seed"?`
std::string unexpected(const std::string& word, const std::deque<Argument>& arguments) {
  if (!word.starts_with('-') || word == "--")
    return fmt::format("unexpected argument \"{}\"", word);
  const std::string name = word.substr(0, word.find('='));
  const std::string guess = base::did_you_mean(name, long_names(arguments));
  return fmt::format("unknown option \"{}\"{}{}", name, guess.empty() ? "" : ";", guess);
}

// What an option got too few or too many values of.
std::string wrong_count(const Argument& argument, std::size_t count) {
  if (count > 1) return fmt::format("{} is given {} times; give it once", title(argument), count);
  if (!argument.choices.empty())
    return fmt::format("{} needs a value; allowed: {}", title(argument),
                       base::join(argument.choices, ", "));
  return fmt::format("{} needs a value: {}", title(argument),
                     argument.value == "N" ? "a whole number" : argument.value);
}

}  // namespace

ArgumentParser::ArgumentParser() {
  arguments_.push_back({{"-h", "--help"}, "", "Show this help", nullptr});
}

Argument& ArgumentParser::add(std::string_view names, std::string value, std::string description,
                              std::function<std::string(const std::string&)> take) {
  Argument argument;
  for (const std::string_view name : base::split(names, ',')) argument.names.emplace_back(name);
  argument.value = std::move(value);
  argument.description = std::move(description);
  argument.take = std::move(take);
  return arguments_.emplace_back(std::move(argument));
}

Argument& ArgumentParser::flag(std::string_view names, bool& target, std::string description) {
  return add(names, "", std::move(description), [&target](const std::string&) {
    target = true;
    return std::string();
  });
}

Argument& ArgumentParser::text(std::string_view names, std::string& target, std::string value,
                               std::string description) {
  return add(names, std::move(value), std::move(description), [&target](const std::string& text) {
    target = text;
    return std::string();
  });
}

Argument& ArgumentParser::texts(std::string_view names, std::vector<std::string>& target,
                                std::string value, std::string description) {
  Argument& argument =
      add(names, std::move(value), std::move(description), [&target](const std::string& text) {
        target.push_back(text);
        return std::string();
      });
  argument.repeated = true;
  return argument;
}

Argument& ArgumentParser::choice(std::string_view names, std::string& target,
                                 std::vector<std::string> choices, std::string value,
                                 std::string description) {
  Argument& argument = text(names, target, std::move(value), std::move(description));
  argument.choices = std::move(choices);
  return argument;
}

const Argument* ArgumentParser::find(std::string_view name) const {
  for (const Argument& argument : arguments_)
    if (argument.is_option() &&
        std::find(argument.names.begin(), argument.names.end(), name) != argument.names.end())
      return &argument;
  return nullptr;
}

Result<ArgumentParser::Parsed> ArgumentParser::parse(std::vector<std::string> words) const {
  CLI::App app;
  app.set_help_flag("-h,--help");
  std::vector<std::pair<const Argument*, const CLI::Option*>> declared;
  for (const Argument& argument : arguments_)
    if (argument.take) declared.emplace_back(&argument, declare(app, argument));
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
    return Parsed::all;
  } catch (const CLI::CallForHelp&) {
    return Parsed::help;
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> rest = app.remaining();
    const std::string first = rest.empty() ? "" : rest.front();
    if (explain_extras_ && !first.starts_with('-')) return Error{"", explain_extras_(rest)};
    return Error{"", unexpected(first, arguments_)};
  } catch (const CLI::RequiredError& error) {
    for (const auto& [argument, option] : declared)
      if (argument->required && option->count() == 0)
        return Error{"", fmt::format("{} is missing", title(*argument))};
    return Error{"", error.what()};
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string_view what = error.what();
    for (const auto& [argument, option] : declared)
      if (what.starts_with(option->get_name() + ":"))
        return Error{"", wrong_count(*argument, option->count())};
    return Error{"", error.what()};
  } catch (const CLI::ConversionError& error) {
    for (const auto& [argument, option] : declared)
      if (!argument->takes_value() && option->count() > 0 &&
          std::string_view(error.what()).find(option->get_name()) != std::string_view::npos)
        return Error{"", fmt::format("{} takes no value", title(*argument))};
    return Error{"", error.what()};
  } catch (const CLI::ParseError& error) {
    return Error{"", error.what()};
  }
}

}  // namespace hdrive::cli
