// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/aliases.h"
#include "cli/argument_parser.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/config.h"
#include "hdrive/targets.h"

namespace hdrive::cli {

Action setup_config_reference(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  struct Options {
    bool schema = false, jobs = false, run_configuration = false, azure_cli = false,
         targets = false;
  };
  auto options = std::make_shared<Options>();
  parser.flag("--schema", options->schema, "Print a JSON Schema for editors instead of the page");
  parser.flag("--jobs", options->jobs, "Print the tables of docs/sweep-jobs.md, of v2 jobs");
  parser.flag("--run-configuration", options->run_configuration,
              "Print docs/runconfig.md, the keys of Azure's run configurations");
  parser.flag("--azure-cli", options->azure_cli,
              "Print docs/azure-cli.md, the aliases of Azure's command lines");
  parser.flag("--targets", options->targets, "Print docs/targets-file.md, the keys of targets.yml");
  return [options] {
    print(options->schema && options->jobs ? job_json_schema()
          : options->schema                ? config_json_schema()
          : options->jobs                  ? job_reference()
          : options->run_configuration     ? run_configuration_reference()
          : options->azure_cli             ? alias_reference()
          : options->targets               ? targets_reference()
                                           : config_reference());
    return static_cast<int>(kDone);
  };
}

}  // namespace hdrive::cli
