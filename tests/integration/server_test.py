#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server of a sweep over real sockets: MLflow's protocol, who is let in, what no client may do, a killed engine."""

import http.client
import json
import os
import pathlib
import signal
import socket
import sys
import urllib.parse

import support
from support import HdriveTest, until

# What a run tells the test of itself, and then waits until the test lets it go.
WAITING = '''
import json, os, pathlib, time
names = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME", "HDRIVE_RUN_DIR")
with open(os.environ["RECORD"], "a") as record:
    record.write(json.dumps({name: os.environ.get(name) for name in names}) + "\\n")
while not pathlib.Path(os.environ["RECORD"] + ".go").exists():
    time.sleep(0.01)
'''
# Logs with the protocol as any client does, and again until it is answered.
LOGGING = '''
import json, os, sys, time, urllib.error, urllib.request
def log(step):
    body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "loss", "value": 1 / (step + 1),
            "timestamp": 1795000000000 + step, "step": step}
    request = urllib.request.Request(
        os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric", json.dumps(body).encode(),
        {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]})
    while True:
        try:
            return urllib.request.urlopen(request, timeout=60).read()
        except urllib.error.HTTPError as error:
            sys.exit(error.read().decode())
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
for step in range(200):
    log(step)
    with open(os.environ["RECORD"], "a") as record:
        record.write(f"{step}\\n")
    time.sleep(0.005)
'''


# Fails in its first attempt, after it has logged what the next may say otherwise.
TWICE = '''
import json, os, sys, urllib.request
def post(path, **fields):
    request = urllib.request.Request(
        os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/" + path, json.dumps(fields).encode(),
        {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]})
    return json.load(urllib.request.urlopen(request))
run_id, attempt = os.environ["MLFLOW_RUN_ID"], os.environ["HDRIVE_ATTEMPT"]
post("runs/log-parameter", run_id=run_id, key="attempt", value=attempt)
post("runs/create", experiment_id="1", run_name=attempt, tags=[{"key": "mlflow.parentRunId", "value": run_id}])
post("runs/log-metric", run_id=run_id, key="loss", value=1, timestamp=1, step=0)
found = post("runs/search", experiment_ids=["1"], filter="tags.mlflow.parentRunId IS NOT NULL")["runs"]
assert [run["info"]["run_name"] for run in found] == [attempt], found
sys.exit(attempt == "1")
'''


class Client:
    """Requests to the server of one run, as its environment tells where."""

    def __init__(self, environment):
        self.uri = urllib.parse.urlparse(environment["MLFLOW_TRACKING_URI"])
        self.token = environment["MLFLOW_TRACKING_TOKEN"]
        self.run_id = environment["MLFLOW_RUN_ID"]
        self.connection = http.client.HTTPConnection(self.uri.hostname, self.uri.port, timeout=support.DEADLINE)

    def ask(self, method, path, body=None, headers=None, token=None):
        shown = {"Authorization": f"Bearer {token or self.token}"}
        self.connection.request(method, self.uri.path + path, body, {**shown, **(headers or {})})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def api(self, method, path, fields=None):
        status, body = self.ask(method, "/api/2.0/mlflow/" + path, json.dumps(fields or {}))
        return status, json.loads(body)

    def raw(self, data):
        """What the server answers to these bytes, until it closes or is silent."""
        with socket.create_connection((self.uri.hostname, self.uri.port), timeout=support.DEADLINE) as connection:
            connection.sendall(data)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    def head(self, line, *headers):
        return "\r\n".join([line, "Host: x", f"Authorization: Bearer {self.token}", *headers, "", ""]).encode()


class Server(HdriveTest):
    def waiting_sweep(self, **keys):
        """A sweep of one run that waits, and a client with what that run finds."""
        self.write("train.py", WAITING)
        keys = {"command": f"{sys.executable} train.py", "append_parameters": False, "max_total_runs": 1, **keys}
        self.config(**keys)
        engine = self.start("run", "hdconfig.yml")
        environment = json.loads(until(self.record, "the run tells of itself")[0])
        self.run_folder = pathlib.Path(environment["HDRIVE_RUN_DIR"])
        client = Client(environment)
        self.addCleanup(client.connection.close)
        return engine, client

    def let_go(self, engine):
        self.write("record.go", "")
        done = self.finish(engine)
        self.assertEqual(0, done.code, done)
        return done

    def kept(self):
        return json.loads((self.sweep_directory() / "server.json").read_text())

    # ---- the stream -----------------------------------------------------------------------------

    def test_metrics_params_and_tags_of_a_run(self):
        engine, client = self.waiting_sweep(experiment_name="digits")
        for step, value in enumerate([0.5, 0.25]):
            self.assertEqual((200, {}), client.api("POST", "runs/log-metric", {
                "run_id": client.run_id, "key": "loss", "value": value, "timestamp": 1795000000000, "step": step}))
        param = {"run_id": client.run_id, "key": "lr", "value": "1"}
        self.assertEqual(200, client.api("POST", "runs/log-parameter", param)[0])
        # What the script appends itself is the same stream.
        with open(self.run_folder / "metrics.jsonl", "a") as file:
            file.write('{"name": "loss", "value": 0.125, "step": 2}\n')
        _, answer = client.api("GET", f"metrics/get-history?run_id={client.run_id}&metric_key=loss")
        self.assertEqual([0.5, 0.25, 0.125], [metric["value"] for metric in answer["metrics"]])
        _, answer = client.api("GET", "experiments/get-by-name?experiment_name=digits")
        _, found = client.api("POST", "runs/search", {"experiment_ids": [answer["experiment"]["experiment_id"]]})
        self.assertEqual({"lr": "1"}, {one["key"]: one["value"] for one in found["runs"][0]["data"]["params"]})
        self.assertEqual(200, client.api("POST", "runs/update", {"run_id": client.run_id, "status": "FAILED"})[0])
        self.let_go(engine)
        [run] = self.runs()
        # The process has ended well, whatever the script has said of the MLflow run.
        self.assertEqual("Completed", run["status"])
        self.assertEqual(0.125, run["best_primary_metric"])
        self.assertEqual(3, run["reports"])

    def test_a_request_that_comes_again_counts_once(self):
        engine, client = self.waiting_sweep()
        metric = {"run_id": client.run_id, "key": "loss", "value": 0.5, "timestamp": 1795000000000, "step": 0}
        for _ in range(3):
            self.assertEqual(200, client.api("POST", "runs/log-metric", metric)[0])
        metrics = [{**metric, "step": step} for step in range(5)]
        for _ in range(2):
            batch = {"run_id": client.run_id, "metrics": metrics}
            self.assertEqual(200, client.api("POST", "runs/log-batch", batch)[0])
        self.let_go(engine)
        self.assertEqual(5, self.runs()[0]["reports"])

    def test_a_killed_engine_is_found_at_the_same_address_and_nothing_is_lost(self):
        self.write("train.py", LOGGING)
        self.config(command=f"{sys.executable} train.py", append_parameters=False, max_total_runs=1)
        engine = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) >= 20, "the run logs")
        before = self.kept()
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        logged = len(self.record())
        done = self.hdrive("resume", "last")
        self.assertNotIn("warning", done.err)
        self.assertEqual(before, self.kept())
        self.assertLess(logged, 200)
        [run] = self.runs()
        self.assertEqual(("Completed", 200), (run["status"], run["reports"]))
        lines = (self.run_directory(0) / "metrics.jsonl").read_text().splitlines()
        self.assertEqual(list(range(200)), [json.loads(line)["step"] for line in lines])

    def test_another_attempt_logs_anew(self):
        self.write("train.py", TWICE)
        self.config(command=f"{sys.executable} train.py", append_parameters=False, max_total_runs=1,
                    max_failed_retries=1)
        self.hdrive("run", "hdconfig.yml")
        [run] = self.runs()
        self.assertEqual(("Completed", 2, 1), (run["status"], run["attempt"], run["reports"]))
        for place, attempt in ((".", "2"), ("attempt-1", "1")):
            logged = (self.run_directory(0) / place / "mlflow.jsonl").read_text()
            self.assertEqual({"param": "attempt", "value": attempt}, json.loads(logged))

    # ---- who is let in --------------------------------------------------------------------------

    def test_only_who_shows_the_token_is_answered(self):
        engine, client = self.waiting_sweep()
        run_before = (self.run_folder / "metrics.jsonl").read_text()
        for path in ("/health", "/version", "/api/2.0/mlflow/runs/search", "/", "/nothing",
                     f"/api/2.0/mlflow-artifacts/artifacts/1/{client.run_id}/artifacts/a"):
            for method in ("GET", "POST", "PUT", "DELETE"):
                status, body = client.ask(method, path, b"x", token="0" * 64)
                self.assertEqual((401, "UNAUTHENTICATED"), (status, json.loads(body)["error_code"]), (method, path))
                client.connection.close()
        self.assertIn(b" 401 ", client.raw(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        self.assertEqual((200, b"OK"), client.ask("GET", "/health"))
        self.assertEqual(run_before, (self.run_folder / "metrics.jsonl").read_text())
        self.assertEqual(0o600, (self.sweep_directory() / "server.json").stat().st_mode & 0o777)
        # On the loopback address alone.
        port = f"{client.uri.port:04X}"
        listening = [line.split()[1] for table in ("tcp", "tcp6") for line in
                     pathlib.Path("/proc/net", table).read_text().splitlines()[1:] if line.split()[3] == "0A"]
        self.assertEqual([f"0100007F:{port}"], [one for one in listening if one.endswith(f":{port}")])
        self.let_go(engine)

    def test_a_server_of_the_users_own_is_left_alone_and_told_once(self):
        self.write("train.sh", 'echo "$MLFLOW_TRACKING_URI $MLFLOW_RUN_ID" >> "$RECORD"\n' + support.QUICK)
        self.config()
        own = {"MLFLOW_TRACKING_URI": "http://mine:5000"}
        done = self.hdrive("run", "hdconfig.yml", env=own)
        self.assertEqual(1, done.err.count("http://mine:5000"), done)
        self.assertEqual({"http://mine:5000 "}, set(self.record()))
        self.assertEqual([], list(self.folder.glob(".hdrive/*/server.json")))
        self.config(mlflow="always")
        done = self.hdrive("run", "hdconfig.yml", env=own)
        self.assertNotIn("mine", done.err)
        self.assertTrue(self.record()[-1].startswith("http://127.0.0.1:"), self.record())
        self.config(environment_variables=own)
        self.assertIn("mlflow: always", self.hdrive("run", "hdconfig.yml").err)
        self.config(mlflow="always", environment_variables={"MLFLOW_TRACKING_URI": "http://mine"})
        self.assertIn("remove one of the two", self.hdrive("run", "hdconfig.yml", code=2).err)
        self.config(mlflow="never")
        self.assertNotIn("warning", self.hdrive("run", "hdconfig.yml").err)
        self.assertEqual(" ", self.record()[-1])

    def test_a_sweep_within_a_run_does_not_log_into_that_run(self):
        inner = ('import os, json; print(json.dumps({name: os.environ.get(name) for name in ("MLFLOW_TRACKING_URI", '
                 '"MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME", "AZUREML_RUN_ID", "AZUREML_ARM_PROJECT_NAME")}), '
                 'file=open(os.environ["RECORD"], "a"))')
        self.write("inner.py", inner)
        for mlflow in ("never", "auto"):
            self.config(name="inner.yml", command="python3 inner.py", max_total_runs=1, mlflow=mlflow, append_parameters=False)
            self.config(f"hdrive run $HDRIVE_SOURCE_DIR/inner.yml --quiet", max_total_runs=1)
            self.hdrive("run", "hdconfig.yml", "--experiment-name", "outer", "--quiet")
        never, auto = map(json.loads, self.record())
        outer = [sweep["sweep_id"] for sweep in self.sweeps() if sweep["experiment"] == "outer"]
        self.assertEqual([None] * 3, [never[name] for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME")])
        self.assertEqual([None, None], [each["AZUREML_ARM_PROJECT_NAME"] for each in (never, auto)])
        self.assertEqual(auto["AZUREML_RUN_ID"], auto["MLFLOW_RUN_ID"])
        self.assertNotIn(auto["MLFLOW_RUN_ID"].rpartition("_")[0], outer)

    # ---- addresses ------------------------------------------------------------------------------

    def test_an_address_that_is_taken_is_an_error_before_anything_starts(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.config(support.QUICK, server_address=f"127.0.0.1:{taken.getsockname()[1]}")
            done = self.hdrive("run", "hdconfig.yml", code=2)
            self.assertIn("server_address: another program listens at 127.0.0.1:", done.err)
            self.assertIn("; give another port, or the host alone, and a free port is taken", done.err)
            self.assertEqual([], self.sweeps())
        self.config(support.QUICK, server_address="nowhere at all")
        self.assertIn("HOST:PORT", self.hdrive("run", "hdconfig.yml", code=2).err)

    def test_a_kept_port_that_somebody_took_is_told(self):
        engine, client = self.waiting_sweep()
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", client.uri.port))
            taken.listen()
            self.write("record.go", "")
            done = self.hdrive("resume", "last")
        self.assertIn(f"127.0.0.1:{client.uri.port}", done.err)
        self.assertEqual(client.token, self.kept()["token"])
        self.assertNotEqual(client.uri.port, self.kept()["port"])

    # ---- HTTP -----------------------------------------------------------------------------------

    def test_what_is_no_request_is_refused_and_the_server_goes_on(self):
        engine, client = self.waiting_sweep()
        for data in (b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"hello there\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                     client.head("POST /api/2.0/mlflow/runs/search HTTP/1.1", "Content-Length: many"),
                     client.head("POST /api/2.0/mlflow/runs/search HTTP/1.1", "Transfer-Encoding: chunked")
                     + b"zz\r\n"):
            self.assertIn(b" 400 ", client.raw(data)[:20], data)
        self.assertIn(b" 431 ", client.raw(client.head("GET /health HTTP/1.1", "X: " + "x" * 100_000))[:20])
        self.assertIn(b" 413 ", client.raw(client.head("POST /api/2.0/mlflow/runs/search HTTP/1.1",
                                                       f"Content-Length: {1 << 40}"))[:20])
        # Connections that say nothing, or half of something, keep nobody from being answered.
        idle = [socket.create_connection((client.uri.hostname, client.uri.port)) for _ in range(200)]
        for connection in idle[::2]:
            connection.sendall(b"POST /api/2.0/mlflow/runs/log-metric HTTP/1.1\r\nContent-Le")
        self.assertEqual((200, b"OK"), client.ask("GET", "/health"))
        for connection in idle:
            connection.close()
        self.let_go(engine)

    def test_keep_alive_pipelines_and_head(self):
        engine, client = self.waiting_sweep()
        two = client.head("GET /health HTTP/1.1") + client.head("GET /version HTTP/1.1", "Connection: close")
        answer = client.raw(two)
        self.assertEqual(2, answer.count(b"HTTP/1.1 200"), answer)
        head = client.raw(client.head("HEAD /health HTTP/1.1", "Connection: close"))
        self.assertIn(b"Content-Length: 2\r\n", head)
        self.assertTrue(head.endswith(b"\r\n\r\n"), head)
        old = client.raw(client.head("GET /health HTTP/1.0"))
        self.assertTrue(old.endswith(b"OK"), old)
        client.connection.connect()
        first = client.connection.sock
        for _ in range(3):
            client.ask("GET", "/health")
        self.assertIs(first, client.connection.sock)
        self.let_go(engine)

    def test_large_artifacts_come_and_go_in_pieces(self):
        engine, client = self.waiting_sweep()
        address = f"/api/2.0/mlflow-artifacts/artifacts/1/{client.run_id}/artifacts/models/large.bin"
        piece, count = os.urandom(1 << 20), 256

        def peak():
            status = pathlib.Path(f"/proc/{engine.pid}/status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) / 1024

        before = peak()
        status, _ = client.ask("PUT", address, (piece for _ in range(count)))  # chunked
        self.assertEqual(200, status)
        self.assertEqual(count << 20, (self.run_folder / "outputs/models/large.bin").stat().st_size)
        client.connection.request("GET", client.uri.path + address, headers={"Authorization": f"Bearer {client.token}"})
        answer = client.connection.getresponse()
        self.assertEqual(str(count << 20), answer.headers["Content-Length"])
        for _ in range(count):
            self.assertEqual(piece, answer.read(1 << 20))
        self.assertEqual(b"", answer.read())
        self.assertLess(peak() - before, 32)
        # One that is cut off leaves nothing behind.
        with socket.create_connection((client.uri.hostname, client.uri.port)) as connection:
            connection.sendall(client.head(f"PUT {address}2 HTTP/1.1", "Content-Length: 1000") + b"half")
            until(lambda: len(list((self.run_folder / "outputs/models").iterdir())) == 2, "the upload begins")
        until(lambda: len(list((self.run_folder / "outputs/models").iterdir())) == 1, "it is given up")
        waits = client.head(f"PUT {address}3 HTTP/1.1", "Content-Length: 4", "Expect: 100-continue",
                            "Connection: close")
        with socket.create_connection((client.uri.hostname, client.uri.port), timeout=support.DEADLINE) as connection:
            connection.sendall(waits)
            self.assertIn(b" 100 ", connection.recv(100))
            connection.sendall(b"1234")
            self.assertIn(b" 200 ", connection.recv(1000))
        self.assertEqual("1234", (self.run_folder / "outputs/models/large.bin3").read_text())
        for wrong in ("..%2f..%2frun.json", "%2e%2e/x", "a/../../x"):
            place = f"/api/2.0/mlflow-artifacts/artifacts/1/{client.run_id}/artifacts/{wrong}"
            self.assertEqual(400, client.ask("GET", place)[0])
            self.assertEqual(400, client.ask("PUT", place, b"x")[0])
        self.let_go(engine)


if __name__ == "__main__":
    support.main_at_once()
