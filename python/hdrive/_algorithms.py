# SPDX-License-Identifier: Apache-2.0
"""Samplers, policies and listeners: the built-in ones as classes, and the bases for one's own."""

from __future__ import annotations

from typing import Any

from . import _core
from ._errors import ConfigError
from ._specification import count, text

__all__ = ["Bandit", "Listener", "MedianStopping", "NoTermination", "Policy", "Sampler", "TruncationSelection",
           "make_sampler", "samplers"]


class Sampler:
    """The base of a sampler of one's own; deriving from it is not needed, having `propose` is.

    >>> class Middle(Sampler):
    ...     def propose(self, history, run):
    ...         return {"x": 0.5}, "the middle, always"
    """

    def propose(self, history: _core.History, run: int) -> Any:
        """The parameters of the next run, whose number is `run` and len(history): a dict, None where there is
        nothing left to try, or either with a sentence why, as a pair. `history` holds every earlier run and can be
        read during the call alone.

        The answer should depend on nothing else: a sweep that goes on after a break asks again. An exception
        ends the sweep.
        """
        raise NotImplementedError

    def describe(self) -> str:
        """One line for people."""
        return type(self).__name__


class Policy:
    """The base of an early-termination policy of one's own; having `judge` is enough.

    >>> class Patience(Policy):
    ...     def judge(self, run, history):
    ...         reports = history.reports(run)
    ...         return len(reports) > 10 and max(reports[-10:]) <= reports[-11]
    """

    def judge(self, run: int, history: _core.History) -> Any:
        """Whether the run, which has just reported, is to stop; or that and a sentence why, as a pair. Called for
        every report, on the engine's thread, so it should be quick. An exception ends the sweep."""
        raise NotImplementedError

    def describe(self) -> str:
        """One line for people."""
        return type(self).__name__


class Listener:
    """Hears all that happens in a sweep, after it was stored. Override what you want to hear; an exception ends the
    sweep. Called on the engine's thread: a slow listener slows the sweep.

    >>> class Ends(Listener):
    ...     def on_run_ended(self, run, attempt, status, cause, reason, error):
    ...         print(run, status)
    >>> sweep = Sweep({"x": [1, 2]}, metric="loss", goal="minimize", sampler="grid", directory=":memory:",
    ...               listeners=[Ends()])
    >>> _ = sweep.run(lambda x: x)
    0 Completed
    1 Completed
    """

    def on_change(self, kind: str, facts: dict[str, Any]) -> None:
        """Everything; calls the method below that is named on_<kind>, if there is one."""
        heard = getattr(self, "on_" + kind, None)
        if heard is not None:
            heard(**facts)

    def on_run_proposed(self, run: int, attempt: int, params: dict[str, Any], reason: str) -> None:
        """A parameter set was drawn."""

    def on_run_submitted(self, run: int, attempt: int, handle: str) -> None:
        """A run waits in a queue of its target, which calls it `handle`."""

    def on_run_unreachable(self, run: int, attempt: int, reason: str) -> None:
        """Its target has no contact with a run, which may go on."""

    def on_run_reachable(self, run: int, attempt: int, reason: str) -> None:
        """There is contact with a run again; `reason` is empty."""

    def on_run_started(self, run: int, attempt: int, slot: int | None) -> None:
        """A run began."""

    def on_metrics(self, run: int, attempt: int, metrics: list[tuple[str, float, int | None]]) -> None:
        """A run logged these: name, value, step."""

    def on_verdict(self, run: int, attempt: int, stop: bool, reason: str) -> None:
        """The policy looked at a run."""

    def on_run_ended(self, run: int, attempt: int, status: str, cause: str, reason: str, error: str) -> None:
        """A run is over."""

    def on_sweep_changed(self, status: str, end: str, reason: str) -> None:
        """The sweep began, paused, went on or ended."""


class _Named:
    """A built-in algorithm: its name in a configuration and its options."""

    _name = ""

    def __init__(self, **options: Any) -> None:
        self.options = {name: value for name, value in options.items() if value is not None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in self.options.items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Named) and type(self) is type(other) and self.options == other.options

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(self.options.items()))))


class _NamedPolicy(_Named):
    def judge(self, run: int, history: _core.History) -> tuple[bool, str]:
        """Whether the run is to stop, and why, by itself: without a sweep.

        >>> history = hdrive.History("maximize")
        >>> for value in 0.9, 0.5:
        ...     history.report(history.add({}), value)
        >>> hdrive.Bandit(slack_amount=0.2).judge(1, history)[0]
        True
        """
        if not isinstance(history, _core.History):
            raise TypeError(f"judge: a hdrive.History is wanted, not a {type(history).__name__}")
        spec = _core.Spec()
        spec.goal = history.goal
        spec.policy = (self._name, self.options)
        return _core.make_policy(spec).judge(run, history)


class Bandit(_NamedPolicy):
    """Stops a run whose best report lies too far behind the best one of any run at the same interval: below
    best / (1 + `slack_factor`), or best - `slack_amount`, of a metric to be maximised. One of the two is required.

    It looks every `evaluation_interval` reports, from `delay_evaluation` reports on.

    >>> Bandit(slack_factor=0.1, delay_evaluation=5)
    Bandit(slack_factor=0.1, delay_evaluation=5)
    """

    _name = "bandit"

    def __init__(self, slack_factor: float | None = None, slack_amount: float | None = None,
                 evaluation_interval: int | None = None, delay_evaluation: int | None = None) -> None:
        super().__init__(slack_factor=slack_factor, slack_amount=slack_amount,
                         evaluation_interval=evaluation_interval, delay_evaluation=delay_evaluation)


class MedianStopping(_NamedPolicy):
    """Stops a run whose best report is worse than the median of the other runs' averages up to the same interval.

    >>> MedianStopping(delay_evaluation=5)
    MedianStopping(delay_evaluation=5)
    """

    _name = "median_stopping"

    def __init__(self, evaluation_interval: int | None = None, delay_evaluation: int | None = None) -> None:
        super().__init__(evaluation_interval=evaluation_interval, delay_evaluation=delay_evaluation)


class TruncationSelection(_NamedPolicy):
    """Stops the worst `truncation_percentage` percent of the runs at each interval.

    >>> TruncationSelection(20)
    TruncationSelection(truncation_percentage=20)
    """

    _name = "truncation_selection"

    def __init__(self, truncation_percentage: int, evaluation_interval: int | None = None,
                 delay_evaluation: int | None = None, exclude_finished_jobs: bool | None = None) -> None:
        super().__init__(truncation_percentage=truncation_percentage, evaluation_interval=evaluation_interval,
                         delay_evaluation=delay_evaluation, exclude_finished_jobs=exclude_finished_jobs)


class NoTermination(_NamedPolicy):
    """Stops nothing; the default.

    >>> NoTermination()
    NoTermination()
    """

    _name = "no_termination"


def samplers() -> dict[str, str]:
    """The built-in samplers, each with a sentence.

    >>> sorted(samplers())[:2]
    ['auto', 'bayesian']
    """
    return {row["name"]: row["summary"] for row in _core.samplers()}


def make_sampler(sampler: Any, space: Any, *, goal: str, seed: int = 0, max_total_runs: int,
                 max_concurrent_runs: int = 1) -> _core.Sampler:
    """A built-in sampler by itself, to be asked about a history: `propose(history)` gives the parameters of the next
    run, None where there is nothing left, and a sentence why. The same history gets the same answer.

    >>> history = hdrive.History("minimize")
    >>> grid = hdrive.make_sampler("grid", {"x": [1, 2]}, goal="minimize", max_total_runs=2)
    >>> grid.propose(history)[0]
    {'x': 1}
    """
    from ._space import to_space
    named, own = split_algorithm(sampler, "sampler", "propose")
    if named is None:
        raise ConfigError(f"sampler: wanted is a built-in one by its name; {type(own).__name__} proposes by itself")
    spec = _core.Spec()
    spec.space = to_space(space)
    spec.goal = text("goal", goal)
    spec.sampling = named
    spec.seed = count("seed", seed, 0)
    spec.max_total_runs = count("max_total_runs", max_total_runs)
    spec.max_concurrent_runs = count("max_concurrent_runs", max_concurrent_runs)
    return _core.make_sampler(spec)


def split_algorithm(given: Any, what: str, method: str) -> tuple[tuple[str, dict[str, Any]] | None, Any]:
    """A sampler or policy as given: (name and options, None) of a built-in one, (None, object) of one's own."""
    if isinstance(given, str):
        return (given, {}), None
    if isinstance(given, _Named):
        return (given._name, given.options), None
    if isinstance(given, dict):
        options = dict(given)
        name = options.pop("type", options.pop("name", None))
        if not isinstance(name, str):
            raise ConfigError(f'{what}: a dict names the algorithm by "type": {{"type": "bayesian", ...}}')
        return (name, options), None
    if isinstance(given, type) and hasattr(given, method):
        raise ConfigError(f"{what}: {given.__name__} is a class; give an object of it: {given.__name__}()")
    if callable(getattr(given, method, None)):
        return None, given
    raise ConfigError(f"{what}: wanted is a name, a dict with a \"type\", or an object with {method}(); not a "
                      f"{type(given).__name__}")
