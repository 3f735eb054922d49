// SPDX-License-Identifier: Apache-2.0
//
// Text helpers any program could use: case, nearest match, JSON strings, numbers.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hdrive::base {

/// ASCII letters in lower case.
std::string lower(std::string_view text);

/// Lower case and without '-', '_' and ' ': two spellings of one word fold to the same text.
std::string fold(std::string_view word);

/// Without white space at both ends.
std::string_view trim(std::string_view text);

/// The parts are views into `text`, which has to outlive them.
std::vector<std::string_view> split(std::string_view text, char separator);
/// Not of a text that is gone before the parts are looked at.
template <std::same_as<std::string> Text>
std::vector<std::string_view> split(Text&& text, char separator) = delete;
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// The candidate most like `word` by edit distance (adjacent swaps count one), ignoring case;
/// nothing if even that one differs in more than about a third of its letters.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

/// ` did you mean "x"?` for the nearest candidate, or nothing. Ready to be appended after a ";".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// The shortest text that reads back as the same double, with an exponent where Python has one:
/// "3", "0.0001", "1e-05", "1000000", "1e+16", "nan", "inf", "-inf".
std::string shortest(double number);

/// What Python's repr() gives: as `shortest`, but a real number always looks like one: "3.0".
std::string python_number(double number);

/// The number that the whole of `text` spells, "nan" and "inf" included; independent of the locale.
std::optional<double> parse_number(std::string_view text);

/// Valid UTF-8: each byte that belongs to no character becomes U+FFFD.
std::string to_utf8(std::string_view bytes);

/// A JSON string literal with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

/// A JSON number that keeps its kind ("3.0"); NaN and infinities, which JSON lacks, become the
/// strings "NaN", "Infinity" and "-Infinity".
std::string json_number(double number);

/// The last `lines` lines of `text`, and no more than `bytes` of them.
std::string tail(std::string_view text, int lines, std::size_t bytes);

/// "1.2 MB", "340 kB", "12 B".
std::string size_text(std::uint64_t bytes);

/// "1 run", "2 runs".
std::string plural(long long count, std::string_view noun);

}  // namespace hdrive::base
