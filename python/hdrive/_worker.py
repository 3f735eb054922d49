# SPDX-License-Identifier: Apache-2.0
"""The other end of hdrive._workers: `python -m hdrive._worker worker|server CONNECTION LIFELINE`."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import Any


class Handle:
    """What hdrive._core.RunHandle is to a thread, to a process: it asks the other end."""

    def __init__(self, connection: Connection, run: tuple[int, int, int, str, dict[str, Any], str]) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._over = False
        self.number, self.attempt, self.slot, self.resume_from, self.params, self.directory = run

    def report(self, name: str, value: Any, step: int | None) -> bool:
        """False: the run is over."""
        if isinstance(value, (str, bytes)):
            raise TypeError(f"a number is wanted, not the text {value!r}")
        number = float(value)
        with self._lock:
            if not self._over:
                self._connection.send(("report", [(name, number, None if step is None else int(step))]))
            return not self._over

    def _ask(self, what: str) -> bool:
        with self._lock:
            if self._over:
                return False
            self._connection.send((what,))
            return bool(self._connection.recv())

    def await_verdict(self) -> bool:
        """Whether the run goes on, once the policy has seen all it reported."""
        return self._ask("verdict")

    @property
    def stop_requested(self) -> bool:
        """Whether it is to stop."""
        return self._over or self._ask("stop?")

    def end(self, failure: str | None) -> None:
        """Nothing is taken any more."""
        with self._lock:
            self._over = True
            self._connection.send(("end", failure))


def _end() -> None:
    """At once, with what the objective has started and left: its threads and exit handlers are not waited for."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _die_with_parent(line: socket.socket) -> None:
    """Whoever started this process holds the other end; it is closed when that process ends, however it does."""
    def wait() -> None:
        try:
            while line.recv(1):
                pass
        except OSError:
            pass
        _end()
    threading.Thread(target=wait, daemon=True, name="hdrive-lifeline").start()


def _work(connection: Connection, call: Any) -> None:
    mine = os.getpid()
    while True:
        try:
            _, run = connection.recv()
        except EOFError:
            _end()
        handle = Handle(connection, run)
        failure = None
        try:
            failure = call(handle, handle.directory)
        except SystemExit as error:
            failure = f"SystemExit: {error.code}"
        except BaseException:
            failure = traceback.format_exc().encode("utf-8", "backslashreplace").decode()
        _flush()
        if os.getpid() != mine:
            os._exit(0)  # a fork of the objective's that went on past its end: it speaks for nobody
        handle.end(failure)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


def _serve(connection: Connection, call: Any) -> None:
    """Forks a worker whenever asked. It has one thread, so that a fork is safe."""
    codes: dict[int, int] = {}
    while True:
        try:
            asked = connection.recv()
        except EOFError:
            os._exit(0)
        if asked == "fork":
            with socket.socket(fileno=os.dup(connection.fileno())) as channel:
                _, fds, _, _ = socket.recv_fds(channel, 1, 2)
            pid = os.fork()
            if pid == 0:
                os.setsid()
                connection.close()
                _die_with_parent(socket.socket(fileno=fds[1]))
                _work(Connection(fds[0]), call)
            for fd in fds:
                os.close(fd)
            connection.send(pid)
        else:
            pid = asked[1]
            if pid not in codes:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    codes[pid] = os.waitstatus_to_exitcode(status)
            connection.send(codes.get(pid))


def main() -> None:
    """Starts as the first argument says."""
    mode, connection_fd, line_fd = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    connection = Connection(connection_fd)
    line = socket.socket(fileno=line_fd)
    for fd in (connection_fd, line_fd):
        os.set_inheritable(fd, False)
    if mode == "worker":
        _die_with_parent(line)
    try:
        call = pickle.loads(connection.recv_bytes())
    except EOFError:
        return
    (_work if mode == "worker" else _serve)(connection, call)


if __name__ == "__main__":
    main()
