# SPDX-License-Identifier: Apache-2.0
"""Azure ML's v2 jobs and pipelines as their users have them, run by the command."""

import json
import shutil
import unittest

from support import ROOT, HdriveTest, until

JOBS = ROOT / "tests" / "golden" / "jobs"

SWEEP = """$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json
type: sweep
trial:
  command: >-
    sh train.sh --data ${{inputs.data}} --note "${{inputs.note}}" --opt ${{search_space.opt}}
    --beta ${{search_space.beta}} $[[--seed ${{inputs.seed}}]] --out ${{outputs.model}}
  code: src
  environment: azureml:sklearn@latest
inputs:
  data: {type: uri_file, path: "azureml:iris:1"}
  note: it's  5 > 3
  seed: {type: integer, optional: true}
outputs:
  model:
sampling_algorithm: grid
search_space:
  opt:
    type: choice
    values:
    - {opt: sgd, beta: {type: choice, values: [0.5, "a b"]}}
    - adam w
objective: {primary_metric: loss, goal: minimize}
limits: {max_concurrent_trials: 1}
"""

SCRIPT = """for word; do echo "$word"; done > "$(eval echo \\${$#})/words"
hdrive log loss "$HDRIVE_RUN_NUMBER"
"""


class Jobs(HdriveTest):
    def setUp(self):
        super().setUp()
        self.write("src/train.sh", SCRIPT)
        self.write("iris.csv", "1,2\n")
        self.write("azureml.yml", "data: {iris: iris.csv}\n")
        self.write("sweep.yml", SWEEP)

    def words(self, run):
        return (self.run_directory(run) / "outputs" / "model" / "words").read_text().splitlines()

    def test_run_as_they_are(self):
        done = self.hdrive("run", "sweep.yml")
        self.assertIn('sweep.yml:8:16: warning: the environment "azureml:sklearn@latest" is not on this machine',
                      done.err)
        data = str(self.folder / "iris.csv")
        for run, words in enumerate([["sgd", "--beta", "0.5"], ["sgd", "--beta", "a b"], ["adam w"]]):
            model = str(self.run_directory(run).resolve() / "outputs" / "model")
            self.assertEqual(["--data", data, "--note", "it's  5 > 3", "--opt", *words, "--out", model],
                             self.words(run))

    def test_mean_the_same_when_converted_there_and_back(self):
        self.hdrive("convert", "sweep.yml", "-o", "hdconfig.yml")
        self.hdrive("convert", "hdconfig.yml", "-o", "back.yml")
        self.hdrive("convert", "back.yml", "-o", "again.yml")
        self.assertEqual((self.folder / "hdconfig.yml").read_text(), (self.folder / "again.yml").read_text())
        self.assertEqual((self.folder / "hdconfig.yml").read_text(), self.hdrive("convert", "sweep.yml").out)
        told = self.hdrive("sample", "sweep.yml", "-n", "3").out
        self.assertEqual(told, self.hdrive("sample", "hdconfig.yml", "-n", "3").out)
        self.assertEqual(told, self.hdrive("sample", "back.yml", "-n", "3").out)

    def test_start_nothing_without_their_data(self):
        (self.folder / "azureml.yml").unlink()
        done = self.hdrive("run", "sweep.yml", code=2)
        self.assertIn('sweep.yml:10:32: the input "data" is "azureml:iris:1", which is not on this machine; say where '
                      'it is in "azureml.yml": data: {iris: PATH}', done.err)
        self.assertEqual([], list(self.folder.glob(".hdrive/*")))
        self.write("elsewhere.yml", "data: {iris: iris.csv}\n")
        self.hdrive("validate", "sweep.yml", "--asset-map", "elsewhere.yml")

    def test_are_found_by_their_tags_and_asked_for_one_value(self):
        self.write("tagged.yml", SWEEP + "description: why\ntags: {team: ir, round: 2, draft: }\n")
        done = self.hdrive("run", "tagged.yml", "--name", "one")
        self.assertNotIn("tags", done.err)
        self.assertNotIn("description", done.err)
        self.hdrive("run", "sweep.yml", "--name", "two")
        for wanted, names in ({"team=ir": ["one"], "round=2": ["one"], "draft": ["one"], "team=ab": [], "team": ["one"]}).items():
            found = self.hdrive("list", "--tag", wanted, "-f", "json").out
            self.assertEqual(names, [sweep["name"] for sweep in json.loads(found)], wanted)
        shown = self.hdrive("job", "show", "-n", "one", "--query", "properties.best_child_run_id", "-o", "tsv")
        self.assertRegex(shown.out, r"^HD_[-0-9a-f]{36}_0\n$")
        for key, value in {"status": "Completed", "tags.team": "ir", "description": "why", "counts.runs": "3"}.items():
            self.assertEqual(value + "\n", self.hdrive("show", "one", "--get", key).out)
        self.assertIn('there is no "counted"; allowed: sweep_id', self.hdrive("show", "one", "--get", "counted", code=2).err)
        self.assertEqual("0\n", self.hdrive("run", "show", "-r", shown.out.strip(), "--query", "number").out)
        self.hdrive("run", "update", "-r", "two", "--add-tag", "team=ir")
        found = json.loads(self.hdrive("run", "list", "--tags", "team=ir", "-o", "json").out)
        self.assertEqual(["one", "two"], sorted(sweep["name"] for sweep in found))
        self.hdrive("convert", "tagged.yml", "-o", "hdconfig.yml")
        self.hdrive("convert", "hdconfig.yml", "-o", "back.yml")
        back = (self.folder / "back.yml").read_text()
        self.assertIn("description: why\ntags:\n  draft: \"\"\n  round: \"2\"\n  team: ir\n", back)
        [experiment] = json.loads(self.hdrive("experiment", "list", "-o", "json").out)
        self.assertEqual(2, experiment["sweeps"])

    def podman(self, *, has_image):
        program = self.write("bin/podman", f"""#!/bin/bash
            echo "$*" >> {self.folder}/calls
            case "$1" in
            image) {has_image} ;;
            pull) echo no network; exit 1 ;;
            run) while [ "$1" != me/train ]; do shift; done; shift; exec "$@" ;;
            esac""")
        program.chmod(0o755)
        self.environment["PATH"] = f"{self.folder}/bin:{self.environment['PATH']}"
        job = SWEEP.replace("environment: azureml:sklearn@latest",
                            "environment: {image: me/train}\n  resources: {shm_size: 2g, docker_args: --cap-drop ALL}")
        self.write("sweep.yml", job)

    def test_run_in_the_image_that_they_name(self):
        self.podman(has_image="exit 0")
        self.hdrive("run", "sweep.yml")
        [line] = [line for line in (self.folder / "calls").read_text().splitlines() if "--name" in line and "_0-1" in line]
        for part in (f"--volume {self.folder}/iris.csv:{self.folder}/iris.csv", "--shm-size 2g", "--cap-drop ALL me/train bash",
                     "--env AZUREML_DATAREFERENCE_data"):
            self.assertIn(part, line)
        self.assertEqual("adam w", self.words(2)[3 + 2])

    def test_run_without_an_image_that_cannot_be_had(self):
        self.podman(has_image="exit 1")
        done = self.hdrive("run", "sweep.yml")
        self.assertIn("warning: the image me/train is not used, and the program is found in PATH: image me/train: "
                      "cannot be fetched", done.err)
        self.assertEqual(3, len(self.runs()))

    def test_go_on_from_what_is_stored(self):
        self.hdrive("run", "sweep.yml", "--set", "limits.max_total_trials=1", "--name", "first")
        (self.folder / "azureml.yml").unlink()
        self.hdrive("resume", "last", "--set", "max_total_runs=3")
        self.assertEqual(3, len(self.runs()))


class Pipelines(HdriveTest):
    def setUp(self):
        super().setUp()
        shutil.copytree(JOBS, self.folder, dirs_exist_ok=True)

    def pipeline(self, old, new):
        text = (JOBS / "pipeline.yml").read_text()
        self.assertIn(old, text)
        self.write("pipeline.yml", text.replace(old, new))

    def report(self):
        found = [file.read_text() for file in self.folder.glob(".hdrive/*/runs/0/outputs/report/report.txt")]
        self.assertEqual(1, len(found), found)
        return found[0]

    def statuses(self):
        return {sweep["name"]: sweep["status"] for sweep in json.loads(self.hdrive("list", "-f", "json").out)}

    def test_hand_the_best_trial_on(self):
        done = self.hdrive("run", "pipeline.yml", "--name", "first")
        self.assertEqual("1,2 with 3 and rbf of 3\n", self.report())
        self.assertEqual(dict.fromkeys(["first.prepare", "first.tune", "first.report"], "Completed"), self.statuses())
        told = [line for line in done.out.splitlines() if line.startswith("report.report  ")]
        self.assertEqual(1, len(told), done.out)
        self.assertTrue((self.folder / told[0].split()[1] / "report.txt").is_file())
        experiments = {sweep["experiment"] for sweep in json.loads(self.hdrive("list", "-f", "json").out)}
        self.assertEqual({"iris"}, experiments)

    def test_with_the_same_name_go_on(self):
        self.hdrive("run", "pipeline.yml", "--name", "first", "--quiet")
        again = self.hdrive("run", "pipeline.yml", "--name", "first")
        self.assertEqual(3, again.err.count(" is complete"), again.err)
        self.assertEqual(3, len(self.statuses()))

    def test_stop_what_needs_a_step_that_failed(self):
        self.pipeline("command: cp ${{inputs.raw}}", "command: test -e ../../../../mended && cp ${{inputs.raw}}")
        done = self.hdrive("run", "pipeline.yml", "--name", "first", "--quiet", code=3)
        self.assertIn("step tune: skipped, since prepare did not complete", done.err)
        self.assertIn("step report: skipped, since tune did not complete", done.err)
        self.assertIn("hdrive run pipeline.yml --name first", done.err)
        self.assertEqual({"first.prepare": "Failed"}, self.statuses())

    def test_end_with_ctrl_c_and_go_on(self):
        component = (JOBS / "components" / "tune.yml").read_text()
        wait = 'command: >-\n  while test ! -e "$GATE"; do sleep 0.01; done;\n'
        self.write("components/tune.yml", component.replace("command: >-\n", wait))
        gate = self.folder / "gate"
        process = self.start("run", "pipeline.yml", "--name", "first", env={"GATE": str(gate)})
        until(lambda: list(self.folder.glob(".hdrive/*/runs/0/outputs/model_output")), "the second step runs")
        self.interrupt(process)
        done = self.finish(process)
        self.assertEqual(130, done.code, done)
        self.assertEqual({"first.prepare", "first.tune"}, set(self.statuses()))
        gate.touch()
        self.hdrive("run", "pipeline.yml", "--name", "first", env={"GATE": str(gate)})
        self.assertTrue(self.report().startswith("1,2 with "))

    def test_are_checked_and_shown_as_a_whole(self):
        self.assertIn("pipeline.yml: ok, a pipeline of 3 steps", self.hdrive("validate", "pipeline.yml").out)
        shown = self.hdrive("run", "pipeline.yml", "--dry-run").out
        self.assertEqual(["prepare (command)", "tune (sweep), after prepare", "report (command), after tune"],
                         shown.splitlines()[:3])
        self.pipeline("outputs.model_output}}", "outputs.modl_output}}")
        self.assertIn('the step "tune" has no output "modl_output"', self.hdrive("run", "pipeline.yml", code=2).err)
        self.assertEqual([], list(self.folder.glob(".hdrive/*")))
        self.assertIn("none can be given", self.hdrive("run", "pipeline.yml", "--", "true", code=2).err)

    def test_are_checked_against_the_sweeps_that_are_there(self):
        self.pipeline("    sampling_algorithm:", "    resume_from: [old]\n    sampling_algorithm:")
        for verb in ("run", "validate"):
            self.assertIn('pipeline.yml: step tune: resume_from: "old": there are no sweeps',
                          self.hdrive(verb, "pipeline.yml", code=2).err)
        self.assertEqual([], list(self.folder.glob(".hdrive/*")))
        self.write("old.yml", """type: sweep
trial: {command: hdrive log score $AZUREML_SWEEP_width}
search_space: {width: {type: choice, values: [1]}}
sampling_algorithm: grid
objective: {primary_metric: score, goal: maximize}
""")
        self.hdrive("run", "old.yml", "--name", "old")
        self.assertIn("step tune: warm start from HD_", self.hdrive("validate", "pipeline.yml").out)
        self.assertIn("warm start from HD_", self.hdrive("run", "pipeline.yml").err)

    def test_keys_of_steps_are_told_where_they_belong(self):
        told = self.hdrive("run", "pipeline.yml", "--resume-from", "old", "--set", "limits.timeout=3", code=2).err
        for key in ("resume_from", "limits"):
            self.assertIn(f'"{key}" is a key of a step: it belongs below the step\'s name in "jobs", and is set by '
                          f"--set jobs.STEP.{key}=VALUE", told)


class StepsAtOnce(HdriveTest):
    """Pipelines whose steps `left` and `right` need nothing, and `both` needs the two."""

    def pipeline(self, *, left="true", right="true", settings="{}"):
        there = self.folder
        self.write("fork.yml", f"""type: pipeline
settings: {settings}
jobs:
  left: {{type: command, command: "touch {there}/left; {left}; echo l > ${{{{outputs.o}}}}/word", outputs: {{o: }}}}
  right: {{type: command, command: "touch {there}/right; {right}; echo r > ${{{{outputs.o}}}}/word", outputs: {{o: }}}}
  both:
    type: command
    command: cat ${{{{inputs.l}}}}/word ${{{{inputs.r}}}}/word > ${{{{outputs.o}}}}/words
    inputs: {{l: "${{{{parent.jobs.left.outputs.o}}}}", r: "${{{{parent.jobs.right.outputs.o}}}}"}}
    outputs: {{o: }}
""")

    def wait_for(self, name):
        return f"until test -e {self.folder}/{name}; do sleep 0.01; done"

    def run_it(self, *arguments, **more):
        return self.hdrive("run", "fork.yml", "--name", "f", "--max-concurrent-steps", "2", *arguments, **more)

    def statuses(self):
        return {sweep["name"]: sweep["status"] for sweep in json.loads(self.hdrive("list", "-f", "json").out)}

    def test_run_beside_each_other_and_what_needs_them_afterwards(self):
        self.pipeline(left=self.wait_for("right"), right=self.wait_for("left"))
        done = self.run_it()
        self.assertEqual(dict.fromkeys(["f.left", "f.right", "f.both"], "Completed"), self.statuses())
        [words] = self.folder.glob(".hdrive/*/runs/0/outputs/o/words")
        self.assertEqual("l\nr\n", words.read_text())
        for line in done.out.splitlines() + done.err.splitlines():
            if line and " | " not in line:
                self.assertRegex(line, r'^(pipeline "f": 3 steps|(left|right|both)\.o  .*)$')
        self.assertIn("left | a command begins", done.err)
        self.assertRegex(done.out, r"(?m)^right \| 0  Completed|^right \| run 0.*")

    def test_run_in_turn_unless_asked_for(self):
        self.pipeline(left=f"! test -e {self.folder}/right")
        self.hdrive("run", "fork.yml", "--name", "f")
        self.config("hdrive log metric 1")
        done = self.hdrive("run", "hdconfig.yml", "--max-concurrent-steps", "2", code=2)
        self.assertIn("--max-concurrent-steps is for pipelines, and hdconfig.yml is none", done.err)
        self.assertEqual(3, len(self.statuses()))

    def test_go_on_without_a_terminal(self):
        self.pipeline(left=self.wait_for("right"), right=f"{self.wait_for('left')}; {self.wait_for('gate')}")
        done = self.run_it("--detach")
        self.assertIn(done.out.strip(), [path.name for path in self.folder.glob(".hdrive/HD_*")])
        (self.folder / "gate").touch()
        until(lambda: self.statuses().get("f.both") == "Completed", "the pipeline ends")

    def test_end_together_with_ctrl_c_and_go_on(self):
        self.pipeline(left=self.wait_for("gate"), right=self.wait_for("gate"))
        process = self.start("run", "fork.yml", "--name", "f", "--max-concurrent-steps", "2")
        until(lambda: (self.folder / "left").exists() and (self.folder / "right").exists(), "both steps run")
        self.interrupt(process)
        done = self.finish(process)
        self.assertEqual(130, done.code, done)
        self.assertEqual({"f.left": "Interrupted", "f.right": "Interrupted"}, self.statuses())
        self.assertIn("go on with: hdrive run fork.yml --name f --max-concurrent-steps 2", done.err)
        (self.folder / "gate").touch()
        self.run_it()
        self.assertEqual(dict.fromkeys(["f.left", "f.right", "f.both"], "Completed"), self.statuses())

    def test_an_output_that_was_not_written_is_told_by_its_step(self):
        self.pipeline(left="rmdir ${{outputs.o}}; exit 0", right="exit 0")
        done = self.run_it(code=2)
        self.assertIn('the step "left" has ended and not written its output "o", which was to be ', done.err)
        self.assertIn("both | hdrive: the step could not be run, and no other begins", done.err)
        self.assertNotIn("nothing was started", done.err)

    def test_one_that_fails_leaves_the_others_alone(self):
        self.pipeline(left="exit 1", right=self.wait_for("left"))
        done = self.run_it(code=3)
        self.assertEqual({"f.left": "Failed", "f.right": "Completed"}, self.statuses())
        self.assertIn("step both: skipped, since left did not complete", done.err)

    def test_one_that_fails_ends_the_pipeline_where_it_says_so(self):
        settings = "{continue_on_step_failure: false, default_compute: azureml:cpu, force_rerun: true}"
        self.pipeline(left=f"{self.wait_for('right')}; exit 1", right=self.wait_for("never"), settings=settings)
        done = self.run_it(code=3)
        self.assertEqual({"f.left": "Failed", "f.right": "Interrupted"}, self.statuses())
        self.assertIn("step left failed, and continue_on_step_failure is false: the pipeline ends", done.err)
        self.assertIn('fork.yml:2:45: warning: "default_compute" has no effect', done.err)

    def test_one_that_fails_ends_those_to_come_in_turn(self):
        self.pipeline(left="exit 1", settings="{continue_on_step_failure: false}")
        self.hdrive("run", "fork.yml", "--name", "f", code=3)
        self.assertEqual({"f.left": "Failed"}, self.statuses())


if __name__ == "__main__":
    unittest.main()
