// SPDX-License-Identifier: Apache-2.0
#define HDRIVE_LEVEL x86_64
#define HDRIVE_LEVEL_NAME "x86-64"
#define HDRIVE_LANES 2
#define HDRIVE_ROWS 4
#include "sampling/gp/numerics_level.inc"
