// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

namespace hdrive::cli {
namespace {

// Each script asks `hdrive complete` for candidates, so that what a shell offers follows from the
// same tables as the parsing, and sweeps, runs and parameters are those that are there.

constexpr const char* kBash = R"(# hdrive: completion for bash
_hdrive() {
  local current="${COMP_WORDS[COMP_CWORD]}" line word IFS=$'\n'
  # bash splits words at "=": of "--format=js" only "js" is to be replaced.
  local behind_equals=
  [ "$current" = "=" ] && current= behind_equals=1
  [ "${COMP_WORDS[COMP_CWORD-1]}" = "=" ] && behind_equals=1
  COMPREPLY=()
  compopt -o nosort 2>/dev/null
  while IFS= read -r line; do
    case "$line" in
      :files) COMPREPLY+=($(compgen -f -- "$current")); compopt -o filenames ;;
      :directories) COMPREPLY+=($(compgen -d -- "$current")); compopt -o filenames ;;
      :configurations)
        COMPREPLY+=($(compgen -f -X '!*.yml' -- "$current") $(compgen -f -X '!*.yaml' -- "$current")
                    $(compgen -d -X '.hdrive' -- "$current"))
        compopt -o filenames ;;
      *)
        word="${line%%$'\t'*}"
        [ -n "$behind_equals" ] && word="${word#*=}"
        case "$word" in *=) compopt -o nospace ;; esac
        printf -v word %q "$word"
        COMPREPLY+=("$word") ;;
    esac
  done < <("$1" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _hdrive hdrive
)";

constexpr const char* kZsh = R"(#compdef hdrive
# hdrive: completion for zsh
_hdrive() {
  local line word description
  local -a plain keys
  for line in "${(@f)$("${words[1]}" complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files ;;
      :directories) _files -/ ;;
      :configurations) _files -g '*.(yml|yaml)' ;;
      *)
        word=${line%%$'\t'*} description=${line#*$'\t'}
        word=${word//:/\\:}
        [[ -n $description ]] && description=:$description
        if [[ $word == *= ]]; then keys+=("$word$description"); else plain+=("$word$description"); fi ;;
    esac
  done
  (( $#plain )) && _describe -V hdrive plain
  (( $#keys )) && _describe -V key keys -S ''
}
if [ "$funcstack[1]" = "_hdrive" ]; then _hdrive "$@"; else compdef _hdrive hdrive; fi
)";

constexpr const char* kFish = R"(# hdrive: completion for fish
function __hdrive_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in (command $words[1] complete $words[2..-1] "$current" 2>/dev/null)
    switch $line
      case ':files'
        __fish_complete_path "$current"
      case ':directories'
        __fish_complete_directories "$current"
      case ':configurations'
        __fish_complete_suffix "$current" .yml
      case '*'
        echo $line
    end
  end
end
complete -c hdrive -k -f -a '(__hdrive_complete)'
)";

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return kBash;
}

}  // namespace hdrive::cli
