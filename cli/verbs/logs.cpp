// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/file.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string selector = "last";
  std::string output_dir;
  bool follow = false;
  bool errors = false;
};

// The run that was started last; of a sweep without one, the newest.
RunId latest_run(const SweepEntry& sweep) {
  const SweepState state = load_state(sweep);
  const History& history = state.history();
  if (history.size() == 0)
    fail(kNotFound, fmt::format("{}: it has no runs yet", short_id(sweep.header.id)));
  RunId latest = history.size() - 1;
  for (RunId id = latest; id >= 0; --id)
    if (history.run(id).started > history.run(latest).started) latest = id;
  return latest;
}

// A file that grows while it is printed. Another one may take its place: a run that is tried again begins
// a new one.
class Follower {
 public:
  explicit Follower(fs::path path) : path_(std::move(path)) {}

  // Prints what has been added since, as it is.
  void print_new() {
    print_rest();
    if (!was_replaced()) return;
    fd_ = base::UniqueFd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    position_ = 0;
    print_rest();
  }

 private:
  bool was_replaced() const {
    struct stat now {
    }, then{};
    if (stat(path_.c_str(), &now) != 0) return false;
    if (!fd_ || fstat(fd_.get(), &then) != 0) return true;
    return now.st_ino != then.st_ino || now.st_dev != then.st_dev || now.st_size < position_;
  }

  void print_rest() {
    std::array<char, 65536> buffer;
    while (fd_) {
      const ssize_t count = pread(fd_.get(), buffer.data(), buffer.size(), position_);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;
      print(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
      position_ += count;
    }
  }

  fs::path path_;
  base::UniqueFd fd_;
  off_t position_ = 0;
};

bool is_over(const Options& options, const Target& target) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, target.sweep.header.id);
  if (!sweep.engine) return true;
  return is_terminal(value_or_fail(read_run(sweep.directory, *target.run)).status);
}

int logs(const Options& options) {
  Target target = target_or_fail(options.output_dir, options.selector);
  if (!target.run) {
    target.run = latest_run(target.sweep);
    complain(fmt::format("run {} of {}", *target.run, short_id(target.sweep.header.id)));
  }
  const fs::path file = run_directory(target.sweep.directory, *target.run) /
                        (options.errors ? "stderr.log" : "stdout.log");
  Follower follower(file);
  if (!options.follow) {
    std::error_code ignored;
    if (!fs::exists(file, ignored))
      fail(kNotFound, fmt::format("{}: nothing there; the run was not started", file.string()));
    follower.print_new();
    return kDone;
  }
  // Whether the run is over costs a look into the database, so it is asked now and then only.
  constexpr auto kPause = std::chrono::milliseconds{50};
  constexpr int kTurnsBetweenLooks = 10;
  for (int turn = 0;; ++turn) {
    const bool over = turn % kTurnsBetweenLooks == 0 && is_over(options, target);
    follower.print_new();
    if (over) return kDone;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

Action setup_logs(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->selector, "SWEEP/RUN",
                     "The run; of a sweep alone the one that started last (default: last)");
  parser.flag("-f,--follow", options->follow, "Go on until the run ends");
  parser.flag("--stderr", options->errors, "Its standard error instead");
  add_home_option(parser, options->output_dir);
  return [options] { return logs(*options); };
}

}  // namespace hdrive::cli
