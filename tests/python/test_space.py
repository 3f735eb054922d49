# SPDX-License-Identifier: Apache-2.0
import decimal
import math

import hdrive
import numpy
import pytest


def draws(space, count=20):
    sweep = hdrive.Sweep(space, metric="loss", goal="minimize", max_total_runs=count, seed=3, directory=":memory:")
    drawn = []
    sweep.run(lambda run, params: drawn.append(params) or 0.0)
    return drawn


@pytest.mark.parametrize("expression, inside, outside", [
    (hdrive.uniform(0, 1), 0.5, 1.5),
    (hdrive.quniform(0, 10, 5), 5, 3),
    (hdrive.loguniform(0, 1), 1.5, 0.5),
    (hdrive.randint(3), 2, 3),
    (hdrive.int_uniform(1, 3), 3, 0),
    (hdrive.int_log_uniform(1, 8), 8, 9),
    (hdrive.log_uniform_values(0.1, 1), 0.1, 2.0),
    (hdrive.choice("a", 2), "a", "b"),
])
def test_an_expression_knows_what_it_can_produce(expression, inside, outside):
    assert expression.contains(inside)
    assert not expression.contains(outside)
    assert expression.decode(expression.encode(inside)) == pytest.approx(inside) \
        if not isinstance(inside, str) else expression.decode(expression.encode(inside)) == inside


def test_an_expression_reads_as_it_was_written():
    assert repr(hdrive.uniform(0, 0.5)) == "uniform(0, 0.5)"
    assert hdrive.uniform(0, 1) == hdrive.uniform(0, 1.0)
    assert hdrive.uniform(0, 1) != hdrive.uniform(0, 2)
    assert len({hdrive.normal(0, 1), hdrive.normal(0, 1)}) == 1


@pytest.mark.parametrize("wrong, says", [
    (lambda: hdrive.uniform(1, 0), "min"),
    (lambda: hdrive.choice(), "option"),
    (lambda: hdrive.randint(0), "1"),
    (lambda: hdrive.choice(2**70), "64 bits"),
    (lambda: hdrive.loguniform(0, 1e9), "too large"),
])
def test_a_wrong_argument_is_refused_where_it_is_given(wrong, says):
    with pytest.raises(hdrive.ConfigError, match=says):
        wrong()


@pytest.mark.parametrize("wrong", [
    lambda: hdrive.uniform("a", 1), lambda: hdrive.choice(lambda: 1), lambda: hdrive.choice(object()),
    lambda: hdrive.uniform(None, 1), lambda: hdrive.randint(1.5),
])
def test_a_wrong_type_is_a_type_error(wrong):
    with pytest.raises(TypeError):
        wrong()


def test_scalars_of_numpy_and_decimals_are_taken():
    assert hdrive.uniform(numpy.float32(0), numpy.int64(1)) == hdrive.uniform(0, 1)
    assert hdrive.choice(numpy.int64(3), numpy.float64(0.5), numpy.bool_(True), numpy.str_("a")) \
        == hdrive.choice(3, 0.5, True, "a")
    assert hdrive.choice(decimal.Decimal("0.25")) == hdrive.choice(0.25)


def test_options_are_any_json_values_and_come_back_as_they_are():
    options = [None, True, 1, 0.5, "text", [64, [32]], {"a": [1, 2]}, "\u00e9"]
    assert hdrive.choice(options).options == options
    drawn = [set_["x"] for set_ in draws({"x": hdrive.choice(options)}, 8)]
    assert sorted(map(repr, drawn)) == sorted(map(repr, options))


def test_lists_and_ranges_are_choices_and_scalars_are_constants():
    drawn = draws({"a": [1, 2], "b": range(3), "c": ("x", "y"), "d": 5}, 12)
    assert {d["a"] for d in drawn} == {1, 2}
    assert {d["b"] for d in drawn} == {0, 1, 2}
    assert {d["d"] for d in drawn} == {5}
    assert list(drawn[0]) == ["a", "b", "c", "d"]


def test_a_conditional_parameter_exists_under_its_option_alone():
    space = {"optimizer": hdrive.choice(hdrive.option("sgd", {"momentum": hdrive.uniform(0, 1)}), "adam")}
    drawn = draws(space, 30)
    assert {d["optimizer"] for d in drawn} == {"sgd", "adam"}
    assert all(("momentum" in d) == (d["optimizer"] == "sgd") for d in drawn)


@pytest.mark.parametrize("space, says", [
    ({"x": {1, 2}}, "set has no order"),
    ({"x": {"y": hdrive.uniform(0, 1)}}, "option of a choice"),
    ({"x": hdrive.option("a", {})}, "belongs into a choice"),
    ({1: hdrive.uniform(0, 1)}, "str"),
    ([("x", hdrive.uniform(0, 1))], "dict"),
    ({"x": len}, "no parameter"),
    ({"x": lambda: 1}, "no parameter"),
])
def test_what_is_no_space_is_refused_by_name(make, space, says):
    with pytest.raises(hdrive.ConfigError, match=says):
        make(space)


class Frozen:
    """As scipy.stats' frozen distributions are built."""

    class dist:  # noqa: N801
        name = "uniform"

        @staticmethod
        def _parse_args(*args, **kwds):
            return (), kwds.get("loc", 0), kwds.get("scale", 1)

    args = ()
    kwds = {"loc": 2, "scale": 3}  # noqa: RUF012


def test_a_frozen_distribution_of_scipy_is_taken():
    assert all(2 <= d["x"] <= 5 for d in draws({"x": Frozen()}))


def test_real_distributions_of_scipy_are_taken_where_they_have_an_equivalent():
    stats = pytest.importorskip("scipy.stats")
    drawn = draws({"a": stats.uniform(2, 3), "b": stats.loguniform(1e-3, 1), "c": stats.randint(2, 5),
                   "d": stats.norm(0, 1), "e": stats.lognorm(0.5, scale=math.e)})
    assert all(2 <= d["a"] <= 5 and 1e-3 <= d["b"] <= 1 and d["c"] in (2, 3, 4) for d in drawn)
    with pytest.raises(hdrive.ConfigError, match=r"scipy\.stats\.beta"):
        draws({"x": stats.beta(1, 2)})


def test_distributions_of_optuna_are_taken():
    distributions = pytest.importorskip("optuna.distributions")
    drawn = draws({"a": distributions.FloatDistribution(1e-3, 1, log=True),
                   "b": distributions.IntDistribution(2, 10, step=4),
                   "c": distributions.CategoricalDistribution(["x", None]),
                   "d": distributions.FloatDistribution(0, 1, step=0.25)})
    assert all(1e-3 <= d["a"] <= 1 and d["b"] in (2, 6, 10) and d["d"] * 4 % 1 == 0 for d in drawn)


def test_an_expression_can_be_copied_and_pickled():
    import copy
    import pickle
    for each in (hdrive.uniform(0, 0.1), hdrive.randint(3), hdrive.qlognormal(3, 1, 4), hdrive.int_uniform(-1, 2**60),
                 hdrive.log_uniform_values(1e-300, 1e300), hdrive.choice("a", [1, 2], {"x": None}, 1.0, 1, True)):
        assert pickle.loads(pickle.dumps(each)) == each
        assert copy.deepcopy(each) == each
    conditional = hdrive.choice(hdrive.option("sgd", {"momentum": hdrive.uniform(0, 1)}), "adam")
    assert repr(copy.deepcopy({"o": conditional})) == repr({"o": conditional})
    assert repr(pickle.loads(pickle.dumps(conditional))) == repr(conditional)
