// SPDX-License-Identifier: Apache-2.0
//
// exit.json and supervisor.json: any bytes give a record or none, and a record can be told to the user.
#include "base/text.h"
#include "compute/run_directory.h"
#include "compute/run_end.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const char* name : {"exit.json", "supervisor.json"})
    fuzz::write(fuzz::directory() / name, fuzz::text(data, size));
  (void)compute::read_supervisor_record(fuzz::directory());
  const auto record = compute::read_exit_record(fuzz::directory());
  if (!record) return 0;
  RunRequest request;
  request.arguments = {"train"};
  request.directory = fuzz::directory();
  const RunExited exited = compute::describe_exit(*record, request, 20);
  fuzz::require(exited.exit_code.has_value() + exited.signal.has_value() <= 1,
                "a run ends in one way");
  fuzz::require(exited.not_started || exited.exit_code || exited.signal,
                "a run that started ends in some way");
  fuzz::require(base::to_utf8(exited.note) == exited.note, "the note can be shown");
  return 0;
}
