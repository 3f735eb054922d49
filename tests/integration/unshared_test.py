#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs that share no file system with the engine: what they need and what they write goes by HTTP, though the engine is
killed meanwhile. The batch system is three shell commands; where it may (as root), a job does not even see the sweeps."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import reports_test
import support
from support import until

# A job begins after a while, as a pod does, in a mount namespace of its own without the sweeps' folder.
SUBMIT = """#!/bin/sh
cd {folder}/grid || exit 1
id=$(($(cat last 2>/dev/null || echo 0) + 1)); echo $id > last
printf '%s' "$1" > $id.command
echo R > $id.state
{hidden} setsid sh -c 'echo $$ > {folder}/grid/'$id'.pid; cd /; sh {folder}/grid/'$id'.command; mv {folder}/grid/'$id'.state {folder}/grid/'$id'.over' \
    > $id.log 2>&1 < /dev/null &
echo "job $id"
"""
STATUS = """#!/bin/sh
cd {folder}/grid
for job in *.state; do [ -e "$job" ] && echo "${{job%.state}} R"; done
for job in *.over; do [ -e "$job" ] && echo "${{job%.over}} C"; done
exit 0
"""
CANCEL = """#!/bin/sh
for job; do kill -KILL -$(cat {folder}/grid/$job.pid) 2>/dev/null; mv {folder}/grid/$job.state {folder}/grid/$job.over 2>/dev/null; done
exit 0
"""
LOGS = """
import hdrive_run, os, pathlib, sys, time
import helper
print("I am", hdrive_run.run_id, "in", os.getcwd())
assert not (os.environ["HIDDEN"] and os.listdir(os.environ["HIDDEN"])), "the sweeps are here"
for step in range(100):
    hdrive_run.log("loss", 1 / (step + 1), step=step)
    with open(os.environ["RECORD"], "a") as record:
        record.write(f"{step}\\n")
    with open("logs/steps.txt", "a") as log:
        log.write(f"step {step}\\n")
    time.sleep(0.02)
pathlib.Path("outputs/model").mkdir()
pathlib.Path("outputs/model/weights.bin").write_bytes(os.urandom(1000) + helper.NAME.encode())
"""


class Unshared(reports_test.Elsewhere):
    def setUp(self):
        super().setUp()
        (self.folder / "grid").mkdir()
        hidden = ""
        if os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0:
            hidden = "unshare -m sh -c 'mount -t tmpfs none {0}/.hdrive && exec \"$@\"' sh".format(self.folder)
        for name, text in (("sub", SUBMIT), ("stat", STATUS), ("end", CANCEL)):
            self.write(f"bin/{name}", text.format(folder=self.folder, hidden=hidden)).chmod(0o700)
        self.hidden = str(self.folder / ".hdrive") if hidden else ""

    def grid(self, submit="sub '{command}'", **options):
        target = {"type": "command", "submit": submit, "status": "stat", "cancel": "end {jobs}", "job_pattern": r"job (\d+)",
                  "state_pattern": r"^(?P<job>\d+) (?P<state>\w)", "states": {"R": "running", "C": "completed"},
                  "shared_files": False, "poll": 0.2, **options}
        self.write("targets.yml", json.dumps({"targets": {"grid": target}}))

    def away_sweep(self, script, **keys):
        self.write("helper.py", "NAME = 'weights'\n")
        self.far_sweep(script, **{"target": "grid", "server_advertise": "127.0.0.1", **keys})
        keys = json.loads((self.folder / "hdconfig.yml").read_text())
        keys["environment_variables"]["HIDDEN"] = self.hidden
        self.write("hdconfig.yml", json.dumps(keys))

    def test_each_metric_is_there_once_though_the_engine_is_killed(self):
        self.grid()
        self.away_sweep(LOGS)
        engine = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) >= 10, "the run logs")
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        self.assertLess(len(self.record()), 100)
        until(lambda: len(self.record()) == 100, "the run goes on without an engine")
        self.assertLess(len(self.told().get("loss", [])), 100)
        done = self.hdrive("resume", "last")
        [run] = self.runs()
        self.assertEqual(("Completed", 100), (run["status"], run["reports"]), done)
        self.assertEqual({"loss": list(range(100))}, self.told())
        folder = self.run_directory(0)
        self.assertTrue((folder / "outputs/model/weights.bin").read_bytes().endswith(b"weights"))
        self.assertEqual(100, len((folder / "logs/steps.txt").read_text().splitlines()))
        self.assertIn("I am HD_", (folder / "stdout.log").read_text())
        until(lambda: not self.processes(), "nothing is left of the job")

    def test_a_script_that_is_sent_along_and_tls(self):
        self.grid(submit="sh -c 'sub \"$(cat {script})\"'")
        self.away_sweep(LOGS.replace("100", "10"), server_advertise="localhost", **self.certificate("DNS:localhost"))
        done = self.hdrive("run", "hdconfig.yml")
        self.assertEqual(("Completed", 10), (self.runs()[0]["status"], self.runs()[0]["reports"]), done)
        self.assertEqual(0o600, (self.run_directory(0) / "submit.sh").stat().st_mode & 0o777)

    def test_a_cancelled_run_is_dead_there_and_the_next_attempt_has_its_checkpoint(self):
        self.grid()
        self.away_sweep("""
import hdrive_run, os, pathlib, signal, subprocess, sys, time
saved = pathlib.Path(hdrive_run.checkpoint_dir, "state")
if hdrive_run.attempt == 1:
    saved.write_text("half way")
    hdrive_run.log("loss", 2)
    sys.exit(3)
hdrive_run.log("loss", 1)
subprocess.Popen(["setsid", "sleep", "1000"])
print(saved.read_text(), flush=True)
open(os.environ["RECORD"], "a").write("ready\\n")
time.sleep(1000)
""", max_failed_retries=1)
        engine = self.start("run", "hdconfig.yml")
        until(self.record, "the second attempt is ready")
        printed = self.run_directory(0) / "stdout.log"
        until(lambda: printed.exists() and "half way" in printed.read_text(), "what it printed arrives")
        self.hdrive("stop", "last/0")
        self.finish(engine)
        [run] = self.runs()
        self.assertEqual(("Canceled", 2), (run["status"], run["attempt"]))
        until(lambda: not self.processes(), "nothing is left of the run")

    def test_without_an_address_nothing_begins(self):
        self.grid()
        self.away_sweep(LOGS, server_advertise=None)
        told = self.hdrive("run", "hdconfig.yml", code=2).err
        self.assertIn("target grid: its jobs share no files with this machine and report by HTTP", told)
        self.assertIn("try it by a sweep of one run", self.hdrive("target", "test", "grid", code=1).out)
        self.grid(shared_files=True)
        self.assertIn("says {command}, which is for jobs that share no files", self.hdrive("run", "hdconfig.yml", code=2).err)

    # ---- without anything of hdrive's around the script -----------------------------------------

    def curl(self, url, token, *arguments, data=None):
        done = subprocess.run(["curl", "-sS", "-H", f"Authorization: Bearer {token}", *arguments, url], input=data,
                              capture_output=True, timeout=support.DEADLINE)
        return json.loads(done.stdout or b"null")

    def test_a_container_of_ones_own_reports_by_hdrive_run_and_by_curl(self):
        """As docs/http-reports.md says."""
        self.grid(submit="sh -c \"printf %s '{command}' > {directory}/../../command; echo job 1\"", status="echo 1 R")
        self.away_sweep(LOGS)
        engine = self.start("run", "hdconfig.yml")
        until(lambda: list(self.folder.glob(".hdrive/*/command")), "the job is submitted")
        kept = json.loads((self.sweep_directory() / "server.json").read_text())
        url = f"http://127.0.0.1:{kept['port']}/runs/0/attempts/1"
        self.assertEqual(0, self.curl(url + "/claim?job=mine", kept["token"], "-X", "POST")["size"])
        begun = b'{"version": 1, "attempt": 1, "pid": 1, "program_pid": 1}'
        self.curl(url + "/files/supervisor.json", kept["token"], "-T", "-", data=begun)
        script = self.write("container.py", """
import hdrive_run, os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
for step in range(200):
    before = time.monotonic()
    hdrive_run.log("loss", 1 / (step + 1), step=step)
    assert time.monotonic() - before < 1, "it waits for the engine"
    open(os.environ["RECORD"], "a").write(f"{step}\\n")
    time.sleep(0.01)
while len(sys.argv) > 1:
    time.sleep(0.01)
""")
        environment = {**self.environment, "HDRIVE_REPORT_URL": url, "HDRIVE_REPORT_TOKEN": kept["token"],
                       "TMPDIR": str(self.folder), "PYTHONPATH": str(support.ROOT / "python")}
        pod = subprocess.Popen([sys.executable, script, "stay"], env=environment)
        self.started.append(pod)
        pod.communicate = lambda: pod.wait()
        until(lambda: len(self.record()) >= 20, "it logs")
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        until(lambda: len(self.record()) == 200, "it logs while the engine is away")
        engine = self.start("resume", "last")
        until(lambda: self.told().get("loss") == list(range(200)), "all of it arrives once, in its order")
        self.hdrive("stop", "last/0", "--no-wait")
        self.assertEqual(7, pod.wait(support.DEADLINE))
        self.curl(url + "/files/outputs/note.txt", kept["token"], "-T", "-", data=b"by hand")
        ended = b'{"version": 1, "attempt": 1, "pid": 1, "exit_code": 7, "canceled": true}'
        self.curl(url + "/files/exit.json", kept["token"], "-T", "-", data=ended)
        self.finish(engine)
        self.assertEqual("Canceled", self.runs()[0]["status"])
        self.assertEqual("by hand", (self.run_directory(0) / "outputs/note.txt").read_text())

    def test_a_wrong_token_a_wrong_attempt_and_a_body_without_measure_are_refused(self):
        self.grid(submit="sh -c \"printf %s '{command}' > {directory}/../../command; echo job 1\"", status="echo 1 R")
        self.away_sweep(LOGS)
        engine = self.start("run", "hdconfig.yml")
        until(lambda: list(self.folder.glob(".hdrive/*/command")), "the job is submitted")
        kept = json.loads((self.sweep_directory() / "server.json").read_text())
        base = f"http://127.0.0.1:{kept['port']}/runs/0/attempts/"

        def post(path, body=b"x", token=None):
            request = urllib.request.Request(base + path, body, {"Authorization": f"Bearer {token or kept['token']}"})
            try:
                return urllib.request.urlopen(request, timeout=support.DEADLINE).status
            except urllib.error.HTTPError as error:
                return error.code
        self.assertEqual(401, post("1/files/metrics.jsonl?offset=0", token="0" * 64))
        self.assertEqual(404, post("2/files/metrics.jsonl?offset=0"))
        self.assertEqual(409, post("1/files/metrics.jsonl?offset=5"))
        self.assertEqual(413, post("1/files/metrics.jsonl?offset=0", bytes(65 << 20)))
        self.assertEqual(400, post("1/files/run.json?offset=0"))
        self.assertEqual(b"", (self.run_directory(0) / "metrics.jsonl").read_bytes())
        engine.send_signal(signal.SIGKILL)
        engine.wait()


if __name__ == "__main__":
    support.main_at_once()
