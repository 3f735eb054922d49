// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 (FIPS 180-4). Our own sixty lines instead of a cryptographic library: that would cost
// each start of the command more than hashing a usual source folder does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hdrive::base {

/// Takes bytes in pieces of any size; one thread at a time.
class Sha256 {
 public:
  Sha256& update(std::string_view bytes);
  /// The digest of all that came, as 64 hexadecimal digits. Nothing may follow.
  std::string hex();

 private:
  void compress(const unsigned char* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> buffer_{};
  std::size_t buffered_ = 0;
  std::uint64_t bytes_ = 0;
};

/// The digest of one text.
std::string sha256(std::string_view bytes);

}  // namespace hdrive::base
