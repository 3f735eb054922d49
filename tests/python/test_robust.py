# SPDX-License-Identifier: Apache-2.0
"""What must neither end the interpreter, nor hang, nor lose anything."""

import asyncio
import decimal
import os
import threading
import warnings

import hdrive
import numpy
import pytest
from support import script

SURROGATE = "cannot read \udce9t\udce9"


# ---- texts that are no Unicode ----------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["thread", "process"])
def test_an_error_may_name_a_file_in_another_encoding(make, workers):
    def train(run, params):
        raise ValueError(SURROGATE)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sweep = make(max_total_runs=2).run(train, workers)
    assert r"cannot read \udce9t\udce9" in sweep.runs[0].error


def test_a_reason_may_be_any_text(make):
    class Odd:
        def propose(self, history, run):
            return {"x": 0.5}, SURROGATE

        def judge(self, run, history):
            return True, SURROGATE

    sweep = make(sampler=Odd(), policy=Odd(), max_total_runs=2)
    sweep.run(lambda run, params: run.log("loss", 1))
    assert r"\udce9" in sweep.runs[0].proposal
    assert r"\udce9" in sweep.explain(0)


def test_a_value_that_cannot_be_kept_is_refused():
    with pytest.raises(hdrive.ConfigError, match="surrogates"):
        hdrive.choice("\ud800", "b")


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def test_an_exception_without_a_text_fails_its_run(make):
    def train(run, params):
        raise Unspeakable

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "Unspeakable" in make(max_total_runs=1).run(train).runs[0].error
    sweep = make()
    with pytest.raises(Unspeakable), sweep.ask():
        raise Unspeakable
    assert sweep.runs[0].status == "Failed"


# ---- callbacks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [
    lambda sweep: sweep.enqueue({"x": 0.5}), lambda sweep: sweep.update(max_total_runs=9),
    lambda sweep: sweep._engine.pause(), lambda sweep: sweep._engine.wait(),
])
def test_a_callback_cannot_wait_for_its_own_sweep(make, act):
    class Acts(hdrive.Policy):
        def judge(self, run, history):
            act(sweep)

    sweep = make(policy=Acts())
    with pytest.raises(hdrive.HdriveError, match="its own sweep"):
        sweep.run(lambda run, params: run.log("loss", 1))


def test_a_callback_may_stop_its_sweep(make):
    class Stops(hdrive.Listener):
        def on_run_ended(self, run, **_):
            if run == 3:
                handle.stop()

    sweep = make(listeners=[Stops()], max_total_runs=1000)
    handle = sweep.start(lambda x: x)
    handle.wait()
    assert sweep.status != "Completed"


@pytest.mark.parametrize("act", [lambda sweep: sweep.ask(), lambda sweep: sweep.close(),
                                 lambda sweep: sweep.update(max_total_runs=9)])
def test_a_sampler_cannot_ask_its_own_sweep(make, act):
    class Acts:
        def propose(self, history, run):
            act(sweep)

    sweep = make(sampler=Acts())
    with pytest.raises(hdrive.HdriveError, match="its own sweep"):
        sweep.ask()


def test_a_callback_may_run_another_sweep(make):
    class Nested:
        def propose(self, history, run):
            return {"x": make().run(lambda x: x * x).best.params["x"]}

    assert make(sampler=Nested(), max_total_runs=2).run(lambda x: x).status == "Completed"


@pytest.mark.parametrize("raises", [lambda: 1 / 0, lambda: [][3], lambda: {}[1], lambda: 1 + "a"])
def test_what_c_code_raised_in_a_part_is_the_cause(make, raises):
    class Broken:
        def propose(self, history, run):
            raises()

    with pytest.raises(hdrive.HdriveError) as raised:
        make(sampler=Broken()).run(lambda x: x)
    assert isinstance(raised.value.__cause__, (ZeroDivisionError, IndexError, KeyError, TypeError))


# ---- asking -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("directory", [":memory:", None])
def test_what_is_open_stays_open_while_the_sweep_is_changed(make, directory):
    sweep = make(directory=directory)
    first = sweep.ask()
    sweep.enqueue({"x": numpy.float32(0.5)})
    sweep.enqueue({"x": decimal.Decimal("0.25")})
    assert "20" in sweep.update(max_total_runs=20)
    second, third = sweep.ask(2)
    assert (second.number, second.params, third.params) == (1, {"x": 0.5}, {"x": 0.25})
    sweep.tell(first, 1.0)
    assert sweep.runs[0].status == "Completed"
    sweep.close()


def test_a_fork_leaves_what_is_open_to_its_owner(make):
    sweep = make(directory=None)
    run = sweep.ask()
    pid = os.fork()
    if pid == 0:
        try:
            with sweep:
                pass
            try:
                sweep.enqueue({"x": 0.5})
            except hdrive.HdriveError:
                pass
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    sweep.tell(run, 1.0)
    sweep.close()
    assert sweep.runs[0].status == "Completed"


@pytest.mark.parametrize("wrong", [None, "0", 1.5, True])
def test_what_is_no_run_is_a_type_error(make, wrong):
    sweep = make()
    sweep.ask()
    with pytest.raises(TypeError, match="ask"):
        sweep.tell(wrong, 1.0)


# ---- logging ----------------------------------------------------------------------------------------------------


def test_several_metrics_have_their_step_behind_them(make):
    sweep = make().run(lambda run, params: run.log({"loss": 1.0, "other": 2.0}, 7))
    assert sweep.runs[0].metrics.steps("other").tolist() == [7]


@pytest.mark.parametrize("wrong", [lambda run: run.log(3, 1), lambda run: run.log([("loss", 1)]),
                                   lambda run: run.log({3: 1}), lambda run: run.log({"loss": 1}, 1, 2)])
def test_a_wrong_log_is_a_type_error(make, wrong):
    def train(run, params):
        with pytest.raises(TypeError):
            wrong(run)
        return 1.0

    assert make(max_total_runs=1).run(train).runs[0].status == "Completed"


@pytest.mark.parametrize("workers", ["thread", "process"])
def test_a_script_may_exit_with_success(make, workers):
    def train(run, params):
        run.log("loss", 1)
        raise SystemExit(0 if run.number else None)

    assert make(max_total_runs=2).run(train, workers).runs[1].status == "Completed"


def test_a_fork_that_leaves_the_objective_speaks_for_nobody(make):
    def train(run, params):
        if os.fork() == 0:
            return 99.0
        os.wait()
        return 1.0

    sweep = make(max_total_runs=2).run(train, "process")
    assert [run.value for run in sweep.runs] == [1.0, 1.0]


# ---- ends -------------------------------------------------------------------------------------------------------


def test_whoever_is_cancelled_while_it_awaits_stops_the_sweep(make):
    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(sweep.start(train, raise_on_stop=False), 0.2)

    def train(run, params):
        while not run.stop_requested:
            run.log("loss", 1)

    sweep = make(max_total_runs=1000)
    asyncio.run(main())
    sweep._engine.wait()
    assert sweep.status == "Canceled"


@pytest.mark.parametrize("loops", ["h.wait()", "len(s.runs)", "s.runs[0].params"])
def test_a_daemon_thread_within_hdrive_does_not_abort_the_interpreters_end(loops):
    ended = script(f"""
        import hdrive, threading, time
        s = hdrive.Sweep({{"x": hdrive.uniform(0, 1)}}, metric="loss", goal="minimize", max_total_runs=100000,
                         directory=":memory:")
        h = s.start(lambda x: x)
        while not s.runs:
            pass
        def loop():
            while True:
                {loops}
        for _ in range(4):
            threading.Thread(target=loop, daemon=True).start()
        while len(s.runs) < 20:
            pass
        """)
    assert ended.returncode == 0, ended.stderr
    assert "terminate" not in ended.stderr


def test_a_sweep_in_which_nothing_succeeds_says_so(make):
    with pytest.warns(UserWarning, match="ended early"):
        sweep = make().run(lambda x: 1 / 0)
    with pytest.raises(hdrive.NotFoundError, match="failed"):
        sweep.best  # noqa: B018


def test_one_sweep_that_cannot_be_read_is_a_warning(make, own_folder):
    sweep = make(directory=None).run(lambda x: x)
    broken = own_folder / ".hdrive" / sweep.id.replace(sweep.id[3:11], "00000000")
    broken.mkdir()
    (broken / "sweep.db").write_bytes(b"nothing of the kind")
    with pytest.warns(UserWarning):
        assert [each.id for each in hdrive.sweeps()] == [sweep.id]


@pytest.mark.parametrize("wrong", [{"goal": None}, {"name": 5}, {"max_duration": "1h"}, {"max_run_duration": [1]}])
def test_an_argument_of_the_wrong_type_is_named(make, wrong):
    with pytest.raises(hdrive.ConfigError, match=next(iter(wrong))):
        make(**wrong)


def test_threads_may_do_everything_at_once(make):
    sweep = make(max_total_runs=300, sampler="tpe")
    errors = []

    def work(index):
        try:
            while (run := sweep.ask()) is not None:
                run.report(run.params["x"])
                sweep.tell(run, run.params["x"])
                if index == 0 and run.number % 50 == 0:
                    sweep.enqueue({"x": 0.5})
                len(sweep.runs)
                sweep.best.params  # noqa: B018
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert all(run.status == "Completed" for run in sweep.runs)
    sweep.close()


def test_a_policy_that_answers_in_words_is_refused(make):
    class Says:
        def judge(self, run, history):
            return "no"

    with pytest.raises(hdrive.HdriveError, match="whether to stop"):
        make(policy=Says()).run(lambda run, params: run.log("loss", 1))


def test_an_async_objective_is_refused_before_anything_starts(make):
    async def train(x):
        return x

    def generates(x):
        yield x

    for wrong in (train, generates):
        with pytest.raises(hdrive.ConfigError, match="async"):
            make().run(wrong)


def test_a_worker_that_hangs_up_is_ended_and_told(make):
    def train(run, params):
        if run.number == 1:
            os.closerange(3, 64)
            threading.Event().wait()
        return 1.0

    sweep = make(max_total_runs=3).run(train, "process")
    assert [run.status for run in sweep.runs] == ["Completed", "Failed", "Completed"]
    assert "closed its connection" in sweep.runs[1].error


def test_a_sweep_in_memory_needs_no_working_directory(make, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert make().run(lambda x: x).status == "Completed"


def test_runs_are_the_same_however_they_are_read(make):
    sweep = make().run(lambda x: x)
    assert sweep.runs.sort("value")[0] == sweep.best
    assert sweep.best in list(sweep.runs.filter(status="completed"))
    assert len({sweep.runs[0], sweep.runs[0], sweep.runs[1]}) == 2
    assert sweep.runs[0].metrics.get("nothing") is None


@pytest.mark.parametrize("wrong, says", [(b"sw\xe9ep", "UTF-8"), ("a\0b", "null"), (3, "int")])
def test_a_path_that_cannot_be_is_refused_by_name(wrong, says):
    for take in (hdrive.load, hdrive.sweeps, hdrive.Sweep.from_config,
                 lambda path: hdrive.Sweep({"x": [1]}, metric="l", goal="minimize", max_total_runs=1, directory=path)):
        with pytest.raises((hdrive.ConfigError, TypeError), match=says):
            take(wrong)


def test_a_path_may_be_bytes(make, own_folder):
    make(directory=os.fsencode(own_folder / "kept"), name="s").run(lambda x: x)
    assert hdrive.load("s", directory=own_folder / "kept").status == "Completed"
