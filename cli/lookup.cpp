// SPDX-License-Identifier: Apache-2.0
#include "cli/lookup.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/catalog.h"
#include "hdrive/controller_log.h"
#include "hdrive/housekeeping.h"
#include "hdrive/reader.h"
#include "hdrive/spec.h"

namespace hdrive::cli {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

RunId best_run_or_fail(const SweepEntry& sweep) {
  const auto reader = value_or_fail(SweepReader::open(sweep.directory));
  const auto best = value_or_fail(reader->totals()).best;
  if (!best)
    fail(kNotFound, fmt::format("{}: no run has reported {} yet, so none is the best",
                                short_id(sweep.header.id), sweep.header.metric));
  return *best;
}

RunId run_or_fail(const SweepEntry& sweep, const std::string& text) {
  if (text == "best") return best_run_or_fail(sweep);
  const RunId run = std::stoll(text);
  if (run < sweep.runs) return run;
  // A database that is damaged may well have lost it.
  ok_or_fail(replay_sweep(sweep.directory, sweep.header.metric, [](const Change&) {}));
  fail(kNotFound,
       fmt::format("{}: no run {}; {}", short_id(sweep.header.id), run,
                   sweep.runs == 0 ? std::string("it has no runs yet")
                                   : fmt::format("its runs are 0 to {}", sweep.runs - 1)));
}

constexpr const char* kHome = ".hdrive";

// Above the working directory another user's may lie, in /tmp say, which is not meant.
bool is_own_directory(const std::filesystem::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

// "each run begins a new one": of the sweeps with the name of one configuration the newest is
// meant.
std::optional<SweepEntry> newest_of_name(const std::filesystem::path& home,
                                         const std::string& name) {
  std::optional<SweepEntry> newest;
  std::int64_t count = 0;
  for (SweepEntry& sweep : list_sweeps(home, nullptr)) {
    if (sweep.header.name != name) continue;
    newest = std::move(sweep);
    ++count;
  }
  if (newest)
    complain(fmt::format("{} sweeps are named \"{}\"; this is the newest, {}", count, name,
                         short_id(newest->header.id)));
  return newest;
}

// "last/bset": the sweep is there, what stands behind it is no run.
void check_run_word(const std::string& output_dir, const std::string& selector) {
  const std::size_t slash = selector.rfind('/');
  if (slash == std::string::npos || slash == 0) return;
  const std::string sweep = selector.substr(0, slash), run = selector.substr(slash + 1);
  if (!find_sweep(home_directory(output_dir), sweep)) return;
  fail(kNotFound,
       fmt::format("\"{}\" is no run of {}; a run's number or \"best\" is allowed{}{}", run, sweep,
                   base::nearest(run, {"best"}) ? ";" : "", base::did_you_mean(run, {"best"})));
}

}  // namespace

void add_home_option(ArgumentParser& parser, std::string& output_dir) {
  parser
      .text("--output-dir", output_dir, "DIR",
            "Where the sweeps are kept (default: $HDRIVE_HOME, else .hdrive here or above)")
      .completion = Completion::directories;
  parser.set_home(output_dir);
}

void add_new_home_option(ArgumentParser& parser, std::string& output_dir) {
  parser
      .text("--output-dir", output_dir, "DIR",
            "Where the sweep is kept (default: $HDRIVE_HOME, else .hdrive here)")
      .completion = Completion::directories;
}

void add_sweep_argument(ArgumentParser& parser, std::string& selector, const std::string& value,
                        const std::string& description) {
  Argument& argument = parser.text("sweep", selector, value, description);
  argument.required = selector.empty();
  const bool runs = value.find("/RUN") != std::string::npos;
  argument.completion = runs ? Completion::runs : Completion::sweeps;
}

std::filesystem::path new_home_directory(const std::string& output_dir) {
  const std::filesystem::path home =
      !output_dir.empty() ? output_dir : environment("HDRIVE_HOME").value_or(kHome);
  std::error_code ignored;
  if (std::filesystem::exists(home, ignored) && !std::filesystem::is_directory(home, ignored))
    fail(kWrong, fmt::format("{} is no directory, so there are no sweeps in it; {} a directory",
                             home.string(),
                             output_dir.empty() ? "HDRIVE_HOME names" : "--output-dir takes"));
  return home;
}

std::filesystem::path home_directory(const std::string& output_dir) {
  std::filesystem::path home = new_home_directory(output_dir);
  if (!output_dir.empty() || environment("HDRIVE_HOME")) return home;
  std::error_code error;
  if (is_own_directory(home)) return home;
  for (std::filesystem::path folder = std::filesystem::current_path(error);
       !error && folder.has_relative_path(); folder = folder.parent_path())
    if (is_own_directory(folder / kHome)) return folder / kHome;
  return home;
}

SweepEntry sweep_or_fail(const std::string& output_dir, const std::string& selector,
                         Several several) {
  const std::filesystem::path home = home_directory(output_dir);
  Result<SweepEntry> found = find_sweep(home, selector);
  if (found) return *std::move(found);
  if (several == Several::newest && !selector.empty())
    if (auto newest = newest_of_name(home, selector)) return *std::move(newest);
  fail(found.error().kind == Error::Kind::damaged ? kCannot : kNotFound, found.error());
}

void at_rest_or_fail(const SweepEntry& sweep, std::string_view nothing,
                     const std::string& output_dir) {
  const std::string id = short_id(sweep.header.id);
  if (sweep.engine)
    fail(kCannot, fmt::format("{0} is run by process {1}; {2}. hdrive stop {0}{3} ends it", id,
                              *sweep.engine, nothing, home_hint(output_dir)));
  ok_or_fail(expect_no_living_runs(sweep.directory));
}

SweepState load_state(const SweepEntry& sweep) {
  SweepState state(sweep.header.metric, sweep.header.goal);
  ok_or_fail(replay_sweep(sweep.directory, sweep.header.metric,
                          [&](const Change& change) { state.apply(change); }));
  return state;
}

std::string controller_log_of(const SweepEntry& sweep) {
  ControllerLog log(sweep.header);
  ok_or_fail(replay_sweep(sweep.directory, sweep.header.metric,
                          [&](const Change& change) { log.add(change); }));
  return log.text();
}

OwnedSweep own_or_fail(const SweepEntry& sweep) {
  OwnedSweep owned;
  owned.state = std::make_shared<SweepState>(sweep.header.metric, sweep.header.goal,
                                             SweepState::Verdicts::of_live_runs);
  owned.store = value_or_fail(open_sqlite_store(
      sweep.directory, [&](const Change& change) { owned.state->apply(change); }));
  return owned;
}

std::pair<std::string, std::string> split_selector(const std::string& selector) {
  if (const std::size_t slash = selector.rfind('/'); slash != std::string::npos) {
    const std::string run = selector.substr(slash + 1);
    std::string sweep = selector.substr(0, slash);
    if (!sweep.empty() && (run == "best" || is_number(run))) {
      // The run's directory names the run, too.
      if (sweep.ends_with("/runs")) sweep.resize(sweep.size() - 5);
      return {sweep, run};
    }
  }
  // "HD_<uuid>_<n>"
  const std::size_t underscore = selector.rfind('_');
  if (selector.starts_with("HD_") && underscore > 2 && is_number(selector.substr(underscore + 1)))
    return {selector.substr(0, underscore), selector.substr(underscore + 1)};
  return {selector, ""};
}

Target target_or_fail(const std::string& output_dir, const std::string& given, Several several) {
  // A directory's name may end in a slash.
  const std::string selector = given.substr(0, given.find_last_not_of('/') + 1);
  const auto [sweep, run] = split_selector(selector);
  if (run.empty() && !find_sweep(home_directory(output_dir), sweep))
    check_run_word(output_dir, selector);
  Target target{sweep_or_fail(output_dir, sweep, several), std::nullopt};
  if (!run.empty()) target.run = run_or_fail(target.sweep, run);
  return target;
}

std::string home_hint(const std::string& output_dir) {
  return output_dir.empty() ? "" : " --output-dir " + shell_quote({output_dir});
}

namespace {

// What finds sweeps that lie in this folder.
std::string hint_for(const std::filesystem::path& home) {
  std::error_code ignored;
  return std::filesystem::equivalent(home, home_directory(""), ignored) ? ""
                                                                        : home_hint(home.string());
}

}  // namespace

std::string home_hint(const SweepEntry& sweep) { return hint_for(sweep.directory.parent_path()); }

std::string error_text(const Error& error, const std::string& output_dir) {
  if (error.to_repair.empty()) return error.message();
  const std::filesystem::path sweep(error.to_repair);
  const std::string hint =
      output_dir.empty() ? hint_for(sweep.parent_path()) : home_hint(output_dir);
  return error.message(sweep.filename().string() + hint);
}

}  // namespace hdrive::cli
