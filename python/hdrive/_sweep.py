# SPDX-License-Identifier: Apache-2.0
"""Sweep: what to search, how, and what came of it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Callable, Literal, NoReturn, overload

from . import _algorithms, _core, _objective, _space, _specification, _surroundings
from ._errors import ConfigError, HdriveError, NotFoundError, SweepLocked, printable
from ._handle import Handle, keep_asking, keep_running
from ._run import AskedRun, Runs, StoredRun
from ._specification import count as whole
from ._specification import home, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas

    from .plot import Plots

__all__ = ["MEMORY", "Sweep"]

MEMORY = ":memory:"

Goal = Literal["minimize", "maximize"]
Workers = Literal["thread", "process", "forkserver"]


class Sweep:
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
    `target` names where the runs of `run_command` go (docs/targets.md). Further arguments are keys of hdconfig.yml,
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
        spec.primary_metric = metric
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
        spec.start_points = [dict(point) for point in start_points]
        spec.resume_from = _specification.earlier("resume_from", resume_from)
        spec.resume_child_runs = _specification.earlier("resume_child_runs", resume_child_runs)
        spec.source_directory = _specification.working_directory()
        _specification.set_options(spec, options)
        spec.check()
        self._set_up(spec, None, MEMORY if directory == MEMORY else home(directory, new=True), own_sampler, own_policy,
                     listeners)

    def _set_up(self, spec: _core.Spec, kept: Any, home_directory: str, sampler: Any, policy: Any,
                listeners: Iterable[Any]) -> None:
        self._first_spec = spec
        #: What its commands are to run in, made real when the first one starts.
        self._surroundings: _core.Surroundings | None = None
        self._kept = kept
        self._home = home_directory
        self._sampler = sampler
        self._policy = policy
        self._listeners = list(listeners)
        self._asking: Any = None
        self._engine: Handle | None = None
        self._temporary: Any = None
        self._lock = threading.RLock()
        self._process = os.getpid()

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

    # ---- what it is -----------------------------------------------------------------------------------------

    def _sweep(self) -> Any:
        """The kept sweep, made when it is first needed."""
        with self._lock:
            if self._kept is None:
                self._kept = _core.KeptSweep.make(self._first_spec, "" if self._home == MEMORY else self._home)
            return self._kept

    @property
    def _view(self) -> Any:
        return self._sweep().view

    def _entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = self._view.entry()
        return entry

    @property
    def _spec(self) -> _core.Spec:
        """As it holds now."""
        return self._first_spec if self._kept is None else self._kept.spec()

    @property
    def id(self) -> str:
        """HD_<uuid>; empty before the sweep has begun."""
        return "" if self._kept is None else str(self._kept.id)

    @property
    def name(self) -> str:
        """What it is addressed by; may be empty."""
        return self._first_spec.name

    @property
    def metric(self) -> str:
        """The name of the primary metric."""
        return self._first_spec.primary_metric

    @property
    def goal(self) -> Goal:
        """minimize or maximize."""
        return self._first_spec.goal

    @property
    def seed(self) -> int:
        """What all random choices follow from."""
        return self._first_spec.seed

    @property
    def directory(self) -> str | None:
        """Where it is kept; None in memory, or before it has begun."""
        return None if self._kept is None or self._home == MEMORY else str(self._kept.directory)

    @property
    def status(self) -> str:
        """Running, Paused, Completed, Failed, Canceled; NotStarted before it has begun."""
        if self._kept is None:
            return "NotStarted"
        return str(self._entry()["status"])

    @property
    def reason(self) -> str:
        """Why it ended, or is paused; a sentence."""
        return "" if self._kept is None else str(self._entry()["reason"])

    def _run_directory(self, number: int) -> str:
        kept = self.directory
        if kept is not None:
            return os.path.join(kept, "runs", str(number))
        if self._temporary is None:
            import tempfile
            self._temporary = tempfile.TemporaryDirectory(prefix="hdrive-")
        return os.path.join(self._temporary.name, str(number))

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
            import shlex
            words = shlex.split(command) if isinstance(command, str) else [os.fspath(word) for word in command]
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
            kept = self._sweep()
            engine = _core.start(kept, call, self._sampler, self._policy, self._listeners, _surroundings.command_path(),
                                 os.environ.get("CUDA_VISIBLE_DEVICES", os.environ.get("HIP_VISIBLE_DEVICES")),
                                 _core.own_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI"),
                                                        os.environ.get("HDRIVE_RUN_ID")),
                                 _core.targets_files(_specification.working_directory(), os.environ.get))
            if engine.server_note:
                import warnings
                warnings.warn(engine.server_note, stacklevel=4)
            self._engine = Handle(self, engine, pool)
            keep_running(self._engine)
            return self._engine

    def _check_free(self) -> None:
        self._check_process()
        if self._engine is not None and not self._engine.done:
            raise SweepLocked("this sweep is running already; wait for its handle, or stop it")
        if self._asking is not None:
            raise SweepLocked("runs of this sweep are being asked for; close() it first")

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise HdriveError(f"this sweep belongs to process {self._process}, of which this one is a fork; "
                              "hdrive.load reads it here")

    # ---- ask and tell ---------------------------------------------------------------------------------------

    def _study(self) -> Any:
        with self._lock:
            self._check_process()
            if self._asking is None:
                self._check_free()
                self._asking = _core.ask_and_tell(self._sweep(), self._sampler, self._policy, self._listeners)
                keep_asking(self)
            return self._asking

    @overload
    def ask(self) -> AskedRun | None: ...

    @overload
    def ask(self, count: int) -> list[AskedRun]: ...

    def ask(self, count: int | None = None) -> AskedRun | None | list[AskedRun]:
        """The next run to be trained by you; None where there is nothing more to hand out. With `count` a list of
        as many, or of those that are left. What was asked for is stored before this returns, and any thread may ask.

            while (run := sweep.ask()) is not None:
                sweep.tell(run, train(**run.params))

        Runs that an earlier process asked for and never told come first, as another attempt.
        """
        if count is None:
            one = self._ask()
            self._study().prepare()  # while it trains; returns at once
            return one
        asked = []
        for _ in range(whole("count", count)):
            run = self._ask()
            if run is None:
                break
            asked.append(run)
        self._study().prepare()
        return asked

    def _ask(self) -> AskedRun | None:
        number, params, reason, attempt = self._raise_from(self._study().ask)
        return None if number is None else AskedRun(self, number, params, reason, attempt)

    def _raise_from(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except HdriveError as error:
            raised = self._asking.exception if self._asking is not None else None
            if raised is not None:
                raise error from raised
            raise

    def tell(self, run: AskedRun | int, value: Any) -> None:
        """The run is done with this value of the primary metric: anything that float() takes but text. Raises
        HdriveError for a run that was told already, or never asked for.

            run = sweep.ask()
            sweep.tell(run, train(**run.params))
        """
        self._study().tell(self._number(run), value)
        self._told(run)

    def fail(self, run: AskedRun | int, why: str = "") -> None:
        """The run has failed.

            sweep.fail(sweep.ask(), "out of memory")
        """
        self._study().fail(self._number(run), printable(why))
        self._told(run)

    def complete(self, run: AskedRun | int) -> None:
        """The run is done with what it reported."""
        self._study().complete(self._number(run))
        self._told(run)

    def _stopped(self, run: AskedRun) -> None:
        self._study().stopped(self._number(run))
        self._told(run)

    @staticmethod
    def _told(run: AskedRun | int) -> None:
        if isinstance(run, AskedRun):
            run._told = True

    @staticmethod
    def _number(run: AskedRun | int) -> int:
        if isinstance(run, AskedRun):
            return run.number
        if isinstance(run, bool) or not hasattr(run, "__index__"):
            raise TypeError(f"wanted is a run that ask() gave, or its number; not a {type(run).__name__}")
        return whole("run", run, 0)

    def close(self) -> None:
        """Ends asking: runs still open are handed out again by the next one who asks. Harmless twice."""
        if self._process != os.getpid():
            return  # what is open is the other process's to close
        with self._lock:
            asking = self._asking
            if asking is not None:
                asking.close()
                self._asking = None

    def __enter__(self) -> Sweep:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # ---- changing it ----------------------------------------------------------------------------------------

    def update(self, **settings: Any) -> str:
        """Changes budgets, concurrency, durations, retries, the policy's or the sampler's options, of a sweep at rest
        or running, and keeps all that happened. What was changed, as a sentence.

            sweep.update(max_total_runs=100)
        """
        return self._edit([(key, setting(value)) for key, value in settings.items()])

    def enqueue(self, params: Mapping[str, Any]) -> None:
        """A point to be tried before the sampler is asked again; what it leaves out is drawn. Raises ConfigError for
        what the space does not contain.

            sweep.enqueue({"lr": 0.01})
        """
        self._spec.space.check(dict(params))
        self._edit([("start_points+", setting(dict(params)))])

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

    # ---- what came of it ------------------------------------------------------------------------------------

    @property
    def best(self) -> StoredRun:
        """The run with the best value of the primary metric. Raises NotFoundError before there is one.

            sweep.run(train).best.params
        """
        found = self._view.best()
        if found is None:
            why = f": {self.reason}" if self.reason else ""
            raise NotFoundError(f"no run has reported {self.metric} yet, so none is the best{why}")
        return StoredRun(self, found)

    @property
    def runs(self) -> Runs:
        """All runs, as a sequence."""
        return Runs(self)

    def to_dataframe(self) -> pandas.DataFrame:
        """A pandas data frame with a row a run: number, status, value, params_NAME, metrics_NAME (last values),
        attempt, cause, created, started, ended (UTC), seconds.

            table = sweep.to_dataframe()
            table[table.status == "Completed"].nsmallest(5, "value")
        """
        import pandas
        columns = self._view.columns()
        table = pandas.DataFrame(columns.to_dict())
        for name in columns.times:
            table[name] = pandas.to_datetime(table[name], unit="us", utc=True)
        return table

    def to_arrow(self) -> _core.Columns:
        """The same table for whatever reads Arrow's PyCapsule interface: pyarrow.table(sweep.to_arrow()),
        polars.DataFrame(...), duckdb."""
        columns: _core.Columns = self._view.columns()
        return columns

    def importance(self) -> dict[str, float]:
        """How much each parameter mattered, most important first; together 1 (PED-ANOVA: Watanabe, Bansal, Hutter,
        IJCAI 2023). Needs ten runs with a value.

            for name, share in sweep.run(train).importance().items():
                print(f"{name}: {share:.0%}")
        """
        return _core.importance(self._view, self._spec)

    def model(self) -> dict[str, Any]:
        """What a Gaussian process believes about the sweep, whatever its sampler: lengthscales and shares of the
        parameters, the noise, how well it predicts each run from the others."""
        return dict(_core.model(self._view, self._spec))

    def best_by_model(self) -> StoredRun:
        """The run of whose parameters a model of all results expects the most; under noise not the luckiest."""
        number = _core.pick(self._view, self._spec)["run"]
        return StoredRun(self, self._view.run(number))

    def explain(self, run: StoredRun | int) -> str:
        """Why a run has its parameters, what the policy found, and how it ended.

        >>> print(sweep.run(train).explain(3))
        run 3: Completed, {'lr': ..., 'layers': ..., 'momentum': ...}
        chosen: drawn at random, seed 1
        policy: ...
        ended: completed
        """
        number = run if isinstance(run, int) else run.number
        stored = StoredRun(self, self._view.run(number))
        lines = [f"run {number}: {stored.status}, {stored.params}"]
        if stored.proposal:
            lines.append(f"chosen: {stored.proposal}")
        verdict = self._view.verdict(number)
        if verdict is not None:
            lines.append(f"policy: {verdict[1]}")
        if stored.reason:
            lines.append(f"ended: {stored.reason}")
        return "\n".join(lines)

    def watch(self, interval: float = 1.0) -> None:
        """Shows the sweep in a notebook, live: the output is replaced every `interval` seconds until the sweep has
        ended, whoever runs it. Returns at once. A sweep as the last line of a cell does the same. Raises ConfigError
        where there is no IPython.

            handle = sweep.start(train)
            sweep.watch()
        """
        from ._watch import show
        show(self, interval)

    @property
    def plot(self) -> Plots:
        """Figures of the sweep: history, curves, parallel_coordinates, slice, contour, importance, scatter, timeline,
        edf and rank. Needs Plotly or matplotlib.

            sweep.run(train).plot.slice()
        """
        from .plot import Plots
        return Plots(self)

    @property
    def notes(self) -> list[str]:
        """What was worth telling on the way: warnings, runs without the primary metric."""
        return [text if run is None else f"run {run}: {text}" for _, run, text in self._view.notes()]

    def controller_log(self) -> str:
        """What was done with the sweep and when, a line each, framed as HyperDrive's hyperdrive.txt is: drawn, started,
        stopped by the policy, ended. `hdrive logs SWEEP --controller` prints the same.

            print(sweep.run(train).controller_log())
        """
        return str(self._view.controller_log())

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
