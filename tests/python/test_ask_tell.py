# SPDX-License-Identifier: Apache-2.0
import threading

import hdrive
import pytest


def test_ask_and_tell(make):
    with make() as sweep:
        while (run := sweep.ask()) is not None:
            run.report(run.params["x"], 1)
            sweep.tell(run, run.params["x"] ** 2)
        assert len(sweep.runs) == 8
        assert sweep.best.status == "Completed"


def test_a_batch_is_asked_for_at_once_and_the_last_is_short(make):
    sweep = make()
    assert len(sweep.ask(5)) == 5
    assert len(sweep.ask(5)) == 3
    assert sweep.ask(5) == []
    sweep.close()


def test_a_report_says_whether_to_stop(make):
    sweep = make(policy=hdrive.Bandit(slack_amount=0.5))
    good, bad = sweep.ask(2)
    assert good.report(1.0) is False
    assert bad.report(5.0) is True
    assert "run 0" in bad.verdict
    sweep.tell(bad, 5.0)
    assert sweep.runs[1].cause == "policy"


def test_an_asked_run_as_a_context(make):
    sweep = make()
    with sweep.ask() as run:
        run.report(0.5)
    with pytest.raises(ValueError, match="broken"), sweep.ask() as run:
        raise ValueError("broken")
    with sweep.ask() as run:
        run.tell(0.25)
    assert [r.status for r in sweep.runs] == ["Completed", "Failed", "Completed"]
    assert "broken" in sweep.runs[1].reason


def test_a_run_is_told_once(make):
    sweep = make()
    run = sweep.ask()
    sweep.tell(run, 1)
    with pytest.raises(hdrive.HdriveError, match="ended"):
        sweep.tell(run, 2)
    with pytest.raises(hdrive.HdriveError, match="never asked for"):
        sweep.tell(99, 2)


def test_threads_may_ask_and_tell(make):
    sweep = make(max_total_runs=200, sampler="tpe")

    def work():
        while (run := sweep.ask()) is not None:
            sweep.tell(run, run.params["x"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.number for run in sweep.runs] == list(range(200))


def test_what_was_asked_survives_and_is_handed_out_again(make):
    sweep = make(directory=None)
    runs = sweep.ask(2)
    sweep.tell(runs[0], 1.0)
    sweep.close()
    again = hdrive.load(sweep.id)
    run = again.ask()
    assert (run.number, run.attempt, run.params) == (1, 2, runs[1].params)
