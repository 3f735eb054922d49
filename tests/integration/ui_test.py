#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The portal over real sockets: what its API tells of real sweeps, live ones too, and what it does."""

import gzip
import json
import re
import urllib.parse

import support
from support import QUICK, until
from ui_support import PACED, Portal


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
        self.assertEqual(sweep["id"], self.get("about")["ends_with"])
        events = self.listen(sweep["id"])
        next(events)
        # The server ends with its sweep, and says before what came of it.
        done = self.do("commands", arguments=["stop", "live"])
        self.assertEqual(0, done["exit_code"], done)
        self.assertIn("Canceled", done["output"])
        told = list(events)
        self.assertEqual("Canceled", [data for name, data in told if name == "sweep"][-1]["status"])
        self.assertEqual("end", told[-1][0])
        engine.wait(timeout=support.DEADLINE)
        self.assertEqual("Canceled", self.sweeps()[0]["status"])
        try:  # another may have its port by now, and does not know its token
            self.assertEqual(401, self.ask("GET", "/api/v1/sweeps")[0].status)
        except OSError:
            pass
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

    def test_a_sweep_is_checked_previewed_and_begun(self):
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
        begun = self.do("commands", arguments=["run", "-", "--path", folder, "--name", "begun"], input=text)
        self.assertEqual(0, begun["exit_code"], begun)
        self.assertEqual(f"hdrive run --detach - --path {folder} --name begun", begun["command_line"])
        self.assertIn(self.get("sweeps")["sweeps"][0]["id"], begun["output"])
        until(lambda: [each["state"] for each in self.get("sweeps")["sweeps"]] == ["over"], "it has run")
        for path in ("sweeps", "sweeps/HD_1"):
            self.do(path, 405, config=text)

    def test_other_verbs_and_with_read_only_all_are_refused(self):
        self.config(QUICK)
        self.serve("--read-only")
        self.assertTrue(self.get("about")["read_only"])
        self.assertIn("--read-only", self.do("commands", 403, arguments=["stop", "last"])["error"]["message"])
        self.assertTrue(self.do("validate", config="x: 1", folder=str(self.folder))["problems"])
        self.serve()
        self.assertIn("arguments begin with one of", self.do("commands", 400, arguments=["container-run"])["error"]["message"])
        for body in ({}, {"arguments": "stop"}, {"arguments": [1]}, {"arguments": []}, {"other": 1}, {"arguments": ["stop", "a\0b"]}):
            self.do("commands", 400, **body)


if __name__ == "__main__":
    support.main_at_once()
