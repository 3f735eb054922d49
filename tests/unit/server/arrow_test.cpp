// SPDX-License-Identifier: Apache-2.0
//
// What a column makes of values; that the whole is Arrow's format is judged by pyarrow (tests/integration/ui_tables_test.py).
#include "server/portal/arrow.h"

#include <catch2/catch.hpp>
#include <cstring>

namespace hdrive::server::portal {
namespace {

using Kind = ArrowColumn::Kind;

template <class T>
std::vector<T> numbers(const std::string& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

ArrowColumn column_of(const std::vector<Value>& values) {
  ArrowColumn column("p");
  for (const Value& value : values) column.add(value);
  return column;
}

TEST_CASE("numbers of both kinds are reals, and what is not there keeps its place") {
  const ArrowColumn column = column_of({std::int64_t{3}, std::monostate(), 0.5});
  CHECK(column.kind() == Kind::real);
  CHECK(column.nulls() == 1);
  const auto buffers = column.buffers();
  REQUIRE(buffers.size() == 2);
  CHECK(buffers[0] == std::string(1, '\5'));
  CHECK(numbers<double>(buffers[1]) == std::vector<double>{3, 0, 0.5});
}

TEST_CASE("texts lie behind their offsets, bytes that are no UTF-8 replaced") {
  const ArrowColumn column = column_of({std::string("ab"), std::monostate(), std::string("\xff")});
  CHECK(column.kind() == Kind::text);
  const auto buffers = column.buffers();
  REQUIRE(buffers.size() == 3);
  CHECK(numbers<std::int64_t>(buffers[1]) == std::vector<std::int64_t>{0, 2, 2, 5});
  CHECK(buffers[2] == "ab\xEF\xBF\xBD");
}

TEST_CASE("a mixture is JSON, also of what came before it was one") {
  const ArrowColumn words = column_of({std::string("a"), std::int64_t{1}, true});
  CHECK(words.kind() == Kind::text);
  CHECK(words.buffers()[2] == "\"a\"1true");
  const ArrowColumn lists = column_of({hdrive::Json{"[64,64]"}, std::string("b")});
  CHECK(lists.buffers()[2] == "[64,64]\"b\"");
  const ArrowColumn answers = column_of({true, false, std::string("maybe")});
  CHECK(answers.buffers()[2] == "truefalse\"maybe\"");
}

TEST_CASE("booleans are bits, and moments count microseconds") {
  const ArrowColumn answers = column_of({true, false, std::monostate(), true});
  CHECK(answers.kind() == Kind::boolean);
  CHECK(answers.buffers()[1] == std::string(1, '\x09'));
  ArrowColumn moments("t", Kind::time);
  moments.add_time(Time{std::chrono::seconds{2}});
  moments.add_time(Time{});
  CHECK(moments.nulls() == 1);
  CHECK(numbers<std::int64_t>(moments.buffers()[1]) == std::vector<std::int64_t>{2'000'000, 0});
}

TEST_CASE("a stream begins with its schema and ends with its mark, in whole words") {
  const std::string stream = arrow_stream({column_of({1.0, 2.0})});
  CHECK(stream.size() % 8 == 0);
  CHECK(stream.substr(0, 4) == "\xFF\xFF\xFF\xFF");
  CHECK(stream.substr(stream.size() - 8) == std::string("\xFF\xFF\xFF\xFF\0\0\0\0", 8));
}

}  // namespace
}  // namespace hdrive::server::portal
