// SPDX-License-Identifier: Apache-2.0
#include "cli/candidates.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/text.h"
#include "hdrive/catalog.h"
#include "hdrive/config.h"
#include "hdrive/overview.h"

namespace hdrive::cli {
namespace {

constexpr std::int64_t kMostRuns = 200;  // of a sweep that are offered by their numbers

// A verb's words, and what is known of them.
struct Line {
  const Verb* verb = nullptr;
  ArgumentParser parser;
  std::vector<std::string> words;  // behind the verb, in front of the current one
};

std::string value_of_option(const Line& line, const std::string& name) {
  for (std::size_t i = 0; i < line.words.size(); ++i) {
    if (line.words[i].starts_with(name + "=")) return line.words[i].substr(name.size() + 1);
    if (line.words[i] == name && i + 1 < line.words.size()) return line.words[i + 1];
  }
  return "";
}

// The positional words so far.
std::vector<std::string> positionals(const Line& line) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < line.words.size(); ++i) {
    const Argument* option = line.parser.find(line.words[i]);
    if (option != nullptr && option->takes_value())
      ++i;
    else if (!line.words[i].starts_with('-'))
      result.push_back(line.words[i]);
  }
  return result;
}

std::vector<SweepEntry> sweeps_of(const Line& line) {
  return list_sweeps(home_directory(value_of_option(line, "--output-dir")), nullptr);
}

// Names, which people gave to be typed, before the ids.
void add_sweeps(const Line& line, std::vector<Candidate>& result) {
  const std::vector<SweepEntry> sweeps = sweeps_of(line);
  if (sweeps.empty()) return;
  // zsh puts words with the same description together, out of their order: each has one of its own.
  const auto told = [](const SweepEntry& sweep) {
    return sweep_status_text(sweep) + ", created " + time_text(sweep.header.created);
  };
  for (const SweepEntry& sweep : sweeps)
    if (!sweep.header.name.empty())
      result.push_back({sweep.header.name, short_id(sweep.header.id) + ", " + told(sweep)});
  result.push_back({"last", "the newest: " + told(sweeps.back())});
  for (const SweepEntry& sweep : sweeps) result.push_back({short_id(sweep.header.id), told(sweep)});
}

void add_runs(const Line& line, const std::string& sweep, std::vector<Candidate>& result) {
  const auto home = home_directory(value_of_option(line, "--output-dir"));
  const auto entry = find_sweep(home, sweep);
  if (!entry) return;
  result.push_back({sweep + "/best", "the best run"});
  for (RunId run = 0; run < std::min(entry->runs, kMostRuns); ++run)
    result.push_back({sweep + "/" + std::to_string(run), ""});
}

void add_parameters(const Line& line, std::vector<Candidate>& result) {
  const auto given = positionals(line);
  if (given.empty()) return;
  const auto entry = find_sweep(home_directory(value_of_option(line, "--output-dir")), given[0]);
  if (!entry) return;
  const auto spec = stored_spec(entry->header, entry->directory);
  if (!spec) return;
  for (const Parameter& parameter : spec->space.parameters)
    result.push_back({std::string(bare_name(parameter.name)) + "=", ""});
}

// The keys of a configuration, from the rows of its reference: those of the sampler and the policy
// are dotted.
void add_settings(std::vector<Candidate>& result) {
  std::string prefix;
  bool listed = false;
  const std::string reference = config_reference();
  for (const std::string_view line : base::split(reference, '\n')) {
    if (line.starts_with("## ")) {
      listed = line.ends_with("keys") || line.ends_with("own");
      prefix.clear();
      for (const auto& [title, dotted] : {std::pair{"## sampling", "sampling."},
                                          {"## Samplers", "sampling."},
                                          {"## policy", "policy."}})
        if (line == title) {
          prefix = dotted;
          listed = true;
        }
    }
    if (!listed || !line.starts_with("| `")) continue;
    const std::string word = prefix + std::string(line.substr(3, line.find('`', 3) - 3)) + "=";
    const bool known = std::any_of(result.begin(), result.end(),
                                   [&](const Candidate& one) { return one.word == word; });
    if (!known) result.push_back({word, ""});
  }
}

Candidates values(const Line& line, const Argument& argument, const std::string& current) {
  Candidates result;
  for (const auto& words : {argument.choices, argument.suggestions})
    for (const std::string& word : words) result.words.push_back({word, ""});
  switch (argument.completion) {
    case Completion::nothing:
      break;
    case Completion::files:
      result.files = Candidates::Files::all;
      break;
    case Completion::directories:
      result.files = Candidates::Files::directories;
      break;
    case Completion::configurations:
      result.files = Candidates::Files::configurations;
      break;
    case Completion::runs:
      if (const auto slash = current.rfind('/'); slash != current.npos) {
        add_runs(line, current.substr(0, slash), result.words);
        break;
      }
      [[fallthrough]];
    case Completion::sweeps:
      add_sweeps(line, result.words);
      break;
    case Completion::settings:
      add_settings(result.words);
      break;
    case Completion::parameters:
      add_parameters(line, result.words);
      break;
  }
  return result;
}

// The argument that the next positional word is for.
const Argument* next_positional(const Line& line) {
  std::size_t left = positionals(line).size();
  for (const Argument& argument : line.parser.arguments()) {
    if (argument.is_option()) continue;
    if (left == 0 || argument.repeated) return &argument;
    --left;
  }
  return nullptr;
}

Candidates verb_candidates() {
  Candidates result;
  for (const Verb& verb : verbs())
    if (!verb.hidden) result.words.push_back({std::string(verb.name), std::string(verb.summary)});
  return result;
}

Candidates options(const Line& line) {
  Candidates result;
  for (const Argument& argument : line.parser.arguments())
    if (argument.is_option() && !argument.hidden)
      for (const std::string& name : argument.names)
        result.words.push_back({name, argument.description});
  return result;
}

Candidates all_candidates(const Line& line, const std::string& current) {
  if (std::find(line.words.begin(), line.words.end(), "--") != line.words.end())
    return {{}, Candidates::Files::all};  // the command to train with
  if (const auto equals = current.find('='); current.starts_with("--") && equals != current.npos)
    if (const Argument* option = line.parser.find(current.substr(0, equals))) {
      Candidates result = values(line, *option, current.substr(equals + 1));
      for (Candidate& candidate : result.words)
        candidate.word.insert(0, current.substr(0, equals + 1));
      return result;
    }
  if (!line.words.empty())
    if (const Argument* option = line.parser.find(line.words.back());
        option != nullptr && option->takes_value())
      return values(line, *option, current);
  if (current.starts_with('-')) return options(line);
  const Argument* positional = next_positional(line);
  return positional == nullptr ? Candidates{} : values(line, *positional, current);
}

}  // namespace

Candidates candidates(std::vector<std::string> words) {
  const std::string current = words.empty() ? "" : words.back();
  if (!words.empty()) words.pop_back();
  Candidates result;
  if (words.empty() || words == std::vector<std::string>{"help"}) {
    result = verb_candidates();
  } else if (const Verb* verb = find_verb(words.front())) {
    Line line;
    line.verb = verb;
    std::vector<std::string> none;
    const Action unused = verb->setup(line.parser, none);
    line.words.assign(words.begin() + 1, words.end());
    result = all_candidates(line, current);
  }
  std::erase_if(result.words, [&](const Candidate& one) { return !one.word.starts_with(current); });
  return result;
}

}  // namespace hdrive::cli
