// SPDX-License-Identifier: Apache-2.0
#include "cli/listing.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "base/csv.h"
#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/terminal.h"

namespace hdrive::cli {
namespace {

constexpr int kGap = 2;  // blanks between columns
constexpr std::string_view kGapText = "  ";

// Which columns a table of `width` shows, and how wide.
struct Layout {
  std::vector<std::size_t> columns;
  std::vector<int> widths;

  int total() const {
    return std::accumulate(widths.begin(), widths.end(), 0) +
           kGap * std::max(0, static_cast<int>(widths.size()) - 1);
  }
};

Layout natural_layout(const Listing& listing) {
  Layout layout;
  for (std::size_t i = 0; i < listing.columns.size(); ++i) {
    if (listing.columns[i].title.empty()) continue;
    int width = 0;
    for (const auto& row : listing.rows) width = std::max(width, display_width(row[i].text));
    if (width == 0 && !listing.rows.empty()) continue;  // nothing in it
    width = std::max(width, display_width(listing.columns[i].title));
    layout.columns.push_back(i);
    layout.widths.push_back(width);
  }
  return layout;
}

// Takes from the widest column that may be cut, one column of text at a time, until it fits.
void shrink(Layout& layout, const Listing& listing, int width) {
  while (layout.total() > width) {
    int* widest = nullptr;
    for (std::size_t i = 0; i < layout.columns.size(); ++i) {
      int& candidate = layout.widths[i];
      const int narrowest = listing.columns[layout.columns[i]].narrowest;
      if (narrowest > 0 && candidate > narrowest && (widest == nullptr || candidate > *widest))
        widest = &candidate;
    }
    if (widest == nullptr) return;
    --*widest;
  }
}

void remove_column(Layout& layout, std::size_t at) {
  layout.columns.erase(layout.columns.begin() + static_cast<std::ptrdiff_t>(at));
  layout.widths.erase(layout.widths.begin() + static_cast<std::ptrdiff_t>(at));
}

bool drop_one(Layout& layout, const Listing& listing) {
  std::size_t victim = layout.columns.size();
  int highest = 0;
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    const int drop = listing.columns[layout.columns[i]].drop;
    if (drop > 0 && drop >= highest) {
      highest = drop;
      victim = i;
    }
  }
  if (victim == layout.columns.size()) return false;
  remove_column(layout, victim);
  return true;
}

// Where all else was tried: a letter and an ellipsis, a head that can be told from another.
constexpr int kNarrowestText = 4, kNarrowestHead = 8;

bool holds_numbers(const Listing& listing, std::size_t column) {
  return listing.columns[column].align == Align::right;
}

int least_width(const Listing& listing, std::size_t column) {
  if (!holds_numbers(listing, column)) return kNarrowestText;
  int width = std::min(kNarrowestHead, display_width(listing.columns[column].title));
  for (const auto& row : listing.rows) width = std::max(width, display_width(row[column].text));
  return width;
}

// What is left when everything else was tried: heads of numbers are cut, then texts; then whole
// columns go, texts before numbers. A number is never cut, since what is left of it is another one.
void squeeze(Layout& layout, const Listing& listing, int width) {
  for (const bool numbers : {true, false})
    for (std::size_t i = layout.columns.size(); i-- > 0;) {
      const std::size_t column = layout.columns[i];
      const int excess = layout.total() - width;
      if (excess <= 0 || holds_numbers(listing, column) != numbers) continue;
      int& now = layout.widths[i];
      now = std::min(now, std::max(least_width(listing, column), now - excess));
    }
  for (const bool numbers : {false, true})
    for (std::size_t i = layout.columns.size(); i-- > 1;)
      if (layout.total() > width && holds_numbers(listing, layout.columns[i]) == numbers)
        remove_column(layout, i);
  if (layout.total() > width) layout.widths.front() = width;
}

Layout fit(const Listing& listing, int width) {
  Layout layout = natural_layout(listing);
  if (width <= 0) return layout;
  while (true) {
    Layout narrowed = layout;
    shrink(narrowed, listing, width);
    if (narrowed.total() <= width) return narrowed;
    if (drop_one(layout, listing)) continue;
    squeeze(narrowed, listing, width);
    return narrowed;
  }
}

void trim_right(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

JsonValue::JsonValue(double number) : text_(base::json_number(number)) {
  if (!text_.starts_with('"')) return;
  text_ = text_.substr(1, text_.size() - 2);
  quoted_ = true;
}

JsonValue JsonValue::json(std::string text) {
  JsonValue value;
  value.text_ = std::move(text);
  return value;
}

JsonValue JsonValue::time(Time time) {
  return time == Time{} ? JsonValue() : JsonValue(utc_text(time));
}

JsonValue JsonValue::seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

std::string JsonValue::as_json() const { return quoted_ ? base::json_string(text_) : text_; }

std::string JsonValue::as_csv() const { return !quoted_ && text_ == "null" ? "" : text_; }

std::string Listing::table(int width) const {
  const Layout layout = fit(*this, width);
  std::string result;
  const auto add_line = [&](const auto& text_of, bool head) {
    std::string line;
    for (std::size_t i = 0; i < layout.columns.size(); ++i) {
      const std::size_t column = layout.columns[i];
      if (i > 0) line += kGapText;
      const int room = layout.widths[i];
      std::string text = text_of(column);
      if (!head && holds_numbers(*this, column) && display_width(text) > room) text = "...";
      line += pad(cut(text, room), room, columns[column].align);
    }
    trim_right(line);
    result += line + "\n";
  };
  add_line([&](std::size_t column) { return columns[column].title; }, true);
  for (const auto& row : rows)
    add_line([&](std::size_t column) { return row[column].text; }, false);
  return result;
}

std::string RowText::begin() const {
  if (kind_ == Kind::json) return "[";
  std::string line;
  for (const Column& column : columns_)
    line += (line.empty() ? "" : ",") + base::csv_field(column.key);
  return line + "\n";
}

std::string RowText::row(const std::vector<Cell>& cells) {
  const bool first = std::exchange(first_, false);
  if (kind_ == Kind::json) {
    std::string object;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      object += (i == 0 ? "{" : ",") + base::json_string(columns_[i].key) + ":" +
                cells[i].value.as_json();
    return (first ? "\n" : ",\n") + object + "}";
  }
  std::string line;
  for (std::size_t i = 0; i < columns_.size(); ++i)
    line += (i == 0 ? "" : ",") + base::csv_field(cells[i].value.as_csv());
  return line + "\n";
}

std::string RowText::end() const {
  if (kind_ == Kind::csv) return "";
  return first_ ? "]\n" : "\n]\n";
}

namespace {

std::string all_rows(const Listing& listing, RowText text) {
  std::string result = text.begin();
  for (const auto& row : listing.rows) result += text.row(row);
  return result + text.end();
}

}  // namespace

std::string Listing::json() const { return all_rows(*this, {columns, RowText::Kind::json}); }
std::string Listing::csv() const { return all_rows(*this, {columns, RowText::Kind::csv}); }

void add_format_option(ArgumentParser& parser, Format& format) {
  static const std::map<std::string, Format> kFormats{
      {"table", Format::table}, {"json", Format::json}, {"csv", Format::csv}};
  std::string description = "table, json or csv";
  for (const auto& [name, value] : kFormats)
    if (value == format) description += " (default: " + name + ")";
  parser
      .add("-f,--format", "FORMAT", std::move(description),
           [&format](const std::string& name) {
             format = kFormats.at(name);
             return std::string();
           })
      .choices = {"table", "json", "csv"};
}

void write(const Listing& listing, Format format) {
  switch (format) {
    case Format::table:
      return print(listing.table(output_width()));
    case Format::json:
      return print_data(listing.json());
    case Format::csv:
      return print_data(listing.csv());
  }
}

}  // namespace hdrive::cli
