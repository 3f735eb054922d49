// SPDX-License-Identifier: Apache-2.0
//
// Problems: collects everything wrong with a configuration, so that all of it is told at once.
//
// One object serves one load. Not thread-safe; nothing is shared between loads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hdrive/config.h"

namespace hdrive::config {

/// Where something was written: a source (a file, a `--set`) and a position in it.
struct Place {
  int source = 0;  ///< what Problems::add_source returned
  int line = 0;    ///< from 1; 0: the source as a whole
  int column = 0;  ///< from 1, in bytes (messages tell characters)
};

class Problems {
 public:
  /// Whether messages tell positions: they do in a file, not in a `--set`.
  enum class Lines { told, untold };

  /// A text that is about to be read, under the name to call it by. Sources sort in this order.
  int add_source(std::string name, std::string text = {}, Lines lines = Lines::told);
  const std::string& source_name(int source) const { return sources_[source].name; }
  bool is_setting(int source) const { return sources_[source].lines == Lines::untold; }
  const std::string& source_text(int source) const { return sources_[source].text; }

  void error(Place place, std::string text) { add(Problem::Severity::error, place, text); }
  void warn(Place place, std::string text) { add(Problem::Severity::warning, place, text); }

  /// How many errors there are so far: to see whether a step went well.
  std::size_t errors() const { return errors_; }

  /// All of them in the order of the sources, then of their positions.
  std::vector<Problem> take();

 private:
  struct Source {
    std::string name, text;
    Lines lines = Lines::told;
    std::vector<std::size_t> line_starts;  ///< filled when first asked for
  };
  struct Entry {
    Place place;
    Problem problem;
  };

  void add(Problem::Severity severity, Place place, std::string& text);
  int characters(Source& source, Place place) const;

  std::vector<Source> sources_;
  std::vector<Entry> entries_;
  std::size_t errors_ = 0;
};

/// The beginning of a long text and "...", or the whole of a short one.
std::string shortened(std::string_view text);

/// Text as it may stand in a message: quoted, escaped, cut where it is long.
std::string in_quotes(std::string_view text);

/// `"a", "b", "c"` without the quotes.
std::string listing(const std::vector<std::string>& words);

}  // namespace hdrive::config
