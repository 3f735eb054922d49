// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/help.h"
#include "hdrive/version.h"

namespace hdrive::cli {
namespace {

// Text as roff shows it: its own characters escaped, and no line that begins as a request does.
std::string roff(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else
      result += c;
  }
  return result.starts_with('.') || result.starts_with('\'') ? "\\&" + result : result;
}

std::string paragraphs(std::string_view text) {
  std::string result;
  for (const std::string_view line : base::split(text, '\n'))
    result += line.empty() ? ".PP\n" : roff(line) + "\n";
  return result;
}

std::string entry(const std::string& head, std::string_view text) {
  return fmt::format(".TP\n.B {}\n{}\n", roff(head), roff(text));
}

std::string verb_section(const Verb& verb) {
  std::string text = fmt::format(".SS hdrive {}{}{}\n", roff(verb.name),
                                 verb.usage.empty() ? "" : " ", roff(verb.usage));
  text += paragraphs(verb.details.empty() ? fmt::format("{}.", verb.summary)
                                          : std::string(verb.details));
  ArgumentParser parser;
  std::vector<std::string> none;
  const Action unused = verb.setup(parser, none);
  for (const Argument& argument : parser.arguments())
    if (!argument.hidden && argument.take)  // --help is the same everywhere
      text += entry(argument_head(argument), argument.description);
  if (!verb.examples.empty()) text += ".PP\nExamples:\n.PP\n.nf\n.RS\n";
  for (const std::string_view example : verb.examples) text += roff(example) + "\n";
  if (!verb.examples.empty()) text += ".RE\n.fi\n";
  return text;
}

}  // namespace

std::string manual_page() {
  std::string text = fmt::format(".TH HDRIVE 1 \"\" \"hdrive {}\" \"hdrive manual\"\n", version());
  text +=
      ".SH NAME\nhdrive \\- hyperparameter sweeps on machines you own\n"
      ".SH SYNOPSIS\n.B hdrive\n.I command\n[options]\n.SH DESCRIPTION\n";
  text += paragraphs(selector_sentence());
  text += ".SH COMMANDS\nEach takes \\-h, \\-\\-help.\n";
  for (const Verb& verb : verbs())
    if (!verb.hidden) text += verb_section(verb);
  text += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : exit_codes()) text += entry(std::string(code), meaning);
  text += ".SH ENVIRONMENT\n";
  for (const auto& [name, meaning] : environment_variables())
    text += entry(std::string(name), meaning);
  return text;
}

}  // namespace hdrive::cli
