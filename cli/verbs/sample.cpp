// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/argument_parser.h"
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

// The command line of a run; without a command, what would be appended to one.
std::vector<std::string> arguments_of(SweepSpec spec, const Assignment& parameters, RunId id) {
  const bool bare = spec.command.empty();
  if (bare) spec.command = {"command"};
  auto arguments = render_command(spec, parameters, "HD_sample", id).arguments;
  if (bare) arguments.erase(arguments.begin());
  return arguments;
}

// Prints parameter sets as they are drawn, so that any number of them takes no more memory than
// one.
class Printer {
 public:
  Printer(const SweepSpec& spec, Format format) : spec_(spec), format_(format) {
    if (format == Format::table) return;
    const bool csv = format == Format::csv;
    std::vector<Column> columns{{"number", ""}};
    if (csv) {
      names_ = parameter_names(spec.space);
      for (const auto& name : parameter_columns(names_, {"number", "reason", "command"}))
        columns.push_back({name, ""});
    } else {
      columns.push_back({"hyperparameters", ""});
    }
    columns.push_back({"reason", ""});
    columns.push_back({"command", ""});
    rows_.emplace(std::move(columns), csv ? RowText::Kind::csv : RowText::Kind::json);
    print_data(rows_->begin());
  }

  void operator()(RunId id, const Assignment& parameters, const std::string& reason) {
    const std::string command = shell_quote(arguments_of(spec_, parameters, id));
    if (!rows_) return print_data(command + "\n");
    std::vector<Cell> row{{id, ""}};
    if (format_ == Format::csv)
      for (const std::string& name : names_) row.push_back(cell_of(parameters, name));
    else
      row.push_back({JsonValue::json(to_json(parameters)), ""});
    row.push_back({reason, ""});
    row.push_back({command, ""});
    print_data(rows_->row(row));
  }

  void finish() const {
    if (rows_) print_data(rows_->end());
  }

 private:
  const SweepSpec& spec_;
  Format format_;
  std::vector<std::string> names_;  // of the parameters, column by column
  std::optional<RowText> rows_;     // of JSON and CSV; the table is the command lines
};

// Random draws from a space with real numbers look at no earlier ones, so none need be remembered.
bool looks_back(const SweepSpec& spec) {
  return spec.sampling.name != "random" || cardinality(spec.space).has_value();
}

void draw(const SweepSpec& spec, const Options& options) {
  const auto sampler = value_or_fail(
      make_sampler(spec.sampling, spec.space,
                   {spec.goal, spec.seed, spec.max_total_runs, spec.max_concurrent_runs}),
      kWrong);
  Printer printer(spec, options.format);
  const bool remember = looks_back(spec);
  History history(spec.goal);
  for (RunId id = 0; id < options.count; ++id) {
    Proposal proposal = value_or_fail(sampler->propose(history, id));
    if (!proposal.parameters) {
      complain(
          fmt::format("{} drawn, no more: {}", base::plural(id, "parameter set"), proposal.reason));
      break;
    }
    printer(id, *proposal.parameters, proposal.reason);
    if (!remember) continue;
    Run run;
    run.id = id;
    run.parameters = *std::move(proposal.parameters);
    history.add(std::move(run));
  }
  printer.finish();
}

int sample(const Options& options) {
  const LoadedConfig loaded = load_or_fail(options.config, Purpose::look);
  ok_or_fail(check(loaded.spec), kWrong);
  if (!loaded.seed_given)
    complain(
        fmt::format("seed {}; --seed {} draws the same again", loaded.spec.seed, loaded.spec.seed));
  draw(loaded.spec, options);
  return kDone;
}

}  // namespace

Action setup_sample(ArgumentParser& parser, std::vector<std::string>& arguments) {
  auto options = std::make_shared<Options>();
  parser.integer("-n,--count", options->count, std::int64_t{0},
                 "How many parameter sets (default: 10)");
  add_config_options(parser, options->config);
  add_format_option(parser, options->format);
  take_words(parser, options->config, arguments);
  return [options] { return sample(*options); };
}

}  // namespace hdrive::cli
