// SPDX-License-Identifier: Apache-2.0
#include "cli/hooks.h"

#include "tests/catch.h"
#include "tests/support/few_descriptors.h"

namespace hdrive::cli {
namespace {

std::string run_without_descriptors(const std::vector<std::string>& command) {
  const test::FewDescriptors none;
  return run_hook(command, {}, "/", [] { return true; });
}

TEST_CASE("A hook that hangs is ended also where no descriptor is left to watch it by") {
  CHECK_THAT(run_without_descriptors({"/bin/sleep", "1000"}), Catch::Contains("was ended"));
  CHECK(run_without_descriptors({"/bin/true"}).empty());
  CHECK(run_without_descriptors({"/bin/false"}) == "exited with code 1");
}

}  // namespace
}  // namespace hdrive::cli
