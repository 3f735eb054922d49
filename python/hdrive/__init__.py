# SPDX-License-Identifier: Apache-2.0
"""hdrive: hyperparameter sweeps on machines you own.

    import hdrive

    def train(run, params):
        for epoch in range(10):
            run.log("accuracy", train_one_epoch(**params), epoch)

    sweep = hdrive.Sweep({"lr": hdrive.loguniform(-9, -2), "layers": hdrive.choice(1, 2, 3)},
                         metric="accuracy", goal="maximize", max_total_runs=50)
    sweep.run(train)
    sweep.best.params

docs/python.md is the guide, docs/coming-from.md puts it beside Optuna, Azure ML, Ray Tune, W&B and hyperopt.
"""

from ._algorithms import (Bandit, Listener, MedianStopping, NoTermination, Policy, Sampler, TruncationSelection,
                          make_sampler, samplers)
from ._catalog import load, sweeps
from ._core import Expression, History
from ._core import version as __version__
from ._errors import (ConfigError, HdriveError, NoResourcesError, NotAllowedError, NotFoundError, RunStopped,
                      StoreDamaged, SweepLocked, WorkerDied)
from ._handle import Handle
from ._run import AskedRun, Run
from ._space import (choice, int_log_uniform, int_uniform, log_uniform_values, lognormal, loguniform, normal, option,
                     q_log_uniform_values, qlognormal, qloguniform, qnormal, quniform, randint, uniform)
from ._stored_run import Runs, StoredRun
from ._sweep import MEMORY, Sweep

__all__ = ["AskedRun", "Bandit", "ConfigError", "Expression", "Handle", "HdriveError", "History", "Listener",
           "MEMORY", "MedianStopping", "NoResourcesError", "NoTermination", "NotAllowedError", "NotFoundError",
           "Policy", "Run", "RunStopped", "Runs", "Sampler", "StoreDamaged", "StoredRun", "Sweep", "SweepLocked",
           "TruncationSelection", "WorkerDied", "__version__", "choice", "int_log_uniform", "int_uniform", "load",
           "log_uniform_values", "lognormal", "loguniform", "make_sampler", "normal", "option",
           "q_log_uniform_values", "qlognormal", "qloguniform", "qnormal", "quniform", "randint", "samplers",
           "sweeps", "uniform"]
