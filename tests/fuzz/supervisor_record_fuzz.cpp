// SPDX-License-Identifier: Apache-2.0
//
// supervisor.json: any bytes give a record or none, and whatever process a record names, a supervisor is found
// only in the directory in which it lives: here there is none.
#include <unistd.h>

#include "compute/process_identity.h"
#include "compute/run_records.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::write(fuzz::directory() / "supervisor.json", fuzz::text(data, size));
  const auto read = compute::read_supervisor_record(fuzz::directory());
  fuzz::require(static_cast<bool>(read), "a file that can be read is a record or none");
  if (!*read) return 0;
  static const auto here = compute::look_around();
  fuzz::require(static_cast<bool>(here), "processes can be told from each other");
  const auto as_it_says = compute::find_supervisor(**read, fuzz::directory(), *here);
  fuzz::require(!as_it_says || !*as_it_says, "no process lives in this directory");
  // As if it were of this boot, and meant this very process.
  compute::SupervisorRecord record = **read;
  record.boot_id = here->boot_id;
  record.pid_namespace = here->pid_namespace;
  record.pid = ::getpid();
  const auto self = compute::read_stat(::getpid());
  if (self && *self) record.start_time = (*self)->start_time;
  const auto found = compute::find_supervisor(record, fuzz::directory(), *here);
  fuzz::require(!found, "alive, and of another directory");
  return 0;
}
