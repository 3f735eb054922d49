# SPDX-License-Identifier: Apache-2.0
"""Sweep: what to search, how, and what came of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Literal, NoReturn

from . import _algorithms, _core, _objective, _space, _specification, _surroundings
from ._asking import Asking
from ._errors import ConfigError
from ._handle import Handle, keep_running
from ._kept import MEMORY, Goal
from ._results import Results
from ._specification import count as whole
from ._specification import home, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["MEMORY", "Sweep"]

Workers = Literal["thread", "process", "forkserver"]


class Sweep(Asking, Results):
    """A sweep over a search space.

    `space` maps names to expressions (`uniform(0, 1)`, `choice("a", "b")`, ...) or lists of options. `metric` is the
    name of the primary metric and `goal` "minimize" or "maximize". `sampler` is the name of one
    (see `hdrive.samplers()`), a dict with its "type" and options, or an object with a method
    `propose(history, run)`; `policy` likewise, or `hdrive.Bandit(...)`, `hdrive.MedianStopping(...)`,
    `hdrive.TruncationSelection(...)`, or an object with `judge(run, history)`. `max_total_runs` may be left out for
    the sampler "grid". `max_duration` is in seconds, of the sweep as a whole (7 days). Without a `seed` one is drawn
    and kept. `directory` is the folder that holds sweeps, by default $HDRIVE_HOME or .hdrive in the working directory;
    ":memory:" keeps nothing on disk. `start_points` are tried first; what a point leaves out is drawn. From the runs of
    the earlier sweeps `resume_from` (sweeps, or their ids, names or folders) samplers learn, and policies compare with
    them; `resume_child_runs` ("SWEEP/3", "HD_..._3") go on with their own values. `listeners` hear all that happens.
    `target` names where the runs of `run_command` go (docs/targets.md), `distribution` what starts several processes of
    each (docs/distributed.md). Further arguments are keys of hdconfig.yml,
    among them `max_run_duration` (seconds), `max_failed_retries`, `stop_at`, `stop_without_progress`, `repeat_best`.

    Raises ConfigError for what is not allowed.

    >>> sweep = hdrive.Sweep({"x": hdrive.uniform(-1, 1)}, metric="loss", goal="minimize", sampler="bayesian",
    ...                      max_total_runs=12, seed=7, directory=":memory:")
    >>> sweep.run(lambda x: x * x)
    <Sweep of loss: 12 runs, Completed, ...>
    >>> abs(sweep.best.params["x"]) < 0.5
    True
    """

    def __init__(self, space: Mapping[str, Any] | _core.Space, *, metric: str, goal: Goal, sampler: Any = "random",
                 policy: Any = None, max_total_runs: int | None = None, max_concurrent_runs: int = 1,
                 max_duration: float | None = None, seed: int | None = None, name: str | None = None,
                 directory: str | os.PathLike[str] | None = None, start_points: Iterable[Mapping[str, Any]] = (),
                 resume_from: Iterable[Any] = (), resume_child_runs: Iterable[Any] = (),
                 listeners: Iterable[Any] = (), **options: Any) -> None:
        spec = _core.Spec()
        spec.space = _space.to_space(space)
        if not isinstance(metric, str) or not metric:
            raise ConfigError("metric: wanted is the name of the primary metric, such as \"accuracy\"")
        spec.primary_metric = _specification.text("metric", metric)
        spec.goal = _specification.text("goal", goal)
        named, own_sampler = _algorithms.split_algorithm(sampler, "sampler", "propose")
        if named:
            spec.sampling = named
        if policy is not None:
            named, own_policy = _algorithms.split_algorithm(policy, "policy", "judge")
            if named:
                spec.policy = named
        else:
            own_policy = None
        spec.max_total_runs = _specification.budget(spec, max_total_runs)
        spec.max_concurrent_runs = whole("max_concurrent_runs", max_concurrent_runs)
        if max_duration is not None:
            spec.max_duration = _specification.seconds("max_duration", max_duration)
        spec.seed = _core.new_seed() if seed is None else whole("seed", seed, 0)
        spec.name = _specification.text("name", name or "")
        spec.start_points = _specification.points("start_points", start_points)
        spec.resume_from = _specification.earlier("resume_from", resume_from)
        spec.resume_child_runs = _specification.earlier("resume_child_runs", resume_child_runs)
        spec.source_directory = _specification.working_directory()
        _specification.set_options(spec, options)
        spec.check()
        self._set_up(spec, None, MEMORY if directory == MEMORY else home(directory, new=True), own_sampler, own_policy,
                     listeners)

    @classmethod
    def from_config(cls, path: str | os.PathLike[str] = "hdconfig.yml", *,
                    directory: str | os.PathLike[str] | None = None, listeners: Iterable[Any] = (),
                    **settings: Any) -> Sweep:
        """The sweep of an hdconfig.yml. `settings` replace keys of the file, as `--set` does.

            sweep = hdrive.Sweep.from_config("hdconfig.yml", max_total_runs=20)
            sweep.run_command()

        Raises ConfigError with every problem of the file, each with its line.
        """
        given = [(key, setting(value)) for key, value in settings.items()]
        spec, problems, seed_given, _, surroundings = _core.load_config(_specification.path("path", path), given, [],
                                                                        False)
        if problems:
            import warnings
            for problem in problems:
                warnings.warn(problem, stacklevel=2)
        if not seed_given:
            spec.seed = _core.new_seed()
        return cls._of(spec, surroundings, MEMORY if directory == MEMORY else home(directory, new=True), listeners)

    @classmethod
    def _of(cls, spec: _core.Spec, surroundings: _core.Surroundings, home_directory: str,
            listeners: Iterable[Any] = ()) -> Sweep:
        """The sweep of what a file says."""
        sweep = cls.__new__(cls)
        sweep._set_up(spec, None, home_directory, None, None, listeners)
        sweep._surroundings = surroundings
        return sweep

    # ---- running it -----------------------------------------------------------------------------------------

    def run(self, objective: Callable[..., Any], workers: Workers = "thread", *, raise_on_stop: bool = True,
            progress: bool = False) -> Sweep:
        """Runs the sweep to its end, or goes on with what is left of it, and returns it.

        `objective` is a function of `run` and `params` (a dict), of the parameters by name, or of any of these; what
        it returns is the final value of the primary metric, a dict of metrics, or None where all was logged with
        `run.log`. An exception fails its run alone.

        `workers` "thread" calls it in this process; "process" in max_concurrent_runs warm processes of their own,
        where a crash fails a run and never the sweep; "forkserver" the same, forked from one that has imported what
        the objective needs. `progress` shows a bar (tqdm).

        Ctrl-C stops the sweep cleanly, its runs count as interrupted and go on with the next `run`; a second one does
        not wait for them. Raises KeyboardInterrupt then, HdriveError where the sweep cannot go on; warns where it ends
        because nothing succeeds.

            sweep.run(lambda lr, layers: train(lr, layers).accuracy)
        """
        if progress:
            from ._progress import check
            check()  # before anything starts
        handle = self.start(objective, workers, raise_on_stop=raise_on_stop)
        if progress:
            from ._progress import follow
            follow(handle)
        handle.result()
        return self

    def run_command(self, command: Iterable[str] | str | None = None) -> Sweep:
        """Runs a program for each run, as `hdrive run` does: under a supervisor, in a folder of its own with a
        snapshot of the source directory, its metrics read from what it logs. `command` may be left out where the
        sweep has one, from its file.

            sweep.run_command(["python", "train.py", "--epochs", "10"])
        """
        self.start_command(command).result()
        return self

    def start(self, objective: Callable[..., Any], workers: Workers = "thread", *,
              raise_on_stop: bool = True) -> Handle:
        """As `run`, in the background: returns a handle at once."""
        call = _objective.adapt(objective, self, raise_on_stop)
        if workers == "thread":
            return self._start(call.in_thread, None)
        if workers not in ("process", "forkserver"):
            raise ConfigError(f"workers: {workers!r} is none; allowed: thread, process, forkserver")
        from ._workers import Pool
        pool = Pool(call, forkserver=workers == "forkserver")
        try:
            return self._start(pool.run, pool)
        except BaseException:
            pool.close()
            raise

    def start_command(self, command: Iterable[str] | str | None = None) -> Handle:
        """As `run_command`, in the background: returns a handle at once."""
        if self._home == MEMORY:
            raise ConfigError('a command\'s runs need a directory; ":memory:" is for functions and ask and tell')
        if command is not None:
            words = _specification.command(command)
            if self._kept is None:
                self._first_spec.command = words
            elif words != self._spec.command:
                raise ConfigError("the sweep has begun with another command; its runs would not be comparable")
        if not self._spec.command:
            raise ConfigError("what is to be run? run_command([\"python\", \"train.py\"])")
        if self._surroundings is not None and self._kept is None:
            _surroundings.make(self._first_spec, self._surroundings)
            self._surroundings = None
        return self._start(None, None)

    def _start(self, call: Any, pool: Any) -> Handle:
        with self._lock:
            self._check_free()
            is_new = self._kept is None
            try:
                engine = self._engine_of(call)
            except BaseException:
                if is_new:  # what cannot begin leaves nothing behind
                    self._discard()
                raise
            if engine.server_note:
                import warnings
                warnings.warn(engine.server_note, stacklevel=4)
            self._engine = Handle(self, engine, pool)
            keep_running(self._engine)
            return self._engine

    def __enter__(self) -> Sweep:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _engine_of(self, call: Any) -> _core.Engine:
        return _core.start(self._sweep(), call, self._sampler, self._policy, self._listeners,
                           _surroundings.command_path(),
                           os.environ.get("CUDA_VISIBLE_DEVICES", os.environ.get("HIP_VISIBLE_DEVICES")),
                           _core.own_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI"),
                                                  os.environ.get("HDRIVE_RUN_ID")),
                           _core.targets_files(_specification.working_directory(), os.environ.get))

    # ---- changing it ----------------------------------------------------------------------------------------

    def update(self, **settings: Any) -> str:
        """Changes budgets, concurrency, durations, retries, the policy's or the sampler's options, of a sweep at rest
        or running, and keeps all that happened. What was changed, as a sentence.

            sweep.update(max_total_runs=100)
        """
        try:
            return self._edit([(key, setting(value)) for key, value in settings.items()])
        except ConfigError as error:  # in the words of the command, whose option sets a key
            raise ConfigError(str(error).replace("--set ", "")) from error.__cause__

    def enqueue(self, params: Mapping[str, Any]) -> None:
        """A point to be tried before the sampler is asked again; what it leaves out is drawn. Raises ConfigError for
        what the space does not contain.

            sweep.enqueue({"lr": 0.01})
        """
        point = _specification.points("enqueue", [params])[0]
        self._spec.space.check(point)
        self._edit([("start_points+", setting(point))])

    def _edit(self, settings: list[tuple[str, str]]) -> str:
        self._check_process()
        if self._engine is not None and not self._engine.done:
            return str(self._engine._request("update", None, settings))
        if self._asking is not None:
            return self._edit_while_asking(settings)
        if self._kept is None:
            self._sweep()
        changed = str(self._kept.edit(settings))
        self._first_spec = self._kept.spec()
        return changed

    def _edit_while_asking(self, settings: list[tuple[str, str]]) -> str:
        """As another process would: what is open stays open."""
        number = self._kept.leave("update", None, settings)
        self._study().attend()
        accepted, text = self._kept.answer(number) or (False, "the sweep did not answer")
        if not accepted:
            raise ConfigError(text)
        return str(text)

    # ---- Python ---------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        if not hasattr(self, "_kept"):
            return "<Sweep that was refused>"
        label = f"Sweep {self.id[:11]}" if self.directory else "Sweep of " + self.metric
        if self._kept is None:
            return f"<{label}: not begun>"
        entry = self._entry()
        best = self._view.best()
        found = "no value yet" if best is None else \
            f"best {self.metric} {best.best(self.metric, self.goal):g} (run {best.number})"
        return f"<{label}: {entry['runs']} run{'' if entry['runs'] == 1 else 's'}, {entry['status']}, {found}>"

    def _repr_html_(self) -> str:
        from ._html import sweep_html
        return sweep_html(self)

    def _ipython_display_(self) -> None:
        from ._watch import show
        show(self)

    def _refuse_copy(self) -> NoReturn:
        raise TypeError("a sweep is a thing that runs and cannot be copied or pickled; hdrive.load(sweep.id) opens it "
                        "in another process")

    def __reduce__(self) -> NoReturn:
        self._refuse_copy()

    def __copy__(self) -> NoReturn:
        self._refuse_copy()

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self._refuse_copy()
