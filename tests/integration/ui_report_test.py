#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reports: a sweep as one file, which has all that the page shows and nothing that is secret."""

import base64
import hashlib
import json
import re

import support
from support import HdriveTest, METRIC, QUICK


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

    def test_has_what_the_policy_compared_and_the_model(self):
        self.config(METRIC + "for n in 1 2 3 4; do metric loss \"$(awk -v x=\"$2\" -v n=$n 'BEGIN { print x + 1 / n }')\"; done\n",
                    max_total_runs=12, sampling={"type": "bayesian", "initial_points": 4, "parameter_space": [
                        {"name": "--x", "expression": "uniform", "values": [0, 1]}]},
                    policy={"type": "MedianStoppingPolicy", "delay_evaluation": 2})
        self.hdrive("run")
        self.report("last", "-o", "r.html")
        data = self.data_of((self.folder / "r.html").read_text())
        self.assertEqual(set(data["runs"]), set(data["thresholds"]))
        told = data["thresholds"][str(data["sweep"]["best"]["run"])]
        self.assertEqual([1, 2, 3, 4], told["places"])
        self.assertTrue(any(each is not None for each in told["threshold"]), told)
        self.assertEqual((None, ["x"]), (data["model"]["why"], [each["name"] for each in data["model"]["parameters"]]))

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


if __name__ == "__main__":
    support.main_at_once()
