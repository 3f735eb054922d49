# SPDX-License-Identifier: Apache-2.0
"""MLflow from hosts of the ssh target to the engine, over a network that is cut meanwhile, by TLS and without, though the engine
is killed: every metric once, in order.

    report_test.py         with the hosts of tests/clusters/ssh-up, in the network namespace hdt-engine

HDRIVE_SSH_FOLDER is the folder that was given to the script.
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
from support import until  # noqa: E402

ENGINE = "10.77.0.1"
# As MLflow's client takes a certificate that nobody else knows.
TRUSTING = reports_test.BOTH.replace("timeout=60)", "timeout=5, context=context)").replace(
    "def log(step):", "import ssl\ncontext = ssl.create_default_context(cafile=os.environ.get('MLFLOW_TRACKING_SERVER_CERT_PATH'))\n"
    "def log(step):", 1)


class OverTheNetwork(reports_test.Elsewhere):
    def link(self, host, state):
        subprocess.run(["ip", "-n", "hdt-switch", "link", "set", host, state], check=True)

    def logged_once(self, **keys):
        folder = os.environ["HDRIVE_SSH_FOLDER"]
        self.environment["PATH"] = self.environment["PATH"].split(":", 1)[1]  # the real ssh
        self.write("targets.yml", json.dumps({"targets": {"far": {
            "type": "ssh", "hosts": ["h1"], "config_file": f"{folder}/ssh_config", "directory": str(self.folder / "there"),
            "ssh_options": ["ServerAliveInterval=1", "ServerAliveCountMax=2"]}}}))
        self.far_sweep(TRUSTING, **keys)
        config = json.loads((self.folder / "hdconfig.yml").read_text())
        if "server_certificate" in keys:
            config["environment_variables"]["MLFLOW_TRACKING_SERVER_CERT_PATH"] = str(self.folder / "cert.pem")
            self.write("hdconfig.yml", json.dumps(config))
        engine = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) >= 20, "the run logs")
        self.link("h1", "down")
        self.addCleanup(self.link, "h1", "up")
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        logged = len(self.record())
        self.assertLess(logged, 200)
        engine = self.start("resume", "last")
        until(lambda: (self.sweep_directory() / "server.json").exists() and engine.poll() is None, "the next engine begins")
        self.link("h1", "up")
        done = self.finish(engine)
        self.assertEqual(0, done.code, done)
        self.assertEqual(("Completed", 200), (self.runs()[0]["status"], self.runs()[0]["reports"]))
        self.assertEqual({"loss": list(range(200)), "file": list(range(200))}, self.told())

    def test_in_the_clear_where_that_is_said(self):
        self.logged_once(server_advertise=f"http://{ENGINE}")

    def test_by_tls(self):
        self.logged_once(server_advertise=ENGINE, **self.certificate(f"IP:{ENGINE}"))


if __name__ == "__main__":
    unittest.main()
