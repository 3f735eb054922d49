// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/json.h"
#include "cli/listing.h"
#include "cli/lookup.h"
#include "cli/model_pick.h"
#include "cli/parameters.h"
#include "cli/repeats_text.h"
#include "cli/run_rows.h"
#include "cli/run_text.h"
#include "cli/stored_spec.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/ids.h"
#include "hdrive/overview.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string sweep = "last";
  std::string by = "value";
  std::string output_dir;
  Format format = Format::table;
};

struct Best {
  StoredRun run;
  std::optional<ModelPick> pick = {};  // asked for, or worth telling
  std::optional<RepeatedRun> repeated = {};
};

// By the best value reported.
Best by_value(const SweepEntry& sweep, SweepReader& reader, bool for_people) {
  const auto leader = value_or_fail(reader.totals()).best;
  if (!leader)
    fail(kNoneSucceeded, fmt::format("{}: no run has reported {} yet, so none is the best",
                                     short_id(sweep.header.id), sweep.header.metric));
  Best best{value_or_fail(reader.run(*leader)), std::nullopt};
  if (const auto spec = stored_spec(sweep.header, sweep.directory); spec && for_people)
    best.pick = pick_worth_telling(*spec, sweep, reader);
  return best;
}

Best by_model(const SweepEntry& sweep, SweepReader& reader) {
  const SweepSpec spec = value_or_fail(stored_spec(sweep.header, sweep.directory));
  const SweepState state = load_state(sweep);
  const auto pick =
      pick_by_model(spec.sampling, spec.space, sampler_context(spec), state.history());
  if (!pick)
    fail(kNoneSucceeded, fmt::format("{}: {}", short_id(sweep.header.id), pick.error().message()));
  return {value_or_fail(reader.run(pick->run)), *pick};
}

Best by_mean(const SweepEntry& sweep, SweepReader& reader) {
  const SweepSpec spec = value_or_fail(stored_spec(sweep.header, sweep.directory));
  const auto repeated = value_or_fail(repeats_of(spec, reader));
  if (repeated.empty() || repeated.front().values.empty())
    fail(kNoneSucceeded,
         fmt::format("{0}: {1}; hdrive resume {0} --set repeat_best=3x5{2} runs the best 3 again, "
                     "5 times each",
                     short_id(sweep.header.id),
                     repeated.empty() ? "no run was repeated" : "no repeat has a value",
                     home_hint(sweep)));
  return {value_or_fail(reader.run(repeated.front().run)), {}, repeated.front()};
}

std::string expected_text(const ModelPick& pick) {
  std::string text = labelled_sentence(
      "model", fmt::format("expects {} with these parameters; a single run "
                           "deviates by {:.2g}",
                           with_deviation(pick.mean, pick.deviation), pick.noise));
  if (pick.leader != pick.run)
    text += labelled_sentence("", fmt::format("run {} reported the best value, {}", pick.leader,
                                              number_text(pick.leader_reported)));
  return text;
}

std::string best_text(const SweepEntry& sweep, const Best& best) {
  const Run& run = best.run.run;
  const auto value = report_of(best.run, sweep.header).best_primary_metric;
  std::string text =
      labelled("run", fmt::format("{} ({}), {}", run.id, run_id(sweep.header.id, run.id),
                                  outcome_text(run.status, run.ended_by)));
  text += labelled("metric", fmt::format("{} = {}", sweep.header.metric, base::shortest(*value)));
  if (best.repeated) text += labelled("mean", mean_text(*best.repeated));
  if (best.pick && best.pick->run == run.id)
    text += expected_text(*best.pick);
  else if (best.pick)
    text += labelled_sentence("model", pick_text(*best.pick));
  for (const Binding& binding : run.parameters)
    text += fmt::format("  {} = {}\n", printable(binding.name), printable(to_text(binding.value)));
  if (const auto command = command_line(sweep, run); !command.empty())
    text += labelled("command", command);
  return text + labelled("outputs", outputs_text(sweep.directory, run.id));
}

Listing listing_of(const SweepEntry& sweep, const Best& best, SweepReader& reader) {
  RunColumns::Names names;
  add_names(names, reader, sweep.header, Parameters::together);
  for (const Binding& binding : best.run.run.parameters) names.parameters.push_back(binding.name);
  const RunColumns columns(sweep.header.metric, names);
  Listing listing{columns.columns(), {columns.row(best.run, sweep.header)}};
  if (best.pick) {
    listing.columns.push_back({"model_mean", "MODEL MEAN", Align::right});
    listing.columns.push_back({"model_deviation", "MODEL DEVIATION", Align::right});
    listing.rows.front().push_back({best.pick->mean, number_text(best.pick->mean)});
    listing.rows.front().push_back({best.pick->deviation, number_text(best.pick->deviation)});
  }
  if (best.repeated) {
    listing.columns.push_back({"repeats_mean", "MEAN OF REPEATS", Align::right});
    listing.columns.push_back({"repeats", "REPEATS", Align::right});
    const auto n = static_cast<std::int64_t>(best.repeated->values.size());
    listing.rows.front().push_back({best.repeated->mean, number_text(best.repeated->mean)});
    listing.rows.front().push_back({n, std::to_string(n)});
  }
  return listing;
}

int best(const Options& options) {
  const SweepEntry sweep = sweep_or_fail(options.output_dir, options.sweep, Several::newest);
  const auto reader = reader_or_fail(sweep);
  const Best best = options.by == "model" ? by_model(sweep, *reader)
                    : options.by == "mean"
                        ? by_mean(sweep, *reader)
                        : by_value(sweep, *reader, options.format == Format::table);
  switch (options.format) {
    case Format::json: {
      OrderedJson json = run_object(best.run, sweep.header);
      if (best.pick) json["model"] = pick_json(best.pick);
      if (best.repeated) json["repeats"] = repeated_json(*best.repeated);
      print_data(pretty(json));
      break;
    }
    case Format::csv:
      write(listing_of(sweep, best, *reader), Format::csv);
      break;
    case Format::table:
      print(best_text(sweep, best));
  }
  return kDone;
}

}  // namespace

Action setup_best(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->sweep, "SWEEP", "The sweep (default: last)");
  parser.choice("--by", options->by, {"value", "mean", "model"}, "WHAT",
                "value: the best value reported (default); mean: the best mean of repeats "
                "(repeat_best); model: the best mean that a model of "
                "all results expects, which noise does not flatter");
  add_format_option(parser, options->format);
  add_home_option(parser, options->output_dir);
  return [options] { return best(*options); };
}

}  // namespace hdrive::cli
