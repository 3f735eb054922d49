// SPDX-License-Identifier: Apache-2.0
//
// What may stand where the cursor is: the answers of shell completion, made from the table of verbs
// and the sweeps on disk. The scripts of the shells (cli/completion.h) ask for them by the hidden
// verb `complete`.
#pragma once

#include <string>
#include <vector>

namespace hdrive::cli {

struct Candidate {
  std::string word;
  std::string description;  ///< may be empty
};

struct Candidates {
  std::vector<Candidate> words;  ///< those that begin as the current word does
  /// What files the shell is to offer besides.
  enum class Files { none, all, directories, configurations } files = Files::none;
};

/// Candidates for the last of `words`, which are those behind "hdrive" up to the cursor; it may be
/// empty.
Candidates candidates(std::vector<std::string> words);

}  // namespace hdrive::cli
