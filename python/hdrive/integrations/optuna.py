# SPDX-License-Identifier: Apache-2.0
"""hdrive's samplers and policies in an Optuna study.

    import optuna
    from hdrive.integrations.optuna import HdrivePruner, HdriveSampler

    study = optuna.create_study(sampler=HdriveSampler("bayesian", seed=1), pruner=HdrivePruner("median_stopping"))
    study.optimize(objective, n_trials=50)
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

from .. import _algorithms, _core
from .._errors import ConfigError
from .._specification import count
from ._common import Judge, Options, Search, missing, new_seed

try:
    import optuna
except ImportError as error:
    missing("optuna", "optuna", error)
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import StudyDirection
from optuna.trial import TrialState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

__all__ = ["HdrivePruner", "HdriveSampler"]

_ENDS = {TrialState.COMPLETE: "Completed", TrialState.PRUNED: "Canceled", TrialState.FAIL: "Failed"}


def _goal(study: Study) -> str:
    return "maximize" if study.direction == StudyDirection.MAXIMIZE else "minimize"


def _study_key(study: Study) -> tuple[int, int]:
    return id(study._storage), study._study_id


class _Dimension:
    """One of Optuna's distributions as an expression, and values from one to the other. A distribution with steps is
    an integer that counts them; with `as_options` it is a choice."""

    def __init__(self, distribution: BaseDistribution, as_options: bool = False) -> None:
        self._distribution: Any = distribution
        self._options: Options | None = None
        self._low: Any = None
        self._step: Any = None
        if isinstance(distribution, CategoricalDistribution):
            self._options = Options(distribution.choices)
        elif isinstance(distribution, IntDistribution):
            self._low, self._step = distribution.low, None if distribution.step == 1 else distribution.step
        elif isinstance(distribution, FloatDistribution):
            self._low, self._step = distribution.low, distribution.step
        else:
            raise ConfigError(f"there is no equivalent of Optuna's {type(distribution).__name__}")
        if as_options and self._options is None and (self._step or isinstance(distribution, IntDistribution)):
            self._step = self._step or 1
            self._options = Options([self._at(i) for i in range(self._steps(self._step) + 1)])
            self._step = None
        self.expression = self._expression()

    def _steps(self, step: Any) -> int:
        return int(round((self._distribution.high - self._distribution.low) / step))

    def _at(self, count: int) -> Any:
        return min(self._low + count * self._step, self._distribution.high)

    def _expression(self) -> _core.Expression:
        it = self._distribution
        if self._options is not None:
            return self._options.expression
        if self._step is not None:
            return _core.expression("int_uniform", [0, self._steps(self._step)])
        if isinstance(it, IntDistribution):
            return _core.expression("int_log_uniform" if it.log else "int_uniform", [it.low, it.high])
        return _core.expression("log_uniform_values" if it.log else "uniform", [it.low, it.high])

    def to_core(self, value: Any) -> Any:
        """As the core's history holds it."""
        if self._options is not None:
            if isinstance(self._distribution, CategoricalDistribution):
                return self._options.labels[int(self._distribution.to_internal_repr(value))]
            return min(self._options.labels, key=lambda label: abs(label - value))
        if self._step is not None:
            return round((value - self._low) / self._step)
        return int(value) if isinstance(self._distribution, IntDistribution) else float(value)

    def to_optuna(self, value: Any) -> Any:
        """As the objective gets it."""
        if isinstance(self._distribution, CategoricalDistribution) and self._options is not None:
            return self._distribution.choices[self._options.place(value)]
        return value if self._step is None else self._at(value)

    def draw(self, stream: random.Random) -> Any:
        """A random value."""
        if self._distribution.single():
            it = self._distribution
            return it.choices[0] if isinstance(it, CategoricalDistribution) else it.low
        return self.to_optuna(self.expression.decode(stream.random()))


class _Space:
    """A search space of Optuna, as the core has it. Parameters go by their places there: Optuna's names are free."""

    def __init__(self, distributions: Mapping[str, BaseDistribution], as_options: bool) -> None:
        self.distributions = dict(distributions)
        self._dimensions = {name: _Dimension(each, as_options) for name, each in distributions.items()}
        self._names = {name: self._core_name(name) for name in self._dimensions}
        self.core = _core.space([(self._names[name], each.expression, None)
                                 for name, each in self._dimensions.items()])

    def _core_name(self, name: str) -> str:
        bare = name.lstrip("-")
        return name if bare == name and name else f"{bare}#{list(self._dimensions).index(name)}"

    def has(self, params: Mapping[str, Any]) -> bool:
        """Whether a trial has all of these parameters."""
        return all(name in params for name in self._dimensions)

    def to_core(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A trial's parameters, those of this space."""
        return {self._names[name]: each.to_core(params[name]) for name, each in self._dimensions.items()}

    def to_optuna(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The other way."""
        return {name: each.to_optuna(params[self._names[name]]) for name, each in self._dimensions.items()}


class _Stale(Exception):
    """A trial came out with other parameters than were proposed for it."""


class _Following:
    """A search that follows one study over one space."""

    def __init__(self, study: Study, space: _Space, search: Search) -> None:
        self.study_key = _study_key(study)
        self.space = space
        self.search = search
        self._runs: dict[int, tuple[int, dict[str, Any]]] = {}
        self._open: set[int] = set()
        self._seen = 0

    def propose(self, trial: FrozenTrial) -> dict[str, Any] | None:
        proposed = self.search.propose()
        if proposed is None:
            return None
        self._runs[trial.number] = proposed
        return self.space.to_optuna(proposed[1])

    def read(self, trials: list[FrozenTrial]) -> None:
        """Takes in what the trials have come to since it was last called. Raises _Stale where what was taken in does
        not hold."""
        self._open.update(range(self._seen, len(trials)))
        self._seen = len(trials)
        for number in sorted(self._open):
            if self._take(trials[number]):
                self._open.discard(number)

    def _take(self, trial: FrozenTrial) -> bool:
        """Whether it is over, so that nothing more will come of it."""
        end = _ENDS.get(trial.state)
        if not self.space.has(trial.params):
            if end and trial.number in self._runs:
                raise _Stale
            return end is not None
        params = self.space.to_core(trial.params)
        if trial.number not in self._runs:
            self._runs[trial.number] = self.search.add(params), params
        run, proposed = self._runs[trial.number]
        if proposed != params:
            raise _Stale
        if end:
            self.search.end(run, trial.value, end)
        return end is not None


class HdriveSampler(BaseSampler):
    """A sampler of hdrive as a sampler of Optuna.

    `sampler` is its name (see `hdrive.samplers()`), a dict with its "type" and options, or an object with
    `propose(history, run)`. It proposes the parameters that all finished trials have in common, together; a parameter
    that only some trials have, or whose range changes, is drawn at random, and so is the first trial. With
    `search_space`, distributions of Optuna by name, it proposes from the first trial on; "grid" needs it, and ends
    the study after its last point. `n_trials` and `n_jobs` say how many trials are planned and how many of them at
    once; "latin_hypercube" and "auto" go by them. Without a `seed` one is drawn.

    Parameters depend on the seed, the trial's number and the trials known so far, so that a study with one job
    repeats exactly. Where a finite space is exhausted, sets are drawn again.

    A trial that was pruned counts with its last value as stopped early, a failed one as failed. A study of several
    objectives is refused with ValueError, options and spaces that are not allowed with hdrive.ConfigError, which is
    a ValueError too.

    >>> study = optuna.create_study(sampler=HdriveSampler("bayesian", seed=1))
    >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=12)
    >>> study.best_value < 0.01
    True
    """

    def __init__(self, sampler: Any = "bayesian", *, seed: int | None = None,
                 search_space: Mapping[str, BaseDistribution] | None = None, n_trials: int = 100,
                 n_jobs: int = 1) -> None:
        named, _ = _algorithms.split_algorithm(sampler, "sampler", "propose")
        self._as_options = named is not None and named[0] == "grid"
        if self._as_options and search_space is None:
            raise ConfigError('the sampler "grid" needs the search_space; its first trial is the first of its points')
        self._sampler = sampler
        self._seed = new_seed() if seed is None else count("seed", seed, 0)
        self._search_space = None if search_space is None else dict(search_space)
        self._n_trials = n_trials
        self._n_jobs = n_jobs
        self._start_over()
        # Says now what is wrong with the options.
        self._search(_Space(self._search_space or {"x": FloatDistribution(0, 1)}, self._as_options), "minimize")

    def _start_over(self) -> None:
        self._lock = threading.Lock()
        self._following: _Following | None = None
        self._intersection: tuple[tuple[int, int], IntersectionSearchSpace] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items()
                if name not in ("_lock", "_following", "_intersection")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start_over()

    def reseed_rng(self) -> None:
        """Does nothing: draws depend on the trial's number, not on a stream that several workers would repeat."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The parameters that are proposed together."""
        if self._search_space is not None:
            found = self._search_space
        else:
            with self._lock:
                key = _study_key(study)
                if self._intersection is None or self._intersection[0] != key:
                    self._intersection = key, IntersectionSearchSpace()
                found = self._intersection[1].calculate(study)
        return {name: each for name, each in found.items() if not each.single()}

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> \
            dict[str, Any]:
        """Values of the parameters that are proposed together."""
        self._raise_error_if_multi_objective(study)
        if not search_space:
            return {}
        with self._lock:
            following = self._up_to_date(study, search_space)
            proposed = following.propose(trial)
        if proposed is not None:
            return proposed
        if following.search.sampler_name in ("grid", ""):
            self._stop(study)
        return {name: self._draw(trial, name, each) for name, each in search_space.items()}

    def sample_independent(self, study: Study, trial: FrozenTrial, param_name: str,
                           param_distribution: BaseDistribution) -> Any:
        """A random value of one parameter."""
        self._raise_error_if_multi_objective(study)
        return self._draw(trial, param_name, param_distribution)

    def _draw(self, trial: FrozenTrial, name: str, distribution: BaseDistribution) -> Any:
        return _Dimension(distribution).draw(random.Random(f"{self._seed}/{trial.number}/{name}"))

    @staticmethod
    def _stop(study: Study) -> None:
        try:
            study.stop()
        except RuntimeError:  # not within study.optimize: whoever asks goes on as long as they like
            pass

    def _search(self, space: _Space, goal: str) -> Search:
        return Search(space.core, goal=goal, sampler=self._sampler, seed=self._seed, max_total_runs=self._n_trials,
                      max_concurrent_runs=self._n_jobs)

    def _up_to_date(self, study: Study, search_space: dict[str, BaseDistribution]) -> _Following:
        trials = study.get_trials(deepcopy=False)
        following = self._following
        if following is not None and following.study_key == _study_key(study) \
                and following.space.distributions == search_space:
            try:
                following.read(trials)
                return following
            except _Stale:
                pass
        space = _Space(search_space, self._as_options)
        self._following = following = _Following(study, space, self._search(space, _goal(study)))
        following.read(trials)
        return following


class HdrivePruner(BasePruner):
    """A policy of hdrive as a pruner of Optuna.

    `policy` is its name, `hdrive.Bandit(...)` and its like, a dict with its "type" and options, or an object with
    `judge(run, history)`. Intervals are counted in reports, in the order of their steps, so that all trials should
    report at the same steps.

    >>> study = optuna.create_study(direction="maximize", pruner=HdrivePruner(hdrive.Bandit(slack_factor=0.1)))
    """

    def __init__(self, policy: Any = "median_stopping") -> None:
        Judge(policy, "minimize")
        self._policy = policy
        self._start_over()

    def _start_over(self) -> None:
        self._lock = threading.Lock()
        self._watching: _Watching | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_policy": self._policy}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start_over()

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial should be pruned by what it and the others have reported."""
        if not trial.intermediate_values:
            return False
        with self._lock:
            trials = list(study.get_trials(deepcopy=False))
            trials[trial.number] = trial  # other storages may know less of it
            if self._watching is None or self._watching.study_key != _study_key(study):
                self._watching = _Watching(study, Judge(self._policy, _goal(study)))
            try:
                self._watching.read(trials)
            except _Stale:
                self._watching = _Watching(study, Judge(self._policy, _goal(study)))
                self._watching.read(trials)
            return self._watching.stops(trial)


class _Watching:
    """The reports of a study's trials, as a history."""

    def __init__(self, study: Study, judge: Judge) -> None:
        self.study_key = _study_key(study)
        self._judge = judge
        self._history = _core.History(_goal(study))
        self._reports: list[list[tuple[int, float]]] = []
        self._open: set[int] = set()

    def read(self, trials: list[FrozenTrial]) -> None:
        """Takes in what was reported since it was last called. Raises _Stale where a report was changed, or came
        before another that was taken in."""
        for number in range(len(self._reports), len(trials)):
            self._history.add({})
            self._reports.append([])
            self._open.add(number)
        for number in sorted(self._open):
            self._take(trials[number])

    def _take(self, trial: FrozenTrial) -> None:
        known = self._reports[trial.number]
        reports = sorted(trial.intermediate_values.items())
        if [step for step, _ in known] != [step for step, _ in reports[:len(known)]] or \
                any(a != b and (a == a or b == b) for (_, a), (_, b) in zip(known, reports)):
            raise _Stale
        for step, value in reports[len(known):]:
            self._history.report(trial.number, value)
            known.append((step, value))
        if trial.state in _ENDS:
            self._history.end(trial.number, _ENDS[trial.state])
            self._open.discard(trial.number)

    def stops(self, trial: FrozenTrial) -> bool:
        return self._judge.stops(trial.number, self._history)
