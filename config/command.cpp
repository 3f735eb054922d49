// SPDX-License-Identifier: Apache-2.0
//
// What a run is started with: the command with drawn values in their places, and the environment.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <set>

#include "base/text.h"
#include "config/placeholders.h"
#include "hdrive/random.h"
#include "hdrive/spec.h"

namespace hdrive {
namespace {

using config::Piece;
using config::pieces_of;
using config::sweep_variable;

// Tells HDRIVE_SEED apart from what a sampler draws for the same run.
constexpr std::uint32_t kSeedPurpose = 0x5eed5eed;

bool places_any(const SweepSpec& spec) {
  return std::any_of(spec.command.begin(), spec.command.end(), [](const std::string& word) {
    const auto pieces = pieces_of(word);
    return std::any_of(pieces.begin(), pieces.end(),
                       [](const Piece& piece) { return piece.kind == Piece::Kind::parameter; });
  });
}

bool is_parameter(const SweepSpec& spec, std::string_view name) {
  const auto& all = spec.space.parameters;
  return std::any_of(all.begin(), all.end(), [&](const Parameter& each) {
    return bare_name(each.name) == bare_name(name);
  });
}

// A placeholder without a value stays as it is; loading a configuration refuses it. One of a
// parameter that does not exist in this set becomes empty.
std::string fill(const SweepSpec& spec, const std::string& word, const Assignment& parameters) {
  std::string result;
  for (const Piece& piece : pieces_of(word)) {
    const bool placed = piece.kind == Piece::Kind::parameter;
    const Value* value = placed ? find(parameters, piece.name) : nullptr;
    if (value)
      result += to_text(*value);
    else if (!placed || !is_parameter(spec, piece.name))
      result += piece.text;
  }
  return result;
}

// What becomes of a word that places only parameters that do not exist in this set.
enum class Absent { no, word, word_and_option };

Absent absence(const SweepSpec& spec, const std::string& word, const Assignment& parameters) {
  bool places = false;
  const auto pieces = pieces_of(word);
  for (const Piece& piece : pieces) {
    // With blanks it is a script or a sentence, of which the rest still counts.
    if (piece.kind == Piece::Kind::literal && piece.text.find_first_of(" \t\n") != piece.text.npos)
      return Absent::no;
    if (piece.kind != Piece::Kind::parameter) continue;
    if (find(parameters, piece.name) || !is_parameter(spec, piece.name)) return Absent::no;
    places = true;
  }
  if (!places) return Absent::no;
  return pieces.size() == 1 ? Absent::word_and_option : Absent::word;
}

// The command with its values. A word without what it places is left out, and the option in front
// of a value that is missing with it: `--beta1 ${{search_space.beta1}}`.
std::vector<std::string> placed_words(const SweepSpec& spec, const Assignment& parameters) {
  std::vector<std::string> words;
  bool option = false;  // whether the last word is an option that stands as it was written
  for (const std::string& word : spec.command) {
    const Absent absent = words.empty() ? Absent::no : absence(spec, word, parameters);
    if (absent == Absent::no) words.push_back(fill(spec, word, parameters));
    if (absent == Absent::word_and_option && option && words.size() > 1) words.pop_back();
    option = absent == Absent::no && word.starts_with('-') && words.back() == word;
  }
  return words;
}

bool needs_quotes(const std::string& word, bool first) {
  static constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-";
  if (word.empty()) return true;
  const std::size_t odd = word.find_first_not_of(kSafe);
  if (odd == std::string::npos) return false;
  // "--lr=0.1" is plain to read and safe; "X=1" as the first word would be an assignment.
  const bool only_equals =
      word.find_first_not_of(std::string(kSafe) + "=") == std::string::npos && word[0] != '=';
  return first || !only_equals;
}

std::string quote(const std::string& word) {
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
  }
  return result + "'";
}

// "sh -c SCRIPT" gives what is appended to the script as $0, $1, ...: whether the script looks at
// none.
bool script_ignores_arguments(const std::vector<std::string>& command) {
  static constexpr std::string_view kShells[] = {"sh", "bash", "dash", "ksh", "zsh"};
  const std::string program = std::filesystem::path(command.front()).filename();
  if (std::find(std::begin(kShells), std::end(kShells), program) == std::end(kShells)) return false;
  const auto option = std::find_if(command.begin() + 1, command.end(), [](const std::string& word) {
    return word.size() >= 2 && word[0] == '-' && word[1] != '-' && word.ends_with('c');
  });
  if (option == command.end() || option + 1 == command.end()) return false;
  const std::string& script = *(option + 1);
  for (std::size_t at = script.find('$'); at != std::string::npos; at = script.find('$', at + 1)) {
    const std::size_t next = script.find_first_not_of("{#", at + 1);
    if (next != std::string::npos && std::strchr("0123456789@*", script[next]) != nullptr)
      return false;
  }
  return script.find("shift") == std::string::npos && script.find("getopts") == std::string::npos;
}

}  // namespace

RunCommand render_command(const SweepSpec& spec, const Assignment& parameters,
                          const std::string& sweep_id, RunId id) {
  RunCommand result;
  result.arguments = placed_words(spec, parameters);
  if (!spec.command.empty() && spec.append_parameters && !places_any(spec)) {
    for (const Binding& binding : parameters) {
      const bool dashed = binding.name.starts_with('-');
      result.arguments.push_back(dashed ? binding.name : "--" + binding.name);
      result.arguments.push_back(to_text(binding.value));
    }
  }
  const std::string run_id = sweep_id + "_" + std::to_string(id);
  std::map<std::string, std::string> environment = spec.environment_variables;
  // The target's, which knows what fits; what a configuration says must not take their place.
  for (const char* name : {"HDRIVE_RUN_ID", "HDRIVE_PARAMETERS"}) environment.erase(name);
  for (const Binding& binding : parameters)
    environment[sweep_variable(binding.name)] = to_text(binding.value);
  environment["AZUREML_RUN_ID"] = run_id;
  if (!spec.experiment.empty()) environment.emplace("AZUREML_ARM_PROJECT_NAME", spec.experiment);
  environment["HDRIVE_RUN_NUMBER"] = std::to_string(id);
  if (spec.azureml_sdk != AzuremlSdk::stand_in)
    environment["HDRIVE_AZUREML_SDK"] = std::string(to_string(spec.azureml_sdk));
  environment["HDRIVE_SEED"] = std::to_string(RandomStream(spec.seed, id, kSeedPurpose)() >> 33);
  environment["HDRIVE_SWEEP_ID"] = sweep_id;
  result.environment.assign(environment.begin(), environment.end());
  return result;
}

std::string_view to_string(AzuremlSdk sdk) {
  switch (sdk) {
    case AzuremlSdk::real:
      return "real";
    case AzuremlSdk::automatic:
      return "auto";
    case AzuremlSdk::stand_in:
      break;
  }
  return "stand_in";
}

std::string shell_quote(const std::vector<std::string>& arguments) {
  std::string result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) result += ' ';
    result += needs_quotes(arguments[i], i == 0) ? quote(arguments[i]) : arguments[i];
  }
  return result;
}

std::vector<std::string> ignored_parameters(const SweepSpec& spec) {
  if (spec.command.empty()) return {};
  const bool appended = spec.append_parameters && !places_any(spec);
  if (appended && !script_ignores_arguments(spec.command)) return {};
  std::set<std::string_view> placed;
  for (const std::string& word : spec.command)
    for (const Piece& piece : pieces_of(word))
      if (piece.kind == Piece::Kind::parameter) placed.insert(bare_name(piece.name));
  const auto mentioned = [&](std::string_view variable) {
    return std::any_of(spec.command.begin(), spec.command.end(),
                       [&](const std::string& word) { return config::mentions(word, variable); });
  };
  std::vector<std::string> ignored;
  if (mentioned("HDRIVE_PARAMETERS")) return ignored;
  std::set<std::string_view> seen;
  for (const Parameter& parameter : spec.space.parameters)
    if (seen.insert(parameter.name).second && !placed.contains(bare_name(parameter.name)) &&
        !mentioned(sweep_variable(parameter.name)))
      ignored.push_back(parameter.name);
  return ignored;
}

}  // namespace hdrive
