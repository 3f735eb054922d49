// SPDX-License-Identifier: Apache-2.0
#include "server/job_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "server/mlflow/routes.h"
#include "server/url.h"

namespace hdrive::server {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Of the run's own directory, and of the one that all runs lie in.
constexpr std::string_view kOfRun[] = {"job.sh",  "run.json", "work",
                                       "outputs", "logs",     "checkpoints"};
constexpr std::string_view kOfAll[] = {".hdrive-supervisor", ".python"};

void list_entry(const fs::path& path, const std::string& name, json& list) {
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (fs::is_symlink(status)) {
    list.push_back({{"path", name}, {"link", fs::read_symlink(path, error).string()}});
  } else if (fs::is_regular_file(status)) {
    const bool executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
    list.push_back(
        {{"path", name}, {"size", fs::file_size(path, error)}, {"executable", executable}});
  } else if (fs::is_directory(status)) {
    list.push_back({{"path", name}, {"folder", true}});
    std::vector<std::string> names;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error))
      names.push_back(entry->path().filename().string());
    std::sort(names.begin(), names.end());
    for (const std::string& each : names) list_entry(path / each, name + "/" + each, list);
  }
}

}  // namespace

Response serve_job(const fs::path& sweep_directory, const fs::path& run_folder,
                   std::string_view path) {
  Response response;
  if (path.empty()) {
    json list = json::array();
    for (const std::string_view name : kOfAll)
      list_entry(sweep_directory / "runs" / name, std::string(name), list);
    for (const std::string_view name : kOfRun)
      list_entry(run_folder / name, std::string(name), list);
    response.body = base::json_text(list);
    return response;
  }
  const auto decoded = percent_decoded(path.substr(1));
  const auto parts = decoded ? path_parts(*decoded) : std::nullopt;
  const auto among = [&](const auto& names) {
    return parts && !parts->empty() &&
           std::find(std::begin(names), std::end(names), parts->front()) != std::end(names);
  };
  const bool of_all = among(kOfAll);
  if (!of_all && !among(kOfRun))
    return mlflow::fault_response(404, "NO_FILE", "no job needs such a file");
  auto folder = base::open_directory(AT_FDCWD, of_all ? sweep_directory / "runs" : run_folder);
  for (std::size_t i = 0; folder && i + 1 < parts->size(); ++i)
    folder = base::open_directory(folder->get(), (*parts)[i]);
  auto file = folder ? base::open_regular(folder->get(), parts->back(), O_RDONLY)
                     : Result<base::UniqueFd>(folder.error());
  struct stat status {};
  if (!file || ::fstat(file->get(), &status) != 0)
    return mlflow::fault_response(404, "NO_FILE", base::join(*parts, "/") + " is not there");
  response.type = "application/octet-stream";
  if (status.st_size > 0)
    response.file = {*std::move(file), static_cast<std::uint64_t>(status.st_size)};
  return response;
}

}  // namespace hdrive::server
