// SPDX-License-Identifier: Apache-2.0
//
// Experiments: names that group sweeps. One exists as soon as a sweep has it; `create` notes a name
// that no sweep has yet, in a file beside the sweeps.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/azure_arguments.h"
#include "cli/listing.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"
#include "hdrive/catalog.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "experiments";  // a name a line

struct Options {
  std::string action = "list", name, option_name, output, output_dir;
  Format format = Format::table;
  AzureArguments azure;
};

struct Experiment {
  std::int64_t sweeps = 0, runs = 0;
  Time latest{};
};

std::set<std::string> noted(const fs::path& home) {
  std::set<std::string> names;
  if (const auto text = base::read_file(home / kFile, 1 << 20))
    for (const std::string_view line : base::split(*text, '\n'))
      if (!line.empty()) names.emplace(line);
  return names;
}

int create(const Options& options) {
  const std::string& name = options.name.empty() ? options.option_name : options.name;
  if (name.empty() || name.find('\n') != std::string::npos)
    fail(kWrong, "experiment create: a name is wanted, as in: hdrive experiment create digits");
  const fs::path home = new_home_directory(options.output_dir);
  std::set<std::string> names = noted(home);
  names.insert(name);
  std::string text;
  for (const std::string& each : names) text += each + "\n";
  ok_or_fail(base::make_directories(home));
  ok_or_fail(base::write_file_atomically(home / kFile, text));
  print(printable(name) + "\n");
  return kDone;
}

int list(const Options& options) {
  const fs::path home = home_directory(options.output_dir);
  std::map<std::string, Experiment> experiments;
  for (const std::string& name : noted(home)) experiments[name];
  for (const SweepEntry& sweep : list_sweeps(home, nullptr)) {
    if (sweep.header.experiment.empty()) continue;
    Experiment& experiment = experiments[sweep.header.experiment];
    ++experiment.sweeps;
    experiment.runs += sweep.runs;
    experiment.latest = std::max(experiment.latest, sweep.header.created);
  }
  Listing listing;
  listing.columns = {{"name", "EXPERIMENT", Align::left, 8},
                     {"sweeps", "SWEEPS", Align::right},
                     {"runs", "RUNS", Align::right},
                     {"latest", "LATEST"}};
  for (const auto& [name, of] : experiments)
    listing.rows.push_back({{name, printable(name)},
                            {of.sweeps, std::to_string(of.sweeps)},
                            {of.runs, std::to_string(of.runs)},
                            {JsonValue::time(of.latest), time_text(of.latest)}});
  if (listing.rows.empty() && options.format == Format::table)
    complain(fmt::format("no experiments in {}", home.string()));
  else
    write(listing, options.format);
  return kDone;
}

}  // namespace

Action setup_experiment(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  parser.choice("action", options->action, {"list", "create"}, "ACTION",
                "list (the default) or create");
  parser.text("name", options->name, "NAME", "Of create: the experiment's name");
  parser.text("-n,--name", options->option_name, "NAME", "The same, as az ml has it");
  add_workspace_options(parser, options->azure);
  add_format_option(parser, options->format);
  parser.choice("-o,--output", options->output, {"table", "json"}, "FORMAT",
                "The same, as az ml has it");
  add_home_option(parser, options->output_dir);
  return [options] {
    if (!options->output.empty())
      options->format = options->output == "json" ? Format::json : Format::table;
    return options->action == "create" ? create(*options) : list(*options);
  };
}

}  // namespace hdrive::cli
