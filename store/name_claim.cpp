// SPDX-License-Identifier: Apache-2.0
//
// One at a time looks for a sweep's name and begins one of it.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/file.h"
#include "hdrive/catalog.h"
#include "store/ownership.h"

namespace hdrive {

Result<std::shared_ptr<void>> claim_names(const std::filesystem::path& home) {
  using namespace std::chrono;
  constexpr milliseconds kPause{5};
  constexpr seconds kPatience{30};  // making a store takes milliseconds, on a bad disk a second
  if (auto made = base::make_directories(home); !made) return made.error();
  // One for each user: in a folder that many use, nobody can read another's sweeps.
  const auto path = home / fmt::format(".names-{}.lock", ::geteuid());
  auto file = base::open_regular(AT_FDCWD, path, O_RDWR | O_CREAT);
  if (!file) return file.error();
  for (milliseconds waited{0}; !store::try_lock(file->get()); waited += kPause) {
    if (errno != EAGAIN && errno != EACCES) return base::system_error(path, "lock", errno);
    if (waited >= kPatience)
      return Error{path.string(),
                   fmt::format("another process has been beginning a named sweep here for {} "
                               "seconds; end it, if it is suspended",
                               kPatience.count()),
                   Error::Kind::busy};
    ::poll(nullptr, 0, static_cast<int>(kPause.count()));
  }
  return std::shared_ptr<void>(std::make_shared<base::UniqueFd>(*std::move(file)));
}

}  // namespace hdrive
