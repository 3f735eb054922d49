# SPDX-License-Identifier: Apache-2.0
"""The distributions, policies and sampling algorithms of azure.ai.ml.sweep."""

from __future__ import annotations

from typing import Any

from ... import _space
from .. import _policies
from .._errors import UserErrorException
from .._settings import Settings, ignored, nearest
from .._space import HyperParameterSampling

__all__ = ["BanditPolicy", "BayesianSamplingAlgorithm", "Choice", "Distribution", "GridSamplingAlgorithm",
           "LogNormal", "LogUniform", "MedianStoppingPolicy", "Normal", "Objective", "QLogNormal", "QLogUniform",
           "QNormal", "QUniform", "Randint", "RandomSamplingAlgorithm", "SamplingAlgorithm", "SweepJobLimits",
           "TruncationSelectionPolicy", "Uniform", "as_distribution", "as_policy", "as_sampling"]


class Distribution(Settings):
    """The base: attributes in the order of the expression's arguments."""

    def _expression(self, name: str) -> Any:
        given = [value for key, value in vars(self).items() if not key.startswith("_")]
        if any(value is None for value in given):
            raise UserErrorException(f"{name}: {type(self).__name__} wants "
                                     f"{', '.join(key for key in vars(self) if not key.startswith('_'))}")
        make = getattr(_space, type(self).__name__.lower())
        return make(*given)


class Choice(Distribution):
    """One of `values`. A dict among them is an option with members: constants, and distributions that are drawn only
    where it is chosen."""

    def __init__(self, values: Any = None) -> None:
        self.values = values
        self._seal()

    def _expression(self, name: str) -> Any:
        if not isinstance(self.values, (list, tuple, range)) or not self.values:
            raise UserErrorException(f"{name}: Choice wants a list of values, not {self.values!r}")
        return _space.choice([_option(name, value) for value in self.values])


def _option(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    drawn = {key: as_distribution(f"{name}.{key}", each) for key, each in value.items()
             if isinstance(each, Distribution)}
    constants = {key: each for key, each in value.items() if key not in drawn}
    return _space.option(constants, drawn) if drawn else constants


class Randint(Distribution):
    """An integer from 0 to `upper` - 1."""

    def __init__(self, upper: int | None = None) -> None:
        self.upper = upper
        self._seal()


class Uniform(Distribution):
    """A real number from `min_value` to `max_value`."""

    def __init__(self, min_value: float | None = None, max_value: float | None = None) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self._seal()


class LogUniform(Distribution):
    """exp(uniform(min_value, max_value)): the bounds are natural logarithms."""

    def __init__(self, min_value: float | None = None, max_value: float | None = None) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self._seal()


class QUniform(Distribution):
    """round(uniform(min_value, max_value) / q) * q."""

    def __init__(self, min_value: float | None = None, max_value: float | None = None, q: float | None = None) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.q = q
        self._seal()


class QLogUniform(Distribution):
    """round(exp(uniform(min_value, max_value)) / q) * q."""

    def __init__(self, min_value: float | None = None, max_value: float | None = None, q: float | None = None) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.q = q
        self._seal()


class Normal(Distribution):
    """A normal number."""

    def __init__(self, mu: float | None = None, sigma: float | None = None) -> None:
        self.mu = mu
        self.sigma = sigma
        self._seal()


class LogNormal(Distribution):
    """exp(normal(mu, sigma))."""

    def __init__(self, mu: float | None = None, sigma: float | None = None) -> None:
        self.mu = mu
        self.sigma = sigma
        self._seal()


class QNormal(Distribution):
    """round(normal(mu, sigma) / q) * q."""

    def __init__(self, mu: float | None = None, sigma: float | None = None, q: float | None = None) -> None:
        self.mu = mu
        self.sigma = sigma
        self.q = q
        self._seal()


class QLogNormal(Distribution):
    """round(exp(normal(mu, sigma)) / q) * q."""

    def __init__(self, mu: float | None = None, sigma: float | None = None, q: float | None = None) -> None:
        self.mu = mu
        self.sigma = sigma
        self.q = q
        self._seal()


def as_distribution(name: str, given: Any) -> Any:
    """The expression that a member of a search space is."""
    if isinstance(given, Distribution):
        return given._expression(name)
    if isinstance(given, (_space.Expression, _space.Choice)):
        return given
    raise UserErrorException(f"{name}: a {type(given).__name__} is no distribution; allowed: Choice, Randint, Uniform, "
                             "QUniform, LogUniform, QLogUniform, Normal, QNormal, LogNormal, QLogNormal")


# ---- policies -----------------------------------------------------------------------------------------------


class BanditPolicy(_policies.BanditPolicy):
    """As v1's, with keywords alone; a slack of 0 is none given."""

    def __init__(self, *, delay_evaluation: int = 0, evaluation_interval: int = 0, slack_amount: float | None = 0,
                 slack_factor: float | None = 0) -> None:
        super().__init__(evaluation_interval, slack_factor or None, slack_amount or None, delay_evaluation)


class MedianStoppingPolicy(_policies.MedianStoppingPolicy):
    """As v1's, with keywords alone."""

    def __init__(self, *, delay_evaluation: int = 0, evaluation_interval: int = 1) -> None:
        super().__init__(evaluation_interval, delay_evaluation)


class TruncationSelectionPolicy(_policies.TruncationSelectionPolicy):
    """As v1's, with keywords alone."""

    def __init__(self, *, delay_evaluation: int = 0, evaluation_interval: int = 0, truncation_percentage: int = 0,
                 exclude_finished_jobs: bool = False) -> None:
        super().__init__(truncation_percentage, evaluation_interval, delay_evaluation, exclude_finished_jobs)


def as_policy(given: Any) -> Any:
    """A policy, or the one word median_stopping, which needs no more."""
    if isinstance(given, str):
        if given.replace("_", "").lower() in ("medianstopping", "medianstoppingpolicy"):
            return MedianStoppingPolicy()
        raise UserErrorException(f"early_termination: {given!r} alone is not enough; allowed: \"median_stopping\", "
                                 "BanditPolicy(...), MedianStoppingPolicy(...), TruncationSelectionPolicy(...)")
    return _policies.as_policy(given)


# ---- sampling -----------------------------------------------------------------------------------------------


class SamplingAlgorithm(Settings):
    """The base: `type` is the algorithm's name."""

    type = ""


class RandomSamplingAlgorithm(SamplingAlgorithm):
    """Random draws, of `seed`; with the rule "sobol" a Sobol sequence."""

    type = "random"

    def __init__(self, *, rule: str | None = None, seed: int | None = None, logbase: Any = None) -> None:
        if rule not in (None, "random", "sobol"):
            raise UserErrorException(f"rule: {rule!r} is none; allowed: random, sobol")
        ignored("RandomSamplingAlgorithm", {"logbase": logbase}, "logarithmic expressions are laid out by logarithms")
        self.rule = rule
        self.seed = seed
        self._seal()


class GridSamplingAlgorithm(SamplingAlgorithm):
    """All combinations."""

    type = "grid"


class BayesianSamplingAlgorithm(SamplingAlgorithm):
    """A Gaussian process proposes."""

    type = "bayesian"


class _Sampling(HyperParameterSampling):
    """A sampling by the name of its sampler; what that one cannot draw is an error when it is submitted."""

    def __init__(self, name: str, space: dict[str, Any]) -> None:
        self._name = name
        super().__init__(space)


def as_sampling(algorithm: Any, space: dict[str, Any]) -> tuple[HyperParameterSampling, int | None]:
    """The sampling of a space, and the seed where one is given."""
    seed = getattr(algorithm, "seed", None)
    name = algorithm.lower() if isinstance(algorithm, str) else getattr(algorithm, "type", None)
    if name not in ("random", "grid", "bayesian"):
        raise UserErrorException(f"sampling_algorithm: {algorithm!r} is none"
                                 f"{nearest(str(name), ['random', 'grid', 'bayesian'])}")
    if getattr(algorithm, "rule", None) == "sobol":
        name = "sobol"
    drawn = {key: as_distribution(key, each) for key, each in space.items()}
    return _Sampling(name, drawn), seed


# ---- the rest of a sweep job --------------------------------------------------------------------------------


class SweepJobLimits(Settings):
    """Budgets: runs in all and at once, and seconds of the sweep and of a run."""

    def __init__(self, *, max_concurrent_trials: int | None = None, max_total_trials: int | None = None,
                 timeout: float | None = None, trial_timeout: float | None = None) -> None:
        self.max_concurrent_trials = max_concurrent_trials
        self.max_total_trials = max_total_trials
        self.timeout = timeout
        self.trial_timeout = trial_timeout
        self._seal()


class Objective(Settings):
    """The primary metric and whether it is to be maximized or minimized."""

    def __init__(self, goal: str, primary_metric: str | None = None) -> None:
        self.goal = goal
        self.primary_metric = primary_metric
        self._seal()
