// SPDX-License-Identifier: Apache-2.0
//
// hdconfig.yml: any bytes give a specification or a list of problems; a specification written as
// hdconfig.yml reads back and is written the same.
#include <string>

#include "hdrive/config.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const LoadedConfig config = parse_config(fuzz::text(data, size), "hdconfig.yml", "/");
  for (const Problem& problem : config.problems)
    fuzz::require(!problem.message().empty(), "a problem says what it is");
  if (!config.ok()) return 0;
  const std::string written = to_hdconfig(config.spec);
  const LoadedConfig again = parse_config(written, "hdconfig.yml", "/");
  if (!again.ok()) std::fprintf(stderr, "%s\n", written.c_str());
  for (const Problem& problem : again.problems)
    if (!again.ok()) std::fprintf(stderr, "%s\n", problem.message().c_str());
  fuzz::require(again.ok(), "what hdrive writes, it reads");
  fuzz::require(to_hdconfig(again.spec) == written, "what it reads, it writes again");
  return 0;
}
