// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/argument_parser.h"
#include "cli/terminal.h"
#include "cli/verbs/verbs.h"
#include "hdrive/config.h"

namespace hdrive::cli {

Action setup_config_reference(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto schema = std::make_shared<bool>(false), jobs = std::make_shared<bool>(false);
  parser.flag("--schema", *schema, "Print a JSON Schema for editors instead of the page");
  parser.flag("--jobs", *jobs, "Print the tables of docs/sweep-jobs.md, of v2 jobs");
  return [schema, jobs] {
    if (*jobs)
      print(*schema ? job_json_schema() : job_reference());
    else
      print(*schema ? config_json_schema() : config_reference());
    return static_cast<int>(kDone);
  };
}

}  // namespace hdrive::cli
