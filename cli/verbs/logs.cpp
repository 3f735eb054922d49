// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "cli/argument_parser.h"
#include "cli/lookup.h"
#include "cli/run_rows.h"
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
  std::optional<std::int64_t> tail;
  bool follow = false;
  bool errors = false;
  bool both = false;
  bool raw = false;
  bool controller = false;
};

// What the engine did.
int controller_log(const Options& options) {
  const SweepEntry sweep =
      target_or_fail(options.output_dir, options.selector, Several::newest).sweep;
  const std::string text = controller_log_of(sweep);
  for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = text.find('\n', begin);
    print(printable(text.substr(begin, end - begin)) + "\n");
  }
  return kDone;
}

// The run that was started last; of a sweep without one, the newest.
RunId latest_run(const SweepEntry& sweep) {
  const auto reader = value_or_fail(SweepReader::open(sweep.directory));
  for (const auto by : {RunOrder::By::started, RunOrder::By::number}) {
    const RunPage page = value_or_fail(reader->runs({{}, {by, "", true}, 0, 1}));
    if (page.runs.empty())
      fail(kNotFound, fmt::format("{}: it has no runs yet", short_id(sweep.header.id)));
    const Run& latest = page.runs.front().run;
    if (by == RunOrder::By::number || latest.started != Time{}) return latest.id;
  }
  return 0;
}

// How what a script wrote is printed: to files and pipes as it is; for a terminal, and where the
// stream is told in front, line by line and harmless. What moves the cursor back, a progress bar,
// begins a line there.
class Printer {
 public:
  Printer(std::string prefix, bool raw)
      : prefix_(std::move(prefix)),
        by_lines_(!prefix_.empty() || (!raw && terminal_size(STDOUT_FILENO))) {}

  void operator()(std::string_view bytes) {
    if (!by_lines_) return print_bytes(bytes);
    rest_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end; (end = rest_.find_first_of("\r\n", begin)) != rest_.npos; begin = end + 1)
      if (end > begin || rest_[end] == '\n') print_line(begin, end);
    rest_.erase(0, begin);
  }

  // The last line may lack its end.
  void finish() {
    if (!rest_.empty()) print_line(0, rest_.size());
    rest_.clear();
  }

 private:
  void print_line(std::size_t begin, std::size_t end) {
    // Of "\r\n" the line was printed already.
    if (begin == end && std::exchange(ended_by_return_, false)) return;
    ended_by_return_ = end < rest_.size() && rest_[end] == '\r';
    print(prefix_ + rest_.substr(begin, end - begin) + "\n");
  }

  std::string prefix_;
  bool by_lines_;
  bool ended_by_return_ = false;
  std::string rest_;
};

// Of lines longer than that, as a sparse file has, only this much is shown.
constexpr off_t kLongestTail = 256 << 20;

// Where the last `lines` lines of a file begin.
off_t tail_begin(int fd, std::int64_t lines) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return 0;
  std::array<char, 65536> buffer;
  off_t position = status.st_size;
  std::int64_t ends = 0;
  while (position > 0) {
    const off_t begin = std::max<off_t>(0, position - static_cast<off_t>(buffer.size()));
    const ssize_t count =
        pread(fd, buffer.data(), static_cast<std::size_t>(position - begin), begin);
    if (count <= 0) return 0;
    for (ssize_t i = count - 1; i >= 0; --i) {
      const bool last_byte = begin + i + 1 == status.st_size;
      if (buffer[static_cast<std::size_t>(i)] == '\n' && !last_byte && ++ends == lines)
        return begin + i + 1;
    }
    position = begin;
    if (status.st_size - position > kLongestTail) return position;
  }
  return 0;
}

// A file that grows while it is printed. Another one may take its place: a run that is tried again
// begins a new one.
class Follower {
 public:
  Follower(fs::path path, const Options& options, std::string prefix = "")
      : path_(std::move(path)), tail_(options.tail), printer_(std::move(prefix), options.raw) {}

  const fs::path& path() const { return path_; }

  // Prints what has been added since.
  void print_new() {
    print_rest();
    if (!was_replaced()) return;
    // The program may have put anything in its place: a FIFO would be waited for, a device read for
    // ever.
    auto file = base::open_regular(path_);
    if (!file && !std::exchange(refused_, true)) complain(file.error().message());
    fd_ = file ? *std::move(file) : base::UniqueFd();
    position_ = 0;
    // Of a file that takes its place all is new.
    if (const auto tail = std::exchange(tail_, std::nullopt); tail && fd_)
      position_ = *tail == 0 ? end_of_file() : tail_begin(fd_.get(), *tail);
    print_rest();
  }
  void finish() { printer_.finish(); }

 private:
  off_t end_of_file() const {
    struct stat status {};
    return fstat(fd_.get(), &status) == 0 ? status.st_size : 0;
  }

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
      printer_(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
      position_ += count;
    }
  }

  fs::path path_;
  std::optional<std::int64_t> tail_;
  Printer printer_;
  base::UniqueFd fd_;
  off_t position_ = 0;
  bool refused_ = false;  // told
};

std::vector<Follower> followers(const Target& target, const Options& options) {
  const fs::path directory = run_directory(target.sweep.directory, *target.run);
  std::vector<Follower> result;
  if (options.both) {
    result.emplace_back(directory / "stdout.log", options, "out  ");
    result.emplace_back(directory / "stderr.log", options, "err  ");
  } else {
    result.emplace_back(directory / (options.errors ? "stderr.log" : "stdout.log"), options);
  }
  return result;
}

bool is_over(const Options& options, const Target& target) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, target.sweep.header.id);
  if (!sweep.engine) return true;
  return is_terminal(value_or_fail(read_run(sweep.directory, *target.run)).status);
}

// Why a run has neither what it printed nor an end.
std::string why_nothing(const Target& target) {
  const Run run = value_or_fail(reader_or_fail(target.sweep)->run(*target.run)).run;
  return run.started == Time{} ? "the run was not started"
                               : "the run was started, and what it left was removed";
}

int logs(const Options& options) {
  if (options.both && (options.errors || options.raw))
    fail(kWrong,
         "--both tells the streams apart line by line, so it goes without --stderr and --raw");
  if (options.controller) {
    if (options.both || options.errors || options.raw || options.follow || options.tail)
      fail(kWrong,
           "--controller is a log of the sweep, not of a run, and goes with no other option");
    return controller_log(options);
  }
  Target target = target_or_fail(options.output_dir, options.selector, Several::newest);
  if (!target.run) {
    target.run = latest_run(target.sweep);
    complain(fmt::format("run {} of {}", *target.run, short_id(target.sweep.header.id)));
  }
  std::vector<Follower> streams = followers(target, options);
  std::error_code ignored;
  const fs::path& first = streams.front().path();
  // The empty file of a run that has ended was taken away.
  if (!options.follow && !fs::exists(first, ignored) &&
      !fs::exists(first.parent_path() / "exit.json", ignored))
    fail(kNotFound, fmt::format("{}: nothing there; {}", first.string(), why_nothing(target)));
  // Whether the run is over costs a look into the database, so it is asked now and then only.
  constexpr auto kPause = std::chrono::milliseconds{50};
  constexpr int kTurnsBetweenLooks = 10;
  for (int turn = 0;; ++turn) {
    const bool over =
        !options.follow || (turn % kTurnsBetweenLooks == 0 && is_over(options, target));
    for (Follower& stream : streams) {
      stream.print_new();
      if (over) stream.finish();
    }
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
  parser.integer("-n,--tail", options->tail, std::int64_t{0}, "Only the last N lines");
  parser.flag("--stderr", options->errors, "Its standard error instead");
  parser.flag(
      "--both", options->both,
      "Both streams, told apart in front of each line; with --follow in the order they come");
  parser.flag("--controller", options->controller,
              "What hdrive did with the sweep, as HyperDrive's hyperdrive.txt");
  parser.flag("--raw", options->raw,
              "As it is, though a terminal obeys control characters (files and pipes get it so)");
  add_home_option(parser, options->output_dir);
  return [options] { return logs(*options); };
}

}  // namespace hdrive::cli
