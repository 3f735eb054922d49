// SPDX-License-Identifier: Apache-2.0
//
// The sweeps below a folder, and the one that a user's word for it means.
#include "hdrive/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "hdrive/reader.h"
#include "hdrive/store.h"
#include "store/ownership.h"
#include "store/schema.h"
#include "store/sweep_file.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostCandidates = 10;  // to list in a message

using Look = std::function<Result<void>(const SweepEntry&, SweepReader&)>;

Result<SweepEntry> read_entry(const fs::path& directory, const Look& look = nullptr) {
  auto reader = SweepReader::open(directory);
  if (!reader) return reader.error();
  auto entry = (*reader)->entry();
  if (!entry || !look) return entry;
  if (auto looked = look(*entry, **reader); !looked) return looked.error();
  return entry;
}

struct Problem {
  fs::path directory;
  Error error;
  SweepHeader header = {};  // as sweep.json tells, where that can be read
};

struct Catalog {
  std::vector<SweepEntry> sweeps;  // oldest first
  std::vector<Problem> problems;
};

// Whether a directory without a database is one of a sweep all the same. Creating one takes a moment, and leaves
// nothing but a lock and an unfinished database where it is cut short.
std::optional<Error> without_database(const fs::path& directory) {
  std::error_code error;
  const auto holds = [&](const char* name) { return fs::exists(directory / name, error); };
  if (holds("sweep.json") || holds("runs") || holds("sweep.db-wal"))
    return store::database_gone(directory);
  if (!holds("engine.lock") || store::owner_of(directory)) return std::nullopt;
  return Error{directory.string(),
               "its making was cut short, so there is no sweep in it; it can be deleted"};
}

Catalog read_catalog(const fs::path& home, const Look& look = nullptr) {
  Catalog catalog;
  std::error_code error;
  for (fs::directory_iterator entry(home, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& directory = entry->path();
    std::error_code ignored;
    if (!entry->is_directory(ignored)) continue;
    const auto add_problem = [&](Error told) {
      auto header = store::read_sweep_file(directory);
      catalog.problems.push_back(
          {directory, std::move(told), header ? *std::move(header) : SweepHeader{}});
    };
    if (fs::exists(store::database_file(directory), ignored)) {
      Result<SweepEntry> sweep = read_entry(directory, look);
      if (sweep)
        catalog.sweeps.push_back(std::move(*sweep));
      else
        add_problem(sweep.error());
    } else if (auto lost = without_database(directory)) {
      add_problem(*std::move(lost));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory)
    catalog.problems.push_back({home, base::system_error(home, "read", error.value())});
  std::sort(catalog.sweeps.begin(), catalog.sweeps.end(), [](const auto& a, const auto& b) {
    return std::tie(a.header.created, a.header.id) < std::tie(b.header.created, b.header.id);
  });
  return catalog;
}

// ---- what a selector means ----------------------------------------------------------------------

bool matches_prefix(const SweepEntry& sweep, const std::string& selector) {
  const std::string id = base::lower(sweep.header.id);
  const std::string start = base::lower(selector);
  return id.starts_with(start) || id.starts_with("hd_" + start);
}

std::vector<SweepEntry> matching(const std::vector<SweepEntry>& sweeps,
                                 const std::function<bool(const SweepEntry&)>& matches) {
  std::vector<SweepEntry> result;
  std::copy_if(sweeps.begin(), sweeps.end(), std::back_inserter(result), matches);
  return result;
}

Error ambiguous(const std::string& selector, const std::vector<SweepEntry>& candidates) {
  std::string list;
  const std::size_t left_out = candidates.size() - std::min(candidates.size(), kMostCandidates);
  if (left_out > 0) list = fmt::format("\n  ... and {} older", left_out);
  for (std::size_t i = left_out; i < candidates.size(); ++i)
    list += fmt::format(
        "\n  {}  created {}{}", candidates[i].header.id, iso_time(candidates[i].header.created),
        candidates[i].header.name.empty() ? "" : fmt::format("  {}", candidates[i].header.name));
  return {"", fmt::format("\"{}\" names {} sweeps; say which, with enough of its id:{}", selector,
                          candidates.size(), list)};
}

Error unknown(const fs::path& home, const std::string& selector, const Catalog& catalog) {
  std::vector<std::string> words{"last"};
  for (const SweepEntry& sweep : catalog.sweeps) {
    words.push_back(sweep.header.id);
    if (!sweep.header.name.empty()) words.push_back(sweep.header.name);
  }
  return {"",
          fmt::format(
              "no sweep \"{}\" in {};{} (see: hdrive list)", selector, fs::absolute(home).string(),
              [&] {
                const std::string hint = base::did_you_mean(selector, words);
                return hint.empty() ? std::string(
                                          " an id, the start of one, a name, a directory or "
                                          "\"last\" is allowed")
                                    : hint;
              }()),
          Error::Kind::not_found};
}

// Whether the word means a sweep that cannot be read: then it must not mean another one.
bool is_of(const Problem& problem, const std::string& selector, const Catalog& catalog) {
  const SweepHeader& header = problem.header;
  if (selector == "last")
    return !header.id.empty() &&
           (catalog.sweeps.empty() || header.created > catalog.sweeps.back().header.created);
  std::error_code error;
  return problem.directory.filename().string().starts_with(selector) ||
         (!header.name.empty() && header.name == selector) ||
         fs::equivalent(problem.directory, selector, error);
}

// A path, with or without the name of the database.
std::optional<fs::path> as_directory(const std::string& selector) {
  fs::path path(selector);
  if (path.filename() == "sweep.db") path = path.parent_path().empty() ? "." : path.parent_path();
  std::error_code error;
  if (fs::exists(store::database_file(path), error)) return path;
  return std::nullopt;
}

}  // namespace

Result<std::vector<SweepEntry>> sweeps_named(const fs::path& home, const std::string& name) {
  const Catalog catalog = read_catalog(home);
  for (const Problem& problem : catalog.problems)
    if (problem.header.name == name) return problem.error;
  return matching(catalog.sweeps,
                  [&](const SweepEntry& sweep) { return sweep.header.name == name; });
}

std::vector<SweepEntry> list_sweeps(const fs::path& home, std::vector<Error>* problems,
                                    const Look& look) {
  Catalog catalog = read_catalog(home, look);
  if (problems)
    for (Problem& problem : catalog.problems) problems->push_back(std::move(problem.error));
  return std::move(catalog.sweeps);
}

Result<SweepEntry> find_sweep(const fs::path& home, const std::string& given) {
  // "HD_1a2b/", as a shell completes the name of a directory.
  const std::string selector = given.substr(0, given.find_last_not_of('/') + 1);
  if (selector.empty())
    return Error{"",
                 "which sweep? An id, the start of one, a name, a directory or \"last\" "
                 "(see: hdrive list)"};
  // An exact id, and a directory: no other sweep needs to be looked at.
  if (selector != "last" && selector.find('/') == std::string::npos)
    if (const auto directory = as_directory((home / selector).string()))
      return read_entry(*directory);
  if (const auto directory = as_directory(selector); directory && selector != "last")
    return read_entry(*directory);

  const Catalog catalog = read_catalog(home);
  for (const Problem& problem : catalog.problems)
    if (is_of(problem, selector, catalog)) return problem.error;
  if (catalog.sweeps.empty()) {
    if (!catalog.problems.empty()) return catalog.problems.front().error;
    return Error{"",
                 fmt::format("there are no sweeps in {}; `hdrive run` starts one",
                             fs::absolute(home).string()),
                 Error::Kind::not_found};
  }
  if (selector == "last") return catalog.sweeps.back();

  using Rule = bool (*)(const SweepEntry&, const std::string&);
  static constexpr Rule kRules[] = {
      [](const SweepEntry& sweep, const std::string& word) { return sweep.header.id == word; },
      [](const SweepEntry& sweep, const std::string& word) { return sweep.header.name == word; },
      matches_prefix};
  for (const Rule rule : kRules) {
    const auto found =
        matching(catalog.sweeps, [&](const SweepEntry& sweep) { return rule(sweep, selector); });
    if (found.size() == 1) return found.front();
    if (found.size() > 1) return ambiguous(selector, found);
  }
  return unknown(home, selector, catalog);
}

}  // namespace hdrive
