// SPDX-License-Identifier: Apache-2.0
//
// What the runs of a sweep that a run of another one began are to find in their environment.
#include "compute/run_environment.h"

#include <algorithm>

#include "tests/catch.h"

using namespace hdrive;

namespace {

// Of what these variables are handed down, in their order.
std::vector<std::string> handed_down(std::vector<const char*> inherited,
                                     const RunRequest& request = {}) {
  std::vector<const char*> entries = inherited;
  entries.push_back(nullptr);
  const auto environment = compute::run_environment(request, entries.data(), "/p");
  std::vector<std::string> result;
  for (const char* entry : inherited)
    if (std::find(environment.begin(), environment.end(), entry) != environment.end())
      result.emplace_back(entry);
  return result;
}

using Entries = std::vector<std::string>;

constexpr const char* kRun = "HDRIVE_RUN_ID=HD_0a1b_3";
constexpr const char* kServer = "MLFLOW_TRACKING_URI=http://127.0.0.1:5000/runs/3";

}  // namespace

TEST_CASE("What a run was told of itself is not for the runs of a sweep that it begins") {
  CHECK(handed_down({kRun, "AZUREML_RUN_ID=HD_0a1b_3", "HDRIVE_SEED=4", "HDRIVE_PATH_FIRST=/e/bin",
                     "AZUREML_SWEEP_x=1", "AZUREML_PARAMETER_y=2", "AZUREML_ARM_PROJECT_NAME=e",
                     "AZUREML_DATAREFERENCE_MODEL_LOCATION=/m", "CUDA_VISIBLE_DEVICES=2"}) ==
        Entries{"CUDA_VISIBLE_DEVICES=2"});
}

TEST_CASE("The user's settings of hdrive are handed down") {
  CHECK(handed_down({kRun, "HDRIVE_HOME=/h", "HDRIVE_ENVIRONMENTS=/e"}) ==
        Entries{"HDRIVE_HOME=/h", "HDRIVE_ENVIRONMENTS=/e"});
}

TEST_CASE("MLflow in a run of an inner sweep does not log into the run that began the sweep") {
  CHECK(handed_down({kRun, kServer, "MLFLOW_TRACKING_TOKEN=t", "MLFLOW_RUN_ID=HD_0a1b_3",
                     "MLFLOW_EXPERIMENT_NAME=e", "MLFLOW_TRACKING_INSECURE_TLS=true"}) ==
        Entries{"MLFLOW_TRACKING_INSECURE_TLS=true"});
  RunRequest request;
  request.environment = {{"MLFLOW_TRACKING_URI", "http://127.0.0.1:6000/runs/0"}};
  std::vector<const char*> inherited{kRun, kServer, nullptr};
  const auto own = compute::run_environment(request, inherited.data(), "/p");
  CHECK(std::count(own.begin(), own.end(), "MLFLOW_TRACKING_URI=http://127.0.0.1:6000/runs/0") ==
        1);
}

TEST_CASE("A server that the user has set is handed down, without the outer run") {
  CHECK(handed_down({kRun, "MLFLOW_TRACKING_URI=https://mine", "MLFLOW_TRACKING_TOKEN=t",
                     "MLFLOW_RUN_ID=HD_0a1b_3", "MLFLOW_EXPERIMENT_NAME=e"}) ==
        Entries{"MLFLOW_TRACKING_URI=https://mine", "MLFLOW_TRACKING_TOKEN=t"});
  CHECK(handed_down({kRun, "MLFLOW_TRACKING_URI=https://mine", "MLFLOW_RUN_ID=another"}).size() ==
        2);
}

TEST_CASE("Of what is nobody's run all is handed down") {
  const std::vector<const char*> variables{kServer,
                                           "MLFLOW_TRACKING_TOKEN=t",
                                           "MLFLOW_RUN_ID=r",
                                           "MLFLOW_EXPERIMENT_NAME=e",
                                           "AZUREML_ARM_PROJECT_NAME=e",
                                           "AZUREML_DATAREFERENCE_d=/d",
                                           "AZUREML_PARAMETER_y=2"};
  CHECK(handed_down(variables).size() == variables.size());
}
