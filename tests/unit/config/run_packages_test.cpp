// SPDX-License-Identifier: Apache-2.0
//
// What a run configuration says of Python: an interpreter, a conda file, a curated name.
#include "tests/unit/config/project.h"

namespace hdrive {
namespace {

using namespace test;
using Words = std::vector<std::string>;

TEST_CASE("An environment is the user's own interpreter, a list of packages, or a curated name") {
  const auto loaded = [](const std::string& environment) {
    return Project("script: train.py\nenvironment: " + environment + "\n").load(around(""));
  };
  const auto own = loaded("{python: {userManagedDependencies: true, interpreterPath: /opt/py}}");
  CHECK(own.spec.command == Words{"/opt/py", "train.py"});
  CHECK_FALSE(own.surroundings.packages);
  const auto curated = loaded("{name: AzureML-sklearn-0.24-ubuntu18.04-py37-cpu}");
  REQUIRE(curated.surroundings.packages);
  CHECK(curated.surroundings.packages->pip.front() == "scikit-learn");
  const auto written = loaded("{python: {condaDependencies: {dependencies: [pip, {pip: [a]}]}}}");
  REQUIRE(written.surroundings.packages);
  CHECK(written.surroundings.packages->pip == Words{"a"});
  CHECK(Project("script: train.py\nautoPrepareEnvironment: false\n"
                "environment: {name: AzureML-Minimal}\n")
            .load(around(""))
            .spec.command == Words{"python3", "train.py"});
  CHECK(Project("script: train.py\nenvironment: {name: AzureML-sklern}\n")
            .told(around(""))
            .ends_with("; did you mean \"AzureML-sklearn\"?\n"));
  Project lost("script: train.py\nenvironment: {python: {condaDependenciesFile: a.yml}}\n");
  lost.overrides.needs_files = true;
  CHECK(lost.told(around("")) ==
        "<dir>/train.runconfig:2:47: the conda file \"<dir>/a.yml\" cannot be read: the file "
        "does not exist\n");
}

TEST_CASE("What is wrong in a conda file is told with its place in it") {
  const Project project(
      "script: train.py\nenvironment: {python: {condaDependenciesFile: conda.yml}}\n");
  project.folder.write("conda.yml",
                       "chanels: [x]\ndependencies:\n- numpy\n- {pp: [a]}\n- pip: joblib\n");
  CHECK(
      project.told(around("")) ==
      "<dir>/conda.yml:1:1: warning: unknown key \"chanels\" is ignored; did you mean "
      "\"channels\"?\n"
      "<dir>/conda.yml:4:3: a dependency is a mapping; allowed: a package, or \"pip\" with a list "
      "of them\n"
      "<dir>/conda.yml:5:8: \"pip\" is the text \"joblib\"; allowed: a list of texts\n");
}

}  // namespace
}  // namespace hdrive
