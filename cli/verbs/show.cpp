// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/listing.h"
#include "cli/lookup.h"
#include "cli/model_pick.h"
#include "cli/model_text.h"
#include "cli/repeats_text.h"
#include "cli/run_rows.h"
#include "cli/run_text.h"
#include "cli/source_text.h"
#include "cli/stored_spec.h"
#include "cli/sweep_plot.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"
#include "hdrive/overview.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string selector = "last";
  std::string output_dir;
  std::string format = "table";
  std::string get;
  bool model = false;
  bool importance = false;
  bool plot = false;
};

std::string indented(std::string_view text) {
  std::string result;
  for (const std::string& line : printable_lines(text)) result += "  " + line + "\n";
  return result;
}

std::string notes_text(const std::vector<Noted>& notes) {
  std::string infos, warnings;
  for (const Noted& note : notes)
    (note.level == Noted::Level::info ? infos : warnings) +=
        fmt::format("  {}  {}{}\n", time_text(note.at),
                    note.run ? fmt::format("run {}: ", *note.run) : "", printable(note.text));
  return (infos.empty() ? "" : "\nnotes\n" + infos) +
         (warnings.empty() ? "" : "\nwarnings\n" + warnings);
}

std::string edits_text(const std::vector<SweepEdited>& edits) {
  std::string text;
  for (const SweepEdited& edit : edits)
    text += fmt::format("  {}  {}\n", time_text(edit.at), printable(edit.what));
  return text.empty() ? "" : "\nupdates\n" + text;
}

OrderedJson full_json(const SweepEntry& sweep, const SweepSummary& summary,
                      const std::vector<RepeatedRun>& repeated,
                      const std::optional<ModelPick>& pick, const std::vector<SweepEdited>& edits,
                      const std::vector<Noted>& notes) {
  OrderedJson json = sweep_json(sweep, summary);
  json["repeats"] = repeats_json(repeated);
  json["model_pick"] = pick_json(pick);
  if (const auto spec = stored_spec(sweep.header, sweep.directory)) {
    json["description"] = spec->description;
    json["tags"] = spec->tags;
  }
  json["properties"] = azure_properties(sweep.header);
  json["config"] = sweep.header.config;
  json["edits"] = OrderedJson::array();
  for (const SweepEdited& edit : edits)
    json["edits"].push_back({{"time", json_time(edit.at)}, {"what", edit.what}});
  json["warnings"] = OrderedJson::array();
  for (const Noted& note : notes)
    if (note.level != Noted::Level::info)
      json["warnings"].push_back((note.run ? fmt::format("run {}: ", *note.run) : "") + note.text);
  return json;
}

// Prints one value of what is printed as JSON: text as it is, anything else as JSON.
int print_value(const OrderedJson& json, const std::string& path) {
  const OrderedJson* at = &json;
  std::string rest = path == "id" ? (json.contains("run_id") ? "run_id" : "sweep_id") : path;
  while (!rest.empty()) {
    std::vector<std::string> names;
    if (at->is_object())
      for (const auto& [name, value] : at->items()) names.push_back(name);
    // A name may hold dots itself, as "azureml.git.commit" does.
    std::string name = rest;
    while (!at->is_object() || !at->contains(name)) {
      const std::size_t dot = name.rfind('.');
      const std::string meant = base::did_you_mean(name, names);
      if (dot == std::string::npos)
        fail(kWrong, fmt::format("--get {}: there is no \"{}\"{}{}{}", path, name,
                                 names.empty() ? "" : "; allowed: " + base::join(names, ", "),
                                 meant.empty() ? "" : ";", meant));
      name.resize(dot);
    }
    at = &(*at)[name];
    rest.erase(0, name.size() + 1);
  }
  if (at->is_null()) return kDone;
  print_data((at->is_string() ? at->get<std::string>() : compact(*at)) + "\n");
  return kDone;
}

int show_sweep(const SweepEntry& sweep, const Options& options) {
  const auto reader = reader_or_fail(sweep);
  const SweepSummary summary = value_or_fail(summarize(sweep, *reader, make_steady_clock()->now()));
  const auto edits = value_or_fail(reader->edits());
  const auto notes = value_or_fail(reader->notes());
  const auto spec = stored_spec(sweep.header, sweep.directory);
  const auto pick = spec ? pick_worth_telling(*spec, sweep, *reader) : std::nullopt;
  const auto repeated =
      spec ? value_or_fail(repeats_of(*spec, *reader)) : std::vector<RepeatedRun>{};
  if (options.format == "json" || !options.get.empty()) {
    const OrderedJson json = full_json(sweep, summary, repeated, pick, edits, notes);
    if (!options.get.empty()) return print_value(json, options.get);
    print_data(pretty(json));
    return kDone;
  }
  std::string text = sweep_text(sweep, summary) + source_text(sweep);
  for (std::string_view label = "repeats"; const std::string& line : repeats_lines(repeated))
    text += labelled(std::exchange(label, ""), line);
  if (pick) text += labelled_sentence("model", pick_text(*pick));
  if (spec) {
    if (const auto sampler = make_sampler(spec->sampling, spec->space, sampler_context(*spec)))
      text += labelled_sentence("sampling", (*sampler)->describe());
    if (const auto policy = make_policy(spec->policy, spec->goal))
      text += labelled_sentence("policy", (*policy)->describe());
  }
  text += properties_text(sweep.header);
  text += "\nconfiguration\n" + indented(sweep.header.config);
  print(text + edits_text(edits) + notes_text(notes));
  return kDone;
}

int show_model(const Target& target, bool as_json) {
  if (target.run)
    fail(kWrong, "--model is about a sweep; leave out /" + std::to_string(*target.run));
  const SweepSpec spec = value_or_fail(stored_spec(target.sweep.header, target.sweep.directory));
  const SweepState state = load_state(target.sweep);
  const ModelReport report = value_or_fail(
      inspect_model(spec.sampling, spec.space, sampler_context(spec), state.history()));
  as_json ? print_data(pretty(model_json(report))) : print(model_text(report));
  return kDone;
}

// How much each parameter mattered.
int show_importance(const SweepEntry& sweep, bool as_json) {
  const SweepSpec spec = value_or_fail(stored_spec(sweep.header, sweep.directory));
  const SweepState state = load_state(sweep);
  const auto importance = parameter_importance(spec.space, state.history());
  if (!importance)
    fail(kCannot, fmt::format("{}: {}", short_id(sweep.header.id), importance.error().message()));
  Listing listing;
  listing.columns = {{"parameter", "PARAMETER"}, {"importance", "IMPORTANCE", Align::right}};
  for (const ParameterImportance& one : *importance)
    listing.rows.push_back(
        {{one.name, printable(one.name)}, {one.share, fmt::format("{:.1f} %", 100 * one.share)}});
  if (as_json) {
    print_data(listing.json());
    return kDone;
  }
  print(listing.table(output_width()) +
        "\nHow differently the best tenth of the finished runs is spread along each "
        "parameter than all are (PED-ANOVA).\n");
  return kDone;
}

// As charts of characters.
int show_plot(const Target& target) {
  constexpr int kUsual = 80, kMost = 160;
  const int width = output_width() == 0 ? kUsual : std::min(kMost, output_width() - 1);
  const auto reader = reader_or_fail(target.sweep);
  print(target.run ? run_plot(target.sweep, *reader, *target.run, width, utf8_locale())
                   : sweep_plot(target.sweep, *reader, width, utf8_locale()));
  return kDone;
}

int show(const Options& options) {
  const Target target = target_or_fail(options.output_dir, options.selector, Several::newest);
  const bool as_json = options.format == "json";
  if (options.model && options.importance)
    fail(kWrong, "--model and --importance are two answers; ask for one at a time");
  if (!options.get.empty() && (options.model || options.importance))
    fail(kWrong, "--get is of what is shown without --model and --importance; leave one out");
  if (options.plot) {
    if (options.model || options.importance || as_json || !options.get.empty())
      fail(kWrong,
           "--plot draws, and goes with neither --model, --importance, --get nor -f json; for "
           "numbers leave it out");
    return show_plot(target);
  }
  if (options.model) return show_model(target, as_json);
  if (options.importance) {
    if (target.run) fail(kWrong, "--importance is of a sweep, not of one of its runs");
    return show_importance(target.sweep, as_json);
  }
  if (!target.run) return show_sweep(target.sweep, options);
  const auto reader = reader_or_fail(target.sweep);
  const StoredRun run = value_or_fail(reader->run(*target.run));
  ok_or_fail(reader->check(*target.run));
  const auto judged = value_or_fail(reader->judged(*target.run));
  const RunFacts facts{target.sweep, run, judged};
  if (!options.get.empty()) return print_value(run_json(facts), options.get);
  as_json ? print_data(pretty(run_json(facts))) : print(run_text(facts));
  return kDone;
}

}  // namespace

Action setup_show(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  add_sweep_argument(parser, options->selector, "SWEEP[/RUN]",
                     "The sweep, or one of its runs (default: last)");
  parser.choice("-f,--format", options->format, {"table", "json"}, "FORMAT",
                "table or json (default: table)");
  parser.text("--get", options->get, "KEY",
              "Print this value of the JSON alone: status, best_run_id, counts.failed, tags.NAME");
  parser.flag(
      "--model", options->model,
      "What a Gaussian process believes of the sweep: which parameters matter, the noise, and "
      "how well it predicts each run from the others");
  parser.flag("--importance", options->importance,
              "Print how much each parameter of the sweep mattered");
  parser.flag("--plot", options->plot,
              "Draw it on the terminal: of a sweep history, curves and importance, of a run the "
              "curves of its metrics");
  add_home_option(parser, options->output_dir);
  return [options] { return show(*options); };
}

}  // namespace hdrive::cli
