#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What runs on other machines tell the sweep's server: MLflow from hosts of the ssh target, TLS, who may reach it how.
The other machine is this one, behind an `ssh` that runs its command here."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import support
from server_test import LOGGING, WAITING
from support import HdriveTest, until

FAKE_SSH = """#!/bin/sh
echo $$ >> {folder}/agents
for last; do :; done
exec sh -c "$last"
"""
# Beside what it logs with MLflow, the same numbers by the file.
BOTH = LOGGING.replace("for step in range(200):", """import hdrive_run
for step in range(200):
    hdrive_run.log("file", step, step=step)""")


class Elsewhere(HdriveTest):
    """What tests of runs on other machines share; those of jobs without shared files (unshared_test.py) as well."""

    def setUp(self):
        super().setUp()
        ssh = self.write("bin/ssh", FAKE_SSH.format(folder=self.folder))
        ssh.chmod(0o700)
        self.environment["PATH"] = f"{ssh.parent}:{self.environment['PATH']}"
        self.write("targets.yml", json.dumps({"targets": {"far": {
            "type": "ssh", "directory": str(self.folder / "there"), "hosts": [{"host": "far1", "slots": 2}]}}}))
        self.addCleanup(self.end_processes)

    def far_sweep(self, script, **keys):
        self.write("train.py", script)
        self.config(**{"command": f"{sys.executable} train.py", "append_parameters": False, "target": "far", "max_total_runs": 1,
                       "environment_variables": {"RECORD": str(self.record_file)}, "server_advertise": "http://127.0.0.1", **keys})

    def certificate(self, *names):
        """A self-signed one for these names, and its key."""
        paths = self.folder / "cert.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=sweeps", "-addext", "subjectAltName=" + ",".join(names), "-out", paths[0], "-keyout", paths[1]],
                       check=True, capture_output=True)
        return {"server_certificate": paths[0].name, "server_key": paths[1].name}

    def encrypted(self):
        """The key, under a passphrase."""
        subprocess.run(["openssl", "pkey", "-in", "key.pem", "-aes128", "-passout", "pass:secret", "-out", "locked.pem"], check=True,
                       capture_output=True, cwd=self.folder)
        return "locked.pem"

    def expired(self):
        """The certificate, as it would be some days after its end."""
        subprocess.run(["openssl", "x509", "-in", "cert.pem", "-signkey", "key.pem", "-days", "-1", "-out", "old.pem"], check=True,
                       capture_output=True, cwd=self.folder)
        return "old.pem"

    def told(self, number=0):
        """What was stored of the run, by metric: the steps in their order."""
        rows = self.database().execute("select name, step from metrics where run = ? order by rowid", (number,)).fetchall()
        steps = {}
        for name, step in rows:
            steps.setdefault(name, []).append(step)
        return steps


class Reports(Elsewhere):
    # ---- MLflow from there ----------------------------------------------------------------------

    def test_what_a_run_on_another_machine_logs_with_mlflow_is_there_once_though_the_engine_is_killed(self):
        self.far_sweep(BOTH)
        engine = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) >= 20, "the run logs")
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        self.assertLess(len(self.record()), 200)
        self.assertNotIn("warning", self.hdrive("resume", "last").err)
        [run] = self.runs()
        self.assertEqual(("Completed", 200), (run["status"], run["reports"]))
        self.assertEqual({"loss": list(range(200)), "file": list(range(200))}, self.told())
        for name, metric in (("mlflow-metrics.jsonl", "loss"), ("metrics.jsonl", "file")):
            lines = [json.loads(line) for line in (self.run_directory(0) / name).read_text().splitlines()]
            self.assertEqual([(metric, step) for step in range(200)], [(line["name"], line["step"]) for line in lines])
        # A lost database is made of the files again.
        self.assertIn("400 values are what was written", self.hdrive("check", "last").out)
        [path] = self.sweep_directory().glob("*.db")
        self.hdrive("repair", "last")
        self.assertEqual({"loss": list(range(200)), "file": list(range(200))}, self.told())
        path.unlink()
        self.hdrive("repair", self.sweep_directory_without_database())
        self.assertEqual({"loss": 200, "file": 200}, {name: len(steps) for name, steps in self.told().items()})

    def sweep_directory_without_database(self):
        [found] = [path for path in self.folder.glob(".hdrive/HD_*")]
        return found

    def test_without_an_address_they_are_not_told_of_the_server(self):
        self.far_sweep(WAITING, server_advertise=None)
        engine = self.start("run", "hdconfig.yml")
        found = json.loads(until(self.record, "the run tells of itself")[0])
        self.assertEqual([None, None], [found["MLFLOW_TRACKING_URI"], found["MLFLOW_RUN_ID"]])
        self.write("record.go", "")
        self.assertEqual(0, self.finish(engine).code)

    def test_an_attempt_that_is_over_says_nothing_more(self):
        leave = "if os.environ['HDRIVE_ATTEMPT'] == '1':\n    raise SystemExit(1)\n"
        self.far_sweep(WAITING.replace("while not", leave + "while not"), max_failed_retries=1)
        engine = self.start("run", "hdconfig.yml")
        first, second = map(json.loads, until(lambda: len(self.record()) == 2 and self.record(), "both attempts tell of themselves"))
        self.assertTrue(first["MLFLOW_TRACKING_URI"].endswith("/runs/0/attempts/1"), first)
        for found, status in ((first, 409), (second, 200)):
            request = urllib.request.Request(
                found["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric",
                json.dumps({"run_id": found["MLFLOW_RUN_ID"], "key": "loss", "value": status, "timestamp": 1, "step": 0}).encode(),
                {"Authorization": f"Bearer {found['MLFLOW_TRACKING_TOKEN']}"})
            try:
                answered = urllib.request.urlopen(request, timeout=support.DEADLINE).status
            except urllib.error.HTTPError as error:
                answered = error.code
                self.assertIn(b"attempt 1 of run 0 is over", error.read())
            self.assertEqual(status, answered)
        self.write("record.go", "")
        self.assertEqual(0, self.finish(engine).code)
        [run] = self.runs()
        self.assertEqual((2, 200, 1), (run["attempt"], run["best_primary_metric"], run["reports"]))

    # ---- who reaches it how ---------------------------------------------------------------------

    def waiting(self, *arguments, **keys):
        self.far_sweep(WAITING, **keys)
        engine = self.start("run", "hdconfig.yml", *arguments)
        return engine, json.loads(until(self.record, "the run tells of itself")[0])

    def ask(self, uri, token, context=None):
        request = urllib.request.Request(uri + "/api/2.0/mlflow/runs/search", b"{}", {"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=support.DEADLINE, context=context) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def test_tls_by_a_certificate_for_others_and_plain_http_for_this_machine_alone(self):
        engine, found = self.waiting("--advertise", "localhost", server_advertise=None, server_address="127.0.0.2",
                                     **self.certificate("DNS:localhost", "IP:127.0.0.2"))
        uri, token = found["MLFLOW_TRACKING_URI"], found["MLFLOW_TRACKING_TOKEN"]
        self.assertTrue(uri.startswith("https://localhost:"), uri)
        kept = json.loads((self.sweep_directory() / "server.json").read_text())
        trusting = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        there = f"127.0.0.2:{kept['port']}/runs/0/attempts/1"
        self.assertEqual(200, self.ask("https://" + there, token, trusting))
        self.assertEqual(401, self.ask("https://" + there, "0" * 64, trusting))
        with self.assertRaises(urllib.error.URLError):
            self.ask("https://" + there, token, ssl.create_default_context())
        # Who does not speak TLS there is not answered, and keeps nobody from it; nor does who says nothing.
        with socket.create_connection(("127.0.0.2", kept["port"])) as silent, \
                socket.create_connection(("127.0.0.2", kept["port"]), timeout=support.DEADLINE) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n")
            self.assertNotIn(b"200", plain.recv(4096))
            self.assertEqual(200, self.ask("https://" + there, token, trusting))
            self.assertTrue(silent)
        self.assertEqual(200, self.ask(f"http://127.0.0.1:{kept['inside_port']}", token))
        # Both addresses are the next engine's, too.
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        engine = self.start("resume", "last")
        until(lambda: self.answers("https://" + there, token, trusting), "the next engine answers there")
        self.assertEqual(kept, json.loads((self.sweep_directory() / "server.json").read_text()))
        self.write("record.go", "")
        self.assertEqual(0, self.finish(engine).code)

    def answers(self, uri, token, context):
        try:
            return self.ask(uri, token, context) == 200
        except OSError:
            return False

    def test_nothing_goes_unprotected_without_a_word(self):
        certificate = self.certificate("DNS:localhost")
        for keys, told in (({"server_advertise": "node0"}, "say http://node0 where the network is to be trusted"),
                           ({"server_address": "0.0.0.0"}, "server_address: without a certificate"),
                           ({"server_advertise": "node0", "server_certificate": "cert.pem"}, "server_key: is missing"),
                           ({**certificate, "server_advertise": "node0", "server_key": "cert.pem"}, "is not the private key of"),
                           ({**certificate, "server_advertise": "node0", "server_certificate": "none.pem"}, "none.pem is no certificate"),
                           ({**certificate, "server_advertise": "localhost", "server_key": "none.pem"}, "passphrase: No such file"),
                           ({**certificate, "server_advertise": "localhost", "server_key": self.encrypted()}, "without a passphrase: "),
                           ({**certificate, "server_advertise": "node0"}, 'cert.pem is not for "node0", which the runs are told'),
                           ({**certificate, "server_advertise": "node0"}, "it is for localhost: give server_advertise one of these"),
                           ({**certificate, "server_advertise": "localhost", "server_certificate": self.expired()}, "was valid until "),
                           (certificate, "give server_advertise: HOST, too")):
            self.config(support.QUICK, **keys)
            self.assertIn(told, self.hdrive("run", "hdconfig.yml", code=2).err)
        self.assertEqual([], self.sweeps())
        # Those of Let's Encrypt are links.
        (self.folder / "link.pem").symlink_to("cert.pem")
        self.config(support.QUICK, **{**certificate, "server_advertise": "localhost", "server_certificate": "link.pem"})
        self.hdrive("run", "hdconfig.yml")

    def test_an_address_can_be_given_when_a_sweep_goes_on(self):
        engine, found = self.waiting(server_advertise=None)
        self.assertIsNone(found["MLFLOW_TRACKING_URI"])
        engine.send_signal(signal.SIGTERM)
        engine.wait()
        self.record_file.unlink()
        engine = self.start("resume", "last", "--advertise", "127.0.0.1", "--set", "max_total_runs=2")
        found = json.loads(until(self.record, "the next run tells of itself")[0])
        self.assertTrue(found["MLFLOW_TRACKING_URI"].startswith("http://127.0.0.1:"), found)
        self.write("record.go", "")
        self.assertEqual(0, self.finish(engine).code)


if __name__ == "__main__":
    support.main_at_once()
