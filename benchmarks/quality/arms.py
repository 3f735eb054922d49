# SPDX-License-Identifier: Apache-2.0
"""The arms: hdrive's samplers, the peers and plain random search, all asked and told in the same way.

Both hdrive and the peers run as processes of their own and speak JSON lines, so their latencies contain the same pipe.
`start(space, seed, budget, parallel)` begins a sweep; `ask(count)` gives [(key, values)], fewer at the end;
`tell(key, value)` reports what is to be minimised; `finish()` comes after a sweep, `close()` after the last.
"""

import json
import math
import os
import pathlib
import random
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                     "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "TBB_NUM_THREADS")}


class Missing(Exception):
    """An arm that cannot run here, and why."""


class Lines:
    """A process that answers lines of JSON."""

    def __init__(self, command):
        self.errors = tempfile.TemporaryFile("w+")
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                            text=True, bufsize=1, env={**os.environ, **ONE_THREAD})
        except OSError:
            self.errors.close()
            raise

    def write(self, request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # what it had to say is found by read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            said = self.errors.read().strip().splitlines() or ["it said nothing"]
            raise Missing(said[-1 if said[0].startswith("Traceback") else 0])
        answer = json.loads(line)
        if "error" in answer:
            raise Missing(answer["error"])
        return answer

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        self.process.wait()
        self.errors.close()


def expression(parameter):
    """The parameter as hdconfig.yml has it."""
    kind, name = parameter["type"], parameter["name"]
    if kind == "int":
        return {"name": name, "expression": "randint", "values": [parameter["high"] + 1]}
    if kind != "float":
        return {"name": name, "expression": "choice", "values": parameter["values"]}
    bounds = [parameter["low"], parameter["high"]]
    if parameter["log"]:
        return {"name": name, "expression": "loguniform", "values": [math.log(b) for b in bounds]}
    return {"name": name, "expression": "uniform", "values": bounds}


class Hdrive:
    """`hdrive session`, a new one for each sweep."""

    def __init__(self, binary, sampler):
        self.binary, self.sampler = binary, sampler
        self.lines = None

    def start(self, space, seed, budget, parallel):
        self.finish()
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder, "hdconfig.yml")
            config.write_text(json.dumps({
                "sampling": {"type": self.sampler, "parameter_space": [expression(p) for p in space]},
                "primary_metric_name": "loss", "primary_metric_goal": "Minimize", "seed": seed,
                "max_total_runs": budget, "max_concurrent_runs": parallel}))
            try:
                self.lines = Lines([self.binary, "session", config, "--memory"])
            except OSError as problem:
                raise Missing(str(problem)) from None
            self.lines.write({"op": "best"})  # an answer means that the configuration was read
            try:
                self.lines.read()
            except Missing as problem:
                raise Missing(str(problem).replace(f"{folder}/", "")) from None

    def ask(self, count):
        self.lines.write({"op": "ask", "count": count})
        asked = []
        while len(asked) < count:
            answer = self.lines.read()
            if "done" in answer:
                break
            asked.append((answer["run"], answer["parameters"]))
        return asked

    def tell(self, key, value):
        self.lines.write({"op": "tell", "run": key, "value": value})
        self.lines.read()

    def finish(self):
        """After a sweep."""
        if self.lines:
            self.lines.close()
        self.lines = None

    close = finish


class Peer:
    """peers.py in the peers' virtual environment, one process for all sweeps: importing takes seconds."""

    def __init__(self, python, name):
        self.lines = Lines([python, HERE / "peers.py", name])
        try:
            self.version = self.lines.read()["version"]
        except Missing:
            self.lines.close()
            raise

    def start(self, space, seed, budget, parallel):
        self.call(op="start", space=space, seed=seed, budget=budget, parallel=parallel)

    def ask(self, count):
        return [tuple(pair) for pair in self.call(op="ask", count=count)["asked"]]

    def tell(self, key, value):
        self.call(op="tell", key=key, value=value)

    def call(self, **request):
        self.lines.write(request)
        return self.lines.read()

    def finish(self):
        pass

    def close(self):
        self.lines.close()


class Uniform:
    """Random search by the harness itself: the yardstick of the scores."""

    def start(self, space, seed, budget, parallel):
        self.space, self.asked, self.budget = space, 0, budget
        self.random = random.Random(f"uniform {seed}")

    def draw(self, parameter):
        if parameter["type"] == "int":
            return self.random.randint(0, parameter["high"])
        if parameter["type"] != "float":
            return self.random.choice(parameter["values"])
        low, high = parameter["low"], parameter["high"]
        if parameter["log"]:
            return math.exp(self.random.uniform(math.log(low), math.log(high)))
        return self.random.uniform(low, high)

    def ask(self, count):
        first = self.asked
        self.asked = min(self.asked + count, self.budget)
        return [(key, {p["name"]: self.draw(p) for p in self.space}) for key in range(first, self.asked)]

    def tell(self, key, value):
        pass

    def finish(self):
        pass

    close = finish


def make(name, hdrive, python):
    if name == "uniform":
        return Uniform()
    if name.startswith("hdrive-"):
        return Hdrive(hdrive, name.removeprefix("hdrive-"))
    return Peer(python, name)
