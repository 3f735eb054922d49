// SPDX-License-Identifier: Apache-2.0
//
// An ignore file and a path: it always comes to an answer, and what is about folders says nothing of files.
#include <string>

#include "tests/fuzz/fuzz.h"
#include "workspace/ignore.h"

using namespace hdrive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text(data, size));
  // The path stands behind the last zero byte.
  const std::size_t split = text.rfind('\0');
  const std::string patterns = text.substr(0, split == text.npos ? text.size() : split);
  const std::string path = split == text.npos ? "a/b.txt" : text.substr(split + 1);

  const workspace::IgnoreFile file(patterns);
  const auto of_file = file.decide(path, false), of_folder = file.decide(path, true);
  if (of_file) fuzz::require(of_folder.has_value(), "what is said of a file is said of a folder");
  const workspace::IgnoreRules rules = workspace::IgnoreRules().with("", patterns);
  fuzz::require(rules.ignores(path, false) == (of_file && of_file->ignored),
                "the rules of one file are that file's");
  fuzz::require(!rules.with("", "!*\n").ignores(path, true) || path.ends_with('/') || path.empty(),
                "the last word takes everything back in");
  return 0;
}
