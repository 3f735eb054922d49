# SPDX-License-Identifier: Apache-2.0
"""hdrive's samplers in Ray Tune.

    from hdrive.integrations.ray import HdriveSearch
    from ray import tune

    tuner = tune.Tuner(train, param_space={"lr": tune.loguniform(1e-5, 1e-1), "layers": tune.choice([1, 2, 3])},
                       tune_config=tune.TuneConfig(metric="loss", mode="min", num_samples=50,
                                                   search_alg=HdriveSearch("bayesian", seed=1)))
    tuner.fit()
"""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING, Any, Callable

from .. import _algorithms, _core, _space
from .._errors import ConfigError
from .._specification import count
from ._common import Options, Search, missing, new_seed

try:
    from ray.tune.search import Searcher
except ImportError as error:
    missing("ray", "ray", error)
from ray.tune.search.sample import Categorical, Domain, Float, Integer, LogUniform, Normal, Quantized, Uniform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HdriveSearch"]


class _Dimension:
    """One parameter: its expression, and values from the core's to Ray's and back."""

    def __init__(self, expression: Any, to_ray: Callable[[Any], Any] = lambda value: value,
                 to_core: Callable[[Any], Any] = lambda value: value) -> None:
        self.expression = expression
        self.to_ray = to_ray
        self.to_core = to_core


def _of_options(given: Iterable[Any]) -> _Dimension:
    options = Options(given)

    def label(value: Any) -> Any:
        for place, option in enumerate(options.options):
            if option is value or (type(option) is type(value) and option == value):
                return options.labels[place]
        raise ConfigError(f"{value!r} is none of the options {options.options}")

    return _Dimension(options.expression, options.__getitem__, label)


def _of_steps(name: str, low: float, high: float, step: Any, log: bool, kind: type) -> _Dimension:
    """The multiples of `step` from `low` to `high`, counted."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last < first:
        raise ConfigError(f"{name}: there is no multiple of {step} from {low} to {high}")
    if log and first < 1:
        raise ConfigError(f"{name}: a logarithmic scale begins above 0; the first multiple of {step} is {first * step}")
    return _Dimension(_core.expression("int_log_uniform" if log else "int_uniform", [first, last]),
                      lambda count: kind(count * step), lambda value: round(value / step))


def _of_domain(name: str, domain: Any) -> _Dimension:
    sampler, step = domain.get_sampler(), None
    if isinstance(sampler, Quantized):
        sampler, step = sampler.get_sampler(), sampler.q
    log = isinstance(sampler, LogUniform)
    if isinstance(domain, Categorical) and isinstance(sampler, Uniform):
        return _of_options(domain.categories)
    if isinstance(domain, Float):
        if isinstance(sampler, Normal):
            return _Dimension(_core.expression("normal", [sampler.mean, sampler.sd]) if step is None else
                              _core.expression("qnormal", [sampler.mean, sampler.sd, step]), float, float)
        if log or isinstance(sampler, Uniform):
            if step is not None:
                return _of_steps(name, domain.lower, domain.upper, step, log, float)
            bounds = [domain.lower, domain.upper]
            return _Dimension(_core.expression("log_uniform_values" if log else "uniform", bounds), float, float)
    if isinstance(domain, Integer) and (log or isinstance(sampler, Uniform)):
        # With a step other than 1 Ray's upper bound is included.
        inside = domain.upper - (step in (None, 1))
        return _of_steps(name, domain.lower, inside, step or 1, log, int)
    raise ConfigError(f"{name}: there is no equivalent of Ray's {domain.domain_str} of {type(domain).__name__}"
                      f"{'' if sampler is None else f' drawn as {sampler}'}")


def _leaves(space: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    for name, given in space.items():
        if isinstance(given, dict) and set(given) != {"grid_search"}:
            yield from _leaves(given, (*path, str(name)))
        else:
            yield (*path, str(name)), given


class _Space:
    """A search space of Ray. A parameter within a dict is called a/b. Of a `param_space` what is no domain is a
    constant, and stays Ray's."""

    def __init__(self, space: Mapping[str, Any], constants: bool) -> None:
        self._dimensions: dict[tuple[str, ...], _Dimension] = {}
        for path, given in _leaves(space):
            if isinstance(given, dict):
                raise ConfigError(f"{'/'.join(path)}: grid_search is Ray's own; give the options as tune.choice")
            if isinstance(given, Domain):
                self._dimensions[path] = _of_domain("/".join(path), given)
            elif constants and not isinstance(given, (_core.Expression, _space.Choice)):
                continue
            elif isinstance(given, (list, tuple, range)):
                self._dimensions[path] = _of_options(given)
            else:
                expression = _space.as_expression("/".join(path), given)
                if isinstance(expression, _space.Choice):
                    raise ConfigError(f"{'/'.join(path)}: Ray knows no conditional parameters; list all of them")
                self._dimensions[path] = _Dimension(expression)
        self.core = _core.space([("/".join(path), each.expression, None) for path, each in self._dimensions.items()])

    def __len__(self) -> int:
        return len(self._dimensions)

    def to_ray(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """As a trial's config has them."""
        config: dict[str, Any] = {}
        for path, each in self._dimensions.items():
            inner = config
            for name in path[:-1]:
                inner = inner.setdefault(name, {})
            inner[path[-1]] = each.to_ray(params["/".join(path)])
        return config

    def to_core(self, config: Mapping[str, Any], partial: bool) -> dict[str, Any]:
        """Of a trial's config what is searched over."""
        found: dict[tuple[str, ...], Any] = dict(_leaves(config))
        for name, value in config.items():  # an option that is a dict, or a name as it is in flat results
            found[name,] = found[tuple(name.split("/"))] = value
        lacking = ["/".join(path) for path in self._dimensions if path not in found]
        if lacking and not partial:
            raise ConfigError(f"the parameters lack {lacking[0]!r}")
        return {"/".join(path): each.to_core(found[path]) for path, each in self._dimensions.items() if path in found}


class HdriveSearch(Searcher):
    """A sampler of hdrive as a search algorithm of Ray Tune.

    `sampler` is its name (see `hdrive.samplers()`), a dict with its "type" and options, or an object with
    `propose(history, run)`. `space` maps names to expressions of hdrive, domains of Ray or lists of options, and may
    be left out where the Tuner has a `param_space`; then so may `metric` and `mode`, "min" or "max", which the
    TuneConfig has. `num_samples` says how many trials are planned, `max_concurrent` how many of them at once;
    "latin_hypercube" and "auto" go by them. `points_to_evaluate` are tried first; what one leaves out is drawn.
    Without a `seed` one is drawn.

    A trial counts with the metric of its last result; it has failed where Ray says so or there is no metric, or one
    that is not finite. Where a finite space is exhausted the search has finished. Raises hdrive.ConfigError, a
    ValueError, for what is not allowed.

    >>> search = HdriveSearch("sobol", {"x": tune.uniform(0, 1)}, metric="loss", mode="min", seed=1)
    >>> search.suggest("a trial")
    {'x': ...}
    """

    _metric: Any
    _mode: Any

    def __init__(self, sampler: Any = "bayesian", space: Mapping[str, Any] | None = None, *, metric: str | None = None,
                 mode: str | None = None, seed: int | None = None, num_samples: int = 100, max_concurrent: int = 1,
                 points_to_evaluate: Iterable[Mapping[str, Any]] = ()) -> None:
        if mode not in (None, "min", "max"):
            raise ConfigError(f'mode: {mode!r} is none; allowed: "min", "max"')
        super().__init__(metric=metric, mode=mode)
        _algorithms.split_algorithm(sampler, "sampler", "propose")
        self._sampler = sampler
        self._seed = new_seed() if seed is None else count("seed", seed, 0)
        self._num_samples = num_samples
        self._max_concurrent = max_concurrent
        self._points = [dict(point) for point in points_to_evaluate]
        # All that happened, as plain data: what is saved. A run is [parameters, value, status].
        self._records: list[list[Any]] = []
        self._runs: dict[str, int] = {}
        self._search: Search | None = None
        #: What the space was made of.
        self._given: tuple[Mapping[str, Any], bool] | None = None if space is None else (space, False)
        self._space = None if self._given is None else _Space(*self._given)
        if self._space is not None:
            self._begin(self._mode or "min")

    def _begin(self, mode: str) -> Search:
        """The search with all that is recorded."""
        if self._space is None:
            raise ConfigError("there is no space: give one to HdriveSearch, or to the Tuner as param_space")
        self._search = search = Search(self._space.core, goal="maximize" if mode == "max" else "minimize",
                                       sampler=self._sampler, seed=self._seed, max_total_runs=self._num_samples,
                                       max_concurrent_runs=self._max_concurrent)
        for params, value, status in self._records:
            run = search.add(params)
            if status is not None:
                search.end(run, value, status)
        return search

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        """What the Tuner has: taken where this has none of its own. Whether the space was."""
        self._metric = self._metric or metric
        if mode is not None and self._mode is None:
            self._mode = mode
            self._search = None
        if self._space is not None:
            return False
        space = _Space(config, constants=True)
        if not len(space):
            return False
        self._space, self._given = space, (config, True)
        self._begin(self._mode or "max")
        return True

    def suggest(self, trial_id: str) -> Any:
        """The parameters of a new trial; FINISHED where there are none left."""
        if not self._metric or not self._mode:
            raise ConfigError("metric and mode: give them to HdriveSearch or to the TuneConfig")
        search = self._search or self._begin(self._mode)
        assert self._space is not None
        given = self._space.to_core(self._points[0], partial=True) if self._points else None
        proposed = search.propose(given)
        if proposed is None:
            return self.FINISHED
        del self._points[:1]
        run, params = proposed
        self._records.append([params, None, None])
        self._runs[trial_id] = run
        return self._space.to_ray(params)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Nothing is to be done: a trial counts with its last result."""

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The trial is over."""
        run = self._runs.pop(trial_id, None)
        if run is None:
            return
        value = (result or {}).get(self._metric)
        if error or value is None or not math.isfinite(value):
            self._end(run, None, "Canceled" if result is None and not error else "Failed")
        else:
            self._end(run, float(value), "Completed")

    def _end(self, run: int, value: float | None, status: str) -> None:
        self._records[run][1:] = value, status
        if self._search is not None:
            self._search.end(run, value, status)

    def add_evaluated_point(self, parameters: dict[str, Any], value: float | None, error: bool = False,
                            pruned: bool = False, intermediate_values: list[float] | None = None) -> None:
        """A result from elsewhere, which the sampler then knows."""
        if self._space is None:
            raise ConfigError("there is no space yet that the parameters could belong to")
        params = self._space.to_core(parameters, partial=False)
        self._space.core.check(params)
        known = value is not None and math.isfinite(value)
        self._records.append([params, None, None])
        if self._search is not None:
            self._search.add(params)
        self._end(len(self._records) - 1, value if known else None,
                  "Failed" if error or not known and not pruned else "Canceled" if pruned else "Completed")

    def get_state(self) -> dict[str, Any]:
        """All that `set_state` needs to go on."""
        return {"version": 1, "seed": self._seed, "metric": self._metric, "mode": self._mode, "points": self._points,
                "records": self._records, "runs": self._runs}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on where another search was when `get_state` was called."""
        if not isinstance(state, dict) or state.get("version") != 1:
            raise ConfigError("this is no state of a HdriveSearch that this version can read")
        self._seed, self._metric, self._mode = state["seed"], state["metric"], state["mode"]
        self._points = [dict(point) for point in state["points"]]
        self._records = [list(record) for record in state["records"]]
        self._runs = dict(state["runs"])
        self._search = None
        if self._space is not None:
            self._begin(self._mode or "min")

    def save(self, checkpoint_path: str) -> None:
        """Writes the state to a file."""
        with open(checkpoint_path, "wb") as file:
            pickle.dump(self.get_state(), file)

    def restore(self, checkpoint_path: str) -> None:
        """Goes on from a file that `save` has written. It is unpickled: read only what you trust."""
        with open(checkpoint_path, "rb") as file:
            self.set_state(pickle.load(file))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_search", "_space")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._search = None
        self._space = None if self._given is None else _Space(*self._given)
