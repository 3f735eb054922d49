// SPDX-License-Identifier: Apache-2.0
//
// exit.json: any bytes give a record or none, and a record can be told to the user.
#include "base/text.h"
#include "compute/run_end.h"
#include "compute/run_records.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::write(fuzz::directory() / "exit.json", fuzz::text(data, size));
  const auto read = compute::read_exit_record(fuzz::directory());
  fuzz::require(static_cast<bool>(read), "a file that can be read is a record or none");
  if (!*read) return 0;
  const compute::ExitRecord& record = **read;
  fuzz::require(!record.cpu_time || *record.cpu_time >= Duration{}, "time is not used backwards");
  fuzz::require(!record.peak_memory || *record.peak_memory >= 0, "nor memory");
  RunRequest request;
  request.arguments = {"train"};
  request.directory = fuzz::directory();
  const RunExited exited = compute::describe_exit(record, request, 20);
  fuzz::require(exited.exit_code.has_value() + exited.signal.has_value() <= 1,
                "a run ends in one way");
  fuzz::require(exited.not_started || exited.exit_code || exited.signal,
                "a run that started ends in some way");
  fuzz::require(base::to_utf8(exited.note) == exited.note, "the note can be shown");
  return 0;
}
