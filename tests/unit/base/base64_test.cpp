// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

namespace hdrive::base {
namespace {

TEST_CASE("base64 is that of RFC 4648, section 10") {
  const std::pair<std::string, std::string> pairs[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : pairs) {
    CHECK(base64(bytes) == text);
    CHECK(base64_decoded(text) == bytes);
  }
  CHECK(base64_decoded("Zm9vYg") == "foob");
  CHECK_FALSE(base64_decoded("Zm9v!"));
}

TEST_CASE("all bytes survive base64") {
  std::string bytes;
  for (int i = 0; i < 1'000; ++i) bytes += static_cast<char>(i * 7);
  CHECK(base64_decoded(base64(bytes)) == bytes);
}

}  // namespace
}  // namespace hdrive::base
