# SPDX-License-Identifier: Apache-2.0
import asyncio
import copy
import gc
import os
import pickle
import signal
import threading

import hdrive
import numpy
import pytest
from support import script


# ---- objectives -----------------------------------------------------------------------------------------------


def test_an_objective_takes_its_run_and_its_parameters(make):
    seen = []

    def train(run, params):
        seen.append((run.number, params))
        run.log("loss", params["x"] ** 2, step=1)
        run.log({"loss": params["x"] ** 2, "other": 3.0}, step=2)

    sweep = make().run(train)
    assert [number for number, _ in seen] == list(range(8))
    assert sweep.status == "Completed"
    assert sweep.best.value == min(params["x"] ** 2 for _, params in seen)
    assert list(sweep.runs[0].metrics) == ["loss", "other"]
    assert sweep.runs[0].metrics["loss"].tolist() == [seen[0][1]["x"] ** 2] * 2
    assert sweep.runs[0].metrics.steps("loss").tolist() == [1, 2]


def test_an_objective_takes_parameters_by_name_and_returns_the_value(make):
    sweep = make({"lr": hdrive.uniform(0, 1), "layers": [1, 2]}).run(lambda lr, layers: lr * layers)
    assert all(run.value == run.params["lr"] * run.params["layers"] for run in sweep.runs)


def test_an_objective_may_take_some_by_name_and_the_run(make):
    def train(x, run, missing=3):
        assert missing == 3
        run.log("loss", x)

    assert make().run(train).best.value is not None


def test_an_objective_may_return_several_metrics(make):
    sweep = make().run(lambda x: {"loss": x, "accuracy": numpy.float32(0.5)})
    assert sweep.best.metrics["accuracy"].tolist() == [0.5]


@pytest.mark.parametrize("objective, says", [
    (lambda y: y, "'y' is none of x"),
    (lambda: 1, "arguments"),
    (3, "function"),
])
def test_an_objective_that_cannot_be_called_is_refused_before_anything_starts(make, objective, says):
    sweep = make()
    with pytest.raises(hdrive.ConfigError, match=says):
        sweep.run(objective)
    assert sweep.status == "NotStarted"


def test_an_argument_for_a_conditional_parameter_needs_a_default(make):
    space = {"o": hdrive.choice(hdrive.option("sgd", {"momentum": hdrive.uniform(0, 1)}), "adam")}
    with pytest.raises(hdrive.ConfigError, match="momentum=None"):
        make(space).run(lambda o, momentum: 1.0)
    make(space).run(lambda o, momentum=None: 1.0)


def test_an_exception_fails_its_run_alone_and_is_kept(make):
    def train(run, params):
        if run.number == 3:
            raise ValueError("no such thing")
        return 1.0

    sweep = make().run(train)
    failed = sweep.runs[3]
    assert failed.status == "Failed"
    assert "ValueError: no such thing" in failed.error
    assert [run.status for run in sweep.runs].count("Completed") == 7


@pytest.mark.parametrize("value", ["0.5", b"1", None, object(), [1]])
def test_what_is_no_number_is_a_type_error_in_the_objective(make, value):
    raised = []

    def train(run, params):
        with pytest.raises(TypeError):
            run.log("loss", value)
        raised.append(run.number)
        return 1.0

    make().run(train)
    assert len(raised) == 8


def test_nan_is_a_report_and_never_best(make):
    sweep = make().run(lambda run, params: float("nan") if run.number else 4.0)
    assert sweep.best.number == 0
    assert sweep.runs[1].value is None


def test_runs_go_on_at_once_in_their_slots(make):
    together = threading.Barrier(4, timeout=30)
    slots = []

    def train(run, params):
        together.wait()
        slots.append(run.slot)
        return 1.0

    make(max_concurrent_runs=4).run(train)
    assert sorted(slots[:4]) == [0, 1, 2, 3]


def test_outputs_have_a_folder_also_in_memory(make):
    def train(run, params):
        with open(os.path.join(run.outputs_dir, "model"), "w") as file:
            file.write("x")
        assert os.path.isdir(run.checkpoint_dir)
        return 1.0

    for directory in (":memory:", None):
        sweep = make(directory=directory).run(train)
        assert sweep.runs[2].status == "Completed"
        assert os.listdir(sweep.runs[2].outputs_dir) == ["model"]


def test_a_run_that_is_over_takes_no_more_reports(make):
    kept = []
    make().run(lambda run, params: kept.append(run) or 1.0)
    with pytest.raises(hdrive.HdriveError, match="over"):
        kept[0].log("loss", 1)
    assert kept[0].stop_requested


# ---- policies -------------------------------------------------------------------------------------------------


def test_a_run_is_stopped_at_the_very_report_the_policy_spoke_at(make):
    reached = {}

    def train(run, params):
        for epoch in range(1, 100):
            reached[run.number] = epoch
            run.log("loss", run.number, epoch)

    sweep = make(policy=hdrive.Bandit(slack_amount=0.5, delay_evaluation=3)).run(train)
    assert reached == {0: 99, **dict.fromkeys(range(1, 8), 3)}
    assert sweep.runs[1].cause == "policy"
    assert "run 0" in sweep.explain(1)


def test_a_stop_can_be_asked_for_instead_of_raised(make):
    def train(run, params):
        while not run.stop_requested:
            run.log("loss", run.number)
            if run.number == 0:
                return

    sweep = make(policy="median_stopping").run(train, raise_on_stop=False)
    assert sweep.runs[5].cause == "policy"


def test_a_stop_may_be_caught_for_cleaning_up(make):
    cleaned = []

    def train(run, params):
        try:
            for _ in range(20):
                run.log("loss", run.number)
        except hdrive.RunStopped:
            cleaned.append(run.number)
            raise

    make(policy=hdrive.Bandit(slack_amount=0.5)).run(train)
    assert cleaned == list(range(1, 8))


def test_a_policy_of_ones_own(make):
    class Third(hdrive.Policy):
        def judge(self, run, history):
            assert history.reports(run)[-1] == 1.0
            return len(history.reports(run)) >= 3, "three are enough"

    def train(run, params):
        while True:
            run.log("loss", 1)

    sweep = make(policy=Third()).run(train)
    assert all(len(run.metrics["loss"]) == 3 for run in sweep.runs)
    assert "three are enough" in sweep.runs[0].reason


# ---- samplers and listeners -----------------------------------------------------------------------------------


def test_a_sampler_of_ones_own(make):
    class Counting:
        def propose(self, history, run):
            assert len(history) == run
            if run == 5:
                return None, "five are enough"
            return {"x": run / 10}, f"number {run}"

    sweep = make(sampler=Counting()).run(lambda x: x)
    assert [run.params["x"] for run in sweep.runs] == [0, 0.1, 0.2, 0.3, 0.4]
    assert sweep.runs[2].proposal == "number 2"
    assert "five are enough" in sweep.reason


def test_a_history_that_was_lent_cannot_be_read_later(make):
    kept = []

    class Keeping:
        def propose(self, history, run):
            kept.append(history)
            return {"x": 0.0}

    make(sampler=Keeping()).run(lambda x: x)
    with pytest.raises(hdrive.HdriveError, match="over"):
        kept[0].reports(0)


@pytest.mark.parametrize("part", ["sampler", "policy", "listener"])
def test_an_exception_in_a_part_of_the_sweep_is_raised_from(make, part):
    class Broken:
        def propose(self, history, run):
            raise ZeroDivisionError("in the part")

        judge = on_change = propose

    given = {"listeners": [Broken()]} if part == "listener" else {part: Broken()}
    with pytest.raises(hdrive.HdriveError, match="in the part") as raised:
        make(**given).run(lambda run, params: run.log("loss", 1))
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("answer, says", [({"x": 7}, "x"), ({"y": 1}, "y"), (3, "dict"), ({"x": object()}, "value")])
def test_a_proposal_outside_the_space_ends_the_sweep_and_says_so(make, answer, says):
    class Wrong:
        def propose(self, history, run):
            return answer

    with pytest.raises(hdrive.HdriveError, match=says):
        make(sampler=Wrong()).run(lambda x: x)


def test_a_listener_hears_what_happens(make):
    heard = []

    class Hears(hdrive.Listener):
        def on_run_ended(self, run, status, **_):
            heard.append((run, status))

    make(listeners=[Hears()]).run(lambda x: x)
    assert heard == [(run, "Completed") for run in range(8)]


@pytest.mark.parametrize("sampler", [name for name in hdrive.samplers() if name != "grid"])
def test_each_built_in_sampler_runs_and_says_why(make, sampler):
    sweep = make(sampler=sampler, max_total_runs=12).run(lambda x: x * x)
    assert sweep.runs[11].proposal
    assert sweep.runs[11].status == "Completed"


def test_the_same_seed_draws_the_same(make):
    first, second = (make(sampler="bayesian", max_total_runs=15).run(lambda x: x * x) for _ in range(2))
    assert [r.params for r in first.runs] == [r.params for r in second.runs]


@pytest.mark.parametrize("workers", ["thread", "process"])
def test_a_returned_value_is_judged_as_a_logged_one_is(make, workers):
    returned, logged = (make(policy=hdrive.Bandit(slack_amount=0.1)).run(objective, workers) for objective in
                        (lambda x: x, lambda run, params: run.log("loss", params["x"])))
    assert "Canceled" in [r.status for r in returned.runs]
    assert [r.status for r in returned.runs] == [r.status for r in logged.runs]


def test_a_grid_knows_how_many_runs_there_are(make):
    sweep = make({"a": [1, 2], "b": "xyz".split() + ["w"]}, sampler="grid", max_total_runs=None).run(lambda a, b: a)
    assert len(sweep.runs) == 4


# ---- in the background ----------------------------------------------------------------------------------------


def test_a_handle_stops_pauses_and_changes_a_sweep(make):
    for directory in (":memory:", None):
        began, go = threading.Event(), threading.Event()
        sweep = make(directory=directory, max_total_runs=50)
        handle = sweep.start(lambda x: began.set() or go.wait(30) and x)
        assert began.wait(30) and not handle.wait(0)
        handle.pause()
        handle.update(max_total_runs=3)
        handle.enqueue({"x": 0.25})
        go.set()
        handle.resume()
        handle.result()
        assert len(sweep.runs) == 3
        assert sweep.runs[1].params == {"x": 0.25}
        with pytest.raises(hdrive.ConfigError, match="x"):
            sweep.enqueue({"x": 7})


def test_a_handle_can_be_awaited(make):
    async def main():
        return await make().start(lambda x: x)

    assert asyncio.run(main()).status == "Completed"


def test_a_sweep_runs_once_at_a_time(make):
    go = threading.Event()
    sweep = make()
    handle = sweep.start(lambda x: go.wait(30) and x)
    with pytest.raises(hdrive.SweepLocked):
        sweep.run(lambda x: x)
    with pytest.raises(hdrive.SweepLocked):
        sweep.ask()
    go.set()
    handle.wait()


def test_two_sweeps_run_at_once_in_threads(make):
    together = threading.Barrier(2, timeout=30)
    sweeps = [make(max_total_runs=1) for _ in range(2)]
    threads = [threading.Thread(target=sweep.run, args=(lambda x: together.wait() and x,)) for sweep in sweeps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sweep.status for sweep in sweeps] == ["Completed"] * 2


def test_a_sweep_whose_handle_was_let_go_of_goes_on(make):
    sweep = make(max_total_runs=50)
    sweep.start(lambda x: x)
    gc.collect()
    sweep._engine.wait()
    assert sweep.status == "Completed"


# ---- robust ---------------------------------------------------------------------------------------------------


def test_a_sweep_is_neither_copied_nor_pickled(make):
    for refused in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"hdrive\.load"):
            refused(make())


def test_typing_errors_get_the_nearest_match(make):
    with pytest.raises(hdrive.ConfigError, match="bayesian"):
        make(sampler="baysian")
    with pytest.raises(hdrive.ConfigError, match="max_failed_retries"):
        make(max_failed_retry=3)
    with pytest.raises(hdrive.ConfigError, match="minimize"):
        make(goal="minimise")
    with pytest.raises(hdrive.ConfigError, match="max_total_runs"):
        make(max_total_runs=0)
    for wrong in ({"name": "a/b"}, {"name": "last"}, {"name": "a\nb"}, {"environment_variables": {"A=B": "1"}},
                  {"metric_patterns": ["("]}, {"gpus_per_run": -1.0}, {"working_directory": "nowhere"}):
        with pytest.raises(hdrive.ConfigError):
            make(**wrong)
    with pytest.raises(hdrive.ConfigError, match="slack"):
        make(policy=hdrive.Bandit())


def test_importing_is_quick_and_brings_no_numpy():
    ended = script("import sys, hdrive; print('numpy' in sys.modules, 'asyncio' in sys.modules, "
                   "'inspect' in sys.modules, 'multiprocessing' in sys.modules)")
    assert ended.stdout.split() == ["False"] * 4, ended.stderr


def test_a_built_in_policy_and_sampler_by_themselves():
    history = hdrive.History("maximize")
    for value in (0.9, 0.5):
        run = history.add({"x": value})
        history.report(run, value)
        history.end(run, "Completed")
    stop, why = hdrive.Bandit(slack_amount=0.2).judge(1, history)
    assert stop
    assert "0.9" in why
    assert history.incumbent() == 0
    with pytest.raises(hdrive.NotFoundError):
        history.reports(7)


def test_a_built_in_sampler_goes_on_from_a_history():
    space = {"x": hdrive.uniform(-1, 1)}
    sampler = hdrive.make_sampler("bayesian", space, goal="minimize", seed=7, max_total_runs=30)
    history = hdrive.History("minimize")
    for _ in range(20):
        params, _ = sampler.propose(history)
        run = history.add(params)
        history.report(run, params["x"] ** 2)
        history.end(run, "Completed")
    params, why = sampler.propose(history)
    assert abs(params["x"]) < 0.2
    assert "model" in why or "improve" in why
    assert "Bayesian" in sampler.describe()


def test_signals_are_left_as_they_were(make):
    before = signal.getsignal(signal.SIGINT)
    make().run(lambda x: x)
    assert signal.getsignal(signal.SIGINT) is before
