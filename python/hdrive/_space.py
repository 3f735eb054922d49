# SPDX-License-Identifier: Apache-2.0
"""Search spaces: the expressions as functions, and what else is taken for one."""

from __future__ import annotations

import copyreg
import math
from typing import TYPE_CHECKING, Any

from . import _core
from ._core import Expression
from ._errors import ConfigError
from ._specification import text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Choice", "Expression", "Option", "choice", "int_log_uniform", "int_uniform", "log_uniform_values",
           "lognormal", "loguniform", "normal", "option", "q_log_uniform_values", "qlognormal", "qloguniform",
           "qnormal", "quniform", "randint", "uniform"]


class Option:
    """One option of a choice, and the parameters that exist only where it is chosen. Made by `option`."""

    __slots__ = ("space", "value")

    def __init__(self, value: Any, space: Mapping[str, Any]) -> None:
        if not hasattr(space, "keys"):
            raise ConfigError(f"option: a dict from names to expressions is wanted beside {value!r}, not a "
                              f"{type(space).__name__}")
        self.value = value
        self.space = dict(space)

    def __repr__(self) -> str:
        return f"option({self.value!r}, {self.space!r})"


class Choice:
    """A choice of which some options have parameters of their own. Made by `choice`."""

    __slots__ = ("options",)

    def __init__(self, options: list[Any]) -> None:
        self.options = options

    @property
    def expression(self) -> Expression:
        """The choice alone, without what depends on it."""
        return _core.expression("choice", [o.value if isinstance(o, Option) else o for o in self.options])

    def __repr__(self) -> str:
        return f"choice({', '.join(map(repr, self.options))})"


def option(value: Any, space: Mapping[str, Any]) -> Option:
    """An option of a choice with parameters of its own.

    >>> optimizer = choice(option("sgd", {"momentum": uniform(0, 1)}), "adam")

    `momentum` exists in the parameter sets with "sgd" alone; in the others there is no such key.
    """
    return Option(value, space)


def choice(*options: Any) -> Expression | Choice:
    """One of the options, each as likely: any JSON values. One list, tuple or range stands for its items.

    >>> choice("relu", "tanh")
    choice("relu", "tanh")
    >>> choice(range(1, 4))
    choice(1, 2, 3)
    >>> choice([[64, 64], [32]])
    choice([64,64], [32])

    Numbers among three or more options are taken as ordered by the samplers that fit a model.
    """
    if len(options) == 1 and isinstance(options[0], (list, tuple, range)):
        options = tuple(options[0])
    if any(isinstance(o, Option) for o in options):
        made = Choice(list(options))
        made.expression  # noqa: B018 - says now what is wrong with the options
        return made
    return _core.expression("choice", list(options))


def _remade(name: str, arguments: list[Any]) -> Expression:
    return _core.expression(name, arguments)


def _taken_apart(expression: Expression) -> tuple[Any, ...]:
    import json
    arguments = expression.options if expression.name == "choice" else json.loads(expression.to_json())[1]
    return _remade, (expression.name, arguments)


# Spaces are copied by scikit-learn, and travel to other processes within what uses them.
copyreg.pickle(Expression, _taken_apart)


def randint(upper: int) -> Expression:
    """An integer from 0 to `upper` - 1, each as likely.

    >>> randint(3)
    randint(3)
    """
    return _core.expression("randint", [upper])


def uniform(min_value: float, max_value: float) -> Expression:
    """A real number from `min_value` to `max_value`.

    >>> uniform(0, 0.5)
    uniform(0, 0.5)
    """
    return _core.expression("uniform", [min_value, max_value])


def quniform(min_value: float, max_value: float, q: float) -> Expression:
    """round(uniform(min_value, max_value) / q) * q.

    >>> quniform(16, 64, 16)
    quniform(16, 64, 16)
    """
    return _core.expression("quniform", [min_value, max_value, q])


def loguniform(min_value: float, max_value: float) -> Expression:
    """exp(uniform(min_value, max_value)): as in HyperDrive the bounds are natural logarithms. `log_uniform_values`
    takes the bounds themselves.

    >>> loguniform(-9, -2)
    loguniform(-9, -2)
    """
    return _core.expression("loguniform", [min_value, max_value])


def qloguniform(min_value: float, max_value: float, q: float) -> Expression:
    """round(exp(uniform(min_value, max_value)) / q) * q.

    >>> qloguniform(0, 5, 1)
    qloguniform(0, 5, 1)
    """
    return _core.expression("qloguniform", [min_value, max_value, q])


def normal(mu: float, sigma: float) -> Expression:
    """A normal number of mean `mu` and standard deviation `sigma`.

    >>> normal(10, 3)
    normal(10, 3)
    """
    return _core.expression("normal", [mu, sigma])


def qnormal(mu: float, sigma: float, q: float) -> Expression:
    """round(normal(mu, sigma) / q) * q.

    >>> qnormal(64, 16, 8)
    qnormal(64, 16, 8)
    """
    return _core.expression("qnormal", [mu, sigma, q])


def lognormal(mu: float, sigma: float) -> Expression:
    """exp(normal(mu, sigma)): `mu` and `sigma` are those of the natural logarithm.

    >>> lognormal(-3, 1)
    lognormal(-3, 1)
    """
    return _core.expression("lognormal", [mu, sigma])


def qlognormal(mu: float, sigma: float, q: float) -> Expression:
    """round(exp(normal(mu, sigma)) / q) * q.

    >>> qlognormal(3, 1, 4)
    qlognormal(3, 1, 4)
    """
    return _core.expression("qlognormal", [mu, sigma, q])


def log_uniform_values(min_value: float, max_value: float) -> Expression:
    """A real number from `min_value` to `max_value`, both above 0, evenly on a logarithmic scale.

    >>> log_uniform_values(1e-4, 0.1)
    log_uniform_values(0.0001, 0.1)
    """
    return _core.expression("log_uniform_values", [min_value, max_value])


def q_log_uniform_values(min_value: float, max_value: float, q: float) -> Expression:
    """round(log_uniform_values(min_value, max_value) / q) * q.

    >>> q_log_uniform_values(16, 512, 16)
    q_log_uniform_values(16, 512, 16)
    """
    return _core.expression("q_log_uniform_values", [min_value, max_value, q])


def int_uniform(min_value: int, max_value: int) -> Expression:
    """An integer from `min_value` to `max_value`, both included.

    >>> int_uniform(1, 8)
    int_uniform(1, 8)
    """
    return _core.expression("int_uniform", [min_value, max_value])


def int_log_uniform(min_value: int, max_value: int) -> Expression:
    """An integer from `min_value` (at least 1) to `max_value`, both included, evenly on a logarithmic scale.

    >>> int_log_uniform(1, 1024)
    int_log_uniform(1, 1024)
    """
    return _core.expression("int_log_uniform", [min_value, max_value])


# ---- what else is taken -------------------------------------------------------------------------------------


def _from_optuna(name: str, given: Any) -> Any:
    kind = type(given).__name__
    if kind == "CategoricalDistribution":
        return choice(*given.choices)
    if kind == "IntDistribution":
        if given.step != 1:
            return choice(range(given.low, given.high + 1, given.step))
        return (int_log_uniform if given.log else int_uniform)(given.low, given.high)
    if kind == "FloatDistribution":
        if given.step is not None:
            count = math.floor((given.high - given.low) / given.step + 1e-9) + 1
            return choice([given.low + i * given.step for i in range(count)])
        return (log_uniform_values if given.log else uniform)(given.low, given.high)
    raise ConfigError(f"{name}: there is no equivalent of Optuna's {kind}")


def _from_config_space(name: str, given: Any) -> Any:
    kind = type(given).__name__
    if kind == "Constant":
        return choice(given.value)
    if kind == "OrdinalHyperparameter":
        return choice(*given.sequence)
    if kind == "CategoricalHyperparameter":
        if getattr(given, "weights", None) is not None and len(set(given.weights)) > 1:
            raise ConfigError(f"{name}: there is no equivalent of ConfigSpace's weights; list an option several "
                              "times to have it drawn more often")
        return choice(*given.choices)
    if kind == "UniformFloatHyperparameter":
        return (log_uniform_values if given.log else uniform)(given.lower, given.upper)
    if kind == "UniformIntegerHyperparameter":
        return (int_log_uniform if given.log else int_uniform)(given.lower, given.upper)
    raise ConfigError(f"{name}: there is no equivalent of ConfigSpace's {kind}")


def _from_scipy(name: str, given: Any) -> Any:
    kind = given.dist.name
    shapes, loc, scale = given.dist._parse_args(*given.args, **given.kwds)
    if kind == "uniform":
        return uniform(loc, loc + scale)
    if kind in ("loguniform", "reciprocal") and loc == 0:
        return log_uniform_values(shapes[0] * scale, shapes[1] * scale)
    if kind == "randint":
        return int_uniform(int(shapes[0] + loc), int(shapes[1] + loc) - 1)
    if kind == "norm":
        return normal(loc, scale)
    if kind == "lognorm" and loc == 0:
        return lognormal(math.log(scale), shapes[0])
    raise ConfigError(f"{name}: there is no equivalent of scipy.stats.{kind}"
                      f"{f' with loc={loc}' if loc else ''}; uniform, loguniform, randint, norm and lognorm have one")


def _is_frozen(given: Any) -> bool:
    return hasattr(given, "dist") and hasattr(given, "args") and hasattr(given, "kwds")


def as_expression(name: str, given: Any) -> Any:
    """The expression, or Choice, that `given` stands for."""
    if isinstance(given, (Expression, Choice)):
        return given
    if isinstance(given, Option):
        raise ConfigError(f"{name}: an option belongs into a choice: hdrive.choice({given!r}, ...)")
    if isinstance(given, (list, tuple, range)):
        return choice(*given)
    if isinstance(given, (set, frozenset)):
        raise ConfigError(f"{name}: a set has no order, so no two programs would draw the same; give a list")
    if isinstance(given, dict):
        raise ConfigError(f"{name}: a space within a space belongs to an option of a choice: "
                          'hdrive.choice(hdrive.option("a", {...}), "b")')
    package = type(given).__module__.split(".")[0]
    if package == "optuna":
        return _from_optuna(name, given)
    if package == "ConfigSpace":
        return _from_config_space(name, given)
    if _is_frozen(given):
        return _from_scipy(name, given)
    if given is None or isinstance(given, (bool, int, float, str)):
        return choice(given)
    raise ConfigError(f"{name}: a {type(given).__name__} is no parameter; wanted is an expression such as "
                      "hdrive.uniform(0, 1), or a list of options")


def _parameters(space: Mapping[str, Any], condition: tuple[str, Any] | None) -> list[Any]:
    found: list[Any] = []
    for name, given in space.items():
        if not isinstance(name, str):
            raise ConfigError(f"a parameter's name is a str, not the {type(name).__name__} {name!r}")
        text("a parameter's name", name)
        try:
            expression = as_expression(name, given)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        if not isinstance(expression, Choice):
            found.append((name, expression, condition))
            continue
        found.append((name, expression.expression, condition))
        for each in expression.options:
            if isinstance(each, Option):
                found += _parameters(each.space, (name, each.value))
    return found


def to_space(space: Any) -> _core.Space:
    """The core's space of a dict, or of ConfigSpace's ConfigurationSpace without conditions."""
    if isinstance(space, _core.Space):
        return space
    if type(space).__name__ == "ConfigurationSpace":
        if getattr(space, "conditions", None) or getattr(space, "forbidden_clauses", None):
            raise ConfigError("a ConfigurationSpace with conditions or forbidden clauses is not taken over; write the "
                              "conditions as hdrive.option")
        space = dict(space)
    if not isinstance(space, dict):
        raise ConfigError(f"a space is a dict from names to expressions, not a {type(space).__name__}")
    return _core.space(_parameters(space, None))
