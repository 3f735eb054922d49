// SPDX-License-Identifier: Apache-2.0
//
// Ignore files, with the whole grammar of .gitignore.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hdrive::workspace {

/// The patterns of one ignore file. Immutable.
class IgnoreFile {
 public:
  explicit IgnoreFile(std::string_view text);

  struct Decision {
    bool ignored = false;  ///< false: taken back in (`!`)
    std::size_t line = 0;  ///< of the pattern, from 1
  };
  /// What it says of a path relative to its folder; nothing at all where no pattern matches.
  std::optional<Decision> decide(std::string_view path, bool is_folder) const;

 private:
  struct Pattern {
    std::size_t line = 0;
    std::string glob;         // without '!', a leading '/' and a '/' at the end
    std::size_t literal = 0;  // so many of its first characters stand for themselves
    bool negated = false;
    bool folders_only = false;
    bool name_only = false;  // without a slash: matched against the last part of a path
  };
  static std::optional<Pattern> parse(std::string_view line);
  static bool matches(const Pattern& pattern, std::string_view path);

  std::vector<Pattern> patterns_;
};

/// The ignore files from the source folder down to one of its folders; a deeper one has the last
/// word. Whoever walks does not enter ignored folders, so that nothing in them can be taken back
/// in: git's rule.
class IgnoreRules {
 public:
  /// The rules for what lies in the folder `path` ("" the source folder), which has this ignore
  /// file of this name.
  IgnoreRules with(const std::string& path, std::string_view text,
                   const std::string& name = ".gitignore") const;
  /// `path` is relative to the source folder.
  bool ignores(std::string_view path, bool is_folder) const;
  /// The line that says so, "data/.gitignore:3"; nothing where the path is not ignored.
  std::optional<std::string> ignored_by(std::string_view path, bool is_folder) const;

 private:
  struct Placed {
    std::string folder;  // with a slash at its end, or empty
    std::string name;
    IgnoreFile file;
  };
  // The file that has the last word on a path, and its decision; null: none has one.
  std::pair<const Placed*, IgnoreFile::Decision> decide(std::string_view path,
                                                        bool is_folder) const;

  std::vector<Placed> files_;
};

}  // namespace hdrive::workspace
