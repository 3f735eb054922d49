// SPDX-License-Identifier: Apache-2.0
//
// What the completion scripts ask: a line a candidate, "WORD<tab>DESCRIPTION", and one ":files",
// ":directories" or ":configurations" where the shell is to offer files.
#include <memory>

#include "cli/argument_parser.h"
#include "cli/candidates.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

// bash splits words at "=", too: "--format=js" comes as three.
std::vector<std::string> joined(const std::vector<std::string>& words) {
  std::vector<std::string> result;
  bool open = false;  // the last one ends in a "=" that stood alone
  for (const std::string& word : words) {
    if (word == "=" && !result.empty())
      result.back() += word;
    else if (open)
      result.back() += word;
    else
      result.push_back(word);
    open = word == "=";
  }
  return result;
}

int complete(const std::vector<std::string>& words) {
  const Candidates found = candidates(joined(words));
  std::string text;
  for (const Candidate& candidate : found.words)
    text += printable(candidate.word) + "\t" + printable(candidate.description) + "\n";
  switch (found.files) {
    case Candidates::Files::none:
      break;
    case Candidates::Files::all:
      text += ":files\n";
      break;
    case Candidates::Files::directories:
      text += ":directories\n";
      break;
    case Candidates::Files::configurations:
      text += ":configurations\n";
  }
  print(text);
  return kDone;
}

}  // namespace

Action setup_complete(ArgumentParser& /*parser*/, std::vector<std::string>& arguments) {
  // All of them are another command's, options as well.
  auto words = std::make_shared<std::vector<std::string>>(std::move(arguments));
  arguments.clear();
  return [words] { return complete(*words); };
}

}  // namespace hdrive::cli
