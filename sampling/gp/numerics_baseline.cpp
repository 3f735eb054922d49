// SPDX-License-Identifier: Apache-2.0
#define HDRIVE_LEVEL x86_64
#if defined(__x86_64__)
#define HDRIVE_LEVEL_NAME "x86-64"
#else
#define HDRIVE_LEVEL_NAME "baseline"  // of whatever this is
#endif
#define HDRIVE_LEVEL_EIGEN Eigen_x86_64
#include "sampling/gp/numerics_level.inc"
