// SPDX-License-Identifier: Apache-2.0
#include "cli/azure_arguments.h"

#include <fmt/format.h>

#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "hdrive/ids.h"
#include "hdrive/overview.h"
#include "hdrive/reader.h"

namespace hdrive::cli {

void add_azure_options(ArgumentParser& parser, AzureArguments& azure) {
  parser
      .text("-t,--output-metadata-file", azure.metadata_file, "FILE",
            "Write what identifies the sweep there, as JSON: run_id, experiment_name, status, ...")
      .completion = Completion::files;
  parser.text("--target,--ct", azure.target, "NAME", "").hidden = true;
  add_workspace_options(parser, azure);
}

void add_workspace_options(ArgumentParser& parser, AzureArguments& azure) {
  // Understood where a command line of Azure's has them, and no use otherwise.
  parser.text("-g,--resource-group", azure.resource_group, "NAME", "").hidden = true;
  parser.text("-w,--workspace-name", azure.workspace, "NAME", "").hidden = true;
  parser.text("--subscription-id", azure.subscription, "ID", "").hidden = true;
}

void tell_of_azure_options(const AzureArguments& azure, bool quiet) {
  std::vector<std::string> given;
  if (!azure.resource_group.empty()) given.emplace_back("--resource-group");
  if (!azure.workspace.empty()) given.emplace_back("--workspace-name");
  if (!azure.subscription.empty()) given.emplace_back("--subscription-id");
  if (!given.empty() && !quiet)
    complain(fmt::format("{} {} no meaning here: sweeps are kept in a folder, .hdrive",
                         base::join(given, ", "), given.size() == 1 ? "has" : "have"));
  if (!azure.target.empty() && base::lower(azure.target) != "local")
    complain(fmt::format("warning: --target {} is ignored: the runs are processes on this machine",
                         printable(azure.target)));
}

std::string attached_experiment(const std::filesystem::path& folder) {
  const auto text = base::read_file(folder / ".azureml" / "config.json", 1 << 20);
  if (!text) return "";
  const auto json = base::parse_json(*text);
  if (!json.is_object() || !json.contains("experiment_name")) return "";
  const auto& name = json["experiment_name"];
  return name.is_string() ? name.get<std::string>() : "";
}

MetadataFile::MetadataFile(const std::string& file, std::filesystem::path sweep)
    : file_(file.empty() ? std::filesystem::path() : std::filesystem::absolute(file)),
      sweep_(std::move(sweep)) {}

void MetadataFile::write() const {
  if (file_.empty()) return;
  const auto reader = value_or_fail(SweepReader::open(sweep_));
  const SweepEntry entry = value_or_fail(reader->entry());
  const SweepTotals totals = value_or_fail(reader->totals());
  const std::string& id = entry.header.id;
  OrderedJson json;
  json["run_id"] = id;
  json["experiment_name"] = entry.header.experiment;
  json["status"] = sweep_status_text(entry);
  json["display_name"] = entry.header.name;
  json["directory"] = sweep_.string();
  json["created"] = utc_text(entry.header.created);
  json["runs"] = entry.runs;
  json["primary_metric"] = entry.header.metric;
  json["best_child_run_id"] = totals.best ? OrderedJson(run_id(id, *totals.best)) : OrderedJson();
  json["score"] = totals.best ? json_number(totals.best_value) : OrderedJson();
  // As the scripts around Azure's command read them.
  json["runId"] = id;
  json["experimentName"] = entry.header.experiment;
  ok_or_fail(base::write_output(file_, json.dump(2) + "\n"));
}

}  // namespace hdrive::cli
