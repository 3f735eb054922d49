#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a proposal of Optuna's samplers costs right after a result, in the lines and units of sampling_bench.

Run by a Python that has optuna (and torch, for its Gaussian process): benchmarks/quality/setup.sh makes one.
"""

import random
import time
import warnings

import optuna
from optuna.distributions import FloatDistribution

SAMPLERS = {"gp": optuna.samplers.GPSampler, "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True),
            "random": optuna.samplers.RandomSampler}
# Sampler, parameters, results before, proposals measured.
CASES = [("gp", 6, 100, 20), ("gp", 6, 1000, 3), ("tpe", 6, 1000, 40), ("tpe", 40, 1000, 20), ("random", 6, 1000, 100)]


def value_at(values):
    return sum((x - 0.3) ** 2 for x in values)


def measure(name, dimensions, results, proposals):
    space = {f"x{i}": FloatDistribution(0, 1) for i in range(dimensions)}
    study = optuna.create_study(sampler=SAMPLERS[name](seed=1))
    drawn = random.Random(1)
    for _ in range(results):
        values = {key: drawn.random() for key in space}
        study.add_trial(optuna.trial.create_trial(params=values, distributions=space, value=value_at(values.values())))
    milliseconds = []
    for _ in range(proposals + 1):
        start = time.process_time()
        trial = study.ask(space)
        milliseconds.append(1000 * (time.process_time() - start))
        study.tell(trial, value_at(trial.params.values()))
    milliseconds = sorted(milliseconds[1:])  # the first brings in libraries
    for part in (50, 99):
        print(f"optuna {name}, {dimensions} parameters, n = {results}, p{part} "
              f"{milliseconds[(proposals - 1) * part // 100]:.3f} ms", flush=True)


def main():
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for case in CASES:
        measure(*case)


if __name__ == "__main__":
    main()
