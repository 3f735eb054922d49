# SPDX-License-Identifier: Apache-2.0
"""The expressions and samplings of azureml.train.hyperdrive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _algorithms, _space
from .._errors import ConfigError
from .._space import (Expression, lognormal, loguniform, normal, qlognormal, qloguniform, qnormal, quniform, randint,
                      uniform)
from ._errors import UserErrorException
from ._settings import ignored, nearest

__all__ = ["BayesianParameterSampling", "GridParameterSampling", "HyperParameterSampling", "RandomParameterSampling",
           "as_parameter", "choice", "lognormal", "loguniform", "normal", "qlognormal", "qloguniform", "qnormal",
           "quniform", "randint", "uniform"]

_BY_NAME = {function.__name__: function for function in
            (randint, uniform, quniform, loguniform, qloguniform, normal, qnormal, lognormal, qlognormal)}


def choice(*options: Any) -> Any:
    """One of the options, each as likely. A single list, range or array stands for its items.

    >>> choice(0.1, 0.2), choice(range(1, 4)), choice(["relu", "tanh"])
    (choice(0.1, 0.2), choice(1, 2, 3), choice("relu", "tanh"))
    """
    if len(options) == 1 and not isinstance(options[0], (str, bytes, Mapping, _space.Option)):
        try:
            options = tuple(options[0])
        except TypeError:
            pass
    # As a list, so that items that are lists remain options.
    return _space.choice(list(options))


def as_parameter(name: str, given: Any) -> Any:
    """The expression that `given` is: one of the functions' values, or Azure's wire form ["uniform", [0, 1]]."""
    if isinstance(given, (Expression, _space.Choice)):
        return given
    if isinstance(given, (list, tuple)) and len(given) == 2 and isinstance(given[1], (list, tuple)):
        if given[0] == "choice":
            options = given[1]
            return choice(*(options[0] if len(options) == 1 and isinstance(options[0], (list, tuple)) else options))
        if given[0] in _BY_NAME:
            return _BY_NAME[given[0]](*given[1])
    try:
        return _space.as_expression(name, given) if not isinstance(given, (list, tuple, range)) else _refuse(name)
    except ConfigError as error:
        raise UserErrorException(str(error)) from None


def _refuse(name: str) -> Any:
    raise UserErrorException(f"{name}: a bare list is no expression in HyperDrive; write choice([...])")


class HyperParameterSampling:
    """The base of the three: a space and the sampler that draws from it."""

    _name = ""

    def __init__(self, parameter_space: Mapping[str, Any], properties: Mapping[str, Any] | None = None) -> None:
        if not isinstance(parameter_space, Mapping) or not parameter_space:
            raise UserErrorException(f"{type(self).__name__}: parameter_space is a dict from names to expressions such "
                                     f"as uniform(0, 1), and not empty; not {parameter_space!r}")
        #: Names and expressions, in the order in which they reach the script.
        self.parameter_space = {name: as_parameter(name, given) for name, given in parameter_space.items()}
        self._options: dict[str, Any] = {}
        ignored(type(self).__name__, dict(properties or {}), "they are settings of Azure's own service")

    @property
    def sampler(self) -> Any:
        """What hdrive.Sweep takes as its sampler."""
        if self._name not in _algorithms.samplers():
            raise UserErrorException(f"sampler {self._name!r} is none{nearest(self._name, _algorithms.samplers())}")
        return {"type": self._name, **self._options}

    def to_json(self) -> dict[str, Any]:
        """The sampling as its name and the space as text."""
        return {"name": self._name.upper(), "parameter_space": {n: repr(e) for n, e in self.parameter_space.items()}}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.parameter_space!r})"


class RandomParameterSampling(HyperParameterSampling):
    """Independent random draws. A finite space is drawn from without repeats.

    >>> RandomParameterSampling({"lr": loguniform(-6, -1), "units": choice(32, 64)})
    RandomParameterSampling({'lr': loguniform(-6, -1), 'units': choice(32, 64)})
    """

    _name = "random"


class GridParameterSampling(HyperParameterSampling):
    """All combinations of the options, the first parameter slowest. Takes `choice` alone: UserErrorException else."""

    _name = "grid"

    def __init__(self, parameter_space: Mapping[str, Any]) -> None:
        super().__init__(parameter_space)
        for name, expression in self.parameter_space.items():
            if not isinstance(expression, _space.Choice) and expression.name != "choice":
                raise UserErrorException(f"GridParameterSampling takes choice alone; {name} is {expression!r}")


class BayesianParameterSampling(HyperParameterSampling):
    """A Gaussian process of the results so far proposes. Takes every expression, and goes with every policy, where
    Azure takes choice, uniform and quniform and no policy."""

    _name = "bayesian"
