// SPDX-License-Identifier: Apache-2.0
#include "compute/run_environment.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "hdrive/server.h"

namespace hdrive::compute {
namespace {

namespace fs = std::filesystem;

// Where execvp looks when PATH is not set.
constexpr const char* kDefaultPath = "/bin:/usr/bin";

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

// The user's settings of hdrive itself.
bool is_setting(std::string_view name) {
  return name == "HDRIVE_HOME" || name == "HDRIVE_ENVIRONMENTS";
}

// The variables of this process, and which of them are not a run's to inherit: a parameter that
// does not exist in it must not be found there, nor the run that began this sweep.
class Inherited {
 public:
  explicit Inherited(const char* const* entries) : entries_(entries) {
    const auto run = find("HDRIVE_RUN_ID"), uri = find("MLFLOW_TRACKING_URI");
    in_run_ = run.has_value();
    logs_to_run_ = in_run_ && uri && !own_tracking_uri(std::string(*uri), std::string(*run));
    names_run_ = logs_to_run_ || (in_run_ && find("MLFLOW_RUN_ID") == run);
  }

  std::optional<std::string> handed_down(std::string_view name) const {
    const auto value = is_of_a_run(name) ? std::nullopt : find(name);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  }

  bool is_of_a_run(std::string_view name) const {
    if (name.starts_with("HDRIVE_")) return !is_setting(name);
    if (name.starts_with("AZUREML_SWEEP_") || name == "AZUREML_RUN_ID") return true;
    if (in_run_ && is_any_of(name, kOfOuterRun)) return true;
    if (logs_to_run_ && is_any_of(name, kOfItsServer)) return true;
    return names_run_ && is_any_of(name, kOfItsTracking);
  }

 private:
  // By its name, or by the beginning of it that ends with "_".
  static constexpr std::string_view kOfOuterRun[] = {
      "AZUREML_ARM_PROJECT_NAME", "AZUREML_DATAREFERENCE_", "AZUREML_PARAMETER_"};
  // The server where the outer run logs; one that the user has set is handed down.
  static constexpr std::string_view kOfItsServer[] = {"MLFLOW_TRACKING_URI",
                                                      "MLFLOW_TRACKING_TOKEN"};
  static constexpr std::string_view kOfItsTracking[] = {"MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID",
                                                        "MLFLOW_EXPERIMENT_NAME"};

  template <std::size_t N>
  static bool is_any_of(std::string_view name, const std::string_view (&known)[N]) {
    return std::any_of(std::begin(known), std::end(known), [&](std::string_view each) {
      return each.ends_with('_') ? name.starts_with(each) : name == each;
    });
  }

  std::optional<std::string_view> find(std::string_view name) const {
    for (const char* const* entry = entries_; *entry; ++entry)
      if (name_of(*entry) == name) return std::string_view(*entry).substr(name.size() + 1);
    return std::nullopt;
  }

  const char* const* entries_;
  bool in_run_ = false;       // the engine was begun by a run of another sweep
  bool logs_to_run_ = false;  // MLflow logs into that run
  bool names_run_ = false;    // MLflow is told that run
};

constexpr const char* kProxies[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
constexpr const char* kDirect[] = {"no_proxy", "NO_PROXY"};

bool fits(std::string_view name, std::string_view value) {
  return name.size() + 1 + value.size() + 1 <= kLongestString;
}

}  // namespace

std::vector<std::string> run_environment(const RunRequest& request, const char* const* inherited,
                                         const fs::path& python_path,
                                         const fs::path& command_path) {
  const std::string& directory = request.directory.native();
  std::vector<std::pair<std::string, std::string>> added;
  const auto set = [&](std::string_view name, std::string value) {
    const auto same = [&](const auto& entry) { return entry.first == name; };
    const auto found = std::find_if(added.begin(), added.end(), same);
    if (found == added.end())
      added.emplace_back(name, std::move(value));
    else
      found->second = std::move(value);
  };
  const Inherited outer(inherited);
  // What the run would see without further ado; nullopt: not set.
  const auto value_of = [&](std::string_view name) -> std::optional<std::string> {
    for (const auto& [other, value] : added)
      if (other == name) return value;
    return outer.handed_down(name);
  };
  set("HDRIVE_RUN_ID", request.run_id);
  // Where they are too many for a variable run.json has them.
  if (std::string json = to_json(request.parameters); fits("HDRIVE_PARAMETERS", json))
    set("HDRIVE_PARAMETERS", std::move(json));
  // Each of several processes on this node has its share of them.
  if (!request.cpus.empty()) {
    const bool distributed = request.distribution.type != DistributionType::none;
    const auto processes = distributed
                               ? processes_on_a_node(request.resources, request.distribution)
                               : std::int64_t{1};
    const auto share = static_cast<std::int64_t>(request.cpus.size()) / processes;
    set("OMP_NUM_THREADS", std::to_string(std::max<std::int64_t>(share, 1)));
  }
  for (const auto& [name, value] : request.environment) set(name, value);
  if (!request.gpus.empty()) {
    set("CUDA_VISIBLE_DEVICES", base::join(request.gpus, ","));
    set("HIP_VISIBLE_DEVICES", base::join(request.gpus, ","));
    // CUDA's own order puts the fastest first; the drivers', and ours, goes by the bus.
    if (!value_of("CUDA_DEVICE_ORDER")) set("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
  }
  set("HDRIVE_SLOT", std::to_string(request.slot));
  set("HDRIVE_RUN_DIR", directory);
  set("HDRIVE_METRICS_FILE", directory + "/metrics.jsonl");
  set("HDRIVE_OUTPUTS_DIR", directory + "/outputs");
  set("HDRIVE_LOGS_DIR", directory + "/logs");
  set("HDRIVE_CHECKPOINT_DIR", directory + "/checkpoints");
  set("HDRIVE_SOURCE_DIR", request.workspace.source.empty() ? request.working_directory.string()
                                                            : request.workspace.source.string());
  set("HDRIVE_ATTEMPT", std::to_string(request.attempt));

  // What a script prints is to be seen, and searched for metrics, when it prints it.
  if (!value_of("PYTHONUNBUFFERED")) set("PYTHONUNBUFFERED", "1");
  const std::string python = value_of("PYTHONPATH").value_or("");
  set("PYTHONPATH", python_path.native() + (python.empty() ? "" : ":" + python));
  // The sweep's own server is not behind a proxy.
  const auto is_set = [&](const char* name) { return value_of(name).has_value(); };
  if (const auto server = value_of("MLFLOW_TRACKING_URI");
      server && server->starts_with("http://127.0.0.1:") &&
      std::any_of(std::begin(kProxies), std::end(kProxies), is_set))
    for (const char* name : kDirect) {
      const std::string direct = value_of(name).value_or("");
      if (direct != "*" && direct.find("127.0.0.1") == direct.npos)
        set(name, direct + (direct.empty() ? "" : ",") + "127.0.0.1");
    }
  // In front of all: an environment's programs, whatever PATH the engine has this time.
  if (const auto first = value_of("HDRIVE_PATH_FIRST"))
    set("PATH", *first + ":" + value_of("PATH").value_or(kDefaultPath));
  // Behind all else, so that nothing the user has installed is hidden.
  if (!command_path.empty())
    set("PATH", value_of("PATH").value_or(kDefaultPath) + ":" + command_path.native());

  std::vector<std::string> result;
  for (const char* const* entry = inherited; *entry; ++entry) {
    if (outer.is_of_a_run(name_of(*entry))) continue;
    const auto same = [&](const auto& addition) { return addition.first == name_of(*entry); };
    if (std::none_of(added.begin(), added.end(), same)) result.emplace_back(*entry);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

}  // namespace hdrive::compute
