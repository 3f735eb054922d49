// SPDX-License-Identifier: Apache-2.0
#include "cli/text.h"

#include <cmath>
#include <limits>

#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::cli;
using namespace std::chrono_literals;

TEST_CASE("Printable text has no control characters and no broken UTF-8") {
  CHECK(printable("plain") == "plain");
  CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\rd");
  CHECK(printable("\x1b[31mred\x7f") == "\\x1b[31mred\\x7f");
  CHECK(printable("caf\xC3\xA9 \xFF") == "caf\xC3\xA9 \xEF\xBF\xBD");
}

TEST_CASE("Printable text has nothing that turns, hides or breaks the text around it") {
  CHECK(printable("\u009b31mred\u0085") == "\\x9b31mred\\x85");
  CHECK(printable("a\u202eb\u2066c\u2069\u200f") == "a\\u202eb\\u2066c\\u2069\\u200f");
  CHECK(printable("a\u2028b\u2029\u200b\ufeff") == "a\\u2028b\\u2029\\u200b\\ufeff");
  CHECK(printable("\U000E0041") == "\\U000e0041");
  // Joiners stay, as emoji and Persian need them.
  const std::string family = "\U0001F468\u200D\U0001F469 \u0645\u06CC\u200C\u062E";
  CHECK(printable(family) == family);
}

TEST_CASE("A printable text of several lines keeps its line breaks and tabs, and nothing else") {
  CHECK(printable_text("a\tb\nc\r\n\x1b[2J\n") == "a\tb\nc\\r\n\\x1b[2J\n");
  CHECK(printable_text(printable_text("\x1b\u202e\n")) == printable_text("\x1b\u202e\n"));
}

TEST_CASE("Width counts columns, not bytes") {
  CHECK(display_width("") == 0);
  CHECK(display_width("abc") == 3);
  CHECK(display_width("\u00E9") == 1);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("\u6DF1\u5EA6") == 4);
  CHECK(display_width("\U0001F600") == 2);
  CHECK(display_width("\u2588\u2591") == 2);
}

TEST_CASE("Cut text never takes more than its width and never splits a character") {
  CHECK(cut("abcdef", 6) == "abcdef");
  CHECK(cut("abcdefg", 6) == "abc...");
  CHECK(cut("abcdefg", 2) == "..");
  CHECK(cut("abcdefg", 0) == "");
  CHECK(cut("abcdefg", -1) == "");
  CHECK(cut("abcdefg", 4, "\u2026") == "abc\u2026");
  // A wide character that does not fit whole is left out.
  CHECK(cut("\u6DF1\u5EA6\u5B66", 4, "\u2026") == "\u6DF1\u2026");
  for (int width = 0; width < 12; ++width)
    CHECK(display_width(cut("a\u6DF1b\u00E9\U0001F600c d", width)) <= width);
}

TEST_CASE("Padding aligns by columns and leaves longer text alone") {
  CHECK(pad("ab", 4, Align::left) == "ab  ");
  CHECK(pad("ab", 4, Align::right) == "  ab");
  CHECK(pad("\u6DF1", 4, Align::right) == "  \u6DF1");
  CHECK(pad("abcdef", 4, Align::left) == "abcdef");
}

TEST_CASE("Wrapping breaks at blanks and keeps words that are too long whole") {
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("extraordinary", 5) == std::vector<std::string>{"extraordinary"});
  CHECK(wrap("", 5) == std::vector<std::string>{""});
}

TEST_CASE("Durations are told in the two units that matter") {
  CHECK(duration_text(0s) == "0.0s");
  CHECK(duration_text(-5s) == "0.0s");
  CHECK(duration_text(1250ms) == "1.2s");
  CHECK(duration_text(9940ms) == "9.9s");
  CHECK(duration_text(9960ms) == "10s");
  CHECK(duration_text(59499ms) == "59s");
  CHECK(duration_text(59500ms) == "1m 00s");
  CHECK(duration_text(123s) == "2m 03s");
  CHECK(duration_text(3600s) == "1h 00m");
  CHECK(duration_text(3900s) == "1h 05m");
  CHECK(duration_text(100h) == "4d 04h");
}

TEST_CASE("Moments are ISO 8601 in UTC, and the epoch is no moment") {
  CHECK(utc_text(Time{}) == "");
  CHECK(time_text(Time{}) == "");
  CHECK(utc_text(Time{std::chrono::seconds{1'700'000'000} + 1500us}) ==
        "2023-11-14T22:13:20.001500Z");
}

TEST_CASE("Parameters are told by bare name with short numbers") {
  CHECK(parameters_text({{"--lr", 0.123456789},
                         {"layers", std::int64_t{2}},
                         {"act", std::string("re\nlu")},
                         {"on", true}}) == "lr=0.123457 layers=2 act=re\\nlu on=True");
  CHECK(parameters_text({}) == "");
}

TEST_CASE("A run that a policy ended is stopped, any other cancelled one is canceled") {
  CHECK(outcome_text(RunStatus::canceled, EndCause::policy) == "Stopped");
  CHECK(outcome_text(RunStatus::canceled, EndCause::user) == "Canceled");
  CHECK(outcome_text(RunStatus::completed, EndCause::exited) == "Completed");
}

TEST_CASE("A sweep is told by the first eight digits of its id") {
  CHECK(short_id("HD_0123abcd-0000-4000-8000-000000000000") == "HD_0123abcd");
}

TEST_CASE("A text of several lines is made printable line by line") {
  CHECK(printable_lines("one\ntw\x1b\n") == std::vector<std::string>{"one", "tw\\x1b"});
  CHECK(printable_lines("a\n\nb") == std::vector<std::string>{"a", "", "b"});
}
