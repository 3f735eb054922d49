// SPDX-License-Identifier: Apache-2.0
#include "compute/embedded.h"

#include "base/file.h"

// The build gives HDRIVE_EMBED_SUPERVISOR and HDRIVE_EMBED_RUN_MODULE, the two files' paths, and
// compiles this file again when one of them changes.
#define HDRIVE_EMBED(symbol, path)                                                           \
  __asm__(                                                                                   \
      ".pushsection .rodata\n"                                                               \
      ".balign 16\n"                                                                         \
      ".globl " #symbol "_begin\n.hidden " #symbol                                           \
      "_begin\n"                                                                             \
      ".globl " #symbol "_end\n.hidden " #symbol "_end\n" #symbol "_begin:\n.incbin \"" path \
      "\"\n" #symbol                                                                         \
      "_end:\n.byte 0\n"                                                                     \
      ".popsection\n");                                                                      \
  extern "C" __attribute__((visibility("hidden"))) const char symbol##_begin[];              \
  extern "C" __attribute__((visibility("hidden"))) const char symbol##_end[];

HDRIVE_EMBED(hdrive_embedded_supervisor, HDRIVE_EMBED_SUPERVISOR)
HDRIVE_EMBED(hdrive_embedded_run_module, HDRIVE_EMBED_RUN_MODULE)

namespace hdrive::compute {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view embedded_supervisor() {
  return between(hdrive_embedded_supervisor_begin, hdrive_embedded_supervisor_end);
}

std::string_view embedded_run_module() {
  return between(hdrive_embedded_run_module_begin, hdrive_embedded_run_module_end);
}

Result<void> install_run_module(const std::filesystem::path& directory) {
  const auto file = directory / "hdrive_run.py";
  const std::string_view text = embedded_run_module();
  if (const auto present = base::read_file(file); present && *present == text) return {};
  if (auto made = base::make_directories(directory, 2); !made) return made.error();
  return base::write_file_atomically(file, text);
}

}  // namespace hdrive::compute
