// SPDX-License-Identifier: Apache-2.0
//
// TensorFlow's TFRecord: how messages follow each other in a file, each with its length and
// checksums (tensorflow/core/lib/io/record_writer.h). Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hdrive::base {

/// In front of a message: its length, and the checksum of that; and behind it: its checksum.
inline constexpr std::size_t kRecordHeader = 12, kRecordFooter = 4;

/// CRC-32C, turned and moved as TensorFlow masks it.
std::uint32_t masked_crc32c(std::string_view bytes);

/// The number that these bytes, at most eight, are, the lowest first.
std::uint64_t little_endian(std::string_view bytes);
/// The reverse.
std::string little_endian(std::uint64_t number, std::size_t size);

/// The message as a record.
std::string tf_record(std::string_view message);

}  // namespace hdrive::base
