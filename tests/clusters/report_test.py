# SPDX-License-Identifier: Apache-2.0
"""MLflow from other machines to the engine, though it is killed meanwhile: every metric once, in order.

    report_test.py ssh     from hosts of tests/clusters/ssh-up, in the network namespace hdt-engine, over a network
                           that is cut meanwhile, by TLS and without
    report_test.py pilot   from an allocation of the Slurm of tests/clusters/slurm-up, in the network namespace hdt-slurm

HDRIVE_SSH_FOLDER is the folder that was given to ssh-up. MLflow's own client is asked, too, where scripts/test --python
has put it into build/venv-dev.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import reports_test  # noqa: E402
from support import ROOT, until  # noqa: E402

ENGINE = "10.77.0.1"
# As MLflow's client takes a certificate that nobody else knows.
TRUSTING = reports_test.BOTH.replace("timeout=60)", "timeout=5, context=context)").replace(
    "def log(step):", "import ssl\ncontext = ssl.create_default_context(cafile=os.environ.get('MLFLOW_TRACKING_SERVER_CERT_PATH'))\n"
    "def log(step):", 1)
CLIENT = """
import hdrive_run, mlflow, os
client = mlflow.MlflowClient()
for step in range(200):
    client.log_metric(os.environ["MLFLOW_RUN_ID"], "loss", 1 / (step + 1), step=step)
    hdrive_run.log("file", step, step=step)
    with open(os.environ["RECORD"], "a") as record:
        record.write(f"{step}\\n")
"""
# It tells its makers nothing, and waits no two minutes for an answer that is lost.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


class Reported(reports_test.Elsewhere):
    def setUp(self):
        super().setUp()
        self.environment["PATH"] = self.environment["PATH"].split(":", 1)[1]  # the real commands

    def python_with_mlflow(self):
        python = ROOT / "build/venv-dev/bin/python"
        if not python.exists() or subprocess.run([python, "-c", "import mlflow"], capture_output=True).returncode:
            self.skipTest(f"{python} has no mlflow; scripts/test --python installs it")
        return {"command": f"{python} train.py"}

    def sweep_on(self, target, script, **keys):
        self.write("targets.yml", json.dumps({"targets": {"far": target}}))
        self.far_sweep(script, **keys)
        config = json.loads((self.folder / "hdconfig.yml").read_text())
        config["environment_variables"].update(QUIET)
        if "server_certificate" in keys:
            config["environment_variables"]["MLFLOW_TRACKING_SERVER_CERT_PATH"] = str(self.folder / "cert.pem")
        self.write("hdconfig.yml", json.dumps(config))

    def assert_logged_once_though_the_engine_is_killed(self, cut=lambda: None, mend=lambda: None):
        engine = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) >= 20, "the run logs")
        cut()
        self.addCleanup(mend)
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        logged = len(self.record())
        self.assertLess(logged, 200)
        engine = self.start("resume", "last")
        until(lambda: (self.sweep_directory() / "server.json").exists() and engine.poll() is None, "the next engine begins")
        mend()
        done = self.finish(engine)
        self.assertEqual(0, done.code, done)
        self.assertEqual(("Completed", 200), (self.runs()[0]["status"], self.runs()[0]["reports"]))
        self.assertEqual({"loss": list(range(200)), "file": list(range(200))}, self.told())


class Ssh(Reported):
    def link(self, host, state):
        subprocess.run(["ip", "-n", "hdt-switch", "link", "set", host, state], check=True)

    def logged_once(self, script=TRUSTING, **keys):
        folder = os.environ["HDRIVE_SSH_FOLDER"]
        self.sweep_on({"type": "ssh", "hosts": ["h1"], "config_file": f"{folder}/ssh_config",
                       "directory": str(self.folder / "there"), "ssh_options": ["ServerAliveInterval=1", "ServerAliveCountMax=2"]},
                      script, **keys)
        self.assert_logged_once_though_the_engine_is_killed(lambda: self.link("h1", "down"),
                                                            lambda: self.link("h1", "up"))

    def test_in_the_clear_where_that_is_said(self):
        self.logged_once(server_advertise=f"http://{ENGINE}")

    def test_by_tls(self):
        self.logged_once(server_advertise=ENGINE, **self.certificate(f"IP:{ENGINE}"))

    def test_by_mlflows_own_client_and_tls(self):
        self.logged_once(CLIENT, server_advertise=ENGINE, **self.python_with_mlflow(),
                         **self.certificate(f"IP:{ENGINE}"))


class Pilot(Reported):
    TARGET = {"type": "slurm", "poll": 0.5, "pilot": True, "nodes": 2, "cpus": 2, "idle": 2}

    def test_from_an_allocation(self):
        self.sweep_on(self.TARGET, reports_test.BOTH)
        self.assert_logged_once_though_the_engine_is_killed()

    def test_by_mlflows_own_client(self):
        self.sweep_on(self.TARGET, CLIENT, **self.python_with_mlflow())
        self.assert_logged_once_though_the_engine_is_killed()


if __name__ == "__main__":
    kind = {"ssh": Ssh, "pilot": Pilot}[sys.argv.pop(1)]
    unittest.main(argv=[sys.argv[0], f"{kind.__name__}", *sys.argv[1:]])
