// SPDX-License-Identifier: Apache-2.0
#include "compute/pilot/pilot_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "base/file.h"

namespace hdrive::compute::pilot {

void remove_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path other = folder;
  other += kRemoved;
  std::filesystem::rename(folder, other, error);
  std::filesystem::remove_all(error ? folder : other, error);
}

Result<void> touch(const std::filesystem::path& file) {
  const base::UniqueFd fd(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!fd || ::futimens(fd.get(), nullptr) != 0) return base::system_error(file, "touch", errno);
  return {};
}

}  // namespace hdrive::compute::pilot
