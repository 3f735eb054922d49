// SPDX-License-Identifier: Apache-2.0
#include "environment/packages.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/catch.h"

namespace hdrive {
namespace {

using environment::conda_lists;
using environment::parse_conda_package;
using environment::pip_requirements;
using Words = std::vector<std::string>;

PythonPackages list_of(Words conda, Words pip = {}) {
  PythonPackages packages;
  packages.conda = std::move(conda);
  packages.pip = std::move(pip);
  return packages;
}

TEST_CASE("Conda's conditions become pip's") {
  const auto condition = [](std::string_view text) {
    const auto package = parse_conda_package(text);
    return package ? package->name + " " + package->condition : package.error().what;
  };
  CHECK(condition("numpy") == "numpy ");
  CHECK(condition("NumPy=1.19") == "numpy ==1.19.*");
  CHECK(condition("numpy=1.19.2=py37h54aff64_0") == "numpy ==1.19.2.*");
  CHECK(condition("numpy=1.19.*") == "numpy ==1.19.*");
  CHECK(condition("numpy==1.19.2") == "numpy ==1.19.2");
  CHECK(condition("numpy==1.19.2=0") == "numpy ==1.19.2");
  CHECK(condition("numpy >=1.19,<2") == "numpy >=1.19,<2");
  CHECK(condition("numpy 1.19.*") == "numpy ==1.19.*");
  CHECK(condition("numpy=*") == "numpy ");
  CHECK(condition("conda-forge::numpy=1") == "numpy ==1.*");
  CHECK(condition("numpy[version='>=1']").find("is no package as conda names them") !=
        std::string::npos);
  CHECK(condition("--yes").find("is no package") == std::string::npos);  // a name, if an odd one
  CHECK(condition("a b;c").find("a ") == 0);
  CHECK(condition("../x").find("is no package") != std::string::npos);
  CHECK(condition("").find("is no package") != std::string::npos);
}

TEST_CASE("A conda list becomes requirements, without what nothing here needs") {
  const auto result = pip_requirements(
      list_of({"python=3.8", "pip", "pytorch=1.9", "py-xgboost", "cudatoolkit=10.1", "numpy"},
              {"azureml-defaults", "azureml-mlflow>=1.30", "joblib==1.0  # pinned", "# a comment",
               "", "--extra-index-url https://example.org/simple"}));
  REQUIRE(result);
  CHECK(result->python == "3.8");
  CHECK(result->lines == Words{"torch==1.9.*", "xgboost", "numpy", "mlflow", "joblib==1.0",
                               "--extra-index-url https://example.org/simple"});
  CHECK(result->left_out ==
        Words{"pip", "cudatoolkit=10.1", "azureml-defaults", "azureml-mlflow>=1.30"});
  CHECK(pip_requirements(list_of({"python>=3.6"}))->python == "");
  CHECK(pip_requirements(list_of({"python==3.6.2"}))->python == "3.6.2");
}

TEST_CASE("What only conda has needs conda") {
  const auto result = pip_requirements(list_of({"numpy", "r-base=4"}));
  REQUIRE_FALSE(result);
  CHECK(
      result.error().what ==
      "\"r-base=4\" is conda's alone, and there is no micromamba, mamba or conda in PATH; install "
      "one, or leave it out");
}

TEST_CASE("A conda tool gets the lists as they are, but for Azure's own packages") {
  const auto lists =
      conda_lists(list_of({"python=3.8", "r-base", "azureml-core"}, {"azureml-sdk", "a"}));
  REQUIRE(lists);
  CHECK(lists->conda == Words{"python=3.8", "r-base", "pip"});
  CHECK(lists->pip == Words{"a"});
  CHECK(lists->left_out == Words{"azureml-core", "azureml-sdk"});
}

TEST_CASE("Requirements that a file names are written out, also those of a file in it") {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("hdrive-requirements-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "more");
  std::ofstream(folder / "requirements.txt") << "a\n-r more/base.txt\n";
  std::ofstream(folder / "more/base.txt") << "b # why\n-r ../loop.txt\n";
  std::ofstream(folder / "loop.txt") << "c\n";
  PythonPackages packages = list_of({}, {"-r requirements.txt"});
  packages.directory = folder;
  CHECK(pip_requirements(packages)->lines == Words{"a", "b", "c"});
  std::ofstream(folder / "loop.txt") << "-r loop.txt\n";
  CHECK(pip_requirements(packages).error().what ==
        "requirement files include each other without end");
  packages.pip = {"-r nowhere.txt"};
  CHECK_FALSE(pip_requirements(packages));
  std::filesystem::remove_all(folder);
}

TEST_CASE("Curated environments are known by the beginning of their name") {
  CHECK(curated_environment("AzureML-Minimal")->pip.empty());
  CHECK(curated_environment("AzureML-sklearn-0.24-ubuntu18.04-py37-cpu")->pip[0] == "scikit-learn");
  CHECK(curated_environment("AzureML-TensorFlow-2.3-GPU")->pip[0] == "tensorflow");
  CHECK(curated_environment("azureml-acpt-pytorch-1.12-py39-cuda11.6-gpu")->pip[0] == "torch");
  CHECK(curated_environment("AzureML-Tutorial")->pip.size() == 4);
  const auto unknown = curated_environment("AzureML-Tensorflw-2.4");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == Error::Kind::not_found);
  CHECK(unknown.error().what.ends_with("; did you mean \"AzureML-TensorFlow\"?"));
  CHECK_FALSE(curated_environment("sklearn"));
}

}  // namespace
}  // namespace hdrive
