// SPDX-License-Identifier: Apache-2.0
#include "hdrive/workspace.h"

namespace hdrive {

std::string_view to_string(WorkingDirectory where) {
  return where == WorkingDirectory::run ? "run" : "source";
}

std::string_view to_string(KeepWork keep) {
  switch (keep) {
    case KeepWork::never:
      return "never";
    case KeepWork::failed:
      return "failed";
    case KeepWork::always:
      return "always";
  }
  return "";
}

std::filesystem::path snapshot_store(const std::filesystem::path& home) {
  return home / "snapshots";
}

}  // namespace hdrive
