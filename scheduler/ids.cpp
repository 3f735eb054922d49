// SPDX-License-Identifier: Apache-2.0
//
// Names, seeds and headers of new sweeps: the only random choices that no seed decides.
#include "hdrive/ids.h"

#include <cstdint>
#include <random>
#include <string>

#include "hdrive/config.h"
#include "hdrive/version.h"

namespace hdrive {
namespace {

std::uint64_t entropy() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

std::string new_sweep_id() {
  // RFC 4122, version 4: 122 random bits, four that say so, two for the variant.
  const std::uint64_t high = (entropy() & ~0xF000ull) | 0x4000ull;
  const std::uint64_t low = (entropy() & ~(3ull << 62)) | (2ull << 62);
  std::string id = "HD_";
  int digits = 0;
  for (const std::uint64_t half : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      if (digits == 8 || digits == 12 || digits == 16 || digits == 20) id += '-';
      id += "0123456789abcdef"[(half >> shift) & 15];
      ++digits;
    }
  }
  return id;
}

std::string new_token() {
  std::string token;
  for (int word = 0; word < 4; ++word)
    for (std::uint64_t bits = entropy(), digit = 0; digit < 16; ++digit, bits >>= 4)
      token += "0123456789abcdef"[bits & 15];
  return token;
}

SweepHeader new_sweep_header(const SweepSpec& spec, Time created) {
  SweepHeader header;
  header.id = new_sweep_id();
  header.name = spec.name;
  header.experiment = spec.experiment;
  header.config = to_hdconfig(spec);
  header.metric = spec.primary_metric;
  header.goal = spec.goal;
  header.version = version();
  header.created = created;
  return header;
}

std::uint64_t new_seed() { return entropy() >> 11; }

std::string run_id(const std::string& sweep_id, RunId run) {
  return sweep_id + "_" + std::to_string(run);
}

std::string_view version() { return HDRIVE_VERSION; }

}  // namespace hdrive
