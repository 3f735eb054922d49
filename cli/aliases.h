// SPDX-License-Identifier: Apache-2.0
//
// Azure's spellings of what hdrive's verbs do: `job create -f FILE` of `az ml job`, `run cancel -r
// RUN` of `az ml run`. One table; each row is a verb with its arguments rewritten, or says why there
// is none. Pure, but that a file called as an alias is takes precedence over it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hdrive::cli {

/// What becomes of one of an alias' options.
struct AliasOption {
  enum class Becomes {
    positional,  ///< its value stands alone, in front
    option,      ///< another option, `to`, with the value
    flag,        ///< `to` alone
    nothing,     ///< it means nothing here
    selector,    ///< its value stands alone, and the verb is `to`: `--parent-job-name`
    without,     ///< takes away what the alias adds by itself
    value,       ///< a path in what az prints, which becomes ours: `--query status`
    tag,         ///< a tag, which is a setting: `to` with "tags." in front
    printed,     ///< nothing, where its value is what the verb prints anyway (`to`)
    refused,     ///< nothing here does that; `to` says what to do
  };
  std::vector<std::string_view> names;
  Becomes becomes = Becomes::nothing;
  std::string_view to = {};
  bool takes_value = true;
};

struct Alias {
  std::string_view words;      ///< "job create"
  std::string_view verb;       ///< empty: nothing here does that
  std::string_view always;     ///< an option that is added: what the spelling does by itself
  std::string_view says = {};  ///< where there is no verb: what to do
  std::vector<AliasOption> options = {};
};

const std::vector<Alias>& aliases();

/// A command line in hdrive's own words.
struct Rewritten {
  const Alias* alias = nullptr;
  std::vector<std::string> arguments;  ///< the verb first; empty where there is none
  std::vector<std::string> ignored;    ///< options that mean nothing here
  std::string refused;  ///< a sentence about an option that cannot be had; empty: there is none
};
/// Nothing where the words are no alias.
std::optional<Rewritten> rewrite_alias(const std::vector<std::string>& words);

/// The line that says the short way: "hdrive stop HD_1a2b does it, too".
std::string short_way(const Rewritten& rewritten);

/// Of the words that begin an alias the next ones that make one: for "unknown command".
std::vector<std::string> aliases_behind(std::string_view word);

/// docs/azure-cli.md: every alias, its options, and what they become.
std::string alias_reference();

}  // namespace hdrive::cli
