// SPDX-License-Identifier: Apache-2.0
//
// Images that are built, and a specification put into containers, with an engine that is a script.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/text.h"
#include "hdrive/environment.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

// Keeps what it was called with; an image is there once it was built or pulled.
constexpr const char* kEngine = R"-(
echo "$*" >> "$0.calls"
case "$1" in
  image) [ -e "$0.has.$(echo "$3" | tr / _)" ] ;;
  build) [ ! -e "$0.fails" ] || { echo no such base; exit 3; }
         cp "$5" "$0.dockerfile"; touch "$0.has.$(echo "$3" | tr / _)" ;;
  pull) echo no network >&2; exit 1 ;;
esac)-";

class Engine {
 public:
  Engine() {
    fs::create_directories(bin());
    std::ofstream(bin() / "podman") << "#!/bin/sh\n" << kEngine << "\n";
    fs::permissions(bin() / "podman", fs::perms::owner_all);
    options.cache = folder.path() / "cache";
    options.search_path = bin().string() + ":/usr/bin:/bin";
    options.tell = [this](const std::string& text) { told += text + "\n"; };
  }
  fs::path bin() const { return folder.path() / "bin"; }
  std::string file(const char* ending) const {
    const auto text = base::read_file(bin() / (std::string("podman.") + ending), 1 << 20);
    return text ? *text : "";
  }
  int builds() const {
    int count = 0;
    const std::string calls = file("calls");
    for (const std::string_view line : base::split(calls, '\n'))
      count += line.starts_with("build ");
    return count;
  }
  void write(const fs::path& name, const std::string& text) const {
    fs::create_directories((folder.path() / name).parent_path());
    std::ofstream(folder.path() / name) << text;
  }

  test::TemporaryDirectory folder;
  EnvironmentOptions options;
  std::string told;
};

std::string built(const Engine& engine, const ImageBuild& build) {
  auto image = build_image(ContainerEngine::podman, build, engine.options);
  REQUIRE(image);
  return *image;
}

TEST_CASE("An image is built once for the same content, and anew for another") {
  Engine engine;
  engine.write("docker/Dockerfile", "FROM a\nCOPY x /\n");
  engine.write("docker/x", "1");
  const ImageBuild build{engine.folder.path() / "docker", "", ""};
  const std::string first = built(engine, build);
  CHECK_THAT(first, StartsWith("localhost/hdrive-image:"));
  CHECK(built(engine, build) == first);
  CHECK(engine.builds() == 1);
  CHECK_THAT(engine.told, Contains("building it with podman, once"));
  CHECK(engine.file("dockerfile") == "FROM a\nCOPY x /\n");
  engine.write("docker/x", "2");
  const std::string second = built(engine, build);
  CHECK(second != first);
  engine.write("docker/Dockerfile", "FROM b\nCOPY x /\n");
  CHECK(built(engine, build) != second);
  CHECK(engine.builds() == 3);
}

TEST_CASE("A Dockerfile that is a text is built with nothing to copy from") {
  Engine engine;
  const std::string image = built(engine, {{}, "", "FROM scratch\n"});
  CHECK(engine.file("dockerfile") == "FROM scratch\n");
  const fs::path context =
      engine.options.cache / "images" / image.substr(image.find(':') + 1) / "context";
  CHECK_THAT(engine.file("calls"), Contains(context.string()));
  CHECK(fs::is_empty(context));
}

TEST_CASE("What keeps an image from being built is told with the engine's words") {
  Engine engine;
  const ImageBuild text{{}, "", "FROM nowhere\n"};
  CHECK_THAT(build_image(ContainerEngine::apptainer, text, engine.options).error().what,
             StartsWith("apptainer builds no Dockerfiles"));
  const auto none =
      build_image(ContainerEngine::podman, {engine.folder.path(), "Own", ""}, engine.options);
  CHECK_THAT(none.error().message(), Contains("/Own: the Dockerfile cannot be read"));
  std::ofstream(engine.bin() / "podman.fails") << "";
  const auto failed = build_image(ContainerEngine::podman, text, engine.options);
  CHECK_THAT(failed.error().message(), Contains("no such base"));
}

SweepSpec spec() {
  SweepSpec made;
  made.command = {"python", "train.py"};
  made.environment_variables = {{"A", "1"}};
  return made;
}

TEST_CASE("The command is put into the container of an image that is built") {
  Engine engine;
  SweepSpec run = spec();
  Surroundings wanted;
  wanted.container.emplace();
  wanted.container->build = ImageBuild{{}, "", "FROM scratch\n"};
  wanted.container->gpu = true;
  SurroundingsOptions options;
  options.environments = engine.options;
  options.hdrive = "/opt/hdrive";
  std::string warned;
  options.warn = [&](const std::string& text) { warned += text; };
  REQUIRE(make_surroundings(run, wanted, options));
  CHECK_THAT(base::join(run.command, " "),
             StartsWith("/opt/hdrive container-run --engine=podman --image=localhost/"));
  CHECK_THAT(base::join(run.command, " "), EndsWith(" --variable=A -- python train.py"));
  CHECK(warned == "gpuSupport is ignored: this machine has no GPU");
}

TEST_CASE("An image that cannot be had is an error, or where it need not be a warning") {
  Engine engine;
  SweepSpec run = spec();
  Surroundings wanted;
  wanted.container.emplace().image = "me/train";
  SurroundingsOptions options;
  options.environments = engine.options;
  std::string warned;
  options.warn = [&](const std::string& text) { warned += text; };
  options.instead = "leave it out";
  CHECK_THAT(make_surroundings(run, wanted, options).error().message(), Contains("no network"));
  wanted.container->required = false;
  REQUIRE(make_surroundings(run, wanted, options));
  CHECK(run == spec());
  CHECK_THAT(warned,
             StartsWith("the image me/train is not used, and the program is found in PATH"));
  wanted.container->required = true;
  options.environments.search_path = engine.folder.path();
  CHECK(make_surroundings(run, wanted, options).error().what ==
        "the run wants the image me/train, and neither podman nor docker nor apptainer is in PATH; "
        "install one, or leave it out");
  CHECK(run == spec());
}

}  // namespace
}  // namespace hdrive
