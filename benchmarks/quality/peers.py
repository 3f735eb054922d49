# SPDX-License-Identifier: Apache-2.0
"""The peers behind one protocol: `peers.py NAME`, run by the Python that has them, speaks lines of JSON.

    {"op": "start", "space": [...], "seed": 1, "budget": 100, "parallel": 1}   -> {"ok": true}
    {"op": "ask", "count": 1}                     -> {"asked": [[key, {name: value}], ...]}
    {"op": "tell", "key": 0, "value": 0.5}        -> {"ok": true}

Each peer is used as its documentation says, with its defaults; ordinals are handed to it as integers, their
indices, which is what suits each of them best, unless it knows ordinals.
"""

import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import warnings


def levels(parameter):
    return parameter["high"] if parameter["type"] == "int" else len(parameter["values"]) - 1


class Optuna:
    package = "optuna"

    def __init__(self):
        import optuna
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna = optuna

    def start(self, space, seed, budget, parallel):
        self.space = space
        self.study = self.optuna.create_study(sampler=self.sampler(seed, parallel))

    def draw(self, trial, p):
        if p["type"] == "float":
            return trial.suggest_float(p["name"], p["low"], p["high"], log=p["log"])
        if p["type"] == "category":
            return trial.suggest_categorical(p["name"], p["values"])
        value = trial.suggest_int(p["name"], 0, levels(p))
        return value if p["type"] == "int" else p["values"][value]

    def ask(self, count):
        trials = [self.study.ask() for _ in range(count)]
        return [(trial.number, {p["name"]: self.draw(trial, p) for p in self.space}) for trial in trials]

    def tell(self, key, value):
        self.study.tell(key, value)


class OptunaGP(Optuna):
    def sampler(self, seed, parallel):
        import torch
        torch.set_num_threads(1)
        return self.optuna.samplers.GPSampler(seed=seed)


class OptunaTPE(Optuna):
    def sampler(self, seed, parallel):
        return self.optuna.samplers.TPESampler(seed=seed, constant_liar=parallel > 1)


class OptunaCmaEs(Optuna):
    def sampler(self, seed, parallel):
        return self.optuna.samplers.CmaEsSampler(seed=seed)


class Hebo:
    package = "HEBO"

    def __init__(self):
        import pandas
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO
        torch.set_num_threads(1)
        self.pandas, self.torch, self.DesignSpace, self.HEBO = pandas, torch, DesignSpace, HEBO

    def start(self, space, seed, budget, parallel):
        import numpy
        numpy.random.seed(seed)
        self.torch.manual_seed(seed)
        self.space, self.rows, self.count = space, {}, 0
        self.optimizer = self.HEBO(self.DesignSpace().parse([self.declare(p) for p in space]), scramble_seed=seed)

    def declare(self, p):
        if p["type"] == "category":
            return {"name": p["name"], "type": "cat", "categories": p["values"]}
        if p["type"] == "float":
            return {"name": p["name"], "type": "pow" if p["log"] else "num", "lb": p["low"], "ub": p["high"]}
        return {"name": p["name"], "type": "int", "lb": 0, "ub": levels(p)}

    def ask(self, count):
        proposed = self.optimizer.suggest(n_suggestions=count)
        asked = []
        for _, row in proposed.iterrows():
            key = self.count
            self.count += 1
            self.rows[key] = proposed.loc[[row.name]]
            asked.append((key, {p["name"]: plain(p, row[p["name"]]) for p in self.space}))
        return asked

    def tell(self, key, value):
        import numpy
        self.optimizer.observe(self.rows.pop(key), numpy.array([[value]]))


def plain(p, value):
    """A peer's answer as JSON has it: indices back to values, numbers without numpy's types."""
    if p["type"] == "float":
        return min(max(float(value), p["low"]), p["high"])
    if p["type"] == "int":
        return int(value)
    return p["values"][int(value)] if p["type"] == "ordinal" else str(value)


class Smac:
    package = "smac"

    def __init__(self):
        import logging
        import ConfigSpace
        import smac
        from smac.runhistory.dataclasses import TrialValue
        logging.disable(logging.CRITICAL)
        self.ConfigSpace, self.smac, self.TrialValue = ConfigSpace, smac, TrialValue
        self.folder = None

    def start(self, space, seed, budget, parallel):
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = tempfile.mkdtemp()
        self.space, self.infos = space, {}
        configurations = self.ConfigSpace.ConfigurationSpace(seed=seed)
        configurations.add([self.declare(p) for p in space])
        scenario = self.smac.Scenario(configurations, n_trials=budget, seed=seed, deterministic=True,
                                      output_directory=self.folder)
        facade = getattr(self.smac, self.facade)
        self.optimizer = facade(scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False)

    def declare(self, p):
        if p["type"] == "category":
            return self.ConfigSpace.CategoricalHyperparameter(p["name"], p["values"])
        if p["type"] == "float":
            return self.ConfigSpace.UniformFloatHyperparameter(p["name"], p["low"], p["high"], log=p["log"])
        return self.ConfigSpace.UniformIntegerHyperparameter(p["name"], 0, levels(p))

    def ask(self, count):
        asked = []
        for _ in range(count):
            info = self.optimizer.ask()
            key = len(self.infos)
            self.infos[key] = info
            asked.append((key, {p["name"]: plain(p, info.config[p["name"]]) for p in self.space}))
        return asked

    def tell(self, key, value):
        self.optimizer.tell(self.infos[key], self.TrialValue(cost=value))


class SmacForest(Smac):
    facade = "HyperparameterOptimizationFacade"


class SmacGP(Smac):
    facade = "BlackBoxFacade"


class Ax:
    package = "ax-platform"

    def __init__(self):
        import logging
        import torch
        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
        logging.disable(logging.CRITICAL)
        torch.set_num_threads(1)
        self.Client, self.Choice, self.Range = Client, ChoiceParameterConfig, RangeParameterConfig

    def start(self, space, seed, budget, parallel):
        self.space = space
        self.client = self.Client(random_seed=seed)
        self.client.configure_experiment(parameters=[self.declare(p) for p in space])
        self.client.configure_optimization(objective="-loss")

    def declare(self, p):
        if p["type"] == "float":
            return self.Range(name=p["name"], bounds=(p["low"], p["high"]), parameter_type="float",
                              scaling="log" if p["log"] else "linear")
        if p["type"] == "category":
            return self.Choice(name=p["name"], values=p["values"], parameter_type="str", is_ordered=False)
        return self.Range(name=p["name"], bounds=(0, levels(p)), parameter_type="int")

    def ask(self, count):
        trials = self.client.get_next_trials(max_trials=count)
        return [(key, {p["name"]: plain(p, values[p["name"]]) for p in self.space}) for key, values in trials.items()]

    def tell(self, key, value):
        self.client.complete_trial(trial_index=key, raw_data={"loss": value})


class Vizier:
    package = "google-vizier"

    def __init__(self):
        os.environ.setdefault("JAX_ENABLE_X64", "1")  # in single precision its model becomes NaN
        from vizier import pyvizier
        from vizier import algorithms
        from jax.random import PRNGKey
        from vizier._src.algorithms.designers.gp_ucb_pe import VizierGPUCBPEBandit
        self.vz, self.algorithms, self.designer_type, self.key = pyvizier, algorithms, VizierGPUCBPEBandit, PRNGKey

    def start(self, space, seed, budget, parallel):
        self.space, self.active = space, {}
        statement = self.vz.ProblemStatement()
        for p in space:
            self.declare(statement.search_space.root, p)
        statement.metric_information.append(
            self.vz.MetricInformation(name="loss", goal=self.vz.ObjectiveMetricGoal.MINIMIZE))
        self.designer = self.designer_type(statement, rng=self.key(seed))
        self.count = 0

    def declare(self, root, p):
        if p["type"] == "float":
            scale = self.vz.ScaleType.LOG if p["log"] else self.vz.ScaleType.LINEAR
            root.add_float_param(p["name"], p["low"], p["high"], scale_type=scale)
        elif p["type"] == "category":
            root.add_categorical_param(p["name"], p["values"])
        else:
            root.add_int_param(p["name"], 0, levels(p))

    def ask(self, count):
        asked = []
        for suggestion in self.designer.suggest(count):
            self.count += 1
            self.active[self.count] = trial = suggestion.to_trial(self.count)
            values = trial.parameters.as_dict()
            asked.append((self.count, {p["name"]: plain(p, values[p["name"]]) for p in self.space}))
        return asked

    def tell(self, key, value):
        trial = self.active.pop(key)
        trial.complete(self.vz.Measurement(metrics={"loss": value}))
        self.designer.update(self.algorithms.CompletedTrials([trial]),
                             self.algorithms.ActiveTrials(list(self.active.values())))


PEERS = {"optuna-gp": OptunaGP, "optuna-tpe": OptunaTPE, "optuna-cmaes": OptunaCmaEs, "hebo": Hebo,
         "smac-forest": SmacForest, "smac-gp": SmacGP, "ax": Ax, "vizier": Vizier}


def main():
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w", buffering=1)  # what a library prints must not be taken for an answer
    os.dup2(2, 1)

    def answer(value):
        answers.write(json.dumps(value) + "\n")

    kind = PEERS[sys.argv[1]]
    peer = kind()
    answer({"version": importlib.metadata.version(kind.package)})
    for line in sys.stdin:
        request = json.loads(line)
        operation = request.pop("op")
        try:
            result = getattr(peer, operation)(**request)
        except Exception as problem:  # a peer's own failures are many; the harness tells which it was
            answer({"error": f"{type(problem).__name__}: {problem}"})
            continue
        answer({"asked": result} if operation == "ask" else {"ok": True})


if __name__ == "__main__":
    main()
