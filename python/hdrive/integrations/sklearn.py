# SPDX-License-Identifier: Apache-2.0
"""hdrive as a search estimator of scikit-learn.

    from hdrive.integrations.sklearn import HdriveSearchCV

    search = HdriveSearchCV(SVC(), {"C": hdrive.loguniform(-5, 5), "kernel": ["rbf", "poly"]}, n_iter=30, cv=5,
                            sampler="bayesian", policy="median_stopping", random_state=0)
    search.fit(X, y)
    search.best_params_, search.best_score_
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Callable

from .. import _core, _space
from .._errors import ConfigError
from .._specification import count
from ._common import Judge, Options, Search, missing

try:
    import numpy
    from sklearn.base import is_classifier
except ImportError as error:
    missing("sklearn", "sklearn", error)
from joblib import effective_n_jobs
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["HdriveSearchCV"]

# Samplers whose proposals do not depend on results, so that all of them can be evaluated at once.
_BLIND = ("random", "grid", "sobol", "latin_hypercube")
_WHICH = "__space__"


class _Space:
    """A space as scikit-learn's users give it: options may be estimators or anything else, and there may be several
    spaces in a list, of which one is drawn first."""

    def __init__(self, space: Any) -> None:
        self._options: dict[tuple[str | None, str], Options] = {}
        if isinstance(space, dict):
            given = self._taken(None, space)
        elif isinstance(space, (list, tuple)) and space and all(isinstance(each, dict) for each in space):
            given = {_WHICH: _space.choice(*(_space.option(str(i), self._taken(str(i), each))
                                             for i, each in enumerate(space)))}
        else:
            raise ConfigError("space: wanted is a dict from parameters to expressions, distributions or lists of "
                              f"options, or a list of such dicts; not {space!r}")
        self.core = _space.to_space(given)

    def _taken(self, which: str | None, space: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._expression(which, name, each) for name, each in space.items()}

    def _expression(self, which: str | None, name: str, given: Any) -> Any:
        if isinstance(given, numpy.ndarray) and given.ndim == 1:
            given = list(given)
        if not isinstance(given, (list, tuple, range)):
            return given
        if len(given) == 0:
            raise ConfigError(f"space: {name} has no options")
        self._options[which, name] = options = Options(given)
        return options.expression

    def to_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """What the estimator gets."""
        which = params.get(_WHICH)
        return {name: self._options[which, name][value] if (which, name) in self._options else value
                for name, value in params.items() if name != _WHICH}


class _Folds:
    """A splitter that splits once, so that folds are the same for all candidates, and gives all folds, or with
    `one_by_one` those of number `fold` alone."""

    def __init__(self, splitter: Any, one_by_one: bool) -> None:
        self._splitter = splitter
        self._one_by_one = one_by_one
        self._splits: list[Any] | None = None
        self.fold = 0
        self.count = 0

    def get_n_splits(self, X: Any = None, y: Any = None, **params: Any) -> int:
        self.count = int(self._splitter.get_n_splits(X, y, **params))
        return 1 if self._one_by_one else self.count

    def split(self, X: Any, y: Any = None, **params: Any) -> list[Any]:
        if self._splits is None:
            self._splits = list(self._splitter.split(X, y, **params))
        return [self._splits[self.fold]] if self._one_by_one else self._splits

    def __getattr__(self, name: str) -> Any:
        if name == "get_metadata_routing":  # there only where the splitter has it
            return getattr(self._splitter, name)
        raise AttributeError(name)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_splits": None}


class _Candidate:
    """A parameter set and what came of it: for each fold what scikit-learn's evaluation gave, None where there was
    nothing but failures."""

    def __init__(self, run: int, params: dict[str, Any]) -> None:
        self.run = run
        self.params = params
        self.folds: list[dict[str, Any] | None] = []
        self.stopped = False

    def mean(self, score_of: Callable[[dict[str, Any]], float], error_score: float) -> float:
        """Of the folds so far."""
        scores = [error_score if fold is None else score_of(fold) for fold in self.folds]
        return float(numpy.mean(scores)) if scores else math.nan


class _Searching:
    """One fit of a HdriveSearchCV."""

    def __init__(self, owner: HdriveSearchCV, folds: _Folds, judge: Judge | None) -> None:
        self._owner = owner
        self._folds = folds
        self._judge = judge
        self._error_score = math.nan if owner.error_score == "raise" else float(owner.error_score)
        self._space = _Space(owner.space)
        self._reports = _core.History("maximize")
        self._candidates: list[_Candidate] = []
        self._failure: ValueError | None = None
        self._out: list[dict[str, Any]] = []
        #: What scikit-learn takes for the results; filled at the end.
        self.results: dict[str, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # scikit-learn sends the search estimator along to its workers, which have no use for this.
        return type(None), ()

    def take(self, out: list[dict[str, Any]]) -> dict[str, Any]:
        """scikit-learn has evaluated."""
        self._out = out
        return self.results

    def run(self, evaluate: Callable[[list[dict[str, Any]]], Any]) -> None:
        """Proposes and evaluates until the budget is spent or nothing is left to try."""
        jobs = effective_n_jobs(self._owner.n_jobs)
        budget = self._budget()
        seed = int(check_random_state(self._owner.random_state).randint(2**31 - 1))
        search = Search(self._space.core, goal="maximize", sampler=self._owner.sampler, seed=seed,
                        max_total_runs=budget, max_concurrent_runs=self._batch(jobs, None))
        size = self._batch(jobs, search.sampler_name) or budget
        while len(self._candidates) < budget:
            batch = self._propose(search, min(size, budget - len(self._candidates)))
            if not batch:
                break
            self._evaluate(evaluate, batch)
            for candidate in batch:
                self._end(search, candidate)
        self._tell_of_the_end(search, budget)

    def _budget(self) -> int:
        if self._owner.n_iter is not None:
            return count("n_iter", self._owner.n_iter)
        if self._space.core.cardinality is None:
            raise ConfigError("n_iter: how many candidates are there to be? (Only a finite space knows by itself.)")
        return int(self._space.core.cardinality)

    def _batch(self, jobs: int, sampler: str | None) -> int:
        """How many candidates are evaluated at once; 0: all."""
        if self._judge is not None:
            return jobs
        return 0 if sampler in _BLIND else math.ceil(jobs / max(1, self._folds.count))

    def _propose(self, search: Search, count: int) -> list[_Candidate]:
        batch: list[_Candidate] = []
        while len(batch) < count:
            proposed = search.propose()
            if proposed is None:
                break
            batch.append(_Candidate(proposed[0], self._space.to_params(proposed[1])))
            self._reports.add(proposed[1])
        self._candidates += batch
        return batch

    def _evaluate(self, evaluate: Callable[[list[dict[str, Any]]], Any], batch: list[_Candidate]) -> None:
        if self._judge is None:
            self._evaluate_folds(evaluate, batch, self._folds.count)
            return
        for fold in range(self._folds.count):
            self._folds.fold = fold
            live = [candidate for candidate in batch if not candidate.stopped]
            if not live:
                break
            self._evaluate_folds(evaluate, live, 1)
            if fold + 1 < self._folds.count:
                self._judge_all(live)

    def _evaluate_folds(self, evaluate: Callable[[list[dict[str, Any]]], Any], batch: list[_Candidate],
                        folds: int) -> None:
        try:
            evaluate([candidate.params for candidate in batch])
        except ValueError as error:
            # scikit-learn takes a batch in which every fit failed for a mistake; here it may be one candidate's.
            if self._owner.error_score == "raise" or "fits failed" not in str(error):
                raise
            self._failure = error
            warnings.warn(str(error), FitFailedWarning, stacklevel=2)
            for candidate in batch:
                candidate.folds += [None] * folds
            return
        fresh = self._out[-len(batch) * folds:]
        for place, candidate in enumerate(batch):
            candidate.folds += fresh[place * folds:(place + 1) * folds]

    def _judge_all(self, batch: list[_Candidate]) -> None:
        assert self._judge is not None
        for candidate in batch:
            self._reports.report(candidate.run, candidate.mean(self._score_of, self._error_score))
        for candidate in batch:
            candidate.stopped = self._judge.stops(candidate.run, self._reports)
            if candidate.stopped:
                self._reports.end(candidate.run, "Canceled")

    def _end(self, search: Search, candidate: _Candidate) -> None:
        value = candidate.mean(self._score_of, self._error_score)
        status = "Canceled" if candidate.stopped else "Completed" if math.isfinite(value) else "Failed"
        search.end(candidate.run, value if math.isfinite(value) else None, status)
        if not candidate.stopped:
            self._reports.report(candidate.run, value)
            self._reports.end(candidate.run, status)

    def _score_of(self, fold: dict[str, Any]) -> float:
        scores = fold["test_scores"]
        if not isinstance(scores, dict):
            return float(scores)
        refit = self._owner.refit
        return float(scores[refit] if isinstance(refit, str) and refit in scores else next(iter(scores.values())))

    def _tell_of_the_end(self, search: Search, budget: int) -> None:
        if self._failure is not None and not self._out:
            raise self._failure
        if not self._candidates:
            raise ConfigError("sampler: it proposed nothing")
        if len(self._candidates) < budget and search.sampler_name != "grid":
            warnings.warn(f"all {len(self._candidates)} parameter sets of the space were tried, fewer than "
                          f"n_iter={budget}", UserWarning, stacklevel=2)

    def finish(self, format_results: Callable[..., dict[str, Any]]) -> None:
        """Fills in the results."""
        model = next(fold for candidate in self._candidates for fold in candidate.folds if fold is not None)
        out = [each for candidate in self._candidates for each in self._completed(candidate, model)]
        with warnings.catch_warnings():
            if any(candidate.stopped for candidate in self._candidates):
                warnings.filterwarnings("ignore", "One or more of the .* scores are non-finite")
            self.results.update(format_results([c.params for c in self._candidates], self._folds.count, out))
        if self._judge is not None:
            self.results["stopped_early"] = numpy.array([candidate.stopped for candidate in self._candidates])

    def _completed(self, candidate: _Candidate, model: dict[str, Any]) -> list[dict[str, Any]]:
        """With something for the folds that failed or were left out, in the form of `model`."""
        known = [fold for fold in candidate.folds if fold is not None]
        times = {key: float(numpy.mean([fold[key] for fold in known])) if known else 0.0
                 for key in ("fit_time", "score_time")}

        def filler(score: float) -> dict[str, Any]:
            scores: dict[str, Any] = {key: dict.fromkeys(model[key], score) if isinstance(model[key], dict) else score
                                      for key in ("test_scores", "train_scores") if key in model}
            return {**model, "n_test_samples": 0, "fit_error": None, **times, **scores}

        left_out = self._folds.count - len(candidate.folds)
        return [filler(self._error_score) if fold is None else fold for fold in candidate.folds] + \
            [filler(math.nan)] * left_out


class HdriveSearchCV(BaseSearchCV):  # type: ignore[misc]
    """Search over an estimator's parameters by cross-validation, as RandomizedSearchCV does, with a sampler and a
    policy of hdrive.

    `space` maps parameters (`clf__C` of a pipeline's step) to expressions of hdrive, frozen distributions of
    scipy.stats that have an equivalent, or lists of options, which may be anything; or is a list of such dicts, of
    which one is drawn first. `n_iter` parameter sets are tried; None for all of a finite space. `sampler` and `policy`
    are as hdrive.Sweep takes them. With a `policy` folds are evaluated one after another, and after each the mean
    score so far is a report that the policy looks at; the folds that it leaves out have the score NaN in
    `cv_results_`, where a column `stopped_early` is added, and the parameter set ranks last. `scoring`, `n_jobs`,
    `refit`, `cv`, `verbose`, `pre_dispatch`, `error_score` and `return_train_score` are RandomizedSearchCV's. Of
    several metrics the one that `refit` names is optimised, else the first.

    With `n_jobs` above 1, samplers that learn from results propose as many sets at once as keep the jobs busy, so that
    what is found depends on it. The same `random_state` and `n_jobs` find the same.

    Attributes after `fit` are RandomizedSearchCV's: `best_params_`, `best_score_`, `best_estimator_`, `cv_results_`.

    Raises hdrive.ConfigError, which is a ValueError, for a space or options that are not allowed.

    >>> search = HdriveSearchCV(Ridge(), {"alpha": hdrive.log_uniform_values(1e-3, 1e3)}, n_iter=8, random_state=0)
    >>> search.fit(X, y).best_params_
    {'alpha': ...}
    """

    cv: Any
    _parameter_constraints = {**getattr(BaseSearchCV, "_parameter_constraints", {}), "random_state": ["random_state"]}

    def __init__(self, estimator: Any, space: Mapping[str, Any] | Sequence[Mapping[str, Any]], *,
                 n_iter: int | None = 10, sampler: Any = "bayesian", policy: Any = None, scoring: Any = None,
                 n_jobs: int | None = None, refit: Any = True, cv: Any = None, verbose: int = 0,
                 pre_dispatch: int | str = "2*n_jobs", random_state: Any = None, error_score: Any = numpy.nan,
                 return_train_score: bool = False) -> None:
        self.space = space
        self.n_iter = n_iter
        self.sampler = sampler
        self.policy = policy
        self.random_state = random_state
        super().__init__(estimator=estimator, scoring=scoring, n_jobs=n_jobs, refit=refit, cv=cv, verbose=verbose,
                         pre_dispatch=pre_dispatch, error_score=error_score, return_train_score=return_train_score)

    def fit(self, X: Any, y: Any = None, **params: Any) -> HdriveSearchCV:
        """Searches, and fits the best estimator to all of X and y unless `refit` is False. `params` go to the
        estimator's fit, to scorers and to the splitter (`groups`), as in RandomizedSearchCV."""
        given = self.cv
        folds = _Folds(check_cv(given, y, classifier=is_classifier(self.estimator)), self.policy is not None)
        self._searching = _Searching(self, folds, None if self.policy is None else Judge(self.policy, "maximize"))
        self.cv = folds
        try:
            super().fit(X, y, **params)
        finally:
            self.cv = given
            del self._searching
        self.n_splits_ = folds.count
        return self

    def _run_search(self, evaluate_candidates: Callable[[list[dict[str, Any]]], Any]) -> None:
        self._searching.run(evaluate_candidates)
        self._searching.finish(super()._format_results)

    def _format_results(self, candidate_params: Any, n_splits: int, out: list[dict[str, Any]],
                        more_results: Any = None) -> dict[str, Any]:
        return self._searching.take(out)
