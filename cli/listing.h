// SPDX-License-Identifier: Apache-2.0
//
// Listing: rows under columns, written as a table for people, as JSON or as CSV. Built by a verb,
// written once.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/text.h"

namespace hdrive::cli {

class ArgumentParser;

/// A value for programs: null, a text, a number, or anything that is JSON already. NaN and
/// infinities are the texts "NaN", "Infinity" and "-Infinity".
class JsonValue {
 public:
  JsonValue(std::nullptr_t = nullptr) : text_("null") {}
  JsonValue(std::string text) : text_(std::move(text)), quoted_(true) {}
  JsonValue(std::string_view text) : JsonValue(std::string(text)) {}
  JsonValue(const char* text) : JsonValue(std::string(text)) {}
  JsonValue(double number);
  JsonValue(std::integral auto number) : text_(std::to_string(number)) {}
  template <class T>
  JsonValue(const std::optional<T>& value) : JsonValue(value ? JsonValue(*value) : JsonValue()) {}

  static JsonValue json(std::string text);
  /// ISO 8601 in UTC; null for the epoch.
  static JsonValue time(Time time);
  static JsonValue seconds(Duration duration);

  std::string as_json() const;
  /// A text as it is, null empty, the rest as JSON.
  std::string as_csv() const;

 private:
  std::string text_;
  bool quoted_ = false;  // it is a text, and not JSON
};

/// One column.
struct Column {
  std::string key;            ///< its name in JSON and CSV
  std::string title;          ///< its head in the table; empty: not shown there
  Align align = Align::left;  ///< right: numbers, which are never cut; their head may be
  int narrowest =
      0;  ///< where the table is too wide, its texts are cut down to this; 0: not at all
  /// Left out of a table that is still too wide, the highest first, of equal ones the last; 0: never.
  int drop = 0;
};

/// One value, for programs and for people.
struct Cell {
  JsonValue value;
  std::string text;  ///< empty: an empty place in the table
};

struct Listing {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  ///< each with one cell a column

  /// Lines of at most `width` columns without trailing blanks; `width` 0: as wide as it needs to
  /// be.
  std::string table(int width) const;
  /// An array of objects, one a line.
  std::string json() const;
  /// RFC 4180 with LF, heads first; null is empty.
  std::string csv() const;
};

/// A listing as JSON or CSV piece by piece, for rows that are many or come slowly: `begin`, each
/// row, `end`.
class RowText {
 public:
  enum class Kind { json, csv };
  RowText(std::vector<Column> columns, Kind kind) : columns_(std::move(columns)), kind_(kind) {}

  std::string begin() const;
  std::string row(const std::vector<Cell>& cells);
  std::string end() const;

 private:
  std::vector<Column> columns_;
  Kind kind_;
  bool first_ = true;
};

enum class Format { table, json, csv };

/// Adds `-f/--format table|json|csv`; what `format` is now is the default.
void add_format_option(ArgumentParser& parser, Format& format);

/// Writes the listing to stdout; the table as wide as the terminal.
void write(const Listing& listing, Format format);

}  // namespace hdrive::cli
