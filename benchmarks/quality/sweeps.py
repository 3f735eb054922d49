# SPDX-License-Identifier: Apache-2.0
"""One sweep of an arm on a problem, in simulated time: the modes, the incumbent, the latencies."""

import heapq
import random
import time

from scoring import quantile

# name: (how many runs at once, whether they wait for each other). A budget is a number of results.
MODES = {"sequential": (1, False), "batches": (8, True), "asynchronous": (8, False)}
DURATION_SIGMA = 0.7  # of the asynchronous workers' log-normal durations: 5 to 95 % of them differ tenfold


class Sweep:
    def __init__(self, problem, arm, seed, budget, mode):
        self.problem, self.arm, self.seed, self.budget = problem, arm, seed, budget
        self.parallel, self.batched = MODES[mode]
        self.started = 0
        self.results = 0
        self.best = float("inf")
        self.trace = []
        self.latencies = []  # seconds a proposal, with the results told before it
        self.waited = 0.0

    def run(self):
        self.arm.start(self.problem.space, self.seed, self.budget, self.parallel)
        try:
            self.batches() if self.batched else self.asynchronous()
        finally:
            self.arm.finish()
        return self

    def batches(self):
        while open_runs := self.ask(min(self.parallel, self.budget - self.started)):
            for run in open_runs:
                self.result(*run)

    def asynchronous(self):
        """Whichever run ends first is told, and its worker asks for the next."""
        durations = random.Random(f"durations {self.seed}")
        now, running = 0.0, []
        while True:
            while len(running) < self.parallel and (asked := self.ask(min(1, self.budget - self.started))):
                for number, key, values in asked:
                    end = now + durations.lognormvariate(0, DURATION_SIGMA)
                    heapq.heappush(running, (end, number, key, values))
            if not running:
                return
            now, *run = heapq.heappop(running)
            self.result(*run)

    def ask(self, count):
        if count == 0:
            return []
        asked, seconds = timed(self.arm.ask, count)
        seconds += self.waited
        self.waited = 0.0
        self.latencies += [seconds / max(1, len(asked))] * len(asked)
        first = self.started
        self.started += len(asked)
        return [(first + i, key, values) for i, (key, values) in enumerate(asked)]

    def result(self, number, key, values):
        observed, true = self.problem.evaluate(values, self.seed, number)
        self.waited += timed(self.arm.tell, key, observed)[1]
        self.results += 1
        if observed < self.best:
            self.best = observed
            self.trace.append([self.results, float(f"{true - self.problem.optimum:.6g}")])

    def row(self):
        return {"n": self.results, "trace": self.trace, "seconds": round(sum(self.latencies), 4),
                "p50_ms": round(1e3 * quantile(self.latencies, 0.5), 4),
                "p99_ms": round(1e3 * quantile(self.latencies, 0.99), 4)}


def timed(function, *arguments):
    began = time.perf_counter()
    answer = function(*arguments)
    return answer, time.perf_counter() - began
