// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/numerics.h"

namespace hdrive::sampling::gp {

#if defined(HDRIVE_X86_64_LEVELS)
const Numerics& numerics() {
  static const Numerics& kChosen = [&]() -> const Numerics& {
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2");
    return v3 ? x86_64_v3::table() : x86_64::table();
  }();
  return kChosen;
}
#else
const Numerics& numerics() { return x86_64::table(); }
#endif

const Numerics& portable_numerics() { return x86_64::table(); }

}  // namespace hdrive::sampling::gp
