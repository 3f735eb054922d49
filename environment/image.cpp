// SPDX-License-Identifier: Apache-2.0
//
// Images that are built once for the same content: the engine keeps them under a name that has the
// digest of the folder and the Dockerfile in it.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "environment/tool.h"
#include "hdrive/environment.h"

namespace hdrive {
namespace environment {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kImageDigits = 16;
constexpr std::size_t kPiece = 1 << 16;
constexpr std::size_t kLongestDockerfile = 1 << 20;

// What one entry of the folder adds to the digest: lengths keep one from running into the next.
Result<void> add_entry(base::Sha256& digest, const fs::path& root, const fs::path& path) {
  const std::string name = path.lexically_relative(root);
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  digest.update(
      fmt::format("{} {} {:o} ", name.size(), name, static_cast<unsigned>(status.permissions())));
  if (fs::is_symlink(status)) {
    const std::string target = fs::read_symlink(path, error);
    digest.update(fmt::format("link {} {} ", target.size(), target));
    return {};
  }
  if (!fs::is_regular_file(status)) return {};
  const auto file = base::open_regular(AT_FDCWD, path, O_RDONLY);
  if (!file) return file.error();
  digest.update(fmt::format("file {} ", fs::file_size(path, error)));
  std::string piece(kPiece, '\0');
  while (true) {
    const ssize_t bytes = ::read(file->get(), piece.data(), piece.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return base::system_error(path, "read", errno);
    if (bytes == 0) return {};
    digest.update(std::string_view(piece).substr(0, static_cast<std::size_t>(bytes)));
  }
}

Result<void> add_folder(base::Sha256& digest, const fs::path& root) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().filename() == ".git") {
      it.disable_recursion_pending();
      continue;
    }
    paths.push_back(it->path());
  }
  if (error) return base::system_error(root, "read", error.value());
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths)
    if (auto added = add_entry(digest, root, path); !added) return added;
  return {};
}

// The Dockerfile, wherever it is.
Result<std::string> text_of(const ImageBuild& build) {
  if (!build.text.empty()) return build.text;
  const fs::path file =
      build.context / (build.dockerfile.empty() ? "Dockerfile" : build.dockerfile);
  auto text = base::read_file(file, kLongestDockerfile);
  if (text) return text;
  return Error{file.string(), "the Dockerfile cannot be read: " + text.error().what,
               Error::Kind::not_found};
}

Result<std::string> key_of(const ImageBuild& build, const std::string& dockerfile) {
  base::Sha256 digest;
  digest.update(fmt::format("{} {}", dockerfile.size(), dockerfile));
  if (!build.context.empty())
    if (auto added = add_folder(digest, build.context); !added) return added.error();
  return digest.hex().substr(0, kImageDigits);
}

}  // namespace
}  // namespace environment

Result<std::string> build_image(ContainerEngine engine, const ImageBuild& build,
                                const EnvironmentOptions& options) {
  using namespace environment;
  const std::string name(to_string(engine));
  if (engine == ContainerEngine::apptainer)
    return Error{"",
                 "apptainer builds no Dockerfiles; install podman or docker, or build the "
                 "image elsewhere and give its name"};
  const auto program = find_program(options.search_path, name);
  if (!program) return Error{"", name + " is not in PATH"};
  const auto dockerfile = text_of(build);
  if (!dockerfile) return dockerfile.error();
  const auto key = key_of(build, *dockerfile);
  if (!key) return key.error();
  const std::string tag = "localhost/hdrive-image:" + *key;
  if (run_tool({{program->string(), "image", "inspect", tag}})) return tag;
  // The file as it was read, and an empty folder where there is none to copy from.
  const fs::path place = options.cache / "images" / *key, empty = place / "context";
  if (auto made = base::make_directories(empty); !made) return made.error();
  const fs::path file = place / "Dockerfile", log = place / "build.log";
  if (auto written = base::write_file_atomically(file, *dockerfile); !written)
    return written.error();
  if (options.tell)
    options.tell(
        fmt::format("image {}: building it with {}, once; the log is {}", tag, name, log.string()));
  const fs::path& context = build.context.empty() ? empty : build.context;
  const ToolRun run{{program->string(), "build", "-t", tag, "-f", file.string(), context.string()}};
  if (auto built = run_tool(run, log); !built) {
    Error error = built.error();
    error.where = "image " + tag;
    return error;
  }
  return tag;
}

}  // namespace hdrive
