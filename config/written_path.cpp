// SPDX-License-Identifier: Apache-2.0
#include "config/written_path.h"

#include <algorithm>
#include <cctype>
#include <system_error>

namespace hdrive::config {

namespace fs = std::filesystem;

std::string without_windows(const fs::path& directory, std::string_view text) {
  constexpr std::string_view kSchemes[] = {"file://", "file:"};
  for (const std::string_view scheme : kSchemes)
    if (text.starts_with(scheme)) {
      text.remove_prefix(scheme.size());
      break;
    }
  std::string path(text);
  std::error_code error;
  if (path.find('\\') != path.npos && !fs::exists(directory / path, error))
    std::replace(path.begin(), path.end(), '\\', '/');
  return path;
}

fs::path written_path(const fs::path& directory, std::string_view text) {
  return (directory / without_windows(directory, text)).lexically_normal();
}

bool is_of_windows(std::string_view text) {
  return text.size() > 2 && std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
         text[1] == ':' && (text[2] == '\\' || text[2] == '/');
}

}  // namespace hdrive::config
