# SPDX-License-Identifier: Apache-2.0
"""What the integrations share: samplers and policies by themselves, and options of any kind."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Any, NoReturn

from .. import _algorithms, _core
from .._errors import ConfigError, HdriveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Judge", "Options", "Search", "missing", "new_seed"]


def missing(module: str, package: str, error: ImportError) -> NoReturn:
    """Raises an ImportError that says what to install; of a package that is there and broken, what it said."""
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.split(".")[0] == package.split(".")[0]:
        raise ModuleNotFoundError(f"hdrive.integrations.{module} needs a package that is not installed: "
                                  f"pip install {_PIP_NAMES.get(package, package)}", name=error.name) from error
    raise error


_PIP_NAMES = {"sklearn": "scikit-learn", "ray": "\"ray[tune]\""}


def new_seed() -> int:
    """A seed where none was given."""
    return secrets.randbits(31)


def _is_plain(option: Any) -> bool:
    if type(option) is float:
        return math.isfinite(option)
    return option is None or type(option) in (bool, str) or (type(option) is int and -2**63 <= option < 2**63)


class Options:
    """Options of any kind, as labels that a choice of the core can hold: themselves, where all are distinct JSON
    scalars (so that numbers keep their order), else their places as text.

    >>> Options([1, 2, 4]).labels
    [1, 2, 4]
    >>> Options([print, len]).labels
    ['0', '1']
    """

    def __init__(self, options: Iterable[Any]) -> None:
        self.options = [o.item() if type(o).__module__ == "numpy" and getattr(o, "ndim", 1) == 0 else o
                        for o in options]
        plain = all(map(_is_plain, self.options)) and \
            len({(type(o), o) for o in self.options}) == len(self.options)
        self.labels: list[Any] = list(self.options) if plain else [str(i) for i in range(len(self.options))]
        self._places = {(type(label), label): i for i, label in enumerate(self.labels)}

    @property
    def expression(self) -> _core.Expression:
        """The choice among the labels."""
        return _core.expression("choice", self.labels)

    def place(self, label: Any) -> int:
        """Which option has this label."""
        return self._places[type(label), label]

    def __getitem__(self, label: Any) -> Any:
        return self.options[self.place(label)]


def _made(make: Any, spec: _core.Spec) -> Any:
    try:
        return make(spec)
    except HdriveError as error:  # options that do not go together, or not with the space
        raise ConfigError(str(error)) from None


class Search:
    """A sampler with the history of what it proposed. One thread at a time.

    `sampler` is as hdrive.Sweep takes it, `space` the core's.

    >>> search = Search(hdrive._space.to_space({"x": [1]}), goal="minimize", sampler="random", seed=1)
    >>> search.propose()
    (0, {'x': 1})
    >>> search.end(0, 0.5)
    >>> search.propose() is None
    True
    """

    def __init__(self, space: _core.Space, *, goal: str, sampler: Any, seed: int, max_total_runs: int = 100,
                 max_concurrent_runs: int = 1) -> None:
        named, self._own = _algorithms.split_algorithm(sampler, "sampler", "propose")
        spec = _core.Spec()
        spec.space, spec.goal, spec.seed = space, goal, seed
        spec.max_total_runs, spec.max_concurrent_runs = max(1, max_total_runs), max(1, max_concurrent_runs)
        if named is not None:
            spec.sampling = named
        #: Of a built-in sampler; "" of one's own.
        self.sampler_name: str = spec.sampling[0] if named is not None else ""
        self._space = space
        self._names = {name.lstrip("-") for name, _, condition in space.parameters if condition is None}
        self._core = _made(_core.make_sampler, spec)
        self.history = _core.History(goal)

    def propose(self, given: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]] | None:
        """Number and parameters of the next run, which counts as running from now on; None where there is nothing
        left to try. Parameters that are `given` are not the sampler's to choose."""
        params = self._ask()
        if params is None:
            return None
        params.update(given or {})
        return self.history.add(params), params

    def _ask(self) -> dict[str, Any] | None:
        if self._own is None:
            params: dict[str, Any] | None = self._core.propose(self.history)[0]
            return params
        answer = self._own.propose(self.history, len(self.history))
        given = answer[0] if isinstance(answer, tuple) else answer
        if given is None:
            return None
        if not isinstance(given, dict):
            raise ConfigError(f"sampler: {type(self._own).__name__}.propose returned a {type(given).__name__}; wanted "
                              "is a dict of parameters, None, or either with a sentence why")
        self._space.check(given)
        lacking = self._names - set(given)
        if lacking:
            raise ConfigError(f"sampler: {type(self._own).__name__}.propose gave no {sorted(lacking)[0]!r}")
        return dict(given)

    def add(self, params: dict[str, Any]) -> int:
        """The number of a run that was proposed elsewhere."""
        return self.history.add(params)

    def end(self, run: int, value: float | None, status: str = "Completed") -> None:
        """The run is over, with this value if any; "Completed", "Failed", or "Canceled" where it was stopped early."""
        if value is not None:
            self.history.report(run, value)
        self.history.end(run, status)


class Judge:
    """A policy by itself, as hdrive.Sweep takes it."""

    def __init__(self, policy: Any, goal: str) -> None:
        named, self._own = _algorithms.split_algorithm(policy, "policy", "judge")
        spec = _core.Spec()
        spec.goal = goal
        if named is not None:
            spec.policy = named
        self._core = _made(_core.make_policy, spec)

    def stops(self, run: int, history: _core.History) -> bool:
        """Whether the run, which has just reported, is to stop."""
        if self._own is None:
            return bool(self._core.judge(run, history)[0])
        answer = self._own.judge(run, history)
        return bool(answer[0] if isinstance(answer, tuple) else answer)
