// SPDX-License-Identifier: Apache-2.0
//
// A program outside of the source tree: it links the installed library and touches each of its parts, so
// that a dependency the package file forgets is a link error here.
#include <hdrive/hdrive.h>

#include <cstdio>
#include <filesystem>

int main() {
  const hdrive::LoadedConfig loaded = hdrive::parse_config(R"(
sampling:
  type: random
  parameter_space:
    - {name: x, expression: uniform, values: [-1, 1]}
primary_metric_name: loss
primary_metric_goal: Minimize
max_total_runs: 20
max_concurrent_runs: 2
seed: 1
command: "true"
)",
                                                           "here.yml", ".");
  for (const auto& problem : loaded.problems)
    std::fprintf(stderr, "%s\n", problem.message().c_str());
  if (!loaded.ok()) return 1;

  const auto summary = hdrive::tune(loaded.spec, [](hdrive::RunContext& run) {
    run.report("loss", run.number("x") * run.number("x"));
  });
  if (!summary || summary->completed != 20 || !summary->best) return 2;

  const auto clock = hdrive::make_steady_clock();
  if (!hdrive::make_local_target({}, clock)) return 3;
  if (hdrive::metric_pattern_fault("(")->empty()) return 4;
  if (hdrive::find_sweep(std::filesystem::temp_directory_path() / "no-such-folder", "last"))
    return 5;
  std::printf("hdrive %s: best %g\n", std::string(hdrive::version()).c_str(), summary->best_value);
  return 0;
}
