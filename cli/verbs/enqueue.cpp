// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/argument_parser.h"
#include "cli/config_arguments.h"
#include "cli/edit.h"
#include "cli/lookup.h"
#include "cli/stored_spec.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/config.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep;
  std::string output_dir;
  std::vector<std::string> values, dashed;
};

// Takes words like "--lr=0.1" out of the arguments: many a parameter is called that, and it is no
// option here.
std::vector<std::string> take_dashed(const ArgumentParser& parser,
                                     std::vector<std::string>& arguments) {
  std::vector<std::string> taken;
  std::erase_if(arguments, [&](const std::string& word) {
    const std::size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == word.npos || parser.find(word.substr(0, equals)))
      return false;
    taken.push_back(word);
    return true;
  });
  return taken;
}

int enqueue(const Options& options) {
  if (options.values.empty() && options.dashed.empty())
    fail(kWrong, "which parameters? expected NAME=VALUE, as in: hdrive enqueue last lr=0.1");
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep);
  const SweepSpec spec = value_or_fail(stored_spec(sweep.header, sweep.directory));
  std::vector<std::string> values = options.values;
  values.insert(values.end(), options.dashed.begin(), options.dashed.end());
  const Assignment point =
      value_or_fail(parse_point(spec.space, parse_pairs(values, "NAME=VALUE")), kWrong);
  print(change_sweep(sweep, {{"start_points+", to_json(point)}}, options.output_dir));
  return kDone;
}

}  // namespace

Action setup_enqueue(ArgumentParser& parser, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep");
  parser
      .texts("values", options->values, "NAME=VALUE...",
             "The parameters to set; the others are drawn at random")
      .completion = Completion::parameters;
  add_home_option(parser, options->output_dir);
  options->dashed = take_dashed(parser, arguments);
  return [options] { return enqueue(*options); };
}

}  // namespace hdrive::cli
