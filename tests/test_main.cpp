// SPDX-License-Identifier: Apache-2.0

// TBB's packages are built without ThreadSanitizer, which then takes its own hand-overs for races.
extern "C" const char* __tsan_default_suppressions() {
  return "race:tbb::detail\nrace:/tbb/\nrace:libtbb.so\n";
}

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>
int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
