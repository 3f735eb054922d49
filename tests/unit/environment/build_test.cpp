// SPDX-License-Identifier: Apache-2.0
//
// Building with tools that are scripts of the test's: what they are called with, and when.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/text.h"
#include "hdrive/environment.h"
#include "tests/catch.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

struct Place {
  fs::path folder = fs::temp_directory_path() / ("hdrive-build-" + std::to_string(::getpid()));
  EnvironmentOptions options;
  Words told;

  Place() {
    fs::remove_all(folder);
    fs::create_directories(folder / "bin");
    options.cache = folder / "cache";
    options.search_path = (folder / "bin").string();
    options.tell = [this](const std::string& text) { told.push_back(text); };
  }
  ~Place() { fs::remove_all(folder); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void program(const std::string& name, const std::string& script) const {
    std::ofstream(folder / "bin" / name) << "#!/bin/sh\nPATH=/usr/bin:/bin\n" << script << "\n";
    fs::permissions(folder / "bin" / name, fs::perms::owner_all);
  }
  // A Python of that version, whose `-m venv DIR` makes one, and whose pip is told of in `calls`.
  void python(const std::string& version, const std::string& pip = "exit 0") const {
    program("python3", "case \"$1 $2\" in\n-c*) echo " + version +
                           ";;\n\"-m venv\") for d; do :; done; mkdir -p $d/bin; echo venv >> " +
                           calls() +
                           "; cp $0 $d/bin/python;;\n\"-m pip\") case \"$*\" in *install*) "
                           "echo pip >> " +
                           calls() + "; " + pip + ";; esac;;\nesac");
  }
  std::string calls() const { return (folder / "calls").string(); }
  std::string called() const {
    const auto text = base::read_file(folder / "calls");
    return text ? *text : "";
  }
};

PythonPackages list_of(Words pip, Words conda = {}) {
  PythonPackages packages;
  packages.name = "mine";
  packages.pip = std::move(pip);
  packages.conda = std::move(conda);
  packages.directory = "/";
  return packages;
}

TEST_CASE("An environment is built once, and its name does not count") {
  Place place;
  place.python("3.11.2");
  const auto first = prepare_environment(list_of({"b", "a"}), place.options);
  REQUIRE(first);
  CHECK(first->complete);
  CHECK(first->tool == "pip");
  CHECK(first->name == "mine");
  CHECK(fs::exists(first->prefix / "bin/python"));
  CHECK(place.called() == "venv\npip\n");
  CHECK(place.told.size() == 2);
  PythonPackages same = list_of({"a", "b"});
  same.name = "other";
  CHECK(prepare_environment(same, place.options)->key == first->key);
  CHECK(place.called() == "venv\npip\n");
  CHECK(prepare_environment(list_of({"a"}), place.options)->key != first->key);
  place.python("3.12.1");
  CHECK(prepare_environment(list_of({"a", "b"}), place.options)->key != first->key);
  CHECK(list_environments(place.options.cache).size() == 3);
}

TEST_CASE("A build that fails is told with the end of its log, and is not used") {
  Place place;
  place.python("3.11.2", "echo no such package; exit 1");
  const auto failed = prepare_environment(list_of({"a"}), place.options);
  REQUIRE_FALSE(failed);
  const std::string text = failed.error().message();
  CHECK(text.find("environment mine (") == 0);
  CHECK(text.find("no such package") != std::string::npos);
  CHECK(text.find("build.log") != std::string::npos);
  const auto kept = list_environments(place.options.cache);
  REQUIRE(kept.size() == 1);
  CHECK_FALSE(kept[0].complete);
  place.python("3.11.2");
  CHECK(prepare_environment(list_of({"a"}), place.options)->complete);
}

TEST_CASE("A half-built environment is built anew, and one whose interpreter is gone") {
  Place place;
  place.python("3.11.2");
  const auto built = prepare_environment(list_of({"a"}), place.options);
  REQUIRE(built);
  fs::remove(built->directory / "complete");  // as a builder that is killed leaves it
  std::ofstream(built->prefix / "half") << "x";
  CHECK(prepare_environment(list_of({"a"}), place.options)->complete);
  CHECK_FALSE(fs::exists(built->prefix / "half"));
  fs::remove(built->prefix / "bin/python");
  CHECK(prepare_environment(list_of({"a"}), place.options)->complete);
  CHECK(place.called() == "venv\npip\nvenv\npip\nvenv\npip\n");
}

TEST_CASE("Nothing is built while a program of a killed builder still writes") {
  Place place;
  // The tool holds the lock of who started it: a lock of another's is refused while it runs.
  place.python("3.11.2",
               "ls -l /proc/self/fd | grep -q '\\.lock' && echo locked >> " + place.calls());
  REQUIRE(prepare_environment(list_of({"a"}), place.options));
  CHECK(place.called() == "venv\npip\nlocked\n");
}

TEST_CASE("The wanted Python is taken where it is there, else another with a note") {
  Place place;
  place.python("3.11.2");
  fs::copy(place.folder / "bin/python3", place.folder / "bin/python3.9");
  place.program("python3", "case $1 in -c) echo 3.12.0;; *) exec " +
                               (place.folder / "bin/python3.9").string() + " \"$@\";; esac");
  REQUIRE(prepare_environment(list_of({}, {"python=3.11"}), place.options));
  // It is called python3.9 and is 3.11: by that name nobody looks for it.
  CHECK(place.told[0].find("Python 3.11 is wanted, and there is none in PATH") !=
        std::string::npos);
  fs::rename(place.folder / "bin/python3.9", place.folder / "bin/python3.11");
  place.told.clear();
  REQUIRE(prepare_environment(list_of({}, {"python=3.11"}), place.options));
  CHECK(place.told[0].find("is wanted") == std::string::npos);
}

TEST_CASE("uv is asked for an interpreter that is not in PATH") {
  Place place;
  place.python("3.11.2");
  fs::create_directories(place.folder / "uvs");
  place.program("uv", "case \"$1 $2 $3\" in \"python find 3.8\") echo " +
                          (place.folder / "uvs/python").string() +
                          ";; \"python find\"*) exit 2;; venv*) mkdir -p $4/bin; cp $3 "
                          "$4/bin/python;; esac");
  std::ofstream(place.folder / "uvs/python") << "#!/bin/sh\necho 3.8.20\n";
  fs::permissions(place.folder / "uvs/python", fs::perms::owner_all);
  const auto old = prepare_environment(list_of({}, {"python=3.8"}), place.options);
  REQUIRE(old);
  CHECK(old->definition.find("interpreter: 3.8.20") != std::string::npos);
  CHECK(place.told.size() == 2);  // no note
  CHECK(prepare_environment(list_of({}, {"python=3.7"}), place.options)->complete);
  CHECK(place.told[2].find("Python 3.7 is wanted, and there is none in PATH") != std::string::npos);
}

TEST_CASE("micromamba goes before uv, and uv before pip") {
  Place place;
  place.python("3.11.2");
  const std::string make =
      "for d; do case $d in */prefix) mkdir -p $d/bin; cp /bin/true "
      "$d/bin/python;; esac; done; echo \"$*\" >> " +
      place.calls();
  place.program("uv", make);
  const auto by_uv = prepare_environment(list_of({"a"}), place.options);
  REQUIRE(by_uv);
  CHECK(by_uv->tool == "uv");
  CHECK(place.called().find("venv --python " + place.options.search_path + "/python3 ") == 0);
  CHECK(place.called().find("\npip install --python ") != std::string::npos);
  place.program("micromamba", make);
  const auto by_mamba = prepare_environment(list_of({"a"}, {"python=3.8"}), place.options);
  REQUIRE(by_mamba);
  CHECK(by_mamba->tool == "micromamba");
  const auto file = base::read_file(by_mamba->directory / "environment.yml");
  REQUIRE(file);
  CHECK(*file ==
        "channels:\n- conda-forge\ndependencies:\n- \"python=3.8\"\n- \"pip\"\n- pip:\n"
        "  - \"a\"\n");
}

TEST_CASE("An environment that is being built is not removed") {
  Place place;
  place.python("3.11.2");
  const auto built = prepare_environment(list_of({"a"}), place.options);
  REQUIRE(built);
  const base::UniqueFd lock =
      *base::open_regular(AT_FDCWD, place.options.cache / (built->key + ".lock"), O_RDWR);
  REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
  CHECK(remove_environment(*built).error().kind == Error::Kind::busy);
  REQUIRE(::flock(lock.get(), LOCK_UN) == 0);
  CHECK(remove_environment(*built));
  CHECK(list_environments(place.options.cache).empty());
}

TEST_CASE("Runs find the environment's programs first, and its interpreter") {
  SweepSpec spec;
  spec.command = {"python3", "train.py"};
  KeptEnvironment kept;
  kept.tool = "uv";
  kept.prefix = "/e";
  use_environment(spec, kept);
  CHECK(spec.command == Words{"/e/bin/python", "train.py"});
  CHECK(spec.environment_variables ==
        std::map<std::string, std::string>{{"HDRIVE_PATH_FIRST", "/e/bin"}, {"VIRTUAL_ENV", "/e"}});
}

}  // namespace
}  // namespace hdrive
