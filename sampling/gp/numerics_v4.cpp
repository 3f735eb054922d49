// SPDX-License-Identifier: Apache-2.0
#define HDRIVE_LEVEL x86_64_v4
#define HDRIVE_LEVEL_NAME "x86-64-v4"
#define HDRIVE_LEVEL_EIGEN Eigen_x86_64_v4
#include "sampling/gp/numerics_level.inc"
