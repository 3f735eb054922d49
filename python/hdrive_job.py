# SPDX-License-Identifier: Apache-2.0
"""A run's job where engine and job share no file system: fetches what the run needs from the sweep's server, takes the
run, starts its supervisor, and brings back by HTTP what it writes, as it grows, and in the end all of it, how it ended
last (docs/http-reports.md). Sent to the job by the engine; python3 (3.6 or later) and sh are all that is wanted there.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from hdrive_report import FIRST_PAUSE, LONGEST_PAUSE, SIGN_OF_LIFE, Mirror, Over, Server

# Stands in job.sh for the folder that only the job knows.
PLACE = "/@hdrive-job@"
CLAIM, CLAIM_SIZE = ".start-job", 1024
GROWING = ("metrics.jsonl", "stdout.log", "stderr.log", "job.log")
FOLDERS = ("processes", "logs")
RESULTS = ("outputs", "checkpoints", "logs", "processes")
TURN = 0.2
# How long the end of a run waits for an engine that is away. A batch system's own limit may come first.
PATIENCE = float(os.environ.get("HDRIVE_REPORT_PATIENCE") or 24 * 3600)
NOTHING_TO_DO, NO_WAY = 67, 69


def patiently(call, seconds=PATIENCE):
    """What `call` gives, tried again as long as the server is away."""
    pause, end = FIRST_PAUSE, time.monotonic() + seconds
    while True:
        try:
            return call()
        except OSError as error:
            if time.monotonic() > end:
                raise
            print("hdrive: %s; it is tried again" % error, file=sys.stderr, flush=True)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: the supervisor ends the run then


class Job:
    def __init__(self, server, directory, attempt):
        self.server, self.directory, self.attempt = server, directory, attempt
        self.mirror = Mirror(server, directory)
        self.child, self.told = None, ""
        self.next_try, self.pause = 0.0, FIRST_PAUSE

    def path(self, name):
        return os.path.join(self.directory, name)

    def fetch(self):
        for entry in patiently(lambda: self.server.ask("GET", "/job")):
            path = self.path(entry["path"])
            if "link" in entry:
                os.symlink(entry["link"], path)
            elif "folder" in entry:
                os.makedirs(path, 0o700, exist_ok=True)
            else:
                address = "/job/" + urllib.parse.quote(entry["path"])
                patiently(lambda: self.fetch_file(address, path))
                if entry["executable"]:
                    os.chmod(path, 0o700)

    def fetch_file(self, address, path):
        with open(path, "wb") as file:
            self.server.ask("GET", address, into=file)

    def take(self):
        """Asks for the run; Over where another job has it, or nobody is to begin it any more."""
        query = urllib.parse.urlencode({"job": os.urandom(16).hex(), "host": socket.gethostname()})
        patiently(lambda: self.server.ask("POST", "/claim?" + query))

    def start(self):
        with open(self.path("job.sh"), encoding="utf-8", errors="surrogateescape") as file:
            script = file.read().replace(PLACE, self.directory)
        with open(self.path("job.sh"), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(script)
        for name in ("outputs", "logs", "checkpoints"):
            os.makedirs(self.path(name), 0o700, exist_ok=True)
        open(self.path("metrics.jsonl"), "ab").close()
        with open(self.path(CLAIM), "wb") as file:
            file.write(b" " * CLAIM_SIZE)
        with open(self.path("job.log"), "ab") as log:
            self.child = subprocess.Popen(["/bin/sh", self.path("job.sh")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          start_new_session=True, preexec_fn=die_with_parent)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.signal(signal.SIGTERM))
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda *_: self.signal(signal.SIGUSR2))

    def signal(self, number):
        if self.child.poll() is None:
            self.child.send_signal(number)

    def follow(self):
        """Until the run is over. What cannot be sent meanwhile is sent later."""
        while self.child.poll() is None:
            if time.monotonic() >= self.next_try:
                try:
                    self.send()
                    self.pause = FIRST_PAUSE
                except OSError:
                    self.next_try = time.monotonic() + self.pause
                    self.pause = min(2 * self.pause, LONGEST_PAUSE)
            try:
                self.child.wait(TURN)
            except subprocess.TimeoutExpired:
                pass

    def send(self):
        self.mirror.put("supervisor.json")
        for name in GROWING:
            self.mirror.grow(name)
        for name in self.files_of(FOLDERS):
            self.mirror.grow(name)
        if time.monotonic() - self.server.asked > SIGN_OF_LIFE:
            self.server.ask("GET", "/files/metrics.jsonl")
        if self.server.stop and self.server.stop != self.told:
            self.told = self.server.stop
            self.ask_for_the_end(self.told)

    def ask_for_the_end(self, how):
        with open(self.path(".cancel"), "w") as file:
            file.write(how + "\n")
        os.rename(self.path(".cancel"), self.path(".cancel-%d" % self.attempt))

    def files_of(self, folders):
        for folder in folders:
            for parent, names, files in os.walk(self.path(folder)):
                for name in files:
                    path = os.path.join(parent, name)
                    if os.path.isfile(path) and not os.path.islink(path):
                        yield os.path.relpath(path, self.directory)

    def hand_over(self):
        for name in GROWING:
            patiently(lambda: self.mirror.grow(name))
        for name in self.files_of(RESULTS):
            patiently(lambda: self.mirror.put(name))
        patiently(lambda: self.mirror.put("exit.json"))

    def run(self):
        self.fetch()
        self.take()
        self.start()
        try:
            self.follow()
        except Over as why:
            print("hdrive: this run is ended: %s" % why, file=sys.stderr, flush=True)
            self.ask_for_the_end("kill")
            return self.child.wait()
        self.hand_over()
        return self.child.returncode


def main(url, token, certificate):
    directory = tempfile.mkdtemp(prefix="hdrive-", dir=os.environ.get("HDRIVE_JOB_DIR") or None)
    try:
        return Job(Server(url, token, certificate), directory, int(url.rsplit("/", 1)[1])).run()
    except Over as why:
        print("hdrive: there is nothing to do for this job: %s" % why, file=sys.stderr)
        return NOTHING_TO_DO
    except OSError as why:
        print("hdrive: %s" % why, file=sys.stderr)
        return NO_WAY
    finally:
        shutil.rmtree(directory, ignore_errors=True)
