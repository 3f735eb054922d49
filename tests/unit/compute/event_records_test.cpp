// SPDX-License-Identifier: Apache-2.0
//
// Event files byte by byte; whole files of TensorBoard's own are read in tests/integration.
#include "compute/event_records.h"

#include <bit>
#include <cmath>

#include "base/tfrecord.h"
#include "tests/catch.h"

using namespace hdrive;
using namespace hdrive::compute;

namespace {

std::string varint(std::uint64_t number) {
  std::string text;
  for (; number > 0x7f; number >>= 7) text += static_cast<char>(number | 0x80);
  return text + static_cast<char>(number);
}
std::string field(int number, const std::string& content) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(content.size()) + content;
}
std::string number_field(int number, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(number) << 3) + varint(value);
}
std::string fixed(float value) {
  return base::little_endian(std::bit_cast<std::uint32_t>(value), 4);
}
std::string fixed(double value) {
  return base::little_endian(std::bit_cast<std::uint64_t>(value), 8);
}

std::string event(std::int64_t step, const std::string& values) {
  return '\x09' + fixed(1700000000.5) + number_field(2, static_cast<std::uint64_t>(step)) +
         field(5, values);
}
std::string simple(const std::string& tag, float value) {
  return field(1, field(1, tag) + '\x15' + fixed(value));
}
std::string of_tensor(const std::string& content, const std::string& plugin = "scalars") {
  return field(1, field(1, "x") + field(8, content) + field(9, field(1, field(1, plugin))));
}
std::vector<double> values_of(const std::string& bytes) {
  std::vector<double> values;
  for (const ScalarEvent& each : read_events(bytes).scalars) values.push_back(each.value);
  return values;
}
std::vector<double> read_tensor(const std::string& content, const std::string& plugin = "scalars") {
  return values_of(base::tf_record(event(1, of_tensor(content, plugin))));
}

}  // namespace

TEST_CASE("The checksum is the one that TensorFlow writes") {
  // RFC 3720, B.4: 32 bytes of zeros and of ones; masked.
  const auto masked = [](std::uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8U; };
  CHECK(base::masked_crc32c(std::string(32, '\0')) == masked(0x8a9136aa));
  CHECK(base::masked_crc32c(std::string(32, '\xff')) == masked(0x62a8ab43));
  CHECK(base::masked_crc32c("123456789") == masked(0xe3069283));
}

TEST_CASE("Simple values come with tag, step, time, and where they stand") {
  const std::string first = base::tf_record('\x09' + fixed(1.0) + field(3, "brain.Event:2"));
  const std::string bytes =
      first + base::tf_record(event(7, simple("loss", 0.5F) + simple("acc", -2.0F)));
  const EventRecords read = read_events(bytes);
  CHECK(read.used == bytes.size());
  CHECK_FALSE(read.lost);
  REQUIRE(read.scalars.size() == 2);
  CHECK(read.scalars[0].tag == "loss");
  CHECK(read.scalars[0].value == 0.5);
  CHECK(read.scalars[0].step == 7);
  CHECK(read.scalars[0].wall_time == 1700000000.5);
  CHECK(read.scalars[0].record == first.size());
  CHECK(read.scalars[1].place == 1);
  CHECK(read.scalars[1].value == -2.0);
}

TEST_CASE("A step below zero, NaN and infinities are what they are") {
  const EventRecords read = read_events(base::tf_record(event(
      -3, simple("a", std::nanf("")) + simple("b", -std::numeric_limits<float>::infinity()))));
  REQUIRE(read.scalars.size() == 2);
  CHECK(read.scalars[0].step == -3);
  CHECK(std::isnan(read.scalars[0].value));
  CHECK(read.scalars[1].value == -std::numeric_limits<double>::infinity());
}

TEST_CASE("Tensors with one number are scalars, of any kind of number and in each of its places") {
  const auto type = [](std::uint64_t number) { return number_field(1, number); };
  using Values = std::vector<double>;
  CHECK(read_tensor(type(1) + field(4, fixed(0.25F))) == Values{0.25});
  CHECK(read_tensor(type(1) + field(5, fixed(0.25F))) == Values{0.25});
  CHECK(read_tensor(type(1) + '\x2d' + fixed(0.25F)) == Values{0.25});
  CHECK(read_tensor(type(2) + field(6, fixed(0.1))) == Values{0.1});
  CHECK(read_tensor(type(3) + field(7, varint(static_cast<std::uint64_t>(-5)))) == Values{-5});
  CHECK(read_tensor(type(9) + field(10, varint(1ULL << 40))) == Values{std::ldexp(1, 40)});
  CHECK(read_tensor(type(10) + field(11, varint(1))) == Values{1});
  CHECK(read_tensor(type(19) + field(13, varint(0x3c00))) == Values{1});
  CHECK(read_tensor(type(14) + field(13, varint(0x3fc0))) == Values{1.5});
  CHECK(read_tensor(type(1) + field(2, "")) == Values{0});  // a zero is left out
  const std::string one = field(2, number_field(1, 1)), three = field(2, number_field(1, 3));
  CHECK(read_tensor(type(1) + field(2, one) + field(4, fixed(2.0F))) == Values{2});
  CHECK(read_tensor(type(1) + field(2, three) + field(4, fixed(2.0F))).empty());
  CHECK(read_tensor(type(7) + field(8, "text")).empty());
  CHECK(read_tensor(type(1) + field(4, fixed(2.0F)), "hparams").empty());
  CHECK(read_tensor(type(1) + field(4, fixed(2.0F)), "") == Values{2});
}

TEST_CASE("A record that is still being written waits, at whichever byte it ends") {
  const std::string whole = base::tf_record(event(1, simple("a", 1)));
  const std::string bytes = whole + base::tf_record(event(2, simple("a", 2)));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const EventRecords read = read_events(std::string_view(bytes).substr(0, size));
    CHECK(read.used == (size < whole.size() ? 0 : whole.size()));
    CHECK(read.scalars.size() == (size < whole.size() ? 0 : 1));
    CHECK_FALSE(read.lost);
  }
}

TEST_CASE("A wrong checksum of a message costs that one, of a length all that follows") {
  const std::string record = base::tf_record(event(1, simple("a", 1)));
  std::string message = record, length = record;
  message[20] = static_cast<char>(message[20] ^ 1);
  length[0] = static_cast<char>(length[0] ^ 1);
  const EventRecords one = read_events(record + message + record);
  CHECK(one.scalars.size() == 2);
  CHECK(one.damaged == 1);
  const EventRecords rest = read_events(record + length + record);
  CHECK(rest.scalars.size() == 1);
  CHECK(rest.lost);
  CHECK(rest.used == record.size());
  CHECK(read_events("no event file, and long enough to be one").lost);
}
