// SPDX-License-Identifier: Apache-2.0
#include "cli/source_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/json.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/housekeeping.h"
#include "hdrive/store.h"

namespace hdrive::cli {
namespace {

std::string property(const SweepHeader& header, const std::string& name) {
  const auto found = header.properties.find("azureml.git." + name);
  return found == header.properties.end() ? "" : found->second;
}

std::string git_line(const GitState& git) {
  std::string text = git.commit.substr(0, 12);
  if (!git.branch.empty()) text += " on " + printable(git.branch);
  if (git.dirty) text += ", with changes that are not committed";
  if (!git.repository.empty()) text += ", " + printable(git.repository);
  return text;
}

// "12 files, 3.4 MB; the originals of 2 are linked to".
std::string contents(const SweepEntry& sweep) {
  const auto entries =
      read_snapshot(snapshot_store(sweep.directory.parent_path()), sweep.header.snapshot);
  if (!entries) return "its files cannot be read: " + entries.error().message();
  std::uint64_t bytes = 0;
  std::int64_t files = 0, originals = 0;
  for (const SnapshotEntry& entry : *entries) {
    files += !entry.digest.empty();
    bytes += entry.size;
    originals += entry.target.starts_with('/');
  }
  std::string text = fmt::format("{}, {}", base::plural(files, "file"), size_text(bytes));
  if (originals > 0) text += fmt::format("; not captured but linked to: {}", originals);
  return text;
}

}  // namespace

std::optional<GitState> git_state(const SweepHeader& header) {
  if (property(header, "commit").empty()) return std::nullopt;
  return GitState{property(header, "repository_uri"), property(header, "branch"),
                  property(header, "commit"), property(header, "dirty") == "True"};
}

OrderedJson git_json(const SweepHeader& header) {
  const auto git = git_state(header);
  if (!git) return nullptr;
  return {{"repository", git->repository},
          {"branch", git->branch},
          {"commit", git->commit},
          {"dirty", git->dirty}};
}

std::map<std::string, std::string> azure_properties(const SweepHeader& header) {
  std::map<std::string, std::string> properties;
  for (const auto& [name, value] : header.properties)
    if (name.starts_with("azureml.") || name.starts_with("mlflow.")) properties[name] = value;
  if (!header.snapshot.empty()) properties["ContentSnapshotId"] = header.snapshot;
  return properties;
}

std::string properties_text(const SweepHeader& header) {
  const auto properties = azure_properties(header);
  if (properties.empty()) return "";
  int longest = 0;
  for (const auto& [name, value] : properties)
    longest = std::max(longest, display_width(printable(name)));
  std::string text = "\nproperties\n";
  const int width = output_width();
  for (const auto& [name, value] : properties) {
    const std::string shown = printable(value), label = "  " + printable(name);
    const bool fits = width <= 0 || 2 + longest + 2 + display_width(shown) <= width;
    text += (fits ? pad(label, 2 + longest + 2, Align::left) : label + "\n    ") + shown + "\n";
  }
  return text;
}

std::string freed_text(const DiskUse& use, bool done, const std::filesystem::path& home) {
  const std::string size = size_text(use.bytes);
  if (!done) return size + " would be freed. Nothing was deleted: with --yes it is.\n";
  const auto snapshots = collect_unused_snapshots(home);
  if (!snapshots)
    return size + " freed; what is left of snapshots is freed another time: " +
           snapshots.error().message() + "\n";
  return size + " freed" +
         (*snapshots > 0 ? fmt::format(", and {} of snapshots", size_text(*snapshots)) : "") + "\n";
}

std::string short_snapshot(const std::string& id) { return id.substr(0, 12); }

std::string snapshot_line(const Capture& capture) {
  std::string text = fmt::format("snapshot {}: {}, {}", short_snapshot(capture.id),
                                 base::plural(capture.files, "file"), size_text(capture.bytes));
  if (capture.ignored > 0) text += fmt::format("; ignored: {}", capture.ignored);
  return text + "\n";
}

std::string source_text(const SweepEntry& sweep) {
  std::string text;
  if (!sweep.header.snapshot.empty())
    text += labelled_sentence(
        "snapshot", fmt::format("{} ({})", short_snapshot(sweep.header.snapshot), contents(sweep)));
  if (const auto git = git_state(sweep.header)) text += labelled_sentence("git", git_line(*git));
  return text;
}

}  // namespace hdrive::cli
