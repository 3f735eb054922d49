// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/config_arguments.h"
#include "cli/listing.h"
#include "cli/parameters.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/sweep.h"

namespace hdrive::cli {
namespace {

struct Options {
  ConfigArguments config;
  std::int64_t count = 10;
  Format format = Format::table;
};

struct Drawn {
  Assignment parameters;
  std::string reason;
  std::vector<std::string> arguments;
};

// The command line of a run; without a command, what would be appended to one.
std::vector<std::string> arguments_of(SweepSpec spec, const Assignment& parameters, RunId id) {
  const bool bare = spec.command.empty();
  if (bare) spec.command = {"command"};
  auto arguments = render_command(spec, parameters, "HD_sample", id).arguments;
  if (bare) arguments.erase(arguments.begin());
  return arguments;
}

std::vector<Drawn> draw_all(const SweepSpec& spec, std::int64_t count) {
  const auto sampler = value_or_fail(
      make_sampler(spec.sampling, spec.space,
                   {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs}),
      kWrong);
  History history(spec.goal);
  std::vector<Drawn> all;
  for (RunId id = 0; id < count; ++id) {
    Proposal proposal = value_or_fail(sampler->propose(history, id));
    if (!proposal.parameters) {
      complain(
          fmt::format("{} drawn, no more: {}", base::plural(id, "parameter set"), proposal.reason));
      break;
    }
    Run run;
    run.id = id;
    run.parameters = *proposal.parameters;
    history.add(run);
    all.push_back(
        {*proposal.parameters, proposal.reason, arguments_of(spec, *proposal.parameters, id)});
  }
  return all;
}

Listing listing_of(const std::vector<Drawn>& drawn, const SearchSpace& space, bool columns) {
  Listing listing;
  listing.columns = {{"number", "RUN", Align::right}};
  const std::vector<std::string> names = parameter_columns(space, {"number", "reason", "command"});
  if (columns)
    for (const auto& name : names) listing.columns.push_back({name, name});
  else
    listing.columns.push_back({"hyperparameters", "HYPERPARAMETERS"});
  listing.columns.push_back({"reason", "REASON"});
  listing.columns.push_back({"command", "COMMAND"});
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    std::vector<Cell> row{{static_cast<std::int64_t>(i), std::to_string(i)}};
    if (columns)
      for (const Binding& binding : drawn[i].parameters) row.push_back(value_cell(binding.value));
    else
      row.push_back({OrderedJson::parse(to_json(drawn[i].parameters)), ""});
    row.push_back({drawn[i].reason, ""});
    row.push_back({shell_quote(drawn[i].arguments), ""});
    listing.rows.push_back(std::move(row));
  }
  return listing;
}

int sample(const Options& options) {
  const LoadedConfig loaded = load_or_fail(options.config, false);
  ok_or_fail(check(loaded.spec), kWrong);
  if (!loaded.seed_given)
    complain(
        fmt::format("seed {}; --seed {} draws the same again", loaded.spec.seed, loaded.spec.seed));
  const std::vector<Drawn> drawn = draw_all(loaded.spec, options.count);
  if (options.format != Format::table) {
    write(listing_of(drawn, loaded.spec.space, options.format == Format::csv), options.format);
    return kDone;
  }
  std::string text;
  for (const Drawn& one : drawn) text += shell_quote(one.arguments) + "\n";
  print(text);
  return kDone;
}

}  // namespace

Action setup_sample(CLI::App& app, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  app.add_option("-n,--count", options->count, "How many parameter sets (default: 10)")
      ->option_text("N")
      ->check([](const std::string& text) {
        return base::parse_number(text).value_or(0) < 0 ? "a count is not negative" : std::string();
      });
  add_config_options(app, options->config, arguments);
  add_format_option(app, options->format);
  return [options] { return sample(*options); };
}

}  // namespace hdrive::cli
