// SPDX-License-Identifier: Apache-2.0
#include "environment/packages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/file.h"
#include "base/text.h"

namespace hdrive::environment {
namespace {

namespace fs = std::filesystem;

constexpr int kMostIncludes = 20;  // files of requirements in each other

// Packages that conda calls otherwise than pip does.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"pytorch", "torch"},
    {"pytorch-cpu", "torch"},
    {"pytorch-gpu", "torch"},
    {"torchtext", "torchtext"},
    {"py-xgboost", "xgboost"},
    {"py-xgboost-cpu", "xgboost"},
    {"py-xgboost-gpu", "xgboost"},
    {"tensorflow-gpu", "tensorflow"},
    {"tensorflow-mkl", "tensorflow"},
    {"tensorflow-base", "tensorflow"},
    {"matplotlib-base", "matplotlib"},
    {"numpy-base", "numpy"},
    {"pytables", "tables"},
    {"opencv", "opencv-python-headless"},
    {"py-opencv", "opencv-python-headless"},
    {"lxml-base", "lxml"},
    {"dask-core", "dask"},
    {"seaborn-base", "seaborn"},
    {"pyarrow-core", "pyarrow"},
    {"ray-tune", "ray[tune]"},
    {"ray-default", "ray"},
    {"msgpack-python", "msgpack"},
    {"python-dateutil", "python-dateutil"},
    {"importlib_metadata", "importlib-metadata"},
};

// Libraries that the packages of pip carry with them.
constexpr std::string_view kCarried[] = {
    "cudatoolkit", "cudnn",   "pytorch-cuda", "mkl",         "mkl-service", "intel-openmp",
    "blas",        "nomkl",   "openblas",     "libopenblas", "libgcc-ng",   "libgcc",
    "libgfortran", "libgomp", "libstdcxx-ng", "cpuonly",     "openssl",     "ca-certificates",
    "certifi-ca",  "zlib",    "xz",           "sqlite",      "readline",    "tk",
    "libffi",      "ncurses", "pip",          "setuptools",  "wheel",       "conda"};

// What only conda has.
constexpr std::string_view kOnlyConda[] = {"r-base",       "r-essentials",
                                           "nodejs",       "gcc",
                                           "gxx",          "gcc_linux-64",
                                           "gxx_linux-64", "cmake",
                                           "make",         "openjdk",
                                           "julia",        "openmpi",
                                           "mpich",        "rdkit-postgresql",
                                           "git",          "ffmpeg",
                                           "graphviz-cli", "mesa"};

template <std::size_t size>
bool is_one_of(const std::string_view (&names)[size], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// Azure's own: `import azureml.core` is hdrive's to answer, and its old packages do not install on
// today's Python.
bool is_azures(std::string_view name) {
  return name == "azureml" || name.starts_with("azureml-") || name == "azure-ai-ml" ||
         name == "azure-identity" || name == "inference-schema";
}

// Of Azure's those that brought something else.
constexpr std::pair<std::string_view, std::string_view> kBrought[] = {{"azureml-mlflow", "mlflow"}};

std::string plain_name(std::string_view text) {
  std::string name = base::lower(text);
  for (char& c : name)
    if (c == '_') c = '-';
  return name;
}

std::string name_of_requirement(std::string_view line) {
  const std::size_t end = line.find_first_of(" \t[]=<>!~;@");
  return plain_name(line.substr(0, end));
}

std::string without_comment(std::string_view line) {
  std::size_t mark = line.starts_with('#') ? 0 : line.find(" #");
  return std::string(base::trim(line.substr(0, std::min(mark, line.size()))));
}

std::optional<fs::path> included(const std::string& line, const fs::path& directory) {
  for (const std::string_view option : {"-r ", "--requirement ", "--requirement="})
    if (line.starts_with(option))
      return directory / std::string(base::trim(std::string_view(line).substr(option.size())));
  return std::nullopt;
}

Result<void> add_requirement(const std::string& text, const fs::path& directory, int depth,
                             Requirements& to) {
  const std::string line = without_comment(text);
  if (line.empty()) return {};
  if (const auto file = included(line, directory)) {
    if (depth >= kMostIncludes)
      return Error{"", "requirement files include each other without end"};
    const auto content = base::read_file(*file, 1 << 20);
    if (!content) return content.error();
    for (const std::string_view each : base::split(*content, '\n'))
      if (auto added = add_requirement(std::string(each), file->parent_path(), depth + 1, to);
          !added)
        return added;
    return {};
  }
  const std::string name = name_of_requirement(line);
  if (line.starts_with('-') || !is_azures(name)) {
    to.lines.push_back(line);
    return {};
  }
  to.left_out.push_back(line);
  for (const auto& [azure, brought] : kBrought)
    if (name == azure) to.lines.emplace_back(brought);
  return {};
}

// "=1.2" means 1.2 and all below it.
std::string pip_condition(std::string_view text) {
  std::string condition(base::trim(text));
  if (condition.empty() || condition == "*") return "";
  if (condition.starts_with('=') && !condition.starts_with("==")) {
    const std::string version = condition.substr(1, condition.find('=', 1) - 1);  // without a build
    if (version == "*") return "";
    return "==" + version + (version.ends_with('*') ? "" : ".*");
  }
  if (condition.starts_with("==")) {
    const std::size_t build = condition.find('=', 2);
    return condition.substr(0, build);
  }
  if (condition.front() >= '0' && condition.front() <= '9') return "==" + condition;
  return condition;
}

// "3.8" of "==3.8.*", "3.6.2" of "==3.6.2"; of other conditions nothing, for then any does.
std::string wanted_version(std::string_view condition) {
  if (!condition.starts_with("==")) return "";
  std::string version(condition.substr(2));
  if (version.ends_with(".*")) version.resize(version.size() - 2);
  return version;
}

}  // namespace

Result<CondaPackage> parse_conda_package(std::string_view text) {
  const auto fault = [&] {
    return Error{"", fmt::format("{} is no package as conda names them; allowed: \"numpy\", "
                                 "\"numpy=1.19\", \"numpy>=1.19\", \"channel::numpy\"",
                                 base::json_string(text))};
  };
  std::string_view rest = base::trim(text);
  if (const std::size_t channel = rest.rfind("::"); channel != rest.npos)
    rest.remove_prefix(channel + 2);
  const std::size_t end = rest.find_first_of(" =<>!~[");
  CondaPackage package;
  package.name = base::lower(rest.substr(0, end));
  if (package.name.empty() || (end != rest.npos && rest[end] == '[')) return fault();
  for (const char c : package.name)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
      return fault();
  if (end != rest.npos) package.condition = pip_condition(rest.substr(end));
  return package;
}

Result<Requirements> pip_requirements(const PythonPackages& packages) {
  Requirements result;
  for (const std::string& text : packages.conda) {
    const auto package = parse_conda_package(text);
    if (!package) return package.error();
    const std::string name = plain_name(package->name);
    if (name == "python") {
      result.python = wanted_version(package->condition);
      continue;
    }
    if (is_one_of(kOnlyConda, name) || name.starts_with("r-"))
      return Error{"",
                   fmt::format("{} is conda's alone, and there is no micromamba, mamba or conda in "
                               "PATH; install one, or leave it out",
                               base::json_string(text)),
                   Error::Kind::not_found};
    if (is_one_of(kCarried, name) || is_azures(name)) {
      result.left_out.push_back(text);
      continue;
    }
    const auto other = std::find_if(std::begin(kOtherNames), std::end(kOtherNames),
                                    [&](const auto& row) { return row.first == name; });
    result.lines.push_back(std::string(other == std::end(kOtherNames) ? name : other->second) +
                           package->condition);
  }
  for (const std::string& line : packages.pip)
    if (auto added = add_requirement(line, packages.directory, 0, result); !added)
      return added.error();
  return result;
}

Result<CondaLists> conda_lists(const PythonPackages& packages) {
  CondaLists result;
  bool has_pip = false;
  for (const std::string& text : packages.conda) {
    const auto package = parse_conda_package(text);
    if (!package) return package.error();
    has_pip = has_pip || package->name == "pip";
    (is_azures(plain_name(package->name)) ? result.left_out : result.conda).push_back(text);
  }
  Requirements pip;
  for (const std::string& line : packages.pip)
    if (auto added = add_requirement(line, packages.directory, 0, pip); !added)
      return added.error();
  result.pip = std::move(pip.lines);
  result.left_out.insert(result.left_out.end(), pip.left_out.begin(), pip.left_out.end());
  if (!result.pip.empty() && !has_pip) result.conda.emplace_back("pip");
  return result;
}

}  // namespace hdrive::environment
