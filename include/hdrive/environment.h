// SPDX-License-Identifier: Apache-2.0
//
// What a program runs in: a Python environment that is built once and kept, or a container.
//
// A run configuration (config.h) says what is wanted; a front end makes it real before a sweep
// begins, so that the sweep itself knows nothing of it but the command and the variables of its
// runs. Nothing here is called while a sweep runs. Safe from any thread and from several processes
// at once: an environment is built under a lock, and used only when it is complete.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/clock.h"
#include "hdrive/result.h"
#include "hdrive/spec.h"

namespace hdrive {

/// Packages as a conda file (environment.yml), or a list of pip's requirements, names them.
struct PythonPackages {
  std::string name;                   ///< for messages; may be empty
  std::vector<std::string> channels;  ///< of conda; without a conda tool they mean nothing
  std::vector<std::string> conda;     ///< "python=3.8", "numpy>=1.20"
  std::vector<std::string> pip;       ///< requirements, and options such as "--find-links wheels"
  /// From where relative paths in `pip` count; absolute.
  std::filesystem::path directory;
  bool operator==(const PythonPackages&) const = default;
};

/// The packages that a curated environment of Azure ("AzureML-sklearn-0.24-ubuntu18.04-py37-cpu")
/// stands for: what its name says, without the versions that are years old. Error::Kind::not_found
/// with the nearest names where there is none of that name.
Result<PythonPackages> curated_environment(std::string_view name);
/// Beginnings of the names of the curated environments there are, in alphabetical order.
std::vector<std::string> curated_environments();

/// What an image is built from.
struct ImageBuild {
  /// The folder that the Dockerfile copies from, absolute; empty: there is none.
  std::filesystem::path context;
  std::string dockerfile;  ///< its path in `context`; empty: "Dockerfile"
  std::string text;        ///< the Dockerfile itself, where it is no file; empty: it is one
  bool operator==(const ImageBuild&) const = default;
};

/// An image that runs are to run in.
struct Container {
  std::string image;  ///< empty where it is built
  std::optional<ImageBuild> build = {};
  /// Whether it is an error where the image cannot be had; else the runs are as without it, and a
  /// warning says so.
  bool required = true;
  std::vector<std::string> arguments;  ///< of the engine, as the user wrote them
  std::string shm_size;                ///< "2g"; empty: the engine's own
  bool gpu = false;                    ///< hand the GPUs in
  std::vector<std::filesystem::path>
      volumes;  ///< folders of this machine that it sees, as they are
  bool operator==(const Container&) const = default;
};

/// What a run configuration wants around the program; neither: the machine as it is.
struct Surroundings {
  std::optional<PythonPackages> packages;
  std::optional<Container> container;
};

// ---- environments ------------------------------------------------------------------------------

struct EnvironmentOptions {
  std::filesystem::path cache;  ///< the folder that keeps environments; made if it is missing
  std::string search_path;      ///< PATH, in which tools and interpreters are looked for
  /// Hears in one line what is being done; may be empty.
  std::function<void(const std::string&)> tell;
};

/// An environment as it is kept.
struct KeptEnvironment {
  std::string key;   ///< sixteen hexadecimal digits of what it was made from
  std::string name;  ///< as the user called it
  std::filesystem::path directory;
  std::filesystem::path prefix;  ///< with bin/python
  std::string tool;              ///< what built it: micromamba, mamba, conda, uv or pip
  std::string definition;        ///< what it was made from, as text
  Time created{};
  bool complete = false;  ///< else it was never finished, and is built anew when it is wanted
};

/// The environment with these packages, built where it is not there: with micromamba, mamba or
/// conda if one is in `search_path`, else, conda's packages under pip's names, with uv or pip.
/// Waits where another process builds the same one. Errors have the end of the tool's output; a
/// half-built environment is never used.
Result<KeptEnvironment> prepare_environment(const PythonPackages& packages,
                                            const EnvironmentOptions& options);

/// The environments in `cache`, in the order of their keys.
std::vector<KeptEnvironment> list_environments(const std::filesystem::path& cache);

/// Removes an environment. Error::Kind::busy while it is being built.
Result<void> remove_environment(const KeptEnvironment& environment);

/// Makes the runs of `spec` use the environment: its programs stand first in their PATH, and
/// "python" as the program is its interpreter.
void use_environment(SweepSpec& spec, const KeptEnvironment& environment);

// ---- containers --------------------------------------------------------------------------------

/// What runs containers. The names are those of the programs.
enum class ContainerEngine { podman, docker, apptainer };
std::string_view to_string(ContainerEngine engine);

/// One run in a container.
struct ContainerRun {
  ContainerEngine engine = ContainerEngine::podman;
  Container container;
  std::string name;                            ///< of the container, so that it can be ended
  std::filesystem::path working_directory;     ///< where the program starts
  std::vector<std::filesystem::path> folders;  ///< what it sees besides `container.volumes`
  std::vector<std::string> variables;          ///< names of those of our environment it gets
  std::string user;                            ///< "1000:1000"; empty: the image's
  bool init = false;                           ///< a small first process that hands signals on
  std::vector<std::string> command;
};

/// The engine's command line, the program first. Pure.
std::vector<std::string> container_command(const ContainerRun& run);

/// The command line that ends and removes the container, whatever became of its engine; empty where
/// its processes are ours and end with the run's others (apptainer).
std::vector<std::string> container_end_command(ContainerEngine engine, const std::string& name);

/// The first engine in `search_path`, asked whether it works. Error::Kind::not_found without any.
Result<ContainerEngine> find_container_engine(const std::string& search_path);

/// Sees that the image is there, and fetches it where it is not, which is told.
Result<void> prepare_image(ContainerEngine engine, const std::string& image,
                           const EnvironmentOptions& options);

/// The name of the image that is built from this, which the engine keeps: built once for the same
/// content of folder and Dockerfile, which is told. Errors have the end of the engine's output.
Result<std::string> build_image(ContainerEngine engine, const ImageBuild& build,
                                const EnvironmentOptions& options);

/// How the runs of a sweep get into their containers: by `hdrive container-run ... -- COMMAND`,
/// started by each run's supervisor as any training program. It is kept with the sweep, so that
/// going on with it needs to know nothing of containers.
struct ContainerWords {
  ContainerEngine engine = ContainerEngine::podman;
  Container container;
  std::string user;                    ///< "1000:1000"; empty: the image's
  std::vector<std::string> variables;  ///< of the user's, by name
};
/// `command` with these in front of it; `hdrive` is the command's own path.
std::vector<std::string> command_in_container(const std::filesystem::path& hdrive,
                                              const ContainerWords& words,
                                              const std::vector<std::string>& command);

/// Whether the image is one of Azure's that hold nothing but conda and MPI, to which packages are
/// added: a program runs as well without it.
bool is_bare_image(std::string_view image);

// ---- both --------------------------------------------------------------------------------------

struct SurroundingsOptions {
  EnvironmentOptions environments;
  std::filesystem::path hdrive;  ///< the command, which puts each run into its container
  bool has_gpus = false;         ///< whether there are any to hand in
  std::function<void(const std::string&)> warn;  ///< hears what has no effect; may be empty
  /// What the user can do who has no engine and wants none: "set environment.docker.enabled to
  /// false".
  std::string instead;
};

/// Makes what is wanted around the program real, before a sweep begins: builds its environment, or
/// fetches or builds its image and puts its command into containers. A specification without a
/// command stays as it is. Nothing of `spec` is changed where this fails.
Result<void> make_surroundings(SweepSpec& spec, const Surroundings& wanted,
                               const SurroundingsOptions& options);

/// Where environments are kept: $HDRIVE_ENVIRONMENTS, else hdrive/environments in the user's
/// cache. `variable` looks up a variable of the environment.
Result<std::filesystem::path> environments_directory(
    const std::function<std::optional<std::string>(const char*)>& variable);

}  // namespace hdrive
