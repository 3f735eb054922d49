// SPDX-License-Identifier: Apache-2.0
//
// Ignore files: git's own answers decide, by rule here and over generated cases in tests/integration.
#include "workspace/ignore.h"

#include "tests/catch.h"
#include "workspace/wildmatch.h"

namespace hdrive::workspace {
namespace {

bool ignored(const std::string& file, const std::string& path, bool is_folder = false) {
  return IgnoreRules().with("", file).ignores(path, is_folder);
}

TEST_CASE("A pattern without a slash is for every folder, one with a slash for its own") {
  CHECK(ignored("*.log", "a.log"));
  CHECK(ignored("*.log", "deep/er/a.log"));
  CHECK_FALSE(ignored("*.log", "a.log2"));
  CHECK(ignored("/a.txt", "a.txt"));
  CHECK_FALSE(ignored("/a.txt", "sub/a.txt"));
  CHECK(ignored("sub/a.txt", "sub/a.txt"));
  CHECK_FALSE(ignored("sub/a.txt", "x/sub/a.txt"));
}

TEST_CASE("The last pattern that matches decides, and an exclamation mark takes back in") {
  CHECK_FALSE(ignored("*.txt\n!keep.txt", "keep.txt"));
  CHECK(ignored("!keep.txt\n*.txt", "keep.txt"));
  CHECK(ignored("\\!important", "!important"));
  CHECK(ignored("\\#1", "#1"));
  CHECK_FALSE(ignored("#1", "#1"));
}

TEST_CASE("A slash at the end is for folders alone") {
  CHECK(ignored("data/", "data", true));
  CHECK_FALSE(ignored("data/", "data", false));
  CHECK(ignored("data/", "deep/data", true));
  CHECK_FALSE(ignored("/", "data", true));
}

TEST_CASE("Two stars stand for any number of folders") {
  for (const char* path : {"a/b", "a/x/b", "a/x/y/b"}) CHECK(ignored("a/**/b", path));
  CHECK(ignored("**/b", "b"));
  CHECK(ignored("**/b", "x/y/b"));
  CHECK(ignored("a/**", "a/x/y"));
  CHECK_FALSE(ignored("a/**", "a", true));
  CHECK_FALSE(ignored("a/*", "a/x/y"));
  CHECK_FALSE(ignored("a**b/c", "ax/yb/c"));
}

TEST_CASE("Blanks at the end of a line go, unless a backslash keeps them") {
  CHECK(ignored("a.txt   ", "a.txt"));
  CHECK(ignored("a.txt\\ ", "a.txt "));
  CHECK(ignored("a.txt\\  ", "a.txt "));
  CHECK(ignored("a b", "a b"));
  CHECK(ignored("a.txt\r\nb.txt\r\n", "a.txt"));
  CHECK(ignored("\xef\xbb\xbf*.o", "x.o"));
}

TEST_CASE("Brackets know ranges, classes, negation and escapes") {
  CHECK(ignored("[a-c].x", "b.x"));
  CHECK_FALSE(ignored("[!a-c].x", "b.x"));
  CHECK(ignored("[^a-c].x", "d.x"));
  CHECK(ignored("[]]x", "]x"));
  CHECK(ignored("[[:digit:]]x", "7x"));
  CHECK_FALSE(ignored("[[:nonsense:]]x", "7x"));
  CHECK(ignored("[a\\-c]x", "-x"));
  CHECK_FALSE(ignored("[a\\-c]x", "bx"));
  CHECK_FALSE(ignored("[abc", "a"));
  CHECK_FALSE(ignored("sub[/]a", "sub/a"));
}

TEST_CASE("The ignore file of a deeper folder has the last word") {
  const IgnoreRules top = IgnoreRules().with("", "*.txt\n");
  const IgnoreRules deeper = top.with("sub", "!*.txt\n/x.txt\n");
  CHECK(top.ignores("a.txt", false));
  CHECK_FALSE(deeper.ignores("sub/a.txt", false));
  CHECK(deeper.ignores("sub/x.txt", false));
  CHECK_FALSE(deeper.ignores("sub/inner/x.txt", false));
}

TEST_CASE("A pattern made to take for ever comes to an end") {
  std::string pattern, text;
  for (int i = 0; i < 40; ++i) pattern += "**/a*";
  for (int i = 0; i < 200; ++i) text += "a/";
  CHECK_FALSE(wild_match(pattern + "b", text, Wild::path));
}

}  // namespace
}  // namespace hdrive::workspace
