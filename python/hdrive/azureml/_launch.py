# SPDX-License-Identifier: Apache-2.0
"""Starts the processes of one distributed run on this machine: `_launch.py KIND COUNTS -- COMMAND`.

The standard library alone. KIND is mpi, pytorch or tensorflow. Each process gets the variables that Azure ML sets;
where one fails the others are ended, and the exit code is its own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time


def _free_ports(count: int) -> list[int]:
    held = []
    for _ in range(count):
        held.append(socket.socket())
        held[-1].bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def environments(kind: str, counts: list[int]) -> list[dict[str, str]]:
    """What is added to each process's environment."""
    if kind == "pytorch":
        size = counts[0]
        port = str(_free_ports(1)[0])
        return [{"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size),
                 "NODE_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port} for rank in range(size)]
    workers, servers = counts
    hosts = [f"localhost:{port}" for port in _free_ports(workers + servers)]
    cluster = {"worker": hosts[:workers]}
    if servers:
        cluster["ps"] = hosts[workers:]
    tasks = [("worker", index) for index in range(workers)] + [("ps", index) for index in range(servers)]
    return [{"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": what, "index": index},
                                      "environment": "cloud"})} for what, index in tasks]


def _run(command: list[str], added: list[dict[str, str]], awaited: int) -> int:
    """Waits for the first `awaited` of the processes, or one that fails; a parameter server never ends by itself."""
    processes = [subprocess.Popen(command, env={**os.environ, **variables}) for variables in added]

    def end(*_: object) -> None:
        for process in processes:
            if process.poll() is None:
                process.terminate()

    signal.signal(signal.SIGTERM, end)
    code = 0
    try:
        while code == 0 and any(process.poll() is None for process in processes[:awaited]):
            code = next((process.returncode for process in processes if process.poll()), 0)
            time.sleep(0.02)
        code = code or next((process.returncode for process in processes if process.poll()), 0)
    finally:
        end()
        for process in processes:
            process.wait()
    return code if code >= 0 else 128 - code


def main(words: list[str]) -> int:
    """Runs the command as often as the kind and the counts say."""
    at = words.index("--")
    kind, counts, command = words[0], [int(word) for word in words[1:at]], words[at + 1:]
    if kind == "mpi":
        os.execvp("mpirun", ["mpirun", "-np", str(counts[0]), *command])
    added = environments(kind, counts)
    return _run(command, added, counts[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
