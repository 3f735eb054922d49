// SPDX-License-Identifier: Apache-2.0
//
// v2 jobs: any bytes give a specification or a list of problems; what a job means can be stored as
// hdconfig.yml, and a job that is written from it reads back as the same sweep.
#include <string>

#include "hdrive/config.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;

namespace {

LoadedConfig read(const std::string& text) {
  ConfigOverrides overrides;
  overrides.needs_command = false;
  return parse_config(text, "job.yml", "/", overrides);
}

void require_ok(const LoadedConfig& loaded, const std::string& text, const char* what) {
  if (!loaded.ok()) std::fprintf(stderr, "%s\n", text.c_str());
  for (const Problem& problem : loaded.problems)
    if (!loaded.ok()) std::fprintf(stderr, "%s\n", problem.message().c_str());
  fuzz::require(loaded.ok(), what);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const LoadedConfig job = read("type: sweep\n" + std::string(fuzz::text(data, size)));
  for (const Problem& problem : job.problems)
    fuzz::require(!problem.message().empty(), "a problem says what it is");
  if (!job.ok()) return 0;
  const std::string stored = to_hdconfig(job.spec);
  const LoadedConfig again = read(stored);
  require_ok(again, stored, "what hdrive stores of a job, it reads");
  fuzz::require(to_hdconfig(again.spec) == stored, "what it reads, it stores again");
  const std::string written = to_sweep_job(job.spec);
  require_ok(read(written), written, "what hdrive writes as a job, it reads");
  return 0;
}
