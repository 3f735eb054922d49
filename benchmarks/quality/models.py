# SPDX-License-Identifier: Apache-2.0
"""Real models of scikit-learn on the data it brings, in the spaces of Bayesmark (Turner and others, 2021) and a few
with categories. An evaluation is a cross-validation with fixed folds and seeds, so it has no noise of its own, and is
kept in a file: a point that was evaluated once costs nothing again.

The best value is not known; models_best.json has the best that any search has found so far (`models.py --best` writes
it anew from the files).
"""

import functools
import json
import math
import pathlib
import sys
import warnings

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / "results" / "models"
BEST = HERE / "models_best.json"
WORST_LOSS = 10.0  # of a fit that fails or predicts what is not a number


def real(name, low, high):
    return {"name": name, "type": "float", "low": low, "high": high, "log": False}


def log(name, low, high):
    return {"name": name, "type": "float", "low": low, "high": high, "log": True}


def logit(name, low, high):
    """Even on the scale of log(x / (1 - x)), on which it is searched; `values_of` takes it back."""
    return {**real(name, math.log(low / (1 - low)), math.log(high / (1 - high))), "logit": True}


def integer(name, low, high):
    """Searched from 0; `values_of` adds `low`."""
    return {"name": name, "type": "int", "high": high - low, "from": low}


def category(name, *values):
    return {"name": name, "type": "category", "values": list(values)}


def values_of(space, values):
    """What the model is given, from what was searched."""
    result = {}
    for parameter in space:
        name, value = parameter["name"], values[parameter["name"]]
        if parameter.get("logit"):
            value = 1 / (1 + math.exp(-value))
        result[name] = value + parameter.get("from", 0) if parameter["type"] == "int" else value
    return result


TREE = [integer("max_depth", 1, 15), logit("min_samples_split", 0.01, 0.99), logit("min_samples_leaf", 0.01, 0.49),
        logit("min_weight_fraction_leaf", 0.01, 0.49), logit("max_features", 0.01, 0.99),
        real("min_impurity_decrease", 0.0, 0.5)]
TREE_WITH_WORDS = [integer("max_depth", 1, 20), integer("min_samples_leaf", 1, 20), real("ccp_alpha", 0.0, 0.05),
                   category("criterion", "gini", "entropy", "log_loss"), category("splitter", "best", "random"),
                   category("max_features", "sqrt", "log2", "all")]
SVM = [log("C", 1, 1e3), log("gamma", 1e-4, 1e-3), log("tol", 1e-5, 1e-1)]
SVM_KERNELS = [log("C", 1e-3, 1e3), log("gamma", 1e-5, 1e1), real("coef0", -1.0, 1.0), integer("degree", 2, 5),
               category("kernel", "linear", "poly", "rbf", "sigmoid")]
MLP = [integer("hidden_layer_sizes", 50, 200), log("alpha", 1e-5, 1e1), integer("batch_size", 10, 250),
       log("learning_rate_init", 1e-5, 1e-1), log("tol", 1e-5, 1e-1)]
ADAM = MLP + [logit("beta_1", 0.5, 0.99), logit("beta_2", 0.9, 1 - 1e-6), log("epsilon", 1e-9, 1e-6)]
SGD = MLP + [logit("momentum", 0.001, 0.999), logit("power_t", 0.1, 0.9)]
LINEAR = [log("C", 1e-2, 1e2), log("intercept_scaling", 1e-2, 1e2)]
BOOST = [integer("n_estimators", 10, 100), log("learning_rate", 1e-4, 1e1)]
NEIGHBOURS = [integer("n_neighbors", 1, 25), integer("p", 1, 4)]
NEIGHBOURS_WITH_WORDS = [integer("n_neighbors", 1, 50), category("weights", "uniform", "distance"),
                         category("metric", "euclidean", "manhattan", "chebyshev", "cosine")]
LINEAR_SGD = [log("alpha", 1e-7, 1e-1), log("eta0", 1e-5, 1e1), real("l1_ratio", 0.0, 1.0), real("power_t", 0.0, 1.0),
              category("loss", "hinge", "log_loss", "modified_huber", "squared_hinge"),
              category("penalty", "l2", "l1", "elasticnet"),
              category("learning_rate", "constant", "optimal", "invscaling", "adaptive")]

# name: (model, its space, data, score of scikit-learn, folds)
MODELS = {
    "tree-digits": ("tree", TREE, "digits", "accuracy", 5),
    "tree-wine": ("tree", TREE, "wine", "neg_log_loss", 5),
    "tree-diabetes": ("tree", TREE, "diabetes", "neg_mean_squared_error", 5),
    "tree-words-digits": ("tree", TREE_WITH_WORDS, "digits", "accuracy", 5),
    "forest-iris": ("forest", TREE, "iris", "neg_log_loss", 5),
    "forest-breast": ("forest", TREE, "breast_cancer", "accuracy", 3),
    "forest-diabetes": ("forest", TREE, "diabetes", "neg_mean_squared_error", 3),
    "svm-wine": ("svm", SVM, "wine", "accuracy", 5),
    "svm-diabetes": ("svm", SVM, "diabetes", "neg_mean_squared_error", 5),
    "svm-kernels-breast": ("svm", SVM_KERNELS, "breast_cancer", "accuracy", 5),
    "svm-kernels-wine": ("svm", SVM_KERNELS, "wine", "neg_log_loss", 5),
    "neighbours-breast": ("neighbours", NEIGHBOURS, "breast_cancer", "neg_log_loss", 5),
    "neighbours-words-digits": ("neighbours", NEIGHBOURS_WITH_WORDS, "digits", "accuracy", 3),
    "mlp-adam-iris": ("mlp-adam", ADAM, "iris", "neg_log_loss", 3),
    "mlp-adam-wine": ("mlp-adam", ADAM, "wine", "accuracy", 3),
    "mlp-sgd-breast": ("mlp-sgd", SGD, "breast_cancer", "neg_log_loss", 3),
    "mlp-sgd-diabetes": ("mlp-sgd", SGD, "diabetes", "neg_mean_squared_error", 3),
    "boost-breast": ("boost", BOOST, "breast_cancer", "neg_log_loss", 3),
    "lasso-wine": ("lasso", LINEAR, "wine", "neg_log_loss", 5),
    "logistic-breast": ("logistic", LINEAR, "breast_cancer", "neg_log_loss", 5),
    "sgd-iris": ("sgd", LINEAR_SGD, "iris", "accuracy", 5),
    "sgd-breast": ("sgd", LINEAR_SGD, "breast_cancer", "accuracy", 5),
}


def tree(values):
    if values.get("max_features") == "all":
        values["max_features"] = None
    return values


def make(kind, values, is_regression):
    from sklearn import ensemble, linear_model, neighbors, neural_network, svm, tree as trees
    seed = {"random_state": 0}
    if kind == "tree":
        return (trees.DecisionTreeRegressor if is_regression else trees.DecisionTreeClassifier)(**tree(values), **seed)
    if kind == "forest":
        model = ensemble.RandomForestRegressor if is_regression else ensemble.RandomForestClassifier
        return model(n_estimators=10, **values, **seed)
    if kind == "svm":
        return svm.SVR(**values, max_iter=20000) if is_regression else svm.SVC(**values, max_iter=20000)
    if kind == "neighbours":
        return neighbors.KNeighborsClassifier(**values)
    if kind.startswith("mlp"):
        model = neural_network.MLPRegressor if is_regression else neural_network.MLPClassifier
        return model(**values, solver=kind[4:], max_iter=40, **seed,
                     **({"learning_rate": "invscaling"} if kind == "mlp-sgd" else {}))
    if kind == "boost":
        return ensemble.AdaBoostClassifier(**values, **seed)
    if kind in ("lasso", "logistic"):
        ratio = 1.0 if kind == "lasso" else 0.0
        return linear_model.LogisticRegression(**values, l1_ratio=ratio, solver="liblinear", **seed)
    return linear_model.SGDClassifier(**values, **seed)


@functools.cache
def data(name):
    import sklearn.datasets
    import sklearn.preprocessing
    x, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    x = sklearn.preprocessing.StandardScaler().fit_transform(x)
    return (x, (y - y.mean()) / y.std()) if name == "diabetes" else (x, y)


def train(name, values):
    """The loss, smaller is better."""
    import numpy
    from sklearn import model_selection, multiclass
    kind, space, source, score, folds = MODELS[name]
    x, y = data(source)
    model = make(kind, values_of(space, values), source == "diabetes")
    if kind in ("lasso", "logistic"):
        model = multiclass.OneVsRestClassifier(model)
    if kind == "svm" and score == "neg_log_loss":
        from sklearn import calibration
        model = calibration.CalibratedClassifierCV(model, ensemble=False, cv=3)
    split = (model_selection.KFold if source == "diabetes" else model_selection.StratifiedKFold)(
        folds, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scores = model_selection.cross_val_score(model, x, y, scoring=score, cv=split, error_score=-WORST_LOSS)
        except ValueError:  # no fold could be fitted
            return WORST_LOSS
    mean = float(numpy.mean(scores))
    loss = 1 - mean if score == "accuracy" else -mean
    return min(loss, WORST_LOSS) if math.isfinite(loss) else WORST_LOSS


class Kept:
    """A function whose values are kept in a file, a line each; several processes may append."""

    def __init__(self, name):
        self.name, self.path = name, KEPT / f"{name}.jsonl"
        self.values, self.read = {}, 0

    def load(self):
        if self.path.exists():
            with open(self.path) as file:
                file.seek(self.read)
                for line in file:
                    if line.endswith("\n"):
                        self.read += len(line)
                        key, value = json.loads(line)
                        self.values[key] = value

    def __call__(self, values):
        key = json.dumps([values[p["name"]] for p in MODELS[self.name][1]])
        if key not in self.values:
            self.load()
        if key not in self.values:
            value = train(self.name, values)
            KEPT.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a") as file:
                file.write(json.dumps([key, value]) + "\n")
            self.values[key] = value
        return self.values[key]


def summary(name):
    """The best value known and the median of those in the file, to say what counts as equal to the best."""
    kept = Kept(name)
    kept.load()
    ordered = sorted(kept.values.values())
    return {"best": ordered[0], "median": ordered[len(ordered) // 2]}


def names():
    return [f"models/{name}" for name in MODELS]


def problem(name):
    import problems
    space = MODELS[name][1]
    known = json.loads(BEST.read_text()).get(name, {"best": 0.0, "median": 1.0}) if BEST.exists() else {
        "best": 0.0, "median": 1.0}
    function = Kept(name)

    def evaluate(values, seed, number):
        value = function(values)
        return value, value

    plain = [{key: p[key] for key in p if key not in ("logit", "from")} for p in space]
    floor = 1e-3 * (known["median"] - known["best"])
    return problems.Problem(f"models/{name}", "models", plain, known["best"], evaluate, floor)


if __name__ == "__main__" and "--best" in sys.argv:
    import os
    BEST.write_text(json.dumps({n: summary(n) for n in MODELS if os.path.exists(KEPT / f"{n}.jsonl")}, indent=1) + "\n")
