# SPDX-License-Identifier: Apache-2.0
"""Worker processes: warm ones that train run after run, each crash failing one run alone.

A worker is `python -m hdrive._worker` in a session of its own, joined to this process by two sockets: one for
requests and answers, one that ends when this process does, so that no worker outlives it. Nothing is forked from
this process, which has threads, and the script that started the sweep is not imported again: objectives travel by
cloudpickle. With `forkserver` the first worker imports what the objective needs and all others are forked from it.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from ._errors import ConfigError, HdriveError, WorkerDied

if TYPE_CHECKING:
    from ._objective import Adapted

# How often a worker that reports nothing is looked at: whether it is to stop.
_LOOK = 0.05


def _pickled(call: Any) -> bytes:
    import cloudpickle
    try:
        return bytes(cloudpickle.dumps(call))
    except Exception as error:
        raise ConfigError("the objective cannot be sent to another process: "
                          f"{type(error).__name__}: {error}") from error


class _Process:
    """A process that was started here: how it is ended, and how it ended."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def end(self, how: signal.Signals) -> None:
        try:
            os.killpg(self.pid, how)
        except ProcessLookupError:
            pass

    def wait(self, timeout: float) -> str | None:
        """How it ended, for people; None where it has not."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        if code >= 0:
            return f"exited with code {code}"
        name = signal.Signals(-code).name
        hint = "; the system may have been out of memory" if name == "SIGKILL" else ""
        return f"was killed by {name}{hint}"


class _Forked(_Process):
    """The same of a process that a fork server started, which tells how it ended."""

    def __init__(self, server: _Server, pid: int) -> None:
        self._server = server
        self.pid = pid

    def wait(self, timeout: float) -> str | None:
        until = time.monotonic() + timeout
        while True:
            code = self._server.code_of(self.pid)
            if code is not None:
                return f"exited with code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"
            if time.monotonic() >= until:
                return None
            time.sleep(0.005)


def _start(mode: str, call: bytes) -> tuple[subprocess.Popen[bytes], Connection, socket.socket]:
    """A process of this package, its connection and its lifeline."""
    ours, theirs = socket.socketpair()
    line, their_line = socket.socketpair()
    with theirs, their_line:
        # start_new_session: Ctrl-C in the terminal is for this process, which then stops the runs in order.
        process = subprocess.Popen(
            [sys.executable, "-m", "hdrive._worker", mode, str(theirs.fileno()), str(their_line.fileno())],
            pass_fds=(theirs.fileno(), their_line.fileno()), start_new_session=True, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    connection = Connection(ours.detach())
    connection.send_bytes(call)
    return process, connection, line


class _Server:
    """The process that workers are forked from."""

    def __init__(self, call: bytes) -> None:
        self._process, self._connection, self._line = _start("server", call)
        self._lock = threading.Lock()
        self._codes: dict[int, int] = {}

    def fork(self) -> tuple[_Forked, Connection, socket.socket]:
        ours, theirs = socket.socketpair()
        line, their_line = socket.socketpair()
        with theirs, their_line, self._lock:
            try:
                self._connection.send("fork")
            except OSError:
                self._receive()  # says so
            channel = socket.socket(fileno=os.dup(self._connection.fileno()))
            with channel:
                socket.send_fds(channel, [b"f"], [theirs.fileno(), their_line.fileno()])
            pid = self._receive()
        return _Forked(self, pid), Connection(ours.detach()), line

    def _receive(self) -> Any:
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            raise WorkerDied("the process that workers are forked from has died; its objective, or what that imports, "
                             "may have ended it") from None

    def code_of(self, pid: int) -> int | None:
        with self._lock:
            if pid not in self._codes:
                try:
                    self._connection.send(("code", pid))
                    code = self._receive()
                except (OSError, WorkerDied):
                    return -signal.SIGKILL  # with the server, whose workers end with it
                if code is None:
                    return None
                self._codes[pid] = code
            return self._codes[pid]

    def close(self) -> None:
        self._line.close()
        self._connection.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Worker:
    def __init__(self, process: _Process, connection: Connection, line: socket.socket) -> None:
        self.process = process
        self.connection = connection
        self.line = line

    def close(self) -> None:
        self.connection.close()
        self.line.close()


class Pool:
    """Workers for one sweep. `run` is called by the engine, on a thread of each run's own."""

    def __init__(self, adapted: Adapted, forkserver: bool = False) -> None:
        self._adapted = adapted
        self._grace: float = adapted._sweep._first_spec.cancel_grace
        self._call = _pickled(adapted.call)
        self._server = _Server(self._call) if forkserver else None
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._stops = 0
        self._closed = False

    def _take(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise HdriveError("the workers were closed")
            if self._idle:
                return self._idle.pop()
        if self._server is not None:
            return _Worker(*self._server.fork())
        process, connection, line = _start("worker", self._call)
        return _Worker(_Process(process), connection, line)

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        worker.close()

    def run(self, handle: Any) -> str | None:
        """Has a worker train the run; the failure, if it is one."""
        worker = self._take()
        run = (handle.number, handle.attempt, handle.slot, handle.resume_from, handle.params,
               self._adapted.directory_of(handle))
        try:
            worker.connection.send(("run", run))
            failure = self._serve(worker, handle)
        except (EOFError, OSError):
            return self._died(worker, handle)
        except pickle.PicklingError as error:
            self._give_back(worker)
            return f"the parameters cannot be sent to another process: {error}"
        self._give_back(worker)
        return failure

    def _serve(self, worker: _Worker, handle: Any) -> str | None:
        kill_at: float | None = None
        while True:
            if not worker.connection.poll(_LOOK):
                kill_at = self._look_after(worker, handle, kill_at)
                continue
            what, *facts = worker.connection.recv()
            if what == "report":
                for name, value, step in facts[0]:
                    handle.report(name, value, step)
            elif what == "verdict":
                worker.connection.send(bool(handle.await_verdict()))
            elif what == "stop?":
                worker.connection.send(bool(handle.stop_requested))
            else:
                failure: str | None = facts[0]
                return failure

    def _look_after(self, worker: _Worker, handle: Any, kill_at: float | None) -> float | None:
        """A run that is to stop and does not look is ended after the grace period, or when somebody is impatient."""
        if not handle.stop_requested:
            return None
        now = time.monotonic()
        if kill_at is None:
            return now + self._grace
        if now >= kill_at or self._stops > 1:
            worker.process.end(signal.SIGKILL)
        return kill_at

    def _died(self, worker: _Worker, handle: Any) -> str | None:
        how = worker.process.wait(1)
        worker.process.end(signal.SIGKILL)  # what it may have started
        if how is None:
            how = "closed its connection to hdrive, which ended it"
            worker.process.wait(10)
        worker.close()
        return None if handle.stop_requested else f"WorkerDied: the worker process {how}"

    def stop(self) -> None:
        """The sweep was asked to stop; from the second time on nobody is waited for."""
        self._stops += 1

    def close(self) -> None:
        """Ends the idle workers; those at work end when their runs do."""
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for worker in idle:
            worker.close()
        for worker in idle:
            if worker.process.wait(5) is None:
                worker.process.end(signal.SIGKILL)
                worker.process.wait(5)
        if self._server is not None:
            self._server.close()
            self._server = None
