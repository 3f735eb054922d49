// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/command.h"

namespace hdrive::cli {
namespace {

struct OptionRow {
  std::vector<std::string> names;  // with their dashes
  std::string description;
  bool takes_value = false;
  bool is_format = false;
};

std::vector<OptionRow> options_of(const Verb& verb) {
  ArgumentParser parser;
  std::vector<std::string> none;
  const Action unused = verb.setup(parser, none);
  std::vector<OptionRow> rows;
  for (const Argument& argument : parser.arguments())
    if (argument.is_option())
      rows.push_back({argument.names, argument.description, argument.takes_value(),
                      parser.find("--format") == &argument});
  return rows;
}

std::string without(std::string text, std::string_view characters) {
  std::erase_if(text, [&](char c) { return characters.find(c) != std::string_view::npos; });
  return text;
}

std::string names_of_verbs() {
  std::vector<std::string> names;
  for (const Verb& verb : verbs())
    if (!verb.hidden) names.emplace_back(verb.name);
  return base::join(names, " ");
}

// The sweeps' directories are named by their ids.
constexpr std::string_view kSweeps =
    R"($(cd "${HDRIVE_HOME:-.hdrive}" 2>/dev/null && ls -d HD_* 2>/dev/null))";

std::string bash_script() {
  std::string cases;
  for (const Verb& verb : verbs()) {
    if (verb.hidden) continue;
    std::vector<std::string> words;
    for (const OptionRow& option : options_of(verb))
      words.insert(words.end(), option.names.begin(), option.names.end());
    cases += fmt::format("    {}) words=\"{}\" ;;\n", verb.name, base::join(words, " "));
  }
  std::vector<std::string> sweep_verbs;
  for (const Verb& verb : verbs())
    if (verb.takes_sweep) sweep_verbs.emplace_back(verb.name);
  return fmt::format(R"(# hdrive: completion for bash
_hdrive() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{0}" -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{1}  esac
  case "$previous" in
    --format) COMPREPLY=($(compgen -W "table json csv" -- "$current")); return ;;
    --output-dir|--path) COMPREPLY=($(compgen -d -- "$current")); return ;;
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")); return ;;
  esac
  case "${{COMP_WORDS[1]}}" in
    {2}) COMPREPLY=($(compgen -W "last {3}" -- "$current")) ;;
    completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}}
complete -o filenames -F _hdrive hdrive
)",
                     names_of_verbs(), cases, base::join(sweep_verbs, "|"), kSweeps);
}

std::string zsh_option(const OptionRow& option) {
  const std::string description = without(option.description, "[]'\"\\$`:");
  const std::string value = !option.takes_value ? ""
                            : option.is_format  ? ":format:(table json csv)"
                                                : ":value:_files";
  std::string text;
  for (const std::string& name : option.names)
    text += fmt::format(" \\\n        '{}[{}]{}'", name, description, value);
  return text;
}

std::string zsh_script() {
  std::string commands, cases;
  for (const Verb& verb : verbs()) {
    if (verb.hidden) continue;
    commands += fmt::format("    '{}:{}'\n", verb.name, without(std::string(verb.summary), "':"));
    cases += fmt::format("    {})\n      _arguments", verb.name);
    for (const OptionRow& option : options_of(verb)) cases += zsh_option(option);
    cases += fmt::format(" \\\n        '*:argument:{}' ;;\n", verb.takes_sweep ? "_hdrive_sweeps"
                                                              : verb.name == "completion"
                                                                  ? "(bash zsh fish)"
                                                                  : "_files");
  }
  return fmt::format(R"(#compdef hdrive
# hdrive: completion for zsh
_hdrive_sweeps() {{
  compadd last {0}
}}
_hdrive() {{
  local -a commands
  commands=(
{1}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
{2}  esac
}}
if [ "$funcstack[1]" = "_hdrive" ]; then _hdrive "$@"; else compdef _hdrive hdrive; fi
)",
                     kSweeps, commands, cases);
}

std::string fish_script() {
  std::string text =
      "# hdrive: completion for fish\n"
      "function __hdrive_sweeps\n"
      "  set -l home .hdrive\n"
      "  set -q HDRIVE_HOME; and set home $HDRIVE_HOME\n"
      "  echo last\n"
      "  for sweep in $home/HD_*; basename $sweep; end\n"
      "end\n";
  for (const Verb& verb : verbs()) {
    if (verb.hidden) continue;
    text += fmt::format("complete -c hdrive -n __fish_use_subcommand -f -a {} -d '{}'\n", verb.name,
                        without(std::string(verb.summary), "'"));
    const std::string here =
        fmt::format("complete -c hdrive -n '__fish_seen_subcommand_from {}'", verb.name);
    if (verb.takes_sweep) text += here + " -f -a '(__hdrive_sweeps)'\n";
    if (verb.name == "completion") text += here + " -f -a 'bash zsh fish'\n";
    for (const OptionRow& option : options_of(verb)) {
      text += here;
      for (const std::string& name : option.names)
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (option.takes_value) text += " -r";
      if (option.is_format) text += " -f -a 'table json csv'";
      text += fmt::format(" -d '{}'\n", without(option.description, "'\\"));
    }
  }
  return text;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  return bash_script();
}

}  // namespace hdrive::cli
