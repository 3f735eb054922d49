// SPDX-License-Identifier: Apache-2.0
//
// What a run configuration says of data: references, datasets, and the asset map that has them.
#include "tests/unit/config/project.h"

namespace hdrive {
namespace {

using namespace test;
using Words = std::vector<std::string>;

TEST_CASE("Data is a path of this machine, by the asset map beside the configuration") {
  Project project(
      "script: train.py\n"
      "arguments: [--data, $AZUREML_DATAREFERENCE_in, '${AZUREML_DATAREFERENCE_input}/x']\n"
      "dataReferences:\n"
      "  in: {dataStoreName: blob, pathOnDataStore: a, mode: Mount}\n"
      "  input: {dataStoreName: blob, pathOnDataStore: b, mode: Upload}\n"
      "data:\n"
      "  iris:\n"
      "    dataLocation: {dataset: {name: iris, version: 2}}\n"
      "    environmentVariableName: IRIS\n");
  project.overrides.needs_files = true;
  const std::string told = project.told(around(""));
  CHECK(told ==
        "<dir>/train.runconfig:4:3: \"in\" is data of Azure's (blob); say where it is on this "
        "machine, in \"<dir>/azureml.yml\": datastores: {blob: PATH}\n"
        "<dir>/train.runconfig:5:3: \"input\" is data of Azure's (blob); say where it is on this "
        "machine, in \"<dir>/azureml.yml\": datastores: {blob: PATH}\n"
        "<dir>/train.runconfig:7:3: \"iris\" is data of Azure's (iris:2); say where it is on this "
        "machine, in \"<dir>/azureml.yml\": data: {iris: PATH}\n");
  project.folder.write("azureml.yml", "datastores: {blob: store}\ndata: {iris: iris.csv}\n");
  project.folder.write("store/a/x", "");
  project.folder.write("iris.csv", "");
  const LoadedConfig loaded = project.load(around(""));
  CHECK(messages(loaded.problems) == "");
  const std::string store = (project.folder.path() / "store").string();
  CHECK(loaded.spec.command ==
        Words{"python3", "train.py", "--data", store + "/a", store + "/b/x"});
  CHECK(loaded.spec.environment_variables ==
        std::map<std::string, std::string>{
            {"AZUREML_DATAREFERENCE_in", store + "/a"},
            {"AZUREML_DATAREFERENCE_input", store + "/b"},
            {"AZUREML_DATAREFERENCE_iris", (project.folder.path() / "iris.csv").string()},
            {"IRIS", (project.folder.path() / "iris.csv").string()}});
}

TEST_CASE("Data is found where the SDK wrote all kinds of places, of which one says something") {
  const auto at = [](const std::string& location) {
    Project project("script: train.py\ndata:\n  iris:\n    dataLocation: " + location +
                    "\n    mechanism: mount\n    options: {}\n");
    project.folder.write("azureml.yml",
                         "datastores: {blob: store}\ndata: {'https://h/i.csv': iris.csv}\n");
    project.folder.write("store/a/x", "");
    project.folder.write("iris.csv", "");
    const LoadedConfig loaded = project.load(around(""));
    CHECK(messages(loaded.problems) == "");
    const auto& variables = loaded.spec.environment_variables;
    const auto found = variables.find("AZUREML_DATAREFERENCE_iris");
    return found == variables.end() ? std::string()
                                    : std::filesystem::path(found->second)
                                          .lexically_relative(project.folder.path())
                                          .string();
  };
  const std::string empty = "dataset: {id:, name:, version:}, ";
  CHECK(at("{" + empty +
           "dataPath: {datastoreName: blob, relativePath: a}, uri: {path:, isFile:}}") ==
        "store/a");
  CHECK(at("{" + empty +
           "dataPath: {datastoreName:, relativePath:}, uri: {path: iris.csv, isFile: true}}") ==
        "iris.csv");
  CHECK(at("{uri: {path: 'https://h/i.csv'}}") == "iris.csv");
}

TEST_CASE("The variable of data is one that may be set") {
  const Project project(
      "script: train.py\ndata:\n  iris:\n    dataLocation: {dataset: {name: iris}}\n"
      "    environmentVariableName: A=B\n");
  project.folder.write("azureml.yml", "data: {iris: train.py}\n");
  CHECK(project.told(around("")).starts_with("<dir>/train.runconfig:5:30: "));
}

}  // namespace
}  // namespace hdrive
