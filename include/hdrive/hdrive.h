// SPDX-License-Identifier: Apache-2.0
//
// hdrive: hyperparameter sweeps. Everything, in one include.
//
// The quickest way in, `tune` a callable:
//
//   hdrive::SweepSpec spec;
//   spec.space.parameters = {{"lr", hdrive::LogUniform{-7, 0}},
//                            {"layers", hdrive::Choice{{1, 2, 3}}}};
//   spec.primary_metric = "loss";
//   spec.goal = hdrive::Goal::minimize;
//   spec.max_total_runs = 50;
//   auto summary = hdrive::tune(spec, [](hdrive::RunContext& run) {
//     for (int epoch = 0; epoch < 10 && !run.stop_requested(); ++epoch)
//       run.report("loss", train_one_epoch(run.number("lr")), epoch);
//   });
//
// Where to read on: spec.h (what a sweep is), sampler.h, policy.h and target.h (what you can
// bring of your own), environment.h and begin.h (what comes before), sweep.h (running it),
// ask_tell.h (the same without a loop), edit.h (changing it), server.h (what runs log with
// MLflow), state.h and report.h (what came out), changes.h and store.h (what is kept), catalog.h,
// reader.h and overview.h (reading what was kept), portal.h and plot.h (showing it).
#pragma once

#include "hdrive/algorithm_table.h"
#include "hdrive/ask_tell.h"
#include "hdrive/backup.h"
#include "hdrive/begin.h"
#include "hdrive/catalog.h"
#include "hdrive/changes.h"
#include "hdrive/clock.h"
#include "hdrive/config.h"
#include "hdrive/controller_log.h"
#include "hdrive/distribution.h"
#include "hdrive/edit.h"
#include "hdrive/environment.h"
#include "hdrive/finite_space.h"
#include "hdrive/history.h"
#include "hdrive/housekeeping.h"
#include "hdrive/ids.h"
#include "hdrive/listener.h"
#include "hdrive/model_pick.h"
#include "hdrive/model_view.h"
#include "hdrive/overview.h"
#include "hdrive/pipeline.h"
#include "hdrive/plot.h"
#include "hdrive/policy.h"
#include "hdrive/portal.h"
#include "hdrive/random.h"
#include "hdrive/reader.h"
#include "hdrive/registry.h"
#include "hdrive/repair.h"
#include "hdrive/repeats.h"
#include "hdrive/report.h"
#include "hdrive/requests.h"
#include "hdrive/result.h"
#include "hdrive/sampler.h"
#include "hdrive/server.h"
#include "hdrive/space.h"
#include "hdrive/spec.h"
#include "hdrive/state.h"
#include "hdrive/stop_signal.h"
#include "hdrive/store.h"
#include "hdrive/sweep.h"
#include "hdrive/target.h"
#include "hdrive/value.h"
#include "hdrive/version.h"
#include "hdrive/warm_start.h"
#include "hdrive/workspace.h"
