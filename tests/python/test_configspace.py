# SPDX-License-Identifier: Apache-2.0
"""ConfigSpace's distributions, taken from the real package."""

import math

import hdrive
import pytest

ConfigSpace = pytest.importorskip("ConfigSpace")

from ConfigSpace import (Beta, Categorical, CategoricalHyperparameter, ConfigurationSpace, Constant,  # noqa: E402
                         EqualsCondition, Float, ForbiddenEqualsClause, Integer, Normal, OrdinalHyperparameter)


def drawn(space, runs=200):
    sweep = hdrive.Sweep(space, metric="loss", goal="minimize", max_total_runs=runs, seed=3, directory=":memory:")
    sweep.run(lambda run, params: 0.0)
    return [run.params for run in sweep.runs]


def test_each_kind_means_what_it_means_there():
    space = ConfigurationSpace({
        "uniform": (0.5, 2.0),
        "rate": Float("rate", (1e-5, 1e-1), log=True),
        "units": (1, 8),
        "wide": Integer("wide", (1, 10_000), log=True),
        "kernel": ["rbf", "linear"],
        "size": Categorical("size", ["s", "m", "l"], ordered=True),
        "depth": OrdinalHyperparameter("depth", [1, 2, 4]),
        "epochs": Constant("epochs", 7),
    })
    sets = drawn(space)
    assert set(sets[0]) == set(space)
    assert all(0.5 <= each["uniform"] <= 2 and type(each["uniform"]) is float for each in sets)
    assert {each["units"] for each in sets} == set(range(1, 9)) and all(type(each["units"]) is int for each in sets)
    assert {each["kernel"] for each in sets} == {"rbf", "linear"}
    assert {each["size"] for each in sets} == {"s", "m", "l"}
    assert {each["depth"] for each in sets} == {1, 2, 4}
    assert {each["epochs"] for each in sets} == {7}
    # Half of what is drawn on a logarithmic scale lies below the geometric mean of its bounds.
    for name, low, high in (("rate", 1e-5, 1e-1), ("wide", 1, 10_000)):
        assert all(low <= each[name] <= high for each in sets)
        assert 0.35 < sum(each[name] < math.sqrt(low * high) for each in sets) / len(sets) < 0.65
    # What is drawn is a configuration of theirs.
    for each in sets[:20]:
        ConfigSpace.Configuration(space, values=each).check_valid_configuration()


def test_a_single_one_is_taken_as_a_parameter():
    sets = drawn({"x": Float("x", (0, 1)), "n": Integer("n", (2, 3)), "c": Categorical("c", ["a", "b"])}, runs=20)
    assert {each["n"] for each in sets} == {2, 3} and {each["c"] for each in sets} == {"a", "b"}


@pytest.mark.parametrize("given, kind", [
    (Float("x", (0, 1), distribution=Normal(0.5, 0.2)), "NormalFloatHyperparameter"),
    (Integer("x", (0, 9), distribution=Normal(5, 2)), "NormalIntegerHyperparameter"),
    (Float("x", (0, 1), distribution=Beta(2, 3)), "BetaFloatHyperparameter"),
    (Integer("x", (0, 9), distribution=Beta(2, 3)), "BetaIntegerHyperparameter"),
])
def test_what_has_no_equivalent_is_refused_by_name(given, kind):
    with pytest.raises(hdrive.ConfigError, match=f"x: there is no equivalent of ConfigSpace's {kind}"):
        hdrive.Sweep({"x": given}, metric="loss", goal="minimize", directory=":memory:")


def test_weights_conditions_and_forbidden_clauses_are_refused():
    weighted = CategoricalHyperparameter("x", ["a", "b"], weights=[0.9, 0.1])
    with pytest.raises(hdrive.ConfigError, match="weights; list an option several times"):
        hdrive.Sweep({"x": weighted}, metric="loss", goal="minimize", directory=":memory:")
    even = CategoricalHyperparameter("x", ["a", "b"], weights=[2, 2])
    assert {each["x"] for each in drawn({"x": even}, runs=20)} == {"a", "b"}
    kernel, degree = Categorical("kernel", ["rbf", "poly"]), Integer("degree", (1, 5))
    conditional = ConfigurationSpace()
    conditional.add([kernel, degree])
    conditional.add(EqualsCondition(degree, kernel, "poly"))
    forbidden = ConfigurationSpace()
    forbidden.add([kernel, degree])
    forbidden.add(ForbiddenEqualsClause(degree, 5))
    for space in (conditional, forbidden):
        with pytest.raises(hdrive.ConfigError, match="conditions or forbidden clauses is not taken over"):
            hdrive.Sweep(space, metric="loss", goal="minimize", directory=":memory:")
