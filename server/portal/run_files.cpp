// SPDX-License-Identifier: Apache-2.0
#include "server/portal/run_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "server/portal/gate.h"
#include "server/url.h"

namespace hdrive::server::portal {
namespace {

constexpr std::size_t kMostFiles = 5'000;
constexpr int kDeepest = 16;
constexpr std::uint64_t kMostPiece = 1 << 20;

struct Kind {
  std::string_view ending, kind, type;
};
constexpr Kind kKinds[] = {
    {".png", "image", "image/png"},
    {".jpg", "image", "image/jpeg"},
    {".jpeg", "image", "image/jpeg"},
    {".gif", "image", "image/gif"},
    {".webp", "image", "image/webp"},
    {".avif", "image", "image/avif"},
    {".bmp", "image", "image/bmp"},
    {".svg", "html", "image/svg+xml"},
    {".html", "html", "text/html; charset=utf-8"},
    {".htm", "html", "text/html; charset=utf-8"},
    {".json", "json", "text/plain; charset=utf-8"},
    {".jsonl", "text", "text/plain; charset=utf-8"},
    {".csv", "csv", "text/plain; charset=utf-8"},
    {".tsv", "csv", "text/plain; charset=utf-8"},
    {".txt", "text", "text/plain; charset=utf-8"},
    {".log", "text", "text/plain; charset=utf-8"},
    {".md", "text", "text/plain; charset=utf-8"},
    {".yml", "text", "text/plain; charset=utf-8"},
    {".yaml", "text", "text/plain; charset=utf-8"},
    {".py", "text", "text/plain; charset=utf-8"},
    {".toml", "text", "text/plain; charset=utf-8"},
    {".xml", "text", "text/plain; charset=utf-8"},
};

Kind kind_of(std::string_view path) {
  const std::string name = base::lower(path);
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& kind) {
    return std::string_view(name).ends_with(kind.ending);
  });
  return found != std::end(kKinds) ? *found : Kind{"", "other", "application/octet-stream"};
}

// Of "epoch_10.png" 10: pictures of several steps are shown as a strip.
Json step_of(std::string_view name) {
  const std::string_view stem = name.substr(0, name.rfind('.'));
  const std::size_t last = stem.find_last_not_of("0123456789");
  const std::string_view digits = last == stem.npos ? stem : stem.substr(last + 1);
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  return error == std::errc{} && !digits.empty() ? Json(step) : Json(nullptr);
}

struct Lister {
  Json files = Json::array();
  bool more = false;

  void list(int parent, const std::string& name, const std::string& path, int depth) {
    auto folder = base::open_directory(parent, name);
    if (!folder || depth > kDeepest) return;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(::dup(folder->get())),
                                                      ::closedir);
    if (!entries) return;
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(entries.get())) {
      const std::string_view each = entry->d_name;
      if (each != "." && each != "..") names.emplace_back(each);
    }
    std::sort(names.begin(), names.end());
    for (const std::string& each : names) {
      struct stat facts {};
      if (::fstatat(folder->get(), each.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
      const std::string at = path + "/" + each;
      if (S_ISDIR(facts.st_mode)) {
        list(folder->get(), each, at, depth + 1);
      } else if (S_ISREG(facts.st_mode)) {
        if (files.size() == kMostFiles) {
          more = true;
          return;
        }
        const Time modified{std::chrono::seconds{facts.st_mtim.tv_sec}};
        files.push_back({{"path", text(at)},
                         {"size", facts.st_size},
                         {"modified", moment(modified)},
                         {"kind", kind_of(each).kind},
                         {"step", step_of(each)}});
      }
    }
  }
};

// A regular file below the directory, reached without following a link.
Result<base::UniqueFd> open_below(const std::filesystem::path& directory,
                                  const std::vector<std::string>& parts) {
  auto folder = base::open_directory(AT_FDCWD, directory);
  for (std::size_t i = 0; folder && i + 1 < parts.size(); ++i)
    folder = base::open_directory(folder->get(), parts[i]);
  if (!folder) return folder.error();
  return base::open_regular(folder->get(), parts.back(), O_RDONLY);
}

Error no_file(const std::string& path) {
  return {"", "the run has no file " + base::json_string(path) + " in outputs or logs",
          Error::Kind::not_found};
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// For a header: letters that mean nothing there.
std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name)
    plain += (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '.' || c == '-'
                 ? c
                 : '_';
  return plain;
}

}  // namespace

Json list_run_files(const std::filesystem::path& run_directory) {
  Lister lister;
  if (const auto directory = base::open_directory(AT_FDCWD, run_directory)) {
    lister.list(directory->get(), "outputs", "outputs", 0);
    lister.list(directory->get(), "logs", "logs", 0);
  }
  return {{"files", std::move(lister.files)}, {"more", lister.more}};
}

Result<Response> run_file(const std::filesystem::path& run_directory, const std::string& path,
                          bool render, const Part& part) {
  const auto parts = path_parts(path);
  if (!parts || parts->size() < 2 || (parts->front() != "outputs" && parts->front() != "logs"))
    return no_file(path);
  auto file = open_below(run_directory, *parts);
  if (!file) return no_file(path);
  struct stat facts {};
  if (::fstat(file->get(), &facts) != 0) return base::system_error(path, "look at", errno);
  const Kind kind = kind_of(path);
  const bool active = kind.kind == "html";
  Response response;
  response.type = active && !render ? "text/plain; charset=utf-8" : std::string(kind.type);
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const std::uint64_t from = std::min(part.from, size);
  if (::lseek(file->get(), static_cast<off_t>(from), SEEK_SET) < 0)
    return base::system_error(path, "read", errno);
  response.file = {*std::move(file),
                   part.limit == 0 ? size - from : std::min(part.limit, size - from)};
  // The first policy is the page's own; where both hold, neither may be broken.
  response.headers = std::string(safety_headers());
  if (active && render)
    response.headers =
        "Content-Security-Policy: sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src "
        "data:\r\n"
        "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        "Cross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-store\r\n";
  if (kind.kind == "other")
    response.headers +=
        "Content-Disposition: attachment; filename=\"" + plain_name(file_name(path)) + "\"\r\n";
  return response;
}

Result<Json> run_log(const std::filesystem::path& run_directory, const std::string& name,
                     const Piece& piece) {
  const auto parts = path_parts(name);
  if (!parts || parts->empty()) return no_file(name);
  Json json = {{"text", ""}, {"from", 0}, {"next", 0}, {"size", 0}, {"end", true}};
  // Where it printed nothing, or another kind of thing lies there, there is nothing to read.
  const auto file = open_below(run_directory, *parts);
  if (!file) return json;
  struct stat facts {};
  if (::fstat(file->get(), &facts) != 0) return base::system_error(name, "look at", errno);
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const std::uint64_t limit = std::clamp<std::uint64_t>(piece.limit, 1, kMostPiece);
  std::uint64_t from = std::min(size, piece.from.value_or(size - std::min(size, limit)));
  std::string bytes(std::min(limit, size - from), '\0');
  const ssize_t count = ::pread(file->get(), bytes.data(), bytes.size(), static_cast<off_t>(from));
  if (count < 0) return base::system_error(name, "read", errno);
  bytes.resize(static_cast<std::size_t>(count));
  // The end of a file may begin in the middle of a character.
  const auto first =
      piece.from ? bytes.begin() : std::find_if(bytes.begin(), bytes.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
      });
  from += static_cast<std::uint64_t>(first - bytes.begin());
  bytes.erase(bytes.begin(), first);
  // A character that is cut in two is for the next piece, unless it never comes.
  std::size_t whole = bytes.size();
  for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    if (length > back) whole = bytes.size() - back;
    break;
  }
  if (from + bytes.size() < size && whole > 0) bytes.resize(whole);
  json["text"] = text(bytes);
  json["from"] = from;
  json["next"] = from + bytes.size();
  json["size"] = size;
  json["end"] = from + bytes.size() >= size;
  return json;
}

}  // namespace hdrive::server::portal
