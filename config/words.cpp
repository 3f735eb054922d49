// SPDX-License-Identifier: Apache-2.0
//
// Commands as text, and what can be told of a command before it runs.
#include <unistd.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "base/text.h"
#include "config/load.h"
#include "config/placeholders.h"

namespace hdrive::config {
namespace {

namespace fs = std::filesystem;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_shell(const std::string& program) {
  static const std::set<std::string> kShells{"sh", "bash", "dash", "zsh", "ksh", "fish", "busybox"};
  return kShells.contains(fs::path(program).filename().string());
}

// Words that only a shell would understand.
bool wants_shell(const std::string& word) {
  static const std::set<std::string> kOperators{"|", "||", "&",  "&&",   ";", "<",
                                                ">", ">>", "2>", "2>&1", "&>"};
  if (kOperators.contains(word)) return true;
  return word.size() > 1 && word[0] == '$' && !word.starts_with("${{");
}

// The parameter that the word places as other tools do, by itself or after "--option=": "{x}", "{{x}}", "${x}", "$x", "<x>".
std::string_view placed_otherwise(const Loader& loader, std::string_view word) {
  if (const std::size_t sign = word.find('='); sign != word.npos) word.remove_prefix(sign + 1);
  const std::size_t begin = word.find_first_not_of("${<"), end = word.find_last_not_of("}>");
  if (begin == word.npos || begin == 0 || end == word.npos || end < begin) return {};
  const std::string_view name = base::trim(word.substr(begin, end + 1 - begin));
  const bool known = std::any_of(loader.defined.begin(), loader.defined.end(),
                                 [&](const auto& each) { return bare_name(each.first) == name; });
  return known ? name : std::string_view();
}

void warn_of_foreign_placeholders(Loader& loader) {
  const auto& command = loader.spec.command;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const std::string_view name = placed_otherwise(loader, command[i]);
    if (!name.empty())
      loader.problems.warn(loader.command_places[i],
                           "the word " + in_quotes(command[i]) +
                               " is passed on as it is; where the value drawn for " +
                               in_quotes(name) + " is wanted, write ${{search_space." +
                               std::string(name) + "}}");
  }
}

void warn_of_shell_words(Loader& loader) {
  const auto& command = loader.spec.command;
  if (std::any_of(command.begin(), command.end(), is_shell)) return;
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (!wants_shell(command[i]) || !placed_otherwise(loader, command[i]).empty()) continue;
    std::string advice = "write sh -c \"...\" for a shell's meaning";
    for (const Parameter& parameter : loader.spec.space.parameters)
      if (mentions(command[i], sweep_variable(parameter.name)))
        advice = "write ${{search_space." + std::string(bare_name(parameter.name)) + "}}";
    loader.problems.warn(loader.command_places[i], "the word " + in_quotes(command[i]) +
                                                       " is passed on as it is, since no shell "
                                                       "reads the command; " +
                                                       advice);
  }
}

bool is_conditional(const Loader& loader, std::string_view name) {
  const auto named = loader.named.find(std::string(bare_name(name)));
  return named != loader.named.end() &&
         std::any_of(named->second.begin(), named->second.end(),
                     [&](std::size_t i) { return !loader.definitions[i].path.empty(); });
}

void check_placeholders(Loader& loader) {
  std::vector<std::string> names;
  for (const auto& [name, place] : loader.defined) names.emplace_back(bare_name(name));
  const std::unordered_set<std::string_view> all(names.begin(), names.end());
  for (std::size_t i = 0; i < loader.spec.command.size(); ++i) {
    const Place place = loader.command_places[i];
    for (const Piece& piece : pieces_of(loader.spec.command[i])) {
      if (piece.kind == Piece::Kind::unknown)
        loader.problems.error(place, "unknown placeholder " + in_quotes(piece.text) +
                                         "; allowed: ${{search_space.NAME}} with the name of a "
                                         "parameter");
      if (piece.kind != Piece::Kind::parameter) continue;
      const bool known = all.contains(bare_name(piece.name));
      if (!known && !loader.space_sound) continue;  // it may be among those that cannot be read
      const std::string hint = known ? "" : base::did_you_mean(piece.name, names);
      if (!known)
        loader.problems.error(place, "the command places " + in_quotes(piece.name) +
                                         ", which is no parameter; allowed: " + listing(names) +
                                         (hint.empty() ? "" : ";" + hint));
      else if (i == 0 && is_conditional(loader, piece.name))
        loader.problems.error(place, "the program is the value of " + in_quotes(piece.name) +
                                         ", which exists only under an option; allowed: a program "
                                         "that every parameter set has");
      else if (piece.old_style)
        loader.problems.warn(place, in_quotes(piece.text) +
                                        " is an older spelling, taken all the same; write ${{"
                                        "search_space." +
                                        std::string(piece.name) + "}}");
    }
  }
}

void warn_of_ignored(Loader& loader) {
  constexpr std::size_t kTold = 3;  // one by one
  std::vector<std::string> ignored = ignored_parameters(loader.spec);
  std::erase_if(ignored, [&](const auto& name) { return !loader.defined.contains(name); });
  // Of a job's nested choice the members are what a command wants.
  if (loader.job)
    for (const Parameter& each : loader.spec.space.parameters)
      if (each.condition) std::erase(ignored, each.condition->parameter);
  const std::string append =
      loader.spec.append_parameters || loader.job ? "" : ", or set append_parameters to true";
  if (ignored.size() > kTold) {
    std::vector<std::string> first;
    for (std::size_t i = 0; i < kTold; ++i) first.push_back(in_quotes(ignored[i]));
    return loader.problems.warn(
        loader.defined[ignored.front()],
        "the command ignores the values drawn for " + std::to_string(ignored.size()) +
            " parameters: " + listing(first) + ", ...; place them with ${{search_space.NAME}}" +
            append +
            "; a script that reads AZUREML_SWEEP_NAME or HDRIVE_PARAMETERS itself is fine");
  }
  for (const std::string& name : ignored)
    loader.problems.warn(loader.defined[name],
                         "the command ignores the values drawn for " + in_quotes(name) +
                             "; place them with ${{search_space." + std::string(bare_name(name)) +
                             "}}" + append + "; a script that reads " + sweep_variable(name) +
                             " itself is fine");
}

// `hdrive init` puts them where it knows no value.
void warn_of_gaps(Loader& loader) {
  const auto& command = loader.spec.command;
  for (std::size_t i = 0; i < command.size(); ++i)
    if (command[i].starts_with("TODO_"))
      loader.problems.warn(loader.command_places[i],
                           "the command still has " + in_quotes(command[i]) +
                               ", which hdrive init put in the place of a value");
}

// argparse takes the last of two; other parsers the first, or neither.
void warn_of_repeated(Loader& loader) {
  const auto& command = loader.spec.command;
  if (!loader.spec.append_parameters) return;
  for (const std::string& word : command)
    for (const Piece& piece : pieces_of(word))
      if (piece.kind == Piece::Kind::parameter) return;
  std::set<std::string> options;
  for (const Parameter& parameter : loader.spec.space.parameters) {
    const std::string option =
        parameter.name.starts_with('-') ? parameter.name : "--" + parameter.name;
    if (!options.insert(option).second) continue;
    for (std::size_t i = 0; i < command.size(); ++i)
      if (command[i] == option || command[i].starts_with(option + "="))
        loader.problems.warn(
            loader.command_places[i],
            "the command has " + in_quotes(option) +
                " already, and the drawn value is appended after it; remove it, or "
                "place the value with ${{search_space." +
                std::string(bare_name(parameter.name)) + "}}");
  }
}

// Whether the program does nothing but read the file that is its first argument.
bool is_interpreter(const std::string& program) {
  static const std::set<std::string> kInterpreters{"sh",    "bash", "dash", "zsh", "ksh", "Rscript",
                                                   "julia", "perl", "ruby", "lua", "node"};
  const std::string name = fs::path(program).filename().string();
  return kInterpreters.contains(name) || name.starts_with("python");
}

bool is_drawn(const std::string& word) {
  return word.find("{{") != std::string::npos || word.find("{search_space") != std::string::npos;
}

bool is_script(const std::string& word) {
  static const std::set<std::string> kScripts{".py", ".sh", ".R",  ".r",
                                              ".jl", ".pl", ".rb", ".lua"};
  return kScripts.contains(fs::path(word).extension().string());
}

void check_files(Loader& loader) {
  const auto& command = loader.spec.command;
  std::error_code error;
  const auto missing = [&](const std::string& word) {
    return !is_drawn(word) && !fs::exists(loader.spec.source_directory / word, error);
  };
  const std::string where = " in " + in_quotes(loader.spec.source_directory.string());
  const bool here = !loader.program_elsewhere;
  if (here && command[0].find('/') != std::string::npos && missing(command[0]))
    return report_missing(loader, loader.command_places[0],
                          "there is no program " + in_quotes(command[0]) + where);
  if (here && command[0].find_first_of("/{") == std::string::npos &&
      !is_on_path(loader, command[0]))
    return report_missing(
        loader, loader.command_places[0],
        "no program " + in_quotes(command[0]) + " is in PATH" +
            (std::any_of(command[0].begin(), command[0].end(), is_blank)
                 ? "; this is one word with blanks in it: give program and arguments as words of "
                   "their own"
                 : ""));
  if (command.size() < 2 || !is_script(command[1]) || !missing(command[1])) return;
  const std::string text = "there is no script " + in_quotes(command[1]) + where;
  if (is_interpreter(command[0]))
    report_missing(loader, loader.command_places[1], text);
  else
    loader.problems.warn(loader.command_places[1], text);
}

// What the command names lies in the source folder, and the runs start from what was captured of
// it.
void check_captured(Loader& loader) {
  const SweepSpec& spec = loader.spec;
  if (!loader.overrides.captures || spec.working_directory != WorkingDirectory::run) return;
  const auto& command = spec.command;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const std::string& word = command[i];
    if (word.empty() || word.front() == '-' || word.front() == '/' || is_drawn(word)) continue;
    if (i == 0 && word.find('/') == std::string::npos) continue;  // looked for in PATH
    const fs::path file = fs::path(word).lexically_normal();
    const fs::path top = *file.begin();
    if (top == "." || top == ".." || top == "outputs" || top == "logs")
      continue;  // runs have those
    const auto by = left_out_by(spec.source_directory, file);
    if (!by) continue;
    const std::string text =
        in_quotes(word) + " is left out of the snapshot of " +
        in_quotes(spec.source_directory.string()) + " by " + *by +
        ", so the runs do not find it; take it back in there, give its full path, "
        "or set working_directory to source";
    const bool needed = i == 0 || (i == 1 && is_interpreter(command[0]) && is_script(word));
    if (needed)
      report_missing(loader, loader.command_places[i], text);
    else
      loader.problems.warn(loader.command_places[i], text);
  }
}

}  // namespace

void warn_of_missing_script(Loader& loader, std::string_view line, Place place) {
  const fs::path& folder = loader.spec.source_directory;
  const auto words = split_words(line);
  if (folder.empty() || !words || words->size() < 2 || !is_interpreter((*words)[0])) return;
  const std::string& script = (*words)[1];
  std::error_code error;
  if (!is_script(script) || script.find('$') != script.npos || fs::exists(folder / script, error))
    return;
  loader.problems.warn(
      place, "there is no script " + in_quotes(script) + " in " + in_quotes(folder.string()));
}

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;  // a word has begun, if only by quotes
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_blank(c)) {
      if (inside) words.push_back(std::move(word));
      word.clear();
      inside = false;
      continue;
    }
    if (text.substr(i).starts_with("\\\n")) {  // a line that goes on
      ++i;
      continue;
    }
    inside = true;
    if (text.substr(i).starts_with("${{")) {
      // A placeholder is one piece, blanks inside its braces or not.
      const std::size_t end = std::min(text.find("}}", i), text.size() - 1);
      word += text.substr(i, end + 2 - i);
      i = end + 1;
    } else if (c == '\\') {
      if (i + 1 == text.size()) return Error{"", "the text ends in a backslash; remove it"};
      word += text[++i];
    } else if (c == '\'') {
      const std::size_t end = text.find('\'', i + 1);
      if (end == std::string_view::npos)
        return Error{"", "a ' is never closed; add the closing quote"};
      word += text.substr(i + 1, end - i - 1);
      i = end;
    } else if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        const bool escape =
            text[i] == '\\' && i + 1 < text.size() &&
            std::string_view("\"\\$`\n").find(text[i + 1]) != std::string_view::npos;
        if (escape && text[++i] == '\n') continue;
        word += text[i];
      }
      if (i == text.size()) return Error{"", "a \" is never closed; add the closing quote"};
    } else {
      word += c;
    }
  }
  if (inside) words.push_back(std::move(word));
  return words;
}

bool is_on_path(const Loader& loader, const std::string& program) {
  const auto& variables = loader.spec.environment_variables;
  const auto own = variables.find("PATH");
  if (own == variables.end() && !loader.overrides.search_path) return true;
  const std::string& path = own != variables.end() ? own->second : *loader.overrides.search_path;
  for (const std::string_view folder : base::split(path, ':')) {
    const fs::path file = loader.spec.source_directory / folder / program;
    std::error_code error;
    if (fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0) return true;
  }
  return false;
}

void check_command(Loader& loader) {
  if (loader.spec.command.empty()) {
    if (loader.overrides.needs_command && !loader.given.contains("command"))
      loader.problems.error({0, 0, 0},
                            "there is no command to run; give it after --, as in: hdrive run "
                            "hdconfig.yml -- python train.py, or as the key \"command\"");
    return;
  }
  const std::size_t before = loader.problems.errors();
  check_placeholders(loader);
  const bool placed = loader.problems.errors() == before;
  warn_of_foreign_placeholders(loader);
  warn_of_shell_words(loader);
  warn_of_gaps(loader);
  check_files(loader);
  check_captured(loader);
  if (!loader.space_sound || !placed) return;
  warn_of_ignored(loader);
  warn_of_repeated(loader);
  warn_of_sizes(loader);
}

}  // namespace hdrive::config
