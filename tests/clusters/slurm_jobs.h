// SPDX-License-Identifier: Apache-2.0
//
// Jobs of a real Slurm: that of tests/clusters/slurm-up, whose folder HDRIVE_SLURM_FOLDER names and whose configuration
// SLURM_CONF does. In the network namespace hdt-slurm, as root.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/clusters/batch_jobs.h"

namespace hdrive::clusters {

class Jobs : public BatchJobs {
 public:
  explicit Jobs(std::vector<std::string> directives = {}, const std::string& partition = "") {
    connect(std::move(directives), partition);
  }
  // None is left for the next test.
  ~Jobs() { succeeds("scancel --me"); }

  // A new engine.
  void connect(std::vector<std::string> directives = {}, const std::string& partition = "") {
    SlurmOptions options;
    options.poll = std::chrono::milliseconds{500};
    options.directives = std::move(directives);
    options.partition = partition;
    connect_to([&] { return make_slurm_target(options, {}, clock); });
  }
};

}  // namespace hdrive::clusters
