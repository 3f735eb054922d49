# SPDX-License-Identifier: Apache-2.0
"""HyperDriveRun: a sweep that was submitted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, List

from .._catalog import load
from .._errors import HdriveError
from . import _context, _live
from ._errors import UserErrorException
from ._policies import (BanditPolicy, EarlyTerminationPolicy, MedianStoppingPolicy, NoTerminationPolicy,
                        TruncationSelectionPolicy)
from ._runs import Run, add_numbers, hyperparameters_text, metrics_of
from ._settings import count, not_built

if TYPE_CHECKING:
    from .._stored_run import StoredRun
    from ._workspace import Experiment

__all__ = ["HyperDriveRun"]

_POLICIES: dict[str, Any] = {"bandit": BanditPolicy, "median_stopping": MedianStoppingPolicy,
                             "truncation_selection": TruncationSelectionPolicy}


class HyperDriveRun(Run):
    """A sweep. `HyperDriveRun(experiment, run_id)` finds one again, whoever began it, the command among them.

        run = experiment.submit(hyperdrive_config)
        run.wait_for_completion(show_output=True)
        best = run.get_best_run_by_primary_metric()
        best.get_metrics(), best.get_details()["runDefinition"]["arguments"]
    """

    def __init__(self, experiment: Experiment, run_id: str, hyperdrive_config: Any = None) -> None:
        sweep = _live.open_sweep(experiment.workspace.directory, run_id)
        self._attach(experiment, sweep, None)
        self._given_config = hyperdrive_config

    @property
    def type(self) -> str:
        """hyperdrive."""
        return "hyperdrive"

    @property
    def hyperdrive_config(self) -> Any:
        """The HyperDriveConfig it was submitted with in this process, else None."""
        return getattr(self, "_given_config", None)

    def get_status(self) -> str:
        """Running, Completed, Failed, Canceled or Paused."""
        return str(self._sweep._entry()["status"])

    # ---- what came of it ------------------------------------------------------------------------------------

    def get_children(self, recursive: bool = False, tags: Any = None, properties: Any = None, type: Any = None,
                     status: str | None = None) -> Iterator[Run]:
        """Its runs, by number: those with this status, and with this tag, a key or a dict from keys to values."""
        for stored in self._sweep.runs:
            child = Run._made(self.experiment, self._sweep, stored.number)
            if status is not None and stored.status != status:
                continue
            if _matches(tags, child.get_tags()) and _matches(properties, child.get_properties()):
                yield child

    def _ranked(self) -> List[StoredRun]:
        """Best first; without a value last, by number."""
        runs = list(self._sweep.runs)
        sign = -1.0 if self._sweep.goal == "maximize" else 1.0
        return sorted(runs, key=lambda run: (run.value is None, sign * (run.value or 0.0), run.number))

    def get_best_run_by_primary_metric(self, include_failed: bool = True, include_canceled: bool = True,
                                       include_resume_from_runs: bool = True) -> Any:
        """The run with the best value of the primary metric that any of its reports had, stopped and failed runs
        included unless said otherwise; of several the earliest. None before there is one. With
        `include_resume_from_runs` a better run of a sweep that this one was resumed from, where that is still there."""
        left_out = {"Failed": not include_failed, "Canceled": not include_canceled}
        best = next((stored for stored in self._ranked()
                     if stored.value is not None and not left_out.get(stored.status, False)), None)
        found = None if best is None else Run._made(self.experiment, self._sweep, best.number)
        value = None if best is None else best.value
        for parent in self._parents() if include_resume_from_runs else []:
            other = parent.get_best_run_by_primary_metric(include_failed, include_canceled, False)
            reached = None if other is None else other._stored().value
            if reached is not None and (value is None or (reached > value if self._sweep.goal == "maximize"
                                                          else reached < value)):
                found, value = other, reached
        return found

    def _parents(self) -> list["HyperDriveRun"]:
        """The sweeps it was resumed from, those that are gone left out."""
        parents: list[HyperDriveRun] = []
        for name in self._sweep._spec.resume_from:
            try:
                parents.append(HyperDriveRun._made(self.experiment, load(name, directory=self._sweep._home), None))
            except HdriveError:
                continue
        return parents

    def get_children_sorted_by_primary_metric(self, top: int = 0, reverse: bool = False,
                                              discard_no_metric: bool = False) -> List[dict[str, Any]]:
        """Its runs, best first (`reverse`: worst first), as dicts: run_id, hyperparameters (JSON text),
        best_primary_metric, status. Those without the metric come last, or not at all with `discard_no_metric`. `top`
        limits how many; 0 is all."""
        count("top", top, 0)
        ranked = self._ranked()
        having = [run for run in ranked if run.value is not None]
        rest = [] if discard_no_metric else [run for run in ranked if run.value is None]
        ordered = (having[::-1] if reverse else having) + rest
        return [{"run_id": run.id, "hyperparameters": hyperparameters_text(self._sweep, run.params),
                 "best_primary_metric": run.value, "status": run.status}
                for run in (ordered[:top] if top else ordered)]

    def get_metrics(self, name: str | None = None, recursive: bool = False, run_type: Any = None,
                    populate: bool = False) -> dict[str, Any]:
        """Of each run by its id what it logged: {run_id: {metric: value, or list of values}}."""
        found = {}
        for stored in self._sweep.runs:
            metrics = metrics_of(self._sweep, stored)
            found[stored.id] = metrics if name is None else {n: v for n, v in metrics.items() if n == name}
        return found

    def get_own_metrics(self) -> dict[str, Any]:
        """What was logged to the sweep itself, by run.parent.log in its runs or by log here."""
        kinds = ("row", "table", "text", "document")
        metrics = _context.gather([(kind, name, value) for kind in kinds for name, value in self._journal.read(kind)])
        add_numbers(metrics, self._journal.read("number"))
        return metrics

    def get_hyperparameters(self) -> dict[str, str]:
        """Of each run by its id its parameters, as JSON text."""
        return {stored.id: hyperparameters_text(self._sweep, stored.params) for stored in self._sweep.runs}

    def get_termination_policy(self) -> EarlyTerminationPolicy:
        """The policy."""
        name, options = self._sweep._spec.policy
        made = _POLICIES.get(name)
        policy: EarlyTerminationPolicy = NoTerminationPolicy() if made is None else made(**options)
        return policy

    def get_diagnostics(self) -> str:
        """What hdrive did with the sweep, as the service's log hyperdrive.txt tells it."""
        return self._sweep.controller_log()

    # ---- details --------------------------------------------------------------------------------------------

    def _properties(self) -> dict[str, str]:
        sweep, spec = self._sweep, self._sweep._spec
        properties = {"primary_metric_config": json.dumps({"name": sweep.metric, "goal": sweep.goal}),
                      "resume_from": "null", "runTemplate": "HyperDrive", "azureml.runsource": "hyperdrive",
                      "platform": "hdrive"}
        size = spec.space.cardinality
        properties["space_size"] = "infinite_space_size" if size is None else str(size)
        best = self.get_best_run_by_primary_metric()
        if best is not None and self.get_status() in _live.ENDED:
            properties.update({"best_child_run_id": best.id, "score": str(best._stored().value),
                               "best_metric_status": "Succeeded"})
        return {**properties, **self._facts("property")}

    def get_details(self) -> dict[str, Any]:
        """runId, status, startTimeUtc, endTimeUtc, properties (primary_metric_config, space_size, at the end
        best_child_run_id and score), and the definition of its runs."""
        entry = self._sweep._entry()
        runs = list(self._sweep.runs)
        ended = [run.ended for run in runs if run.ended is not None]
        from ._runs import _utc
        over = entry["status"] in _live.ENDED
        details: dict[str, Any] = {
            "runId": self.id, "target": self._config().get("target", "local"), "status": entry["status"], "startTimeUtc": _created(entry["created"]),
            "endTimeUtc": _utc(max(ended)) if over and ended else None, "services": {},
            "properties": self._properties(), "inputDatasets": [], "outputDatasets": [],
            "runDefinition": self._definition(), "logFiles": {}}
        if entry["status"] == "Failed":
            details["error"] = {"error": {"code": "UserError", "message": entry["reason"]}}
        return details

    # ---- its course -----------------------------------------------------------------------------------------

    def cancel(self) -> bool:
        """Stops the sweep and its runs. True once that was heard, also where it had ended."""
        if self.get_status() not in _live.ENDED:
            _live.request(self._sweep, "stop")
        return True

    def fail(self, error_details: Any = None, error_code: Any = None, _set_status: bool = True) -> None:
        """A sweep fails where all its runs do, and no other way."""
        raise not_built("HyperDriveRun.fail", "cancel() stops the sweep")

    def wait_for_completion(self, show_output: bool = False, wait_post_processing: bool = False,
                            raise_on_error: bool = True) -> dict[str, Any]:
        """Waits until the sweep has ended and returns get_details(). With `show_output` its runs are told of as they
        begin and end. Ctrl-C ends the waiting and not the sweep. Raises ActivityFailedException where no run came to
        anything, unless `raise_on_error` is False."""
        return super().wait_for_completion(show_output, wait_post_processing, raise_on_error)

    def _await(self, look: Any) -> None:
        _live.wait(self._sweep, _Teller(self) if not _is_nothing(look) else look)

    def resume(self, *_: Any, **__: Any) -> None:
        """A sweep that was stopped goes on by the command."""
        raise UserErrorException(f"`hdrive resume {self.id}` goes on with a sweep, and so does "
                                 f"hdrive.load({self.id!r}).run_command()")


def _is_nothing(look: Any) -> bool:
    return getattr(look, "__name__", "") == "<lambda>"


class _Teller:
    """Prints what has changed about a sweep's runs."""

    def __init__(self, run: HyperDriveRun) -> None:
        self._sweep = run._sweep
        self._seen: dict[int, str] = {}
        self._first = 0

    def __call__(self) -> None:
        metric = self._sweep.metric
        for stored in self._sweep.runs[self._first:]:
            before = self._seen.get(stored.number)
            if stored.status == before or stored.status == "Queued":
                continue
            self._seen[stored.number] = stored.status
            if before is None:
                print(f"{stored.id}: started, {hyperparameters_text(self._sweep, stored.params)}", flush=True)
            if stored.status in _live.ENDED:
                value = "no value" if stored.value is None else f"{stored.value:g}"
                print(f"{stored.id}: {stored.status}, best {metric} {value}"
                      + (f"; {stored.reason}" if stored.status != "Completed" else ""), flush=True)
        while self._seen.get(self._first) in _live.ENDED:
            self._first += 1


def _matches(wanted: Any, there: dict[str, str]) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return wanted in there
    return all(there.get(str(key)) == str(value) for key, value in dict(wanted).items())


def _created(seconds: float | None) -> str | None:
    from datetime import datetime, timezone

    from ._runs import _utc
    return None if seconds is None else _utc(datetime.fromtimestamp(seconds, timezone.utc))
