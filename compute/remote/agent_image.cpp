// SPDX-License-Identifier: Apache-2.0
//
// The build gives HDRIVE_EMBED_AGENT, the program's path, and compiles this again when it changes.
#include "compute/remote/agent_image.h"

#include "base/sha256.h"

__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    ".globl hdrive_embedded_agent_begin\n.hidden hdrive_embedded_agent_begin\n"
    ".globl hdrive_embedded_agent_end\n.hidden hdrive_embedded_agent_end\n"
    "hdrive_embedded_agent_begin:\n.incbin \"" HDRIVE_EMBED_AGENT
    "\"\n"
    "hdrive_embedded_agent_end:\n.byte 0\n"
    ".popsection\n");
extern "C" __attribute__((visibility("hidden"))) const char hdrive_embedded_agent_begin[];
extern "C" __attribute__((visibility("hidden"))) const char hdrive_embedded_agent_end[];

namespace hdrive::compute::remote {

std::string_view agent_image() {
  return {hdrive_embedded_agent_begin,
          static_cast<std::size_t>(hdrive_embedded_agent_end - hdrive_embedded_agent_begin)};
}

const std::string& agent_digest() {
  static const std::string digest = base::sha256(agent_image());
  return digest;
}

}  // namespace hdrive::compute::remote
