#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The portal over real sockets: what its API tells of real sweeps, live ones too; who is let in; what no client may do."""

import base64
import gzip
import hashlib
import http.client
import json
import re
import resource
import socket
import struct
import urllib.parse

import support
from support import HdriveTest, METRIC, QUICK, until

# Reports when the test lets it, once for each line of the file.
PACED = METRIC + '''
n=0
while [ ! -e "$RECORD.stop" ]; do
  while [ "$n" -lt "$(wc -l < "$RECORD.go" 2>/dev/null || echo 0)" ]; do n=$((n + 1)); metric loss 0.$n; done
  sleep 0.01
done
'''
# Names and texts that a page must not run.
EVIL = '<img src=x onerror=alert(1)>'


class Portal(HdriveTest):
    def serve(self, *arguments, **options):
        server = self.start("ui", "--port", self.free_port(), *arguments, **options)
        self.url = urllib.parse.urlparse(server.stdout.readline().decode().strip())
        self.token = urllib.parse.parse_qs(self.url.query)["token"][0]
        return server

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.url.port, timeout=support.DEADLINE)

    def ask(self, method, path, body=None, headers=None, token=True):
        connection = self.connect()
        shown = {"Authorization": f"Bearer {self.token}"} if token else {}
        if body is not None:
            shown.update({"Content-Type": "application/json", "X-Hdrive": "1"})
            body = json.dumps(body)
        connection.request(method, path, body, {**shown, **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer, data

    def get(self, path, status=200):
        answer, data = self.ask("GET", f"/api/v1/{path}")
        self.assertEqual(status, answer.status, data)
        return json.loads(data)

    def do(self, path, status=200, **body):
        answer, data = self.ask("POST", f"/api/v1/{path}", body)
        self.assertEqual(status, answer.status, data)
        return json.loads(data)

    def columns(self, sweep, since=""):
        answer, data = self.ask("GET", f"/api/v1/sweeps/{sweep}/columns?since={since}")
        self.assertEqual(200, answer.status, data)
        self.assertEqual(b"HDC1", data[:4])
        length = struct.unpack("<I", data[4:8])[0]
        head, at = json.loads(data[8:8 + length]), 8 + length
        columns = {}
        for column in head["columns"]:
            code, size = {"f64": ("d", 8), "i32": ("i", 4), "u8": ("B", 1)}[column["type"]]
            name = column["name"] + ("." + column["stat"] if "stat" in column else "")
            columns[name] = struct.unpack_from(f"<{head['rows']}{code}", data, at)
            at += (head["rows"] * size + 7) // 8 * 8
        self.assertEqual(len(data), at)
        return head, columns

    def listen(self, sweep=None):
        """Events as they come, as (name, data)."""
        connection = self.connect()
        connection.request("GET", "/api/v1/events" + (f"?sweep={sweep}" if sweep else ""),
                           headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        self.assertEqual("text/event-stream", answer.getheader("Content-Type"))
        self.addCleanup(connection.close)

        def events():
            fields = {}
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif fields.get("event"):
                    yield fields["event"], json.loads(fields["data"])
                    fields = {}
        return events()


class Reading(Portal):
    def test_a_sweep_is_told_as_the_command_tells_it(self):
        self.config(QUICK, name="hdconfig.yml")
        self.hdrive("run", "--name", "first")
        self.serve()
        [sweep] = self.get("sweeps")["sweeps"]
        shown = json.loads(self.hdrive("show", "first", "-f", "json").out)
        self.assertEqual((shown["sweep_id"], shown["status"], "over"), (sweep["id"], sweep["status"], sweep["state"]))
        self.assertEqual((4, 4, 0.5), (sweep["runs"], sweep["completed"], sweep["best"]["value"]))
        details = self.get(f"sweeps/{sweep['id']}")
        self.assertEqual(shown["config"], details["config"])
        self.assertEqual([("x", 0, 1)], [(each["name"], each["low"], each["high"]) for each in details["space"]])
        rows = self.get(f"sweeps/{sweep['id']}/runs?order=-number&limit=2")
        self.assertEqual((4, [3, 2]), (rows["matching"], [row["number"] for row in rows["runs"]]))
        run = self.get(f"sweeps/{sweep['id']}/runs/2")
        self.assertEqual(json.loads(self.hdrive("show", "first/2", "-f", "json").out)["command"], run["command_line"])
        self.assertEqual(("(not shown)", run["run_id"]),
                         (run["environment"]["MLFLOW_TRACKING_TOKEN"], run["environment"]["AZUREML_RUN_ID"]))
        head, columns = self.columns(sweep["id"])
        self.assertEqual((0, 1, 2, 3), columns["number"])
        self.assertEqual([row["hyperparameters"]["--x"] for row in self.runs("first")], list(columns["x"]))
        answer, data = self.ask("GET", f"/api/v1/sweeps/{sweep['id']}/runs?format=csv")
        self.assertEqual("text/csv; charset=utf-8", answer.getheader("Content-Type"))
        self.assertEqual(5, len(data.decode().splitlines()))
        self.assertTrue(self.get(f"sweeps/{sweep['id']}/log")["text"].startswith("<START>["))
        self.assertEqual([0.5], self.get(f"sweeps/{sweep['id']}/series?runs=1")["series"][0]["value"])
        self.assertIn("hdrive_best", self.ask("GET", "/metrics")[1].decode())

    def test_every_address_of_the_openapi_document_answers_as_it_says(self):
        self.config(METRIC + 'metric loss 0.1\nmetric loss 0.2\nmkdir -p outputs\necho hello > outputs/a.txt\n')
        self.hdrive("run")
        self.serve()
        sweep = self.get("sweeps")["sweeps"][0]["id"]
        document = json.loads(self.ask("GET", "/openapi.json")[1])
        asked = 0
        for path, operations in document["paths"].items():
            if "get" not in operations or path.endswith("/events"):
                continue
            query = {"file": "?path=outputs/a.txt", "series": "?runs=0"}.get(path.rpartition("/")[2], "")
            answer, data = self.ask("GET", path.format(sweep=sweep, run=1) + query)
            # Ten results are not there to tell what mattered.
            self.assertEqual(409 if path.endswith("importance") else 200, answer.status, (path, data))
            content = operations["get"]["responses"]["200"]["content"]
            if answer.status == 200 and "application/json" in content:
                self.assertEqual("application/json", answer.getheader("Content-Type"), path)
                self.assertIsInstance(json.loads(data), dict)
            asked += 1
        self.assertGreater(asked, 15)

    def test_a_new_report_is_told_at_once_and_asked_for_as_what_changed(self):
        self.config(PACED, max_total_runs=2)
        engine = self.start("run", "--name", "live")
        self.serve()
        until(lambda: self.get("sweeps")["sweeps"] and self.get("sweeps")["sweeps"][0]["live"] == 2, "two runs live")
        sweep = self.get("sweeps")["sweeps"][0]["id"]
        events = self.listen(sweep)
        name, data = next(events)
        self.assertEqual(("runs", None), (name, data["runs"]))
        version = self.columns(sweep)[0]["version"]
        go = self.folder / "record.go"
        go.write_text("1\n")
        seen = set()
        while seen != {0, 1}:
            name, data = next(events)
            if name == "runs":
                seen |= set(data["runs"])
        head, columns = self.columns(sweep, version)
        self.assertFalse(head["replaced"])
        self.assertEqual((0.1, 0.1), columns["best"])
        # Nothing has changed since.
        self.assertEqual(0, self.columns(sweep, head["version"])[0]["rows"])
        # A version of another server, or of none, means everything.
        self.assertTrue(self.columns(sweep, "nonsense.7")[0]["replaced"])
        (self.folder / "record.stop").touch()
        self.finish(engine)
        while (name, data["status"] if name == "sweep" else "") != ("sweep", "Completed"):
            name, data = next(events)

    def test_a_sweep_that_is_deleted_is_gone_and_another_one_appears(self):
        self.config(QUICK)
        self.hdrive("run", "--name", "first")
        self.serve()
        events = self.listen()
        name, first = next(events)
        self.assertEqual(("sweep", "first"), (name, first["name"]))
        own = self.listen(first["id"])
        self.assertEqual("runs", next(own)[0])
        self.hdrive("delete", "first", "--yes")
        while name != "gone":
            name, data = next(events)
        self.assertEqual(first["id"], data["id"])
        while next(own)[0] != "gone":
            pass
        self.get(f"sweeps/{first['id']}", 404)
        self.hdrive("run", "--name", "second")
        while (name, data.get("name")) != ("sweep", "second"):
            name, data = next(events)

    def test_a_database_that_was_replaced_by_repair_is_read_anew(self):
        self.config(QUICK)
        self.hdrive("run", "--name", "first")
        self.serve()
        sweep = self.get("sweeps")["sweeps"][0]["id"]
        version = self.columns(sweep)[0]["version"]
        (self.sweep_directory() / "sweep.db").write_bytes(b"no database" * 1000)
        problem = until(lambda: self.get("sweeps")["problems"], "the damage is seen")
        self.assertIn("repair", problem[0]["message"])
        self.assertIn("repair", self.get(f"sweeps/{sweep}", 409)["error"]["message"])
        self.hdrive("repair", "first")
        until(lambda: self.get("sweeps")["sweeps"], "the sweep is read again")
        head, columns = self.columns(sweep, version)
        self.assertTrue(head["replaced"])
        self.assertEqual(4, head["rows"])

    def test_an_engine_that_died_is_seen(self):
        self.config(PACED, max_total_runs=1)
        engine = self.start("run", "--name", "live")
        self.addCleanup(self.end_processes)
        self.serve()
        until(lambda: [sweep["state"] for sweep in self.get("sweeps")["sweeps"]] == ["live"], "it is live")
        events = self.listen()
        engine.kill()
        name, data = next(events)
        while data.get("state") != "orphaned":
            name, data = next(events)
        self.assertEqual("Interrupted", data["status"])
        self.assertIsNone(data["engine"])


class Page(Portal):
    def test_is_carried_by_the_binary_and_loads_nothing_from_elsewhere(self):
        self.serve()
        answer, data = self.ask("GET", "/", headers={"Accept-Encoding": "gzip"})
        if answer.status == 501:
            self.skipTest("this build has no page")
        self.assertEqual(("text/html; charset=utf-8", "no-store"), (answer.getheader("Content-Type"), answer.getheader("Cache-Control")))
        html = gzip.decompress(data).decode()
        self.assertNotRegex(html, r"https?://|<script>|<style|style=|\son\w+=")
        assets = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', html)
        self.assertTrue(any(name.endswith(".js") for name in assets), html)
        for name in assets:
            answer, data = self.ask("GET", f"/{name}", headers={"Accept-Encoding": "gzip"})
            self.assertEqual(200, answer.status, name)
            self.assertIn("immutable", answer.getheader("Cache-Control"))
            again, _ = self.ask("GET", f"/{name}", headers={"Accept-Encoding": "gzip", "If-None-Match": answer.getheader("ETag")})
            self.assertEqual(304, again.status)
            if name.endswith(".css"):
                self.assertNotRegex(gzip.decompress(data).decode(), r"https?://|@import")
        self.assertEqual(404, self.ask("GET", "/assets/other.js")[0].status)
        self.assertEqual(406, self.ask("GET", "/")[0].status)


class Report(HdriveTest):
    def report(self, *arguments):
        done = self.hdrive("report", *arguments, code=None)
        if done.code == 1 and "has no page" in done.err:
            self.skipTest("this build has no page")
        self.assertEqual(0, done.code, done)
        return done

    @staticmethod
    def data_of(html):
        return json.loads(re.search(r'<script type="application/json" id="hdrive-report">(.*?)</script>', html).group(1))

    def test_has_all_runs_and_no_secret_and_ends_nowhere_early(self):
        evil = "</script><script>alert(1)</script>"
        self.config(METRIC + f"metric loss 0.5; metric '{evil}' 1; echo \"$SECRET\"; [ $HDRIVE_RUN_ID != last ] || exit 1\n",
                    environment_variables={"SECRET": "hunter2"}, description=evil)
        self.hdrive("run")
        done = self.report("last", "-o", "r.html")
        self.assertTrue(done.err.startswith("r.html  "), done)
        html = (self.folder / "r.html").read_text()
        self.assertFalse(evil in html)
        data = self.data_of(html)
        self.assertEqual(evil, data["sweep"]["description"])
        self.assertEqual(4, len(data["runs"]))
        self.assertNotIn("environment", data["runs"]["0"])
        self.assertIn("SECRET", data["sweep"]["config"])
        self.assertFalse("hunter2" in html)
        self.assertEqual({"loss", evil}, set(data["curves"]))
        self.assertEqual(b"HDC1", base64.b64decode(data["columns"])[:4])
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html).group(1)
        self.assertTrue(policy.startswith("default-src 'none'; script-src 'sha256-"))
        # What the policy lets run is what is there, to the byte.
        script = re.search(r'<script type="module">(.*?)</script>', html, re.DOTALL).group(1)
        self.assertIn(base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(), policy)
        self.assertEqual(len(html), len(self.report("last", "-o", "-").out))

    def test_of_a_thousand_runs_of_a_hundred_reports_is_below_three_megabytes(self):
        space = [{"name": f"--p{n}", "expression": "uniform", "values": [0, 1]} for n in range(10)]
        self.config("", max_total_runs=1000, sampling={"type": "random", "parameter_space": space}, command=None)
        lines = ['{"op":"ask","count":1000}']
        for run in range(1000):
            lines += [json.dumps({"op": "report", "run": run, "value": (run % 97) / (step + 1.37)}) for step in range(99)]
            lines.append(json.dumps({"op": "tell", "run": run, "value": run / 1.37}))
        self.write("lines", "\n".join(lines) + "\n")
        with open(self.folder / "lines") as stdin:
            self.hdrive("session", "hdconfig.yml", stdin=stdin)
        self.report("last", "-o", "r.html")
        self.assertLess((self.folder / "r.html").stat().st_size, 3_000_000)
        data = self.data_of((self.folder / "r.html").read_text())
        self.assertGreater(len(data["curves"]["loss"]), 1_000_000)

    def test_of_no_sweep_and_into_no_folder_is_refused(self):
        self.hdrive("report", "nothing", code=4)
        self.config(QUICK)
        self.hdrive("run")
        self.assertIn("is a directory", self.hdrive("report", "last", "-o", ".", code=2).err)
        self.assertIn("cannot", self.hdrive("report", "last", "-o", "missing/r.html", code=1).err)


class Beside(Portal):
    def test_a_page_is_served_beside_a_sweep_and_ends_with_it(self):
        self.config(PACED, max_total_runs=1)
        engine = self.start("run", "--ui", "--name", "live")
        line = next(line for line in engine.stderr if line.startswith(b"page: ")).decode()
        self.url = urllib.parse.urlparse(line.removeprefix("page: ").strip())
        self.token = urllib.parse.parse_qs(self.url.query)["token"][0]
        [sweep] = until(lambda: self.get("sweeps")["sweeps"], "it is listed")
        self.assertEqual(f"/sweeps/{sweep['id']}", self.url.fragment)
        self.assertEqual(engine.pid, sweep["engine"])
        try:
            self.do("commands", arguments=["stop", "live"])
        except (http.client.RemoteDisconnected, ConnectionError):
            pass  # the server ended with its sweep before it could say so
        engine.wait(timeout=support.DEADLINE)
        self.assertEqual("Canceled", self.sweeps()[0]["status"])
        self.assertRaises(OSError, self.ask, "GET", "/api/v1/sweeps")
        self.assertIn("hdrive ui", self.hdrive("run", "--ui", "--detach", code=2).err)
        self.assertIn("hdrive ui", self.hdrive("resume", "live", "--ui", "--detach", code=2).err)


class Doing(Portal):
    def test_actions_are_verbs_and_are_shown_as_such(self):
        self.config(PACED, max_total_runs=2, max_concurrent_runs=1)
        self.start("run", "--name", "live")
        self.serve()
        until(lambda: self.get("sweeps")["sweeps"] and self.get("sweeps")["sweeps"][0]["live"] == 1, "a run is live")
        done = self.do("commands", arguments=["pause", "live"])
        self.assertEqual((0, "hdrive pause live"), (done["exit_code"], done["command_line"]), done)
        until(lambda: self.get("sweeps")["sweeps"][0]["status"] == "Paused", "it is paused")
        done = self.do("commands", arguments=["update", "live", "--set", "max_total_runs=3"])
        self.assertEqual(0, done["exit_code"], done)
        until(lambda: self.get("sweeps")["sweeps"][0]["max_total_runs"] == 3, "its limit is another one")
        done = self.do("commands", arguments=["update", "live", "--set", "max_total_runs=x"])
        self.assertEqual(2, done["exit_code"])
        self.assertIn("max_total_runs", done["errors"])
        self.assertEqual(0, self.do("commands", arguments=["stop", "live"])["exit_code"])
        until(lambda: self.get("sweeps")["sweeps"][0]["state"] == "over", "it is over")
        self.assertEqual(0, self.do("commands", arguments=["delete", "live", "--yes"])["exit_code"])
        until(lambda: not self.get("sweeps")["sweeps"], "it is gone")

    def test_a_sweep_is_written_checked_previewed_and_begun(self):
        self.config(QUICK)
        text, folder = (self.folder / "hdconfig.yml").read_text(), str(self.folder)
        self.serve()
        wrong = self.do("validate", config=text.replace('"uniform"', '"unifrom"'), folder=folder)
        self.assertFalse(wrong["ok"])
        self.assertEqual("error", wrong["problems"][0]["severity"])
        self.assertIn("uniform", wrong["problems"][0]["message"])
        line = next(n for n, each in enumerate(text.splitlines(), 1) if '"uniform"' in each)
        self.assertEqual(line, wrong["problems"][0]["line"])
        self.assertEqual("1 parameter, 4 runs", self.do("validate", config=text, folder=folder)["summary"])
        drawn = self.do("preview", config=text, folder=folder, count=3)["runs"]
        self.assertEqual(3, len(drawn))
        self.assertTrue(drawn[0]["command_line"].startswith("sh train.sh --x 0."))
        self.assertEqual({"x"}, set(drawn[0]["parameters"]))
        self.assertEqual([], self.do("preview", config=text.replace('"uniform"', '"unifrom"'), folder=folder)["runs"])
        begun = self.do("sweeps", config=text, folder=folder, file="new.yml", arguments=["--name", "begun"])
        self.assertEqual(0, begun["exit_code"], begun)
        self.assertEqual("hdrive run new.yml --detach --name begun", begun["command_line"])
        self.assertEqual(text, (self.folder / "new.yml").read_text())
        until(lambda: [each["state"] for each in self.get("sweeps")["sweeps"]] == ["over"], "it has run")
        # What is there is not lost.
        (self.folder / "mine.yml").write_text("mine")
        refused = self.do("sweeps", 409, config=text, folder=folder, file="mine.yml")
        self.assertIn("another", refused["error"]["message"])
        self.assertEqual("mine", (self.folder / "mine.yml").read_text())
        for name in ("../x.yml", "a/b.yml", "", ".hidden"):
            self.do("sweeps", 400, config=text, folder=folder, file=name)
        self.do("sweeps", 400, config=text, folder="relative", file="x.yml")

    def test_other_verbs_and_with_read_only_all_are_refused(self):
        self.config(QUICK)
        self.serve("--read-only")
        self.assertTrue(self.get("about")["read_only"])
        self.assertIn("--read-only", self.do("commands", 403, arguments=["stop", "last"])["error"]["message"])
        self.do("sweeps", 403, config="x", folder=str(self.folder), file="x.yml")
        self.assertFalse((self.folder / "x.yml").exists())
        self.assertTrue(self.do("validate", config="x: 1", folder=str(self.folder))["problems"])
        self.serve()
        self.assertIn("arguments begin with one of", self.do("commands", 400, arguments=["container-run"])["error"]["message"])
        for body in ({}, {"arguments": "stop"}, {"arguments": [1]}, {"arguments": []}, {"other": 1}, {"arguments": ["stop", "a\0b"]}):
            self.do("commands", 400, **body)


class Safety(Portal):
    def test_nobody_comes_in_without_the_token(self):
        self.config(QUICK)
        self.hdrive("run")
        self.serve()
        for path in ("/", "/api/v1/sweeps", "/metrics", "/openapi.json", "/assets/x.js", "/api/v1/events"):
            self.assertEqual(401, self.ask("GET", path, token=False)[0].status, path)
        answer, _ = self.ask("GET", f"/?token={self.token}", token=False)
        self.assertEqual(303, answer.status)
        cookie = answer.getheader("Set-Cookie")
        self.assertIn("HttpOnly; SameSite=Strict", cookie)
        shown = {"Cookie": cookie.partition(";")[0]}
        self.assertEqual(200, self.ask("GET", "/api/v1/sweeps", headers=shown, token=False)[0].status)
        self.assertEqual(403, self.ask("POST", "/api/v1/commands", headers=shown, token=False)[0].status)
        self.assertEqual(403, self.ask("GET", "/api/v1/sweeps", headers={**shown, "Origin": "http://evil.example"})[0].status)
        self.assertEqual(421, self.ask("GET", "/api/v1/sweeps", headers={**shown, "Host": "evil.example"})[0].status)
        # Another start has another token.
        first = self.token
        self.serve()
        self.token = first
        self.assertEqual(401, self.ask("GET", "/api/v1/sweeps")[0].status)

    def test_what_scripts_and_users_named_is_told_as_text(self):
        self.config(f"mkdir -p 'outputs/{EVIL.replace('/', '_')}'; echo '{EVIL}' > 'outputs/{EVIL.replace('/', '_')}/a.html'; echo '{EVIL}'\n" + QUICK,
                    max_total_runs=1, tags={"tag": EVIL}, description=EVIL)
        self.hdrive("run", "--name", EVIL)
        self.serve()
        answer, data = self.ask("GET", "/api/v1/sweeps")
        self.assertEqual("application/json", answer.getheader("Content-Type"))
        self.assertEqual("nosniff", answer.getheader("X-Content-Type-Options"))
        policy = answer.getheader("Content-Security-Policy")
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        sweep = json.loads(data)["sweeps"][0]
        self.assertEqual((EVIL, EVIL, {"tag": EVIL}), (sweep["name"], sweep["description"], sweep["tags"]))
        [file] = self.get(f"sweeps/{sweep['id']}/runs/0/files")["files"]
        path = f"/api/v1/sweeps/{sweep['id']}/runs/0/file?path=" + urllib.parse.quote(file["path"])
        self.assertEqual("text/plain; charset=utf-8", self.ask("GET", path)[0].getheader("Content-Type"))
        rendered = self.ask("GET", path + "&render=1")[0]
        self.assertTrue(rendered.getheader("Content-Security-Policy").startswith("sandbox; default-src 'none'"))

    def test_paths_lead_nowhere_else(self):
        self.config(QUICK, max_total_runs=1)
        self.hdrive("run")
        self.serve()
        sweep = self.get("sweeps")["sweeps"][0]["id"]
        for path in ("../run.json", "outputs/../run.json", "/etc/passwd", "outputs/%00", "run.json"):
            answer, _ = self.ask("GET", f"/api/v1/sweeps/{sweep}/runs/0/file?path={urllib.parse.quote(path)}")
            self.assertEqual(404, answer.status, path)
        for word in ("..", "%2e%2e", "%2Fetc", "..%2F..%2Fetc", "last", "first", urllib.parse.quote(str(self.folder), safe="")):
            self.assertEqual(404, self.ask("GET", f"/api/v1/sweeps/{word}")[0].status, word)
        for word in ("-1", "1e3", "99", "0x1", "%00", "9" * 40):
            self.assertIn(self.ask("GET", f"/api/v1/sweeps/{sweep}/runs/{word}")[0].status, (400, 404), word)

    def test_what_is_too_large_too_slow_or_no_request_hurts_nobody(self):
        self.config(QUICK, max_total_runs=1)
        self.hdrive("run")
        self.serve()
        slow = socket.create_connection(("127.0.0.1", self.url.port))
        self.addCleanup(slow.close)
        slow.sendall(b"GET /api/v1/sweeps HTTP/1.1\r\nHost: ")
        answer, _ = self.ask("GET", "/api/v1/sweeps", headers={"X-Long": "x" * 200_000})
        self.assertEqual(431, answer.status)
        connection = self.connect()
        connection.putrequest("POST", "/api/v1/commands")
        for name, value in (("Authorization", f"Bearer {self.token}"), ("X-Hdrive", "1"), ("Content-Length", str(1 << 40))):
            connection.putheader(name, value)
        connection.endheaders()
        self.assertEqual(413, connection.getresponse().status)
        connection.close()
        garbage = socket.create_connection(("127.0.0.1", self.url.port))
        self.addCleanup(garbage.close)
        garbage.sendall(b"\0\1\2 not http at all\r\n\r\n")
        self.assertIn(b" 400 ", garbage.recv(1000).partition(b"\r\n")[0])
        self.assertEqual(1, len(self.get("sweeps")["sweeps"]))

    def test_a_thousand_connections_are_served(self):
        self.config(QUICK, max_total_runs=1)
        self.hdrive("run")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 3000:
            self.skipTest("this machine lets a process have few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3000), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.serve()
        request = f"GET /api/v1/about HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode()
        sockets = []
        for _ in range(1000):
            sockets.append(socket.create_connection(("127.0.0.1", self.url.port), timeout=support.DEADLINE))
            self.addCleanup(sockets[-1].close)
        for each in sockets:
            each.sendall(request)
        for each in sockets:
            self.assertTrue(each.recv(100).startswith(b"HTTP/1.1 200"))

    def test_other_machines_are_let_in_only_where_that_was_said(self):
        refused = self.hdrive("ui", "--host", "0.0.0.0", code=2)
        self.assertIn("--allow-remote", refused.err)
        self.assertIn("ssh -L", refused.err)
        server = self.serve("--host", "0.0.0.0", "--allow-remote")
        self.assertEqual([], self.get("sweeps")["sweeps"])
        self.interrupt(server)
        done = self.finish(server)
        self.assertEqual(0, done.code, done)
        self.assertIn("not encrypted", done.err)

    def test_a_port_that_is_taken_is_said(self):
        self.serve()
        refused = self.hdrive("ui", "--port", self.url.port, code=1)
        self.assertIn(f"another program listens at port {self.url.port}", refused.err)


if __name__ == "__main__":
    support.main_at_once()
