// SPDX-License-Identifier: Apache-2.0
#include "hdrive/spec.h"

namespace hdrive {

std::string_view to_string(MlflowServer choice) {
  switch (choice) {
    case MlflowServer::automatic:
      return "auto";
    case MlflowServer::always:
      return "always";
    case MlflowServer::never:
      return "never";
  }
  return "";
}

}  // namespace hdrive
