// SPDX-License-Identifier: Apache-2.0
//
// By itself, since the agent on other machines asks it too and has no server.
#include "hdrive/server.h"
#include "server/scope.h"

namespace hdrive {

std::optional<std::string> own_tracking_uri(const std::optional<std::string>& exported_uri,
                                            const std::optional<std::string>& run_id) {
  if (!exported_uri || !run_id) return exported_uri;
  const std::string of_run = std::string(server::kScope) + run_id->substr(run_id->rfind('_') + 1);
  // On another machine the number of its attempt stands behind it.
  const bool is_its =
      exported_uri->ends_with(of_run) ||
      exported_uri->find(of_run + std::string(server::kAttemptScope)) != std::string::npos;
  return is_its ? std::nullopt : exported_uri;
}

}  // namespace hdrive
