// SPDX-License-Identifier: Apache-2.0
#include "cli/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "cli/command.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/catalog.h"
#include "hdrive/requests.h"

namespace hdrive::cli {

namespace {

// As /proc tells it; false where it tells nothing.
bool is_suspended(std::int64_t pid) {
  const auto stat = base::read_file(fmt::format("/proc/{}/stat", pid));
  if (!stat) return false;
  const std::size_t name_end = stat->rfind(") ");
  return name_end != std::string::npos && stat->compare(name_end + 2, 1, "T") == 0;
}

}  // namespace

void SuspensionNotice::look_at(const SweepEntry& sweep) {
  if (told_ || !sweep.engine || !is_suspended(*sweep.engine)) return;
  told_ = true;
  tell(
      fmt::format("{}: its engine, process {}, is suspended and hears nothing; `kill -CONT {}`, or "
                  "fg where it was begun, lets it go on\n",
                  short_id(sweep.header.id), *sweep.engine, *sweep.engine));
}

std::string ask(const SweepEntry& sweep, const Request& request) {
  const std::string id = short_id(sweep.header.id);
  const std::string name = request.run ? fmt::format("{}/{}", id, *request.run) : id;
  SuspensionNotice notice;
  notice.look_at(sweep);  // before the request, too: it may be suspended in the middle of a step
  const std::int64_t asked = value_or_fail(leave_request(sweep.directory, request));
  for (auto pause = std::chrono::milliseconds{10};;) {
    const SweepEntry now = value_or_fail(find_sweep(sweep.directory, sweep.directory.string()));
    const bool owned = now.engine.has_value();
    // In this order: an engine may answer and end in between.
    if (const auto answer = value_or_fail(read_answer(sweep.directory, asked))) {
      if (!answer->accepted) fail(kWrong, fmt::format("{}: {}", name, printable(answer->text)));
      return fmt::format("{}: {}\n", name, printable(answer->text));
    }
    if (!owned)
      fail(kCannot, fmt::format("{0}: its engine ended before it answered; hdrive status {0}{1} "
                                "tells where the sweep is",
                                id, home_hint(sweep)));
    notice.look_at(now);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds{200});
  }
}

std::optional<std::string> edit_or_fail(const OwnedSweep& owned, const SweepEntry& sweep,
                                        const Settings& settings) {
  const SweepSpec spec = value_or_fail(stored_spec(owned.store->header(), sweep.directory));
  SpecEdit edit = value_or_fail(edit_spec(spec, settings, owned.state->counted_runs()), kWrong);
  if (edit.what.empty()) return std::nullopt;
  // After the sweep's end, so that it is seen to have changed since.
  const Time now = std::max(make_steady_clock()->now(), sweep.changed + Duration{1});
  const std::vector<Change> changes{SweepEdited{edit.config, edit.what, now}};
  ok_or_fail(owned.store->append(changes));
  owned.state->apply(changes.front());
  return printable(edit.what);
}

std::string change_sweep(const SweepEntry& sweep, const Settings& settings,
                         const std::string& output_dir) {
  if (sweep.engine)
    return ask(sweep, {0, Request::Kind::update_sweep, std::nullopt, write_settings(settings)});
  const OwnedSweep owned = own_or_fail(sweep);
  const std::string id = short_id(sweep.header.id);
  const auto what = edit_or_fail(owned, sweep, settings);
  if (!what) return fmt::format("{}: nothing changes: it is so already\n", id);
  std::string text = fmt::format("{}: {}\n", id, *what);
  const SweepSpec spec = value_or_fail(stored_spec(owned.store->header(), sweep.directory));
  if (!nothing_left(spec, *owned.state))
    text += fmt::format("hdrive resume {}{} goes on with it\n", id, home_hint(output_dir));
  return text;
}

}  // namespace hdrive::cli
