// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>

#include "base/file.h"
#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string name;
  std::string value;
  std::optional<std::int64_t> step;
};

int log(const Options& options) {
  const auto file = environment("HDRIVE_METRICS_FILE");
  if (!file)
    fail(
        kWrong,
        "log: HDRIVE_METRICS_FILE is not set; this command is for training scripts that hdrive run "
        "started");
  if (options.name.empty()) fail(kWrong, "log: the metric's name is empty");
  const auto value = base::parse_number(options.value);
  if (!value) fail(kWrong, fmt::format("log: \"{}\" is no number", base::trim(options.value)));
  std::string line = fmt::format("{{\"name\": {}, \"value\": {}", base::json_string(options.name),
                                 base::json_number(*value));
  if (options.step) line += fmt::format(", \"step\": {}", *options.step);
  line += "}\n";
  const base::UniqueFd fd(open(file->c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  // One write: lines of programs that log at the same time do not mix.
  if (!fd || write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    fail(kCannot, fmt::format("log: cannot append to {}: {}", *file, std::strerror(errno)));
  return kDone;
}

// "-0.5" and "-inf" are values here, not options: a blank in front keeps them from being read as
// such.
void shield_numbers(std::vector<std::string>& arguments) {
  for (std::string& argument : arguments)
    if (argument.starts_with('-') && base::parse_number(argument)) argument.insert(0, " ");
}

}  // namespace

Action setup_log(ArgumentParser& parser, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  parser.text("name", options->name, "NAME", "The metric's name").required = true;
  parser.text("value", options->value, "VALUE", "Its value: a number, nan, inf or -inf").required =
      true;
  parser.integer("--step", options->step, std::numeric_limits<std::int64_t>::min(),
                 "The step it belongs to, as the script counts");
  shield_numbers(arguments);
  return [options] { return log(*options); };
}

}  // namespace hdrive::cli
