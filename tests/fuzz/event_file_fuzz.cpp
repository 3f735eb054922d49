// SPDX-License-Identifier: Apache-2.0
//
// TensorBoard's event files: any bytes are read to their end or given up, and what is found can be kept.
#include <string>

#include "base/tfrecord.h"
#include "compute/event_records.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;

namespace {

void check(std::string_view bytes) {
  const compute::EventRecords read = compute::read_events(bytes);
  fuzz::require(read.used <= bytes.size(), "no more is used than there is");
  std::uint64_t before = 0;
  for (const compute::ScalarEvent& scalar : read.scalars) {
    fuzz::require(!scalar.tag.empty(), "a scalar has a name");
    fuzz::require(scalar.record >= before && scalar.record < bytes.size(),
                  "scalars come in the order of their records");
    before = scalar.record;
  }
  // What is left begins where a record does.
  if (!read.lost && read.used > 0) {
    const auto rest = compute::read_events(bytes.substr(read.used));
    fuzz::require(rest.used == 0, "all whole records are read at once");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text(data, size));
  check(text);
  // With the checksums right the message is read.
  check(base::tf_record(text));
  return 0;
}
