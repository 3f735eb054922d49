// SPDX-License-Identifier: Apache-2.0
//
// Ask and tell for programs in any language: lines of JSON in, lines of JSON out.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/config_arguments.h"
#include "cli/edit.h"
#include "cli/line_protocol.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/ids.h"
#include "hdrive/warm_start.h"
#include "hdrive/workspace.h"

namespace hdrive::cli {
namespace {

struct Options {
  ConfigArguments config;
  std::string output_dir;
  std::string resume;
  bool memory = false;
  bool quiet = false;
};

// The lines of standard input. Whatever else is to be done is done ten times a second while there
// is none: the program may train for hours between two lines.
class Input {
 public:
  /// The next line without its newline; nothing at the end. The last may lack the newline.
  std::optional<std::string> next(const std::function<void()>& meanwhile) {
    for (;;) {
      if (const std::size_t end = buffer_.find('\n', searched_); end != buffer_.npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        searched_ = 0;
        return line;
      }
      searched_ = buffer_.size();
      pollfd input{STDIN_FILENO, POLLIN, 0};
      const int ready = poll(&input, 1, kMilliseconds);
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) {
        meanwhile();
      } else if (!read_more()) {
        searched_ = 0;
        return buffer_.empty() ? std::nullopt : std::optional(std::exchange(buffer_, {}));
      }
    }
  }

  bool has_line() const { return buffer_.find('\n') != buffer_.npos; }

 private:
  static constexpr int kMilliseconds = 100;

  // False at the end.
  bool read_more() {
    std::array<char, 1 << 16> bytes;
    const ssize_t count = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count < 0) return errno == EINTR || errno == EAGAIN;
    buffer_.append(bytes.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

  std::string buffer_;
  std::size_t searched_ = 0;  // so far there is no newline
};

// Answers each line, until there are no more.
int serve(AskTell study, const SweepSpec& spec) {
  LineProtocol protocol(study, spec, [](std::string_view line) { print_data(line); });
  Input input;
  const auto meanwhile = [&] {
    study.attend();
    study.prepare();
  };
  while (const auto line = input.next(meanwhile)) {
    // Where it asked for all it wants, the program trains now.
    if (protocol.take(*line) && !input.has_line()) study.prepare();
  }
  ok_or_fail(study.close());
  return kDone;
}

// A name addresses one sweep.
void check_name_is_free(const std::string& name, const std::filesystem::path& home,
                        const std::string& output_dir) {
  for (const SweepEntry& sweep : value_or_fail(sweeps_named(home, name)))
    fail(kWrong,
         fmt::format(
             "there is a sweep {0} ({1}) already; hdrive session --resume {1}{2} goes on with it, "
             "another --name begins another one",
             shell_quote({name}), short_id(sweep.header.id), home_hint(output_dir)));
}

int begin(const Options& options) {
  const LoadedConfig loaded = load_or_fail(options.config, Purpose::look);
  SweepSpec spec = loaded.spec;
  // How many runs go on at once is the program's affair, not this machine's.
  if (!loaded.concurrency_given) spec.max_concurrent_runs = 1;
  ok_or_fail(check(spec), kWrong);
  SweepParts parts;
  if (!options.memory) {
    const auto home = std::filesystem::absolute(new_home_directory(options.output_dir));
    // Held until the sweep is made.
    std::shared_ptr<void> claim;
    if (!options.config.name.empty()) {
      claim = value_or_fail(claim_names(home));
      check_name_is_free(options.config.name, home, options.output_dir);
    }
    const WarmStart warm_start = value_or_fail(read_warm_start(spec, home), kWrong);
    const Time now = make_steady_clock()->now();
    SweepHeader header = new_sweep_header(spec, now);
    header.properties = git_properties(spec.source_directory);
    parts.store = value_or_fail(create_sqlite_store(home / header.id, header));
    ok_or_fail(bring_outputs(warm_start, home / header.id));
    ok_or_fail(parts.store->append(changes_of(warm_start, now)));
    if (!options.quiet) tell(beginning_line(header, spec));
  } else {
    const auto home = new_home_directory(options.output_dir);
    parts.earlier = value_or_fail(read_warm_start(spec, home), kWrong).runs;
  }
  return serve(value_or_fail(AskTell::open(spec, parts)), spec);
}

int go_on(const Options& options) {
  if (options.memory) fail(kWrong, "--resume and --memory: what was kept in memory is gone");
  if (!options.config.file.empty())
    fail(kWrong, fmt::format("both --resume and a configuration, \"{}\"; a sweep keeps its own",
                             options.config.file));
  const ConfigArguments& given = options.config;
  if (given.seed || !given.name.empty() || !given.experiment.empty() || !given.path.empty() ||
      !given.hyperdrive_file.empty() || !given.run_configuration.empty())
    fail(kWrong,
         "--resume takes --set alone of what configures a sweep; a sweep keeps its own seed, "
         "name and files");
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.resume);
  const std::string id = short_id(sweep.header.id);
  SweepParts parts;
  const OwnedSweep owned = own_or_fail(sweep);
  parts.store = owned.store;
  parts.state = owned.state;
  const auto settings = parse_settings(options.config.set);
  if (!settings.empty()) edit_or_fail(owned, sweep, settings);
  const SweepSpec spec = value_or_fail(stored_spec(parts.store->header(), sweep.directory), kWrong);
  auto study = value_or_fail(AskTell::open(spec, parts));
  const auto open = study.retry_open();
  if (!options.quiet)
    tell(fmt::format("sweep {} goes on: {} of {} so far, {} to be asked for again\n", id,
                     sweep.runs, base::plural(spec.max_total_runs, "run"), open));
  return serve(std::move(study), spec);
}

}  // namespace

Action setup_session(ArgumentParser& parser, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  add_config_options(parser, options->config);
  parser
      .text("--resume", options->resume, "SWEEP",
            "Go on with the sweep of an earlier session, in place of a configuration")
      .completion = Completion::sweeps;
  parser.flag("--memory", options->memory, "Keep nothing on disk");
  parser.flag("--quiet", options->quiet, "Only warnings and errors on stderr");
  add_new_home_option(parser, options->output_dir);
  take_words(parser, options->config, arguments);
  return [options] { return options->resume.empty() ? begin(*options) : go_on(*options); };
}

}  // namespace hdrive::cli
