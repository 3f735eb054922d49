// SPDX-License-Identifier: Apache-2.0
#include "compute/event_records.h"

#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include "base/tfrecord.h"

namespace hdrive::compute {
namespace {

using base::little_endian;
using base::masked_crc32c;

double real(std::uint64_t bits, std::size_t size) {
  if (size == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

// The fields of a protocol buffers message, one after another.
class Fields {
 public:
  enum Type : int { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  explicit Fields(std::string_view message) : left_(message) {}

  /// Moves to the next field; false at the end, and where it cannot be read (`is_sound` tells).
  bool next() {
    if (left_.empty() || !sound_) return false;
    const auto key = varint();
    if (!key) return sound_ = false;
    number_ = *key >> 3;
    type_ = static_cast<int>(*key & 7);
    return sound_ = take_value();
  }
  bool is(std::uint64_t number, Type type) const { return number_ == number && type_ == type; }
  std::uint64_t number() const { return number_; }
  int type() const { return type_; }
  /// Of a varint, or the bits of a fixed number.
  std::uint64_t value() const { return value_; }
  std::string_view bytes() const { return bytes_; }
  bool is_sound() const { return sound_; }

 private:
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  bool take_value() {
    std::optional<std::uint64_t> number;
    switch (type_) {
      case kVarint:
        number = varint();
        value_ = number.value_or(0);
        return number.has_value();
      case kFixed64:
        return take_fixed(8);
      case kFixed32:
        return take_fixed(4);
      case kBytes:
        number = varint();
        if (!number || *number > left_.size()) return false;
        bytes_ = left_.substr(0, *number);
        left_.remove_prefix(*number);
        return true;
      default:
        return false;
    }
  }

  bool take_fixed(std::size_t size) {
    if (left_.size() < size) return false;
    value_ = little_endian(left_.substr(0, size));
    left_.remove_prefix(size);
    return true;
  }

  std::string_view left_, bytes_;
  std::uint64_t number_ = 0, value_ = 0;
  int type_ = 0;
  bool sound_ = true;
};

// ---- tensors ------------------------------------------------------------------------------------

// tensorflow/core/framework/types.proto
enum DataType : std::uint64_t {
  kFloat = 1,
  kDouble = 2,
  kInt32 = 3,
  kUint8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kInt64 = 9,
  kBool = 10,
  kBfloat16 = 14,
  kUint16 = 17,
  kHalf = 19,
  kUint32 = 22,
  kUint64 = 23,
};

std::size_t size_of(std::uint64_t type) {
  switch (type) {
    case kDouble:
    case kInt64:
    case kUint64:
      return 8;
    case kFloat:
    case kInt32:
    case kUint32:
      return 4;
    case kInt16:
    case kUint16:
    case kBfloat16:
    case kHalf:
      return 2;
    case kUint8:
    case kInt8:
    case kBool:
      return 1;
    default:
      return 0;  // no number
  }
}

double half(std::uint64_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const auto exponent = static_cast<int>(bits >> 10 & 0x1f);
  const auto mantissa = static_cast<double>(bits & 0x3ff);
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  if (exponent == 0x1f) return mantissa != 0 ? std::nan("") : sign * INFINITY;
  return sign * std::ldexp(mantissa + 1024, exponent - 25);
}

double number_of(std::uint64_t bits, std::uint64_t type) {
  switch (type) {
    case kFloat:
      return real(bits, 4);
    case kDouble:
      return real(bits, 8);
    case kBfloat16:
      return real(bits << 16, 4);
    case kHalf:
      return half(bits);
    case kInt32:
      return static_cast<std::int32_t>(bits);
    case kInt16:
      return static_cast<std::int16_t>(bits);
    case kInt8:
      return static_cast<std::int8_t>(bits);
    case kInt64:
      return static_cast<double>(static_cast<std::int64_t>(bits));
    default:
      return static_cast<double>(bits);
  }
}

// Which field of a TensorProto has the values of the type, where they are not in tensor_content.
std::uint64_t field_of(std::uint64_t type) {
  switch (type) {
    case kFloat:
      return 5;
    case kDouble:
      return 6;
    case kInt64:
      return 10;
    case kBool:
      return 11;
    case kHalf:
    case kBfloat16:
      return 13;
    case kUint32:
      return 16;
    case kUint64:
      return 17;
    default:
      return 7;
  }
}

// How many elements a TensorShapeProto stands for; 1 without dimensions.
std::uint64_t elements_of(std::string_view shape) {
  std::uint64_t elements = 1;
  for (Fields fields(shape); fields.next();) {
    if (!fields.is(2, Fields::kBytes)) continue;
    std::uint64_t size = 0;
    for (Fields dimension(fields.bytes()); dimension.next();)
      if (dimension.is(1, Fields::kVarint)) size = dimension.value();
    elements = size == 1 ? elements : 0;
  }
  return elements;
}

// The first of the numbers in a repeated field: packed, or this one alone.
std::optional<double> first_number(const Fields& field, std::uint64_t type) {
  if (field.type() != Fields::kBytes) return number_of(field.value(), type);
  const std::size_t fixed = type == kFloat ? 4 : type == kDouble ? 8 : 0;
  if (fixed > 0) {
    if (field.bytes().size() < fixed) return std::nullopt;
    return number_of(little_endian(field.bytes().substr(0, fixed)), type);
  }
  // As the value of a field of its own: 8 is the key of field 1.
  const std::string as_field = '\x08' + std::string(field.bytes());
  Fields packed(as_field);
  return packed.next() ? std::optional(number_of(packed.value(), type)) : std::nullopt;
}

// Nothing where it is no single number.
std::optional<double> scalar_in(std::string_view tensor) {
  std::uint64_t type = 0, elements = 1;
  for (Fields fields(tensor); fields.next();) {
    if (fields.is(1, Fields::kVarint)) type = fields.value();
    if (fields.is(2, Fields::kBytes)) elements = elements_of(fields.bytes());
  }
  const std::size_t size = size_of(type);
  if (size == 0 || elements != 1) return std::nullopt;
  std::optional<double> found;
  for (Fields fields(tensor); fields.next();) {
    if (fields.is(4, Fields::kBytes) && fields.bytes().size() == size)
      found = number_of(little_endian(fields.bytes()), type);
    else if (fields.number() == field_of(type))
      found = first_number(fields, type);
  }
  // A zero need not be written.
  return found ? found : std::optional(0.0);
}

// ---- summaries ----------------------------------------------------------------------------------

std::string_view plugin_in(std::string_view metadata) {
  std::string_view name;
  for (Fields fields(metadata); fields.next();) {
    if (!fields.is(1, Fields::kBytes)) continue;
    for (Fields data(fields.bytes()); data.next();)
      if (data.is(1, Fields::kBytes)) name = data.bytes();
  }
  return name;
}

void take_value(std::string_view value, ScalarEvent event, std::vector<ScalarEvent>& scalars) {
  std::string_view plugin;
  std::optional<double> number;
  for (Fields fields(value); fields.next();) {
    if (fields.is(1, Fields::kBytes)) event.tag = fields.bytes();
    if (fields.is(2, Fields::kFixed32)) number = real(fields.value(), 4);
    if (fields.is(8, Fields::kBytes)) number = scalar_in(fields.bytes());
    if (fields.is(9, Fields::kBytes)) plugin = plugin_in(fields.bytes());
  }
  if (!number || event.tag.empty() || (!plugin.empty() && plugin != "scalars")) return;
  event.value = *number;
  event.place =
      scalars.empty() || scalars.back().record != event.record ? 0 : scalars.back().place + 1;
  scalars.push_back(std::move(event));
}

void take_event(std::string_view message, std::uint64_t record, std::vector<ScalarEvent>& scalars) {
  ScalarEvent event;
  event.record = record;
  for (Fields fields(message); fields.next();) {
    if (fields.is(1, Fields::kFixed64)) event.wall_time = real(fields.value(), 8);
    if (fields.is(2, Fields::kVarint)) event.step = static_cast<std::int64_t>(fields.value());
  }
  for (Fields fields(message); fields.next();) {
    if (!fields.is(5, Fields::kBytes)) continue;
    for (Fields summary(fields.bytes()); summary.next();)
      if (summary.is(1, Fields::kBytes)) take_value(summary.bytes(), event, scalars);
  }
}

}  // namespace

EventRecords read_events(std::string_view bytes) {
  EventRecords read;
  while (bytes.size() - read.used >= base::kRecordHeader) {
    const std::string_view length_text = bytes.substr(read.used, 8);
    const std::uint64_t length = little_endian(length_text);
    if (masked_crc32c(length_text) != little_endian(bytes.substr(read.used + 8, 4)) ||
        length > kLongestEventRecord) {
      read.lost = true;
      return read;
    }
    const std::size_t size =
        base::kRecordHeader + static_cast<std::size_t>(length) + base::kRecordFooter;
    if (bytes.size() - read.used < size) {
      read.wanted = size;
      return read;
    }
    const std::string_view message = bytes.substr(read.used + base::kRecordHeader, length);
    if (masked_crc32c(message) ==
        little_endian(bytes.substr(read.used + base::kRecordHeader + length, 4)))
      take_event(message, read.used, read.scalars);
    else
      ++read.damaged;
    read.used += size;
  }
  return read;
}

}  // namespace hdrive::compute
