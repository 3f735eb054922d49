// SPDX-License-Identifier: Apache-2.0
//
// Listing: rows under columns, written as a table for people, as JSON or as CSV. Built by a verb,
// written once.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/text.h"

namespace hdrive::cli {

class ArgumentParser;

using OrderedJson = nlohmann::ordered_json;

/// A number as hdrive writes it to JSON: NaN and infinities as the strings "NaN", "Infinity",
/// "-Infinity".
OrderedJson json_number(double number);
/// A moment as ISO 8601 in UTC; null for the epoch.
OrderedJson json_time(Time time);

/// One column.
struct Column {
  std::string key;    ///< its name in JSON and CSV
  std::string title;  ///< its head in the table; empty: not shown there
  Align align = Align::left;
  int narrowest =
      0;         ///< where the table is too wide, its texts are cut down to this; 0: not at all
  int drop = 0;  ///< left out of a table that is still too wide, highest first; 0: never
};

/// One value, for programs and for people.
struct Cell {
  OrderedJson value;
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

/// `text` as a field of a CSV row.
std::string csv_field(const std::string& text);
/// The value as CSV writes it: text as it is, null empty, the rest as JSON.
std::string csv_text(const OrderedJson& value);

enum class Format { table, json, csv };

/// Adds `-f/--format table|json|csv`.
void add_format_option(ArgumentParser& parser, Format& format);

/// Writes the listing to stdout; the table as wide as the terminal.
void write(const Listing& listing, Format format);

}  // namespace hdrive::cli
