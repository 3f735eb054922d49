// SPDX-License-Identifier: Apache-2.0
#include "hdrive/warm_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "hdrive/catalog.h"
#include "hdrive/ids.h"
#include "hdrive/reader.h"
#include "hdrive/state.h"
#include "hdrive/store.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGoesOn = "goes on from ";
constexpr std::string_view kHeadOfId = "HD_";

Error wrong(std::string_view key, std::string_view given, std::string what) {
  return Error{fmt::format("{}: \"{}\"", key, given), std::move(what), Error::Kind::invalid};
}

// "SWEEP/3" or "HD_<uuid>_3", taken apart; nothing: it names no run.
std::optional<std::pair<std::string, RunId>> run_named(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  const bool by_id = text.find('/') == text.npos && text.starts_with(kHeadOfId);
  const std::size_t mark = text.rfind(by_id ? '_' : '/');
  if (mark == text.npos || mark == 0) return std::nullopt;
  RunId run = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + mark + 1, last, run);
  if (error != std::errc() || end != last || run < 0) return std::nullopt;
  std::string sweep = text.substr(0, mark);
  // The run's directory names the run, too.
  if (sweep.ends_with("/runs")) sweep.resize(sweep.size() - 5);
  return std::pair(std::move(sweep), run);
}

// The earlier sweeps by their ids, each once however often it is named.
class Collection {
 public:
  Collection(const SweepSpec& spec, const fs::path& home) : spec_(spec), home_(home) {}

  Result<void> add_sweep(std::string_view key, const std::string& given,
                         const std::string& selector) {
    auto entry = find_sweep(home_, selector);
    if (!entry) {
      if (entry.error().kind != Error::Kind::not_found) return entry.error();
      return wrong(key, given, entry.error().message());
    }
    const SweepHeader& header = entry->header;
    if (header.metric != spec_.primary_metric || header.goal != spec_.goal)
      return wrong(
          key, given,
          fmt::format("that sweep is to {} \"{}\", and this one to {} \"{}\"; a warm start "
                      "needs the same primary metric and goal",
                      to_string(header.goal), header.metric, to_string(spec_.goal),
                      spec_.primary_metric));
    latest_ = header.id;
    if (sweeps_.contains(latest_)) return {};
    order_.push_back(latest_);
    sweeps_.emplace(latest_, Sweep{*std::move(entry), {}});
    return {};
  }

  Result<void> add_run(const std::string& given) {
    constexpr std::string_view kKey = "resume_child_runs";
    const auto named = run_named(given);
    if (!named)
      return wrong(kKey, given, "names no run; allowed: SWEEP/3, or a run's id such as HD_..._3");
    if (auto added = add_sweep(kKey, given, named->first); !added) return added;
    sweeps_.at(latest_).again.emplace(named->second, given);
    return {};
  }

  Result<WarmStart> read() {
    WarmStart start;
    for (const std::string& id : order_)
      if (auto taken = take(sweeps_.at(id), start); !taken) return taken.error();
    return start;
  }

 private:
  struct Sweep {
    SweepEntry entry;
    std::map<RunId, std::string> again;  // to go on here, and how each was named
  };

  Result<void> take(const Sweep& sweep, WarmStart& start) {
    const SweepHeader& header = sweep.entry.header;
    SweepState state(header.metric, header.goal);
    auto replayed = replay_sweep(sweep.entry.directory, header.metric,
                                 [&](const Change& change) { state.apply(change); });
    if (!replayed) return replayed.error();
    const History& history = state.history();
    std::int64_t taken = 0, usable = 0, running = 0;
    std::string misfit;  // the first that has a value, and why it does not fit
    for (RunId run = 0; run < history.size(); ++run) {
      if (!is_terminal(history.run(run).status)) {
        ++running;
        continue;
      }
      const Run& record = history.run(run);
      const auto reports = history.reports(run);
      start.runs.push_back({header.id,
                            run,
                            record.parameters,
                            record.status,
                            record.ended_by,
                            sweep.again.contains(run),
                            {reports.begin(), reports.end()}});
      ++taken;
      if (!history.best(run)) continue;
      const auto fits = check(spec_.space, record.parameters);
      usable += fits ? 1 : 0;
      if (!fits && misfit.empty())
        misfit = fmt::format("; run {} does not: {}", run, fits.error().message());
    }
    for (const auto& [run, given] : sweep.again)
      if (auto sound = check_again(history, run, given); !sound) return sound;
    for (const auto& [run, given] : sweep.again)
      start.outputs.push_back(
          {header.id, run, run_directory(sweep.entry.directory, run) / "outputs"});
    start.notes.push_back(sentence(header, taken, usable, running) + misfit);
    return {};
  }

  Result<void> check_again(const History& history, RunId run, const std::string& given) const {
    constexpr std::string_view kKey = "resume_child_runs";
    if (run >= history.size())
      return wrong(kKey, given,
                   history.size() == 0
                       ? std::string("that sweep has no runs")
                       : fmt::format("there is no such run; that sweep has the runs 0 to {}",
                                     history.size() - 1));
    const Run& record = history.run(run);
    if (!is_terminal(record.status))
      return wrong(kKey, given,
                   fmt::format("it is {}; a run that was stopped or failed can go on",
                               to_string(record.status)));
    if (record.status == RunStatus::completed)
      return wrong(kKey, given, "it completed; a run that was stopped or failed can go on");
    if (const auto fits = check(spec_.space, record.parameters); !fits)
      return wrong(kKey, given,
                   "its values are not of this search space: " + fits.error().message());
    return {};
  }

  static std::string sentence(const SweepHeader& header, std::int64_t taken, std::int64_t usable,
                              std::int64_t running) {
    std::string text = fmt::format(
        "warm start from {}{}: {} taken over, of which {} {} a value and {} this search "
        "space",
        header.id, header.name.empty() ? "" : fmt::format(" (\"{}\")", header.name),
        base::plural(taken, "run"), usable, usable == 1 ? "has" : "have",
        usable == 1 ? "fits" : "fit");
    if (running > 0) text += fmt::format("; {} not ended yet and left out", running);
    return text;
  }

  const SweepSpec& spec_;
  const fs::path& home_;
  std::vector<std::string> order_;
  std::map<std::string, Sweep> sweeps_;
  std::string latest_;
};

}  // namespace

Result<WarmStart> read_warm_start(const SweepSpec& spec, const fs::path& home) {
  Collection sweeps(spec, home);
  for (const std::string& sweep : spec.resume_from)
    if (auto added = sweeps.add_sweep("resume_from", sweep, sweep); !added) return added.error();
  for (const std::string& run : spec.resume_child_runs)
    if (auto added = sweeps.add_run(run); !added) return added.error();
  return sweeps.read();
}

std::vector<Change> changes_of(const WarmStart& start, Time now) {
  std::vector<Change> changes;
  std::int64_t number = 0;
  for (const EarlierRun& run : start.runs)
    changes.emplace_back(EarlierRunTaken{number++, run, now});
  for (const std::string& note : start.notes)
    changes.emplace_back(Noted{Noted::Level::info, std::nullopt, note, now});
  return changes;
}

Result<void> bring_outputs(const WarmStart& start, const fs::path& sweep_directory) {
  for (const WarmStart::Outputs& from : start.outputs) {
    const fs::path to = continued_outputs(sweep_directory, {from.sweep, from.run});
    std::error_code error;
    fs::create_directories(to, error);
    if (!error && fs::is_directory(from.directory))
      fs::copy(from.directory, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks,
               error);
    if (error)
      return Error{from.directory.string(),
                   fmt::format("cannot be copied to {}: {}", to.string(), error.message())};
  }
  return {};
}

std::string to_text(const Continuation& continuation) {
  return std::string(kGoesOn) + run_id(continuation.sweep, continuation.run);
}

std::optional<Continuation> continuation_from(std::string_view proposal) {
  if (!proposal.starts_with(kGoesOn)) return std::nullopt;
  const auto named = run_named(std::string(proposal.substr(kGoesOn.size())));
  if (!named) return std::nullopt;
  return Continuation{named->first, named->second};
}

fs::path continued_outputs(const fs::path& sweep_directory, const Continuation& of) {
  return fs::absolute(sweep_directory) / "continued" / run_id(of.sweep, of.run);
}

}  // namespace hdrive
