# SPDX-License-Identifier: Apache-2.0
import os
import select
import signal
import subprocess
import sys
import textwrap

import hdrive
import pytest


@pytest.fixture(params=["process", "forkserver"])
def workers(request):
    return request.param


def ended(pid):
    """Waits until the process has."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with open(watched, "rb", buffering=0):
        return select.select([watched], [], [], 30)[0] == [watched]


def test_runs_are_trained_in_warm_processes(make, workers):
    def train(run, params):
        global trained  # noqa: PLW0603 - what a process keeps between runs
        trained = globals().get("trained", 0) + 1
        run.log("loss", params["x"] ** 2, 1)
        return {"loss": params["x"] ** 2, "pid": os.getpid(), "trained": trained}

    sweep = make(max_concurrent_runs=2, max_total_runs=10).run(train, workers)
    pids = {run.metrics["pid"][0] for run in sweep.runs}
    assert os.getpid() not in pids
    assert 1 <= len(pids) <= 2
    assert max(run.metrics["trained"][0] for run in sweep.runs) >= 5
    assert sweep.best.metrics["loss"].tolist() == [sweep.best.params["x"] ** 2] * 2


@pytest.mark.parametrize("crash, says", [
    ("import os; os._exit(3)", "exited with code 3"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    ("raise ValueError('broken')", "ValueError: broken"),
    ("raise SystemExit(2)", "SystemExit: 2"),
])
def test_a_crash_fails_its_run_and_never_the_sweep(make, workers, crash, says):
    def train(run, params):
        if run.number == 2:
            exec(crash)
        return params["x"]

    sweep = make().run(train, workers)
    assert sweep.status == "Completed"
    assert sweep.runs[2].status == "Failed"
    assert says in sweep.runs[2].error
    assert sum(run.status == "Completed" for run in sweep.runs) == 7


def test_a_policy_stops_a_process_at_its_report(make, workers):
    def train(run, params):
        for epoch in range(50):
            run.log("loss", run.number, epoch)

    sweep = make(policy=hdrive.Bandit(slack_amount=0.5, delay_evaluation=3)).run(train, workers)
    assert [len(run.metrics["loss"]) for run in sweep.runs] == [50, *[3] * 7]


def test_a_run_that_does_not_look_is_ended_after_the_grace_period(make, workers):
    def train(run, params):
        run.log("loss", 1)
        if run.number == 1:
            while True:
                pass
        return 1.0

    sweep = make(max_run_duration=3, cancel_grace=0.1).run(train, workers)
    assert sweep.runs[1].cause == "time_limit"
    assert sweep.status == "Completed"


def test_an_objective_that_cannot_travel_is_refused_before_anything_starts(make):
    import threading
    lock = threading.Lock()
    sweep = make()
    with pytest.raises(hdrive.ConfigError, match="another process"):
        sweep.run(lambda x: lock and x, workers="process")
    assert sweep.status == "NotStarted"


def test_a_script_needs_no_main_guard_and_no_worker_outlives_it(own_folder):
    program = textwrap.dedent("""
        import hdrive, os, sys, time
        print("imported", flush=True)
        def train(run, params):
            print("pid", os.getpid(), flush=True)
            run.log("loss", 1)
            if run.number == 3:
                time.sleep(60)
            return 1.0
        hdrive.Sweep({"x": hdrive.uniform(0, 1)}, metric="loss", goal="minimize", max_total_runs=6,
                     directory=":memory:").run(train, workers="process")
        """)
    (own_folder / "script.py").write_text(program)
    process = subprocess.Popen([sys.executable, "script.py"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "imported\n"
    pids = [int(process.stdout.readline().split()[1]) for _ in range(4)]
    process.kill()
    process.wait()
    # The worker's end of standard output is closed when it is gone.
    assert "imported" not in process.stdout.read()
    # That end is closed a little before the process has ended.
    assert all(ended(pid) for pid in set(pids))


def test_ctrl_c_is_for_the_sweep_and_not_for_its_workers(own_folder):
    (own_folder / "script.py").write_text(textwrap.dedent("""
        import hdrive, time
        def train(run, params):
            print("began", flush=True)
            try:
                while True:
                    run.log("loss", 1)
            finally:
                print("cleaned", flush=True)
        sweep = hdrive.Sweep({"x": hdrive.uniform(0, 1)}, metric="loss", goal="minimize", max_total_runs=6,
                             directory=":memory:")
        try:
            sweep.run(train, workers="process")
        except KeyboardInterrupt:
            print(sweep.runs[0].cause)
        """))
    process = subprocess.Popen([sys.executable, "script.py"], stdout=subprocess.PIPE, text=True,
                               start_new_session=True)
    assert process.stdout.readline() == "began\n"
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out.split() == ["cleaned", "interrupt"]


def test_what_an_objective_started_ends_with_its_worker(make, workers):
    def train(run, params):
        return {"loss": params["x"], "pid": subprocess.Popen(["sleep", "600"]).pid}

    sweep = make(max_total_runs=3).run(train, workers)
    assert all(ended(int(run.metrics["pid"][0])) for run in sweep.runs)
