# SPDX-License-Identifier: Apache-2.0
"""From what a user calls an objective to what the engine calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from ._errors import ConfigError, RunStopped
from ._run import Run

if TYPE_CHECKING:
    from ._sweep import Sweep

_WHOLE = ("run", "params")


def how_to_call(objective: Callable[..., Any], names: list[str], conditional: set[str]) -> tuple[list[str], bool]:
    """The names of the arguments it is called with, or, where it is called with (run, params), none and True.

    `names` are the space's parameters without leading dashes, `conditional` those that some sets lack.
    """
    if not callable(objective):
        raise ConfigError(f"objective: wanted is a function, not a {type(objective).__name__}")
    if isinstance(objective, type) and issubclass(objective, BaseException):
        raise ConfigError("objective: an exception is no objective")
    import inspect
    if inspect.iscoroutinefunction(objective) or inspect.isasyncgenfunction(objective) \
            or inspect.isgeneratorfunction(objective):
        raise ConfigError("objective: wanted is a function that trains and returns, not an async function or a "
                          "generator; asyncio.run() in a function calls an async one")
    try:
        given = inspect.signature(objective).parameters.values()
    except (TypeError, ValueError):  # a built-in function tells nothing of itself
        return [], True
    by_name = [p for p in given if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes_all = any(p.kind == p.VAR_KEYWORD for p in given)
    known = {*names, *_WHOLE}
    unknown = [p.name for p in by_name if p.name not in known and p.default is p.empty]
    required = [p for p in given if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    if not unknown and not any(p.kind == p.POSITIONAL_ONLY for p in given) and (by_name or takes_all):
        lacking = [p.name for p in by_name if p.name in conditional and p.default is p.empty]
        if lacking:
            raise ConfigError(f"objective: {lacking[0]!r} does not exist in every parameter set, so the argument needs "
                              f"a default: {lacking[0]}=None")
        wanted = [p.name for p in by_name if p.name in known]
        return (wanted + [n for n in names if n not in wanted], False) if takes_all else (wanted, False)
    if len(required) == 2 or any(p.kind == p.VAR_POSITIONAL for p in given):
        return [], True
    raise ConfigError("objective: its arguments are to be (run, params), or names of parameters"
                      + (f"; {unknown[0]!r} is none of {', '.join(names)}" if unknown else ""))


class Call:
    """An objective with what it takes to call it; picklable where the objective is."""

    def __init__(self, objective: Callable[..., Any], arguments: list[str], whole: bool, metric: str,
                 raise_on_stop: bool, judged: bool) -> None:
        self.objective = objective
        self.arguments = arguments
        self.whole = whole
        self.metric = metric
        self.raise_on_stop = raise_on_stop
        self.judged = judged

    def __call__(self, handle: Any, directory: str | Callable[[], str]) -> str | None:
        """Runs the objective for the run behind `handle`, and logs what it returns. What an exception was is left to
        whoever calls this."""
        run = Run(handle, self.metric, directory, self.raise_on_stop)
        params = run.params
        try:
            if self.whole:
                returned = self.objective(run, params)
            else:
                values = {**params, "run": run, "params": params, **params}
                returned = self.objective(**{n: values[n] for n in self.arguments if n in values})
        except RunStopped:
            return None
        except SystemExit as error:  # a script's way to be done
            if error.code not in (None, 0):
                raise
            return None
        return self._log(handle, returned)

    def _log(self, handle: Any, returned: Any) -> str | None:
        if returned is None:
            return None
        if isinstance(returned, dict):
            for name, value in returned.items():
                handle.report(str(name), value, None)
            self._settle(handle)
            return None
        if isinstance(returned, (str, bytes, list, tuple, set)):
            raise TypeError(f"the objective returned a {type(returned).__name__}; wanted is the value of "
                            f"{self.metric}, a dict of metrics, or None")
        handle.report(self.metric, returned, None)
        self._settle(handle)
        return None

    def _settle(self, handle: Any) -> None:
        """Waits for the policy's word on what was returned: else it would be chance whether the run had completed
        before it was to stop."""
        if self.judged:
            handle.await_verdict()


class Adapted:
    """A Call for one sweep."""

    def __init__(self, call: Call, sweep: Sweep) -> None:
        self.call = call
        self._sweep = sweep

    def directory_of(self, handle: Any) -> str:
        """Where the files of the run go."""
        return handle.directory or self._sweep._run_directory(handle.number)

    def in_thread(self, handle: Any) -> str | None:
        """What the engine calls, on a thread of the run's own."""
        return self.call(handle, lambda: self.directory_of(handle))


def adapt(objective: Callable[..., Any], sweep: Sweep, raise_on_stop: bool) -> Adapted:
    """Checks an objective against the sweep's space before anything starts."""
    parameters = sweep._first_spec.space.parameters
    names = list(dict.fromkeys(name.lstrip("-") for name, _, _ in parameters))
    conditional = {name.lstrip("-") for name, _, condition in parameters if condition is not None}
    arguments, whole = how_to_call(objective, names, conditional)
    judged = sweep._policy is not None or sweep._spec.policy[0] != "no_termination"
    return Adapted(Call(objective, arguments, whole, sweep.metric, raise_on_stop, judged), sweep)
