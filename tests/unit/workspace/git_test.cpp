// SPDX-License-Identifier: Apache-2.0
#include "workspace/git.h"

#include <cstdlib>

#include "tests/catch.h"
#include "tests/unit/workspace/folder.h"

namespace hdrive {
namespace {

using test::Project;

bool git(const Project& project, const std::string& words) {
  return std::system(("git -C '" + project.source().string() +
                      "' -c user.name=ada -c user.email=a@b.c -c commit.gpgsign=false " + words +
                      " >/dev/null 2>&1")
                         .c_str()) == 0;
}

TEST_CASE("An address is kept without what lets one in") {
  using workspace::without_credentials;
  CHECK(without_credentials("https://ada:secret@host/x.git") == "https://host/x.git");
  CHECK(without_credentials("https://token@host/x.git") == "https://host/x.git");
  CHECK(without_credentials("https://ada:p@ss@host/x@y") == "https://host/x@y");
  CHECK(without_credentials("https://host/x.git?access_token=1") == "https://host/x.git");
  CHECK(without_credentials("ssh://git:secret@host/x") == "ssh://git@host/x");
  CHECK(without_credentials("ssh://git@host:22/x") == "ssh://git@host:22/x");
  CHECK(without_credentials("git@host:x/y.git") == "git@host:x/y.git");
  CHECK(without_credentials("/srv/x.git") == "/srv/x.git");
}

TEST_CASE("A folder that is in no repository has no properties") {
  Project project;
  CHECK(git_properties(project.source()).empty());
}

TEST_CASE("The state of a repository is told under Azure's names and MLflow's") {
  Project project;
  project.write("train.py", "x");
  if (!git(project, "init -b main")) return;  // no git here
  REQUIRE(git(project, "add ."));
  REQUIRE(git(project, "commit -m one"));
  auto found = git_properties(project.source());
  CHECK(found.at("azureml.git.commit").size() == 40);
  CHECK(found.at("mlflow.source.git.commit") == found.at("azureml.git.commit"));
  CHECK(found.at("azureml.git.branch") == "main");
  CHECK(found.at("mlflow.source.git.branch") == "main");
  CHECK(found.at("azureml.git.dirty") == "False");
  CHECK(found.count("azureml.git.repository_uri") == 0);

  project.write(".hdrive/HD_1/sweep.db", "x");
  CHECK(git_properties(project.source()).at("azureml.git.dirty") == "False");
  project.write("train.py", "changed");
  REQUIRE(git(project, "remote add origin https://ada:secret@host/x.git"));
  found = git_properties(project.source());
  CHECK(found.at("azureml.git.dirty") == "True");
  CHECK(found.at("azureml.git.repository_uri") == "https://host/x.git");
  CHECK(found.at("mlflow.source.git.repoURL") == "https://host/x.git");
}

}  // namespace
}  // namespace hdrive
