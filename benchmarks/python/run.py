#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the Python package costs, beside Optuna in the same process: one table.

    pip install hdrive optuna pandas scikit-learn
    benchmarks/python/run.py                 all, a few minutes: Optuna's Gaussian process takes most of them
    benchmarks/python/run.py ask sweep       ask + tell; whole sweeps; import; frame; worker

Every figure is the median of --repeats; ratios are of one run of this script. See README.md beside this file.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import hdrive

# For Optuna's Gaussian process a part of the runs is timed, since 1,000 take it an hour.
TIMED = 20


def median(samples):
    return statistics.median(samples)


def loss(values):
    return sum((value - 0.3) ** 2 for value in values)


# ---- ask + tell -----------------------------------------------------------------------------------------------


def hdrive_ask(sampler, parameters, runs):
    """Seconds of one ask + tell at `runs` results: the median of the last TIMED."""
    sweep = hdrive.Sweep({f"x{i}": hdrive.uniform(0, 1) for i in range(parameters)}, metric="loss", goal="minimize",
                         sampler=sampler, max_total_runs=runs + TIMED, seed=1, directory=":memory:")
    times = []
    while True:
        began = time.perf_counter()
        run = sweep.ask()
        if run is None:
            break
        sweep.tell(run, loss(run.params.values()))
        times.append(time.perf_counter() - began)
    sweep.close()
    return median(times[-TIMED:])


def optuna_ask(sampler, parameters, runs):
    """The same. The first `runs` trials are added as they are, so that only the last are paid for."""
    import optuna
    optuna.logging.disable_default_handler()
    made = {"random": optuna.samplers.RandomSampler, "tpe": optuna.samplers.TPESampler,
            "bayesian": optuna.samplers.GPSampler}[sampler](seed=1)
    study = optuna.create_study(sampler=made)
    distributions = {f"x{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(parameters)}
    drawn = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=2))
    for _ in range(runs):
        trial = drawn.ask(distributions)
        study.add_trial(optuna.trial.create_trial(params=trial.params, distributions=distributions,
                                                  value=loss(trial.params.values())))
    times = []
    for _ in range(3 if sampler == "bayesian" else TIMED):
        began = time.perf_counter()
        trial = study.ask(distributions)
        study.tell(trial, loss(trial.params.values()))
        times.append(time.perf_counter() - began)
    return median(times)


def ask(options):
    print("| ask + tell | parameters | results | hdrive ms | Optuna ms | ratio |\n|---|---|---|---|---|---|")
    for sampler in ("random", "tpe", "bayesian"):
        for parameters in (5, 40):
            for runs in (100, 1000):
                ours = median([hdrive_ask(sampler, parameters, runs) for _ in range(options.repeats)])
                theirs = optuna_ask(sampler, parameters, runs)
                print(f"| {sampler} | {parameters} | {runs} | {ours * 1e3:.3f} | {theirs * 1e3:.2f} | "
                      f"{theirs / ours:.0f} |", flush=True)


# ---- whole sweeps ---------------------------------------------------------------------------------------------


def sweep_seconds(directory, at_once, runs=10000):
    sweep = hdrive.Sweep({"x": hdrive.uniform(0, 1)}, metric="loss", goal="minimize", max_total_runs=runs,
                         max_concurrent_runs=at_once, seed=1, directory=directory)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    sweep.run(lambda x: x)
    seconds = time.perf_counter() - began
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / runs


def sync_seconds(folder, times=200):
    """Seconds that the disk takes to keep what was appended, which a stored run pays once."""
    took = []
    with open(os.path.join(folder, "synced"), "wb", buffering=0) as file:
        for _ in range(times):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return median(took)


def sweep(options):
    print("\n| 10,000 functions that do nothing | seconds | bytes a run | fdatasync ms |\n|---|---|---|---|")
    for name, at_once in (("in memory", 1), ("on disk", 1), ("on disk, 8 at once", 8)):
        figures, syncs = [], []
        for _ in range(options.repeats):
            with tempfile.TemporaryDirectory() as folder:
                figures.append(sweep_seconds(":memory:" if name == "in memory" else folder, at_once))
                syncs.append(sync_seconds(folder))
        # The first sweep of the process is the one that has to get its memory.
        print(f"| {name} | {median([f[0] for f in figures]):.2f} | {figures[0][1]:.0f} | "
              f"{'' if name == 'in memory' else f'{median(syncs) * 1e3:.2f}'} |", flush=True)


# ---- importing ------------------------------------------------------------------------------------------------


def start_seconds(code):
    began = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
    return time.perf_counter() - began


def importing(options):
    bare, ours = [], []
    for _ in range(10 * options.repeats):
        bare.append(start_seconds("pass"))
        ours.append(start_seconds("import hdrive"))
    print(f"\nimport hdrive: {(min(ours) - min(bare)) * 1e3:.1f} ms beyond Python's own start (least of {len(ours)}; "
          f"medians {(median(ours) - median(bare)) * 1e3:.1f} ms)", flush=True)


# ---- frames ---------------------------------------------------------------------------------------------------


def frame(options):
    import pandas  # noqa: F401 - its import is not what is measured
    with tempfile.TemporaryDirectory() as folder:
        for name, directory in (("in memory", ":memory:"), ("on disk", folder)):
            made = hdrive.Sweep({f"x{i}": hdrive.uniform(0, 1) for i in range(5)}, metric="loss", goal="minimize",
                                max_total_runs=100000, seed=1, directory=directory)
            made.run(lambda run, params: 1.0)
            times = []
            for _ in range(options.repeats):
                began = time.perf_counter()
                table = made.to_dataframe()
                times.append(time.perf_counter() - began)
            assert len(table) == 100000
            print(f"\nto_dataframe of 100,000 runs of 5 parameters, {name}: {median(times):.2f} s", flush=True)


# ---- workers --------------------------------------------------------------------------------------------------


def train(run, params):
    """A short training, and how long it took by itself."""
    began = time.perf_counter()
    from sklearn.datasets import load_iris
    from sklearn.linear_model import SGDClassifier
    imported = time.perf_counter() - began
    x, y = load_iris(return_X_y=True)
    began = time.perf_counter()
    SGDClassifier(alpha=params["alpha"], max_iter=50, tol=None).fit(x, y)
    return {"loss": 1.0, "imported": imported, "trained": time.perf_counter() - began}


def worker(options):
    made = hdrive.Sweep({"alpha": hdrive.log_uniform_values(1e-5, 1)}, metric="loss", goal="minimize",
                        max_total_runs=50, directory=":memory:")
    began = time.perf_counter()
    made.run(train, workers="process")
    whole = time.perf_counter() - began
    runs = list(made.runs)
    overheads = [run.duration.total_seconds() - run.metrics["trained"][0] for run in runs]
    print(f"\na run with scikit-learn in a worker process, beyond its training: the first {overheads[0] * 1e3:.0f} ms "
          f"(imports {runs[0].metrics['imported'][0] * 1e3:.0f}), then {median(overheads[1:]) * 1e3:.2f} ms; "
          f"50 runs {whole:.2f} s", flush=True)


PARTS = {"ask": ask, "sweep": sweep, "import": importing, "frame": frame, "worker": worker}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(f"hdrive {hdrive.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} processors, load "
          f"{os.getloadavg()[0]:.1f}\n", flush=True)
    for name in options.parts or PARTS:
        PARTS[name](options)


if __name__ == "__main__":
    main()
