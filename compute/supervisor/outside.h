// SPDX-License-Identifier: Apache-2.0
//
// What of a run lives outside of its process tree. Used by the supervisor's one thread; allocates nothing.
#pragma once

#include <signal.h>

namespace hdrive::supervisor {

/// A container is its engine's, not a child of ours. Carries out the command that ends it, if what began one has left it here
/// (protocol.h, kEndFile), and waits for it, not for ever.
void end_outside(const sigset_t& signals);

}  // namespace hdrive::supervisor
