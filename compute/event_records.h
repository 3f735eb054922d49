// SPDX-License-Identifier: Apache-2.0
//
// TensorBoard's event files, read: records of TensorFlow's TFRecord format with Event messages of
// protocol buffers in them, of which only what scalars are made of is looked at.
// (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto,
// tensorflow/core/framework/summary.proto and tensor.proto.) Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hdrive::compute {

/// One scalar of a summary: a `simple_value`, or a tensor with one number in it.
struct ScalarEvent {
  std::string tag;
  double value = 0;
  std::int64_t step = 0;
  double wall_time = 0;      ///< seconds since 1970
  std::uint64_t record = 0;  ///< where its record begins in the bytes
  int place = 0;             ///< which scalar of its record it is, from 0
};

/// What some bytes of a file come to.
struct EventRecords {
  std::vector<ScalarEvent> scalars;
  std::size_t used = 0;    ///< bytes of whole records; the next one begins there
  std::size_t wanted = 0;  ///< how many bytes the next one has, as far as is known; 0: not known
  bool lost = false;       ///< a length is wrong: nothing behind it can be found
  int damaged = 0;         ///< records that were passed over, since their checksums are wrong
};

/// The longest record that is read; a longer one counts as damage.
inline constexpr std::uint64_t kLongestEventRecord = 64 << 20;

/// Reads whole records from the front of `bytes`, where one begins. One that is cut short is being
/// written.
EventRecords read_events(std::string_view bytes);

}  // namespace hdrive::compute
