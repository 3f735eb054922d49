// SPDX-License-Identifier: Apache-2.0
//
// The environments that run configurations asked for: what is kept, and building one ahead.
#include "hdrive/environment.h"

#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/config_arguments.h"
#include "cli/listing.h"
#include "cli/surroundings.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::string action = "list";
  std::vector<std::string> keys;
  ConfigArguments config;
  Format format = Format::table;
};

KeptEnvironment environment_or_fail(const std::string& word) {
  std::vector<KeptEnvironment> found;
  for (KeptEnvironment& each : list_environments(environments_directory()))
    if (each.key.starts_with(word) || each.name == word) found.push_back(std::move(each));
  if (found.empty())
    fail(kNotFound, fmt::format("there is no environment \"{}\" in {}; hdrive environment list "
                                "shows them",
                                printable(word), environments_directory().string()));
  if (found.size() > 1)
    fail(kWrong, fmt::format("there are several environments \"{}\"; say which by its key: {}, {}",
                             printable(word), found[0].key, found[1].key));
  return found.front();
}

int list(const Options& options) {
  Listing listing;
  listing.columns = {{"key", "KEY"},         {"name", "NAME", Align::left, 8, 1},
                     {"tool", "TOOL"},       {"complete", "COMPLETE"},
                     {"created", "CREATED"}, {"directory", ""}};
  for (const KeptEnvironment& each : list_environments(environments_directory()))
    listing.rows.push_back(
        {{each.key, each.key},
         {each.name, printable(each.name)},
         {each.tool, printable(each.tool)},
         {JsonValue::json(each.complete ? "true" : "false"), each.complete ? "yes" : "no"},
         {JsonValue::time(each.created), time_text(each.created)},
         {each.directory.string(), ""}});
  write(listing, options.format);
  return kDone;
}

int show(const Options& options) {
  for (const std::string& word : options.keys) {
    const KeptEnvironment kept = environment_or_fail(word);
    print(fmt::format("key: {}\n{}python: {}\nlog: {}\ncomplete: {}\n", kept.key, kept.definition,
                      (kept.prefix / "bin/python").string(),
                      (kept.directory / "build.log").string(), kept.complete ? "yes" : "no"));
  }
  return kDone;
}

int remove(const Options& options) {
  std::vector<KeptEnvironment> all;
  for (const std::string& word : options.keys) all.push_back(environment_or_fail(word));
  for (const KeptEnvironment& kept : all) ok_or_fail(remove_environment(kept));
  return kDone;
}

int build(const Options& options) {
  // Curated ones by their names, else what a run configuration or a conda file says.
  Surroundings wanted;
  if (options.keys.size() > 1)
    fail(kWrong, "environment build: one curated environment at a time, or -c, or -d");
  if (!options.keys.empty())
    wanted.packages = value_or_fail(curated_environment(options.keys.front()), kWrong);
  else
    wanted = load_surroundings_or_fail(options.config).surroundings;
  if (!wanted.packages) fail(kWrong, "the run configuration wants no environment that is built");
  print((make_environment(wanted, false).prefix / "bin/python").string() + "\n");
  return kDone;
}

int act(const Options& options) {
  const bool by_key = options.action == "show" || options.action == "remove";
  if (by_key && options.keys.empty())
    fail(kWrong, fmt::format("environment {}: a key or a name is wanted; hdrive environment list "
                             "shows them",
                             options.action));
  if (options.action == "list" && !options.keys.empty())
    fail(kWrong, fmt::format("environment {}: unexpected argument \"{}\"", options.action,
                             printable(options.keys.front())));
  if (options.action == "show") return show(options);
  if (options.action == "remove") return remove(options);
  return options.action == "build" ? build(options) : list(options);
}

}  // namespace

Action setup_environment(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  parser.choice("action", options->action, {"list", "show", "remove", "build"}, "ACTION",
                "list (the default), show, remove or build");
  parser.texts("keys", options->keys, "ENVIRONMENT",
               "Keys, beginnings of them, or names; of build the name of a curated one");
  add_run_configuration_options(parser, options->config);
  add_format_option(parser, options->format);
  return [options] { return act(*options); };
}

}  // namespace hdrive::cli
