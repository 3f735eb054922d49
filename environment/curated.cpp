// SPDX-License-Identifier: Apache-2.0
//
// Azure's curated environments by their names, and the packages they stand for.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "hdrive/environment.h"

namespace hdrive {
namespace {

struct Curated {
  std::string_view beginning;  // of the name behind "AzureML-", folded
  std::string_view shown;
  std::vector<std::string_view> packages;
};

// The longest beginning that fits counts.
const std::vector<Curated>& curated() {
  static const std::vector<Curated> kTable{
      {"minimal", "AzureML-Minimal", {}},
      {"tutorial", "AzureML-Tutorial", {"pandas", "scikit-learn", "matplotlib", "tqdm"}},
      {"sklearn", "AzureML-sklearn", {"scikit-learn", "pandas", "scipy", "joblib", "matplotlib"}},
      {"scikitlearn", "AzureML-Scikit-learn", {"scikit-learn", "pandas", "scipy", "joblib"}},
      {"tensorflow", "AzureML-TensorFlow", {"tensorflow", "matplotlib", "pandas"}},
      {"pytorch", "AzureML-PyTorch", {"torch", "torchvision", "tensorboard", "matplotlib"}},
      {"acptpytorch", "AzureML-ACPT-pytorch", {"torch", "torchvision", "tensorboard"}},
      {"lightgbm", "AzureML-lightgbm", {"lightgbm", "scikit-learn", "pandas"}},
      {"xgboost", "AzureML-xgboost", {"xgboost", "scikit-learn", "pandas"}},
      {"responsibleai", "AzureML-responsibleai", {"responsibleai", "scikit-learn", "pandas"}},
      {"automl", "AzureML-AutoML", {"scikit-learn", "lightgbm", "xgboost", "pandas"}},
      {"designer", "AzureML-Designer", {"scikit-learn", "pandas"}},
      {"keras", "AzureML-Keras", {"keras", "tensorflow"}},
      {"mlflow", "AzureML-mlflow", {"mlflow", "scikit-learn", "pandas"}},
      {"daskcpu", "AzureML-Dask-CPU", {"dask[complete]", "pandas"}},
      {"hyperdriveforecastdnn", "AzureML-Hyperdrive-ForecastDNN", {"torch", "pandas"}},
      {"onnx", "AzureML-onnx", {"onnx", "onnxruntime"}},
  };
  return kTable;
}

}  // namespace

std::vector<std::string> curated_environments() {
  std::vector<std::string> names;
  for (const Curated& row : curated()) names.emplace_back(row.shown);
  std::sort(names.begin(), names.end());
  return names;
}

Result<PythonPackages> curated_environment(std::string_view name) {
  constexpr std::string_view kPrefix = "azureml";
  std::string word = base::fold(name);
  const bool azures = word.starts_with(kPrefix);
  if (azures) word.erase(0, kPrefix.size());
  const Curated* found = nullptr;
  for (const Curated& row : curated())
    if (word.starts_with(row.beginning) &&
        (!found || row.beginning.size() > found->beginning.size()))
      found = &row;
  if (azures && found) {
    PythonPackages packages;
    packages.name = name;
    packages.pip.assign(found->packages.begin(), found->packages.end());
    return packages;
  }
  const auto known = curated_environments();
  const std::string hint =
      base::did_you_mean(name.substr(0, name.find_first_of("0123456789")), known);
  return Error{
      "",
      fmt::format("there is no curated environment {} here; there are those that begin "
                  "with {}{}",
                  base::json_string(name), base::join(known, ", "), hint.empty() ? "" : ";" + hint),
      Error::Kind::not_found};
}

}  // namespace hdrive
