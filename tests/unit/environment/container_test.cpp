// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "hdrive/environment.h"
#include "tests/catch.h"

namespace hdrive {
namespace {

namespace fs = std::filesystem;

ContainerRun example(ContainerEngine engine) {
  ContainerRun run;
  run.engine = engine;
  run.container.image = "me/train:1";
  run.container.arguments = {"--cap-add", "SYS_PTRACE"};
  run.container.shm_size = "2g";
  run.container.gpu = true;
  run.container.volumes = {"/data"};
  run.name = "hdrive-HD_1_0-1";
  run.working_directory = "/s/runs/0/work";
  run.folders = {"/s/runs/0", "/s/runs/.python"};
  run.variables = {"HDRIVE_RUN_ID"};
  run.user = "1000:1000";
  run.init = true;
  run.command = {"python", "train.py", "--x", "a b"};
  return run;
}

std::string line(const ContainerRun& run) { return base::join(container_command(run), " "); }

TEST_CASE(
    "podman and docker get image, folders, variables, limits, user and the user's arguments") {
  CHECK(line(example(ContainerEngine::podman)) ==
        "podman run --rm --name hdrive-HD_1_0-1 --init --network host --user 1000:1000 --workdir "
        "/s/runs/0/work --volume /s/runs/0:/s/runs/0 --volume /s/runs/.python:/s/runs/.python "
        "--volume /data:/data --env HDRIVE_RUN_ID --shm-size 2g --device nvidia.com/gpu=all "
        "--entrypoint  --cap-add SYS_PTRACE me/train:1 python train.py --x a b");
  CHECK(line(example(ContainerEngine::docker)) ==
        "docker run --rm --name hdrive-HD_1_0-1 --init --network host --user 1000:1000 --workdir "
        "/s/runs/0/work --volume /s/runs/0:/s/runs/0 --volume /s/runs/.python:/s/runs/.python "
        "--volume /data:/data --env HDRIVE_RUN_ID --shm-size 2g --gpus all --entrypoint  --cap-add "
        "SYS_PTRACE me/train:1 python train.py --x a b");
}

TEST_CASE("apptainer runs the image as a child of its own, with the folders bound") {
  CHECK(line(example(ContainerEngine::apptainer)) ==
        "apptainer exec --pwd /s/runs/0/work --bind /s/runs/0 --bind /s/runs/.python --bind /data "
        "--nv --cap-add SYS_PTRACE docker://me/train:1 python train.py --x a b");
  ContainerRun file = example(ContainerEngine::apptainer);
  file.container = {};
  file.container.image = "/images/train.sif";
  CHECK(line(file).find(" /images/train.sif python") != std::string::npos);
}

TEST_CASE("The user's own network and entrypoint stand in the place of ours") {
  ContainerRun run = example(ContainerEngine::podman);
  run.container.arguments = {"--network=none", "--entrypoint", "/bin/tini"};
  run.container.shm_size.clear();
  run.container.gpu = false;
  const std::string text = line(run);
  CHECK(text.find("--network host") == std::string::npos);
  CHECK(text.find("--entrypoint  ") == std::string::npos);
  CHECK(text.find("--shm-size") == std::string::npos);
  CHECK(text.find("nvidia") == std::string::npos);
}

TEST_CASE("A container is ended by its name where its processes are not ours") {
  using Words = std::vector<std::string>;
  CHECK(container_end_command(ContainerEngine::docker, "n") ==
        Words{"docker", "rm", "--force", "n"});
  CHECK(container_end_command(ContainerEngine::podman, "n") ==
        Words{"podman", "rm", "--force", "--time", "0", "n"});
  CHECK(container_end_command(ContainerEngine::apptainer, "n").empty());
}

TEST_CASE("The first engine that works is taken, and one that does not is named with its words") {
  const fs::path folder =
      fs::temp_directory_path() / ("hdrive-engines-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const auto program = [&](const std::string& name, const std::string& script) {
    std::ofstream(folder / name) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(folder / name, fs::perms::owner_all);
  };
  CHECK(find_container_engine(folder.string()).error().what ==
        "neither podman nor docker nor apptainer is in PATH");
  program("docker", "echo Client: 1.0; echo no daemon >&2; exit 1");
  CHECK(find_container_engine(folder.string()).error().what ==
        "docker is installed and does not work: no daemon");
  program("apptainer", "exit 0");
  CHECK(*find_container_engine(folder.string()) == ContainerEngine::apptainer);
  program("podman", "exit 0");
  CHECK(*find_container_engine(folder.string()) == ContainerEngine::podman);
  fs::remove_all(folder);
}

TEST_CASE("Azure's images with conda and MPI alone are known") {
  CHECK(is_bare_image("mcr.microsoft.com/azureml/base:intelmpi2018.3-ubuntu16.04"));
  CHECK(is_bare_image("mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:20210301.v1"));
  CHECK_FALSE(is_bare_image("mcr.microsoft.com/azureml/curated/sklearn-0.24"));
  CHECK_FALSE(is_bare_image("base"));
}

}  // namespace
}  // namespace hdrive
