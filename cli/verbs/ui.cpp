// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/process.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/page.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/portal.h"
#include "hdrive/stop_signal.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep;
  std::string output_dir;
  std::string host = "127.0.0.1";
  std::optional<std::int64_t> port;
  bool allow_remote = false, open = false, read_only = false;
};

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// Whether there is a program that does.
bool open_in_browser(const std::string& url) {
  const base::UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  pid_t process = 0;
  return base::start_program({.words = {environment("BROWSER").value_or("xdg-open"), url},
                              .file = "",
                              .out = nothing.get(),
                              .err = nothing.get()},
                             process) == 0;
}

void wait_for(const StopSignal& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, stop.token(0), [] { return false; });
}

int ui(const Options& options) {
  if (!is_loopback(options.host) && !options.allow_remote)
    fail(kWrong, fmt::format("--host {}: other machines could ask for the page then, over a "
                             "connection that is not encrypted, and "
                             "whoever reads along has the token and may start programs in your "
                             "name; --allow-remote says that this is "
                             "wanted. Safer: leave --host out, and on the other machine run ssh -L "
                             "4747:localhost:4747 THIS-MACHINE",
                             options.host));
  PortalOptions portal = page_options(home_directory(options.output_dir), options.output_dir);
  portal.host = options.host;
  portal.port = static_cast<int>(options.port.value_or(0));
  portal.read_only = options.read_only;
  const std::string sweep =
      options.sweep.empty()
          ? ""
          : sweep_or_fail(options.output_dir, options.sweep, Several::newest).header.id;

  const StopSignal stop;
  const SignalWatcher watcher(stop);
  auto started = start_portal(portal);
  if (!started) {
    if (started.error().kind == Error::Kind::busy)
      fail(kCannot,
           fmt::format(
               "another program listens at port {}; leave --port out, and a free one is taken",
               portal.port));
    fail(kCannot, started.error());
  }
  const std::string url = sweep.empty() ? (*started)->url() : (*started)->url_of(sweep);
  print(url + "\n");
  if (!is_loopback(options.host))
    complain(
        "other machines can reach this page, over a connection that is not encrypted: whoever has "
        "the address may start "
        "programs in your name");
  if (!(*started)->has_page())
    complain(
        "this build has no page, since Node.js was missing when it was built; the API is there "
        "(/openapi.json)");
  complain(
      fmt::format("shows the sweeps of {}; Ctrl-C ends it, and no sweep", portal.home.string()));
  if (options.open && !open_in_browser(url))
    complain(
        "--open: there is no program here that opens addresses (xdg-open); copy the address above");
  wait_for(stop);
  return kDone;
}

}  // namespace

Action setup_ui(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  Argument& sweep = parser.text("sweep", options->sweep, "SWEEP", "The sweep to begin with");
  sweep.completion = Completion::sweeps;
  parser.flag("--open", options->open, "Open it in a browser, too");
  parser.integer("--port", options->port, std::int64_t{1},
                 "Listen at this port (default: 4747, or where that is taken a free one)");
  parser.text("--host", options->host, "HOST", "Listen at this address (default: 127.0.0.1)");
  parser.flag("--allow-remote", options->allow_remote,
              "Let other machines ask: for a --host that is not loopback");
  parser.flag("--read-only", options->read_only, "Show, and change nothing");
  add_home_option(parser, options->output_dir);
  return [options] { return ui(*options); };
}

}  // namespace hdrive::cli
