// SPDX-License-Identifier: Apache-2.0
//
// run.json: a repair reads any bytes as the parameters of a run or tells a fault, and what it reads can be
// written and read again.
#include <filesystem>

#include "base/text.h"
#include "hdrive/target.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto directory = fuzz::directory() / "7";
  static const bool made = std::filesystem::create_directory(directory);
  (void)made;
  fuzz::write(directory / "run.json", fuzz::text(data, size));
  const auto recorded = read_run_directory(directory, 7, {});
  fuzz::require(static_cast<bool>(recorded), "a directory that can be read is a run");
  fuzz::require(recorded->attempts.size() == 1, "its one attempt");
  fuzz::require(recorded->attempts[0].attempt > 0, "attempts count from 1");
  for (const std::string& fault : recorded->faults)
    fuzz::require(base::to_utf8(fault) == fault, "a fault can be shown");
  if (!recorded->parameters) return 0;
  const std::string text = to_json(*recorded->parameters);
  const auto again = assignment_from_json(text);
  fuzz::require(again && to_json(*again) == text, "parameters are written as they are read");
  return 0;
}
