# SPDX-License-Identifier: Apache-2.0
"""What happens to the process that sweeps run in: Ctrl-C, its end, forks, other interpreters."""

import os
import signal
import subprocess
import sys
import textwrap

import hdrive
import pytest
from support import script


def test_ctrl_c_stops_cleanly_and_the_sweep_goes_on_later(own_folder):
    ended = script("""
        import hdrive, os, signal, threading
        sweep = hdrive.Sweep({"x": hdrive.uniform(0, 1)}, metric="loss", goal="minimize", max_total_runs=6, name="s")
        def train(run, params):
            run.log("loss", 1)
            if run.number == 2:
                os.kill(os.getpid(), signal.SIGINT)
                while True:
                    run.log("loss", 1)
            return 1.0
        try:
            sweep.run(train)
        except KeyboardInterrupt:
            print("interrupted", sweep.runs[2].cause)
        """)
    assert "interrupted interrupt" in ended.stdout, ended.stderr
    sweep = hdrive.load("s").run(lambda x: x)
    assert sweep.status == "Completed"
    assert len(sweep.runs) == 6
    assert sweep.runs[2].attempt == 2


def test_a_function_that_never_looks_ends_with_the_process(own_folder):
    (own_folder / "script.py").write_text(textwrap.dedent("""
        import hdrive, threading, time
        begun = threading.Event()
        def train(x):
            begun.set()
            while True:
                time.sleep(0.01)
        sweep = hdrive.Sweep({"x": hdrive.uniform(0, 1)}, metric="loss", goal="minimize", max_total_runs=6,
                             directory=":memory:")
        handle = sweep.start(train)
        begun.wait()
        try:
            try:
                print("began", flush=True)
                handle.wait()
            except KeyboardInterrupt:
                print("first", flush=True)
                handle._stop_cleanly()
        finally:
            print("second", flush=True)
        """))
    process = subprocess.Popen([sys.executable, "script.py"], stdout=subprocess.PIPE, text=True)
    for said in ("began", "first"):
        assert process.stdout.readline() == said + "\n"
        process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "second\n"
    while process.poll() is None:  # whatever else the interpreter does at its end may hear one of them
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            pass
    assert process.returncode == 130


def test_ctrl_c_at_the_first_instruction_of_the_end_ends_the_process():
    ended = script("""
        import hdrive, sys, threading, time
        begun = threading.Event()
        def train(x):
            begun.set()
            while True:
                time.sleep(0.01)
        handle = hdrive.Sweep({"x": [1]}, metric="loss", goal="minimize", max_total_runs=6,
                              directory=":memory:").start(train)
        begun.wait()
        print("kept")
        def interrupt(frame, event, arg):
            if event == "call" and frame.f_code.co_name == "_end_all":
                raise KeyboardInterrupt
        sys.setprofile(interrupt)
        """)
    assert ended.returncode == 130, ended.stderr
    assert ended.stdout == "kept\n"


@pytest.mark.parametrize("ending", ["pass", "import sys; sys.exit(3)", "raise ValueError", "sweep.ask()"])
def test_the_interpreter_ends_in_mid_sweep(ending):
    ended = script(f"""
        import hdrive, time
        sweep = hdrive.Sweep({{"x": hdrive.uniform(0, 1)}}, metric="loss", goal="minimize", max_total_runs=10**6,
                             max_concurrent_runs=4, directory=":memory:")
        def train(run, params):
            for _ in range(10**9):
                run.log("loss", 1)
        other = hdrive.Sweep({{"x": hdrive.uniform(0, 1)}}, metric="loss", goal="minimize", max_total_runs=10**6,
                             directory=":memory:")
        handle = other.start(train)
        {ending}
        """)
    assert ended.returncode >= 0, ended.stderr
    assert "Fatal" not in ended.stderr
    assert "terminate" not in ended.stderr


def test_a_fork_reads_and_is_refused_the_rest(make):
    sweep = make()
    sweep.ask()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            try:
                sweep.ask()
            except hdrive.HdriveError:
                code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    sweep.close()


def test_a_fork_has_sweeps_of_its_own(make):
    make().run(lambda x: x)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if make(sampler="bayesian", max_total_runs=15).run(lambda x: x).status == "Completed" else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_sub_interpreter_is_refused():
    ended = script("""
        import hdrive
        try:
            import _interpreters as interpreters
            run = interpreters.exec
        except ImportError:
            import _xxsubinterpreters as interpreters
            run = interpreters.run_string
        other = interpreters.create()
        try:
            print(run(other, "import hdrive"))
        except Exception as error:
            print(error)
        print(hdrive.Sweep({"x": [1]}, metric="l", goal="minimize", max_total_runs=1, directory=":memory:").run(
            lambda x: x).status)
        """)
    # From 3.12 on the interpreter itself refuses.
    assert "main interpreter" in ended.stdout or "subinterpreters" in ended.stdout, ended.stderr
    assert ended.stdout.endswith("Completed\n")
    assert "already registered" not in ended.stderr
