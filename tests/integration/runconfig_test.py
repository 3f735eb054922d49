# SPDX-License-Identifier: Apache-2.0
"""Run configurations as users of Azure ML have them: command lines, environments, data."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest
import zipfile

from run_configurations import SCRIPT, RunConfigurations
from support import ENDLESS, METRIC, QUICK, HdriveTest, until


def wheel(folder, name, source):
    """A wheel with one module, as pip takes it."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


class CommandLines(RunConfigurations):
    def test_submit_hyperdrives_command_line_runs_a_sweep(self):
        self.runconfig()
        done = self.hyperdrive("-w", "workspace", "-g", "group", "-t", "meta.json", "train.py", "--arg", "1")
        self.assertRegex(self.record()[0], r"^train\.py --arg 1 --x 0\.\d+$")
        self.assertEqual(1, done.err.count("no meaning here"))
        [sweep] = self.sweeps()
        meta = json.loads((self.folder / "meta.json").read_text())
        self.assertEqual([sweep["sweep_id"], "EXP", "Completed", sweep["sweep_id"] + "_0", 0.5],
                         [meta[key] for key in ("run_id", "experiment_name", "status", "best_child_run_id", "score")])

    def test_without_a_script_the_run_configurations_and_its_arguments_come_first(self):
        self.runconfig()
        self.hyperdrive()
        self.assertRegex(self.record()[0], r"^train\.py --epochs 3 --x 0\.\d+$")

    def test_async_returns_when_the_first_run_has_begun(self):
        self.addCleanup(self.end_processes)
        self.write("train.py", SCRIPT + "import time\nwhile not os.path.exists(os.environ['HDRIVE_SOURCE_DIR'] + '/go'):"
                   " time.sleep(0.02)\n")
        self.runconfig()
        done = self.hyperdrive("--async", "-t", "meta.json")
        meta = json.loads((self.folder / "meta.json").read_text())
        self.assertEqual([done.out.strip(), "Running"], [meta["run_id"], meta["status"]])
        self.write("go", "")
        self.hdrive("attach", "last")
        until(lambda: json.loads((self.folder / "meta.json").read_text())["status"] == "Completed", "it tells the end")

    def test_submit_script_is_one_run_that_list_show_and_logs_know(self):
        self.write("train.py", SCRIPT + "print('hello')\n")
        self.runconfig()
        self.hdrive("submit-script", "-e", "EXP", "-c", "local", "train.py", "--arg", "1")
        self.assertEqual(["train.py --arg 1"], self.record())
        [sweep] = self.sweeps()
        self.assertEqual(["EXP", "Completed", 1], [sweep["experiment"], sweep["status"], sweep["runs"]])
        self.assertEqual("hello\n", self.hdrive("logs", "last/0").out)
        self.assertIn("Completed", self.hdrive("show", "last/0").out)
        self.hdrive("submit-script", "-c", "local")
        self.assertEqual("train.py --epochs 3", self.record()[1])

    def test_the_source_directory_may_lie_elsewhere_than_the_configurations(self):
        self.runconfig()
        self.write("code/train.py", SCRIPT.replace('" ".join(sys.argv)', '"the other"'))
        self.hdrive("submit-script", "-c", "local", "--path", ".", "--source-directory", "code")
        self.hyperdrive("--source-directory", "code")
        self.hdrive("submit-script", "-c", "local", "--target", "cpu-cluster")
        self.assertEqual(["the other", "the other", "train.py --epochs 3"], self.record())

    def test_of_a_single_run_no_metric_is_missed(self):
        self.write("train.py", "print('done')")
        self.runconfig()
        done = self.hdrive("submit-script", "-c", "local")
        self.assertNotIn("warning", done.all)
        self.assertNotIn("best", done.out)
        self.assertNotIn("metric", self.hdrive("show", "last").out.partition("warnings")[2])

    def test_submit_script_tells_by_its_exit_code_that_the_script_failed(self):
        self.write("train.py", "raise SystemExit(3)")
        self.runconfig()
        self.hdrive("submit-script", "-c", "local", code=3)

    def test_what_cannot_be_honoured_is_refused_before_anything_starts(self):
        self.runconfig(more="dataReferences:\n  images: {dataStoreName: blob}\n")
        done = self.hyperdrive(code=2)
        self.assertIn("local.runconfig:17:3: \"images\" is data of Azure's (blob)", done.err)
        self.assertIn("datastores: {blob: PATH}", done.err)
        self.runconfig(more="mpi: {processCountPerNode: 4, nodeCount: 2}\n")
        path = self.folder / ".azureml/local.runconfig"
        path.write_text(path.read_text().replace("communicator: None", "communicator: OpenMpi"))
        self.assertIn("local.runconfig:16:42: a run has 2 nodes, but this machine is one", self.hyperdrive(code=2).err)
        self.assertEqual([], list(self.folder.glob(".hdrive/*")))

    def test_data_is_where_the_asset_map_says(self):
        self.runconfig(more="dataReferences:\n  images: {dataStoreName: blob, pathOnDataStore: i}\n")
        path = self.folder / ".azureml/local.runconfig"
        path.write_text(path.read_text().replace("3]", "$AZUREML_DATAREFERENCE_images]"))
        self.write("azureml.yml", "datastores: {blob: store}\n")
        self.write("store/i/x", "")
        self.hyperdrive()
        self.assertIn(f"--epochs {self.folder}/store/i", self.record()[0])


class Environments(RunConfigurations):
    """Built for real, from a wheel made here: nothing is fetched."""

    def setUp(self):
        super().setUp()
        if subprocess.run(["python3", "-m", "pip", "--version"], capture_output=True).returncode != 0:
            self.skipTest("python3 has no pip here")
        self.environment["PIP_NO_INDEX"] = "1"
        self.environment["UV_OFFLINE"] = "1"
        self.wheel = wheel(self.folder, "answers", "ANSWER = 42\n")
        self.write("train.py", "import answers, sys, hdrive_run\n" + SCRIPT.replace(
            '" ".join(sys.argv)', 'f"{answers.ANSWER} {sys.prefix}"'))
        self.runconfig(managed="false")
        self.dependencies(str(self.wheel))

    def dependencies(self, requirement):
        self.write(".azureml/conda_dependencies.yml",
                   "name: mine\nchannels: [conda-forge]\ndependencies:\n- python=3\n- pip:\n"
                   f"  - azureml-defaults\n  - {requirement}\n")

    def without_conda(self):
        """PATH without conda's tools, which would want their channels."""
        folders = [folder for folder in self.environment["PATH"].split(":")
                   if not any((pathlib.Path(folder) / tool).exists() for tool in ("micromamba", "mamba", "conda"))]
        self.environment["PATH"] = ":".join(folders)

    def test_an_environment_is_built_once_and_shared_by_sweeps(self):
        self.without_conda()
        done = self.hyperdrive()
        self.assertIn("building it with", done.err)
        self.assertIn("azureml-defaults", done.err)
        [environment] = (self.folder / "environments").glob("*/complete")
        self.assertEqual(f"42 {environment.parent / 'prefix'}", self.record()[0])
        again = self.hdrive("submit-script", "-c", "local")
        self.assertNotIn("building", again.err)
        self.assertEqual(self.record()[0], self.record()[1])

    def test_the_same_command_with_a_name_goes_on_whatever_path_there_is_now(self):
        self.without_conda()
        self.write("train.py", SCRIPT.replace('" ".join(sys.argv)', 'os.environ["PATH"].split(":")[0]'))
        self.hyperdrive("--name", "mine")
        self.environment["PATH"] += ":/nowhere"
        self.hyperdrive("--name", "mine", code=None)
        self.assertEqual(1, len(self.sweeps()))
        [environment] = (self.folder / "environments").glob("*/prefix")
        self.assertEqual([f"{environment}/bin"], self.record())

    def test_an_environment_that_was_removed_is_built_again_when_the_sweep_goes_on(self):
        self.without_conda()
        self.hyperdrive("--name", "mine")
        [key] = [row["key"] for row in json.loads(self.hdrive("environment", "-f", "json").out)]
        self.hdrive("environment", "remove", key)
        done = self.hdrive("resume", "mine", "--set", "max_total_runs=2")
        self.assertIn(f"the environment {key} of HD_", done.err)
        self.assertIn("no longer there; it is built again", done.err)
        self.assertEqual(self.record()[0], self.record()[1])
        # Elsewhere, as with another cache: the runs find it there.
        self.hdrive("environment", "remove", key)
        self.environment["HDRIVE_ENVIRONMENTS"] = str(self.folder / "elsewhere")
        self.hdrive("resume", "mine", "--set", "max_total_runs=3")
        self.assertIn("/elsewhere/", self.record()[2])
        self.assertEqual(["Completed"] * 3, [run["status"] for run in self.runs("mine")])

    def test_an_environment_that_cannot_be_built_again_is_told_before_anything_starts(self):
        self.without_conda()
        self.hyperdrive("--name", "mine")
        shutil.rmtree(self.folder / "environments")
        self.wheel.unlink()
        done = self.hdrive("resume", "mine", "--set", "max_total_runs=2", code=None)
        self.assertNotEqual(0, done.code)
        self.assertIn("is no longer there", done.err)
        self.assertEqual(1, len(self.runs("mine")))

    def test_a_conda_file_of_the_command_line_goes_before_the_run_configurations(self):
        self.without_conda()
        other = wheel(self.folder / ".azureml", "answers", "ANSWER = 7\n")
        self.write("conda.yml", f"dependencies: [pip: [{other}]]\n")
        self.hdrive("submit-script", "-c", "local", "-d", "conda.yml")
        self.hdrive("submit-script", "-d", "conda.yml", "train.py")  # without a run configuration, too
        self.assertEqual(["7", "7"], [line.split()[0] for line in self.record()])
        self.hdrive("submit-script", "-d", "cnda.yml", "train.py", code=2)

    def test_another_content_of_the_same_wheel_is_another_environment(self):
        self.without_conda()
        self.hyperdrive()
        wheel(self.folder, "answers", "ANSWER = 43\n")
        self.hyperdrive()
        self.assertTrue(self.record()[1].startswith("43 "))

    def test_of_two_sweeps_at_once_one_builds_and_the_other_waits_and_says_so(self):
        self.without_conda()
        # A uv that waits for a word before it works, so that both are there by then.
        (self.folder / "bin").mkdir()
        self.program("uv", f"""
            case "$1" in venv) touch {self.folder}/began; while [ ! -e {self.folder}/go ]; do sleep 0.02; done
              python3 -m venv --without-pip "$4" ;;
            pip) python3 -m pip --python "$4" install -r "$6" ;;
            esac""")
        one = self.start("submit-script", "-c", "local")
        until((self.folder / "began").exists, "one builds")
        log = self.folder / "other.err"
        with open(log, "wb") as err:
            other = self.start("submit-script", "-c", "local", stderr=err)
        until(lambda: "it is being built already; waiting" in log.read_text(), "the other waits")
        self.write("go", "")
        self.assertEqual([0, 0], [self.finish(one).code, other.wait(120)])
        self.assertNotIn("building it with", log.read_text())
        self.assertEqual(2, len(self.record()))

    def program(self, name, script):
        path = self.write(f"bin/{name}", f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        if not self.environment["PATH"].startswith(f"{self.folder}/bin:"):
            self.environment["PATH"] = f"{self.folder}/bin:{self.environment['PATH']}"

    def test_what_a_killed_builder_left_is_never_used(self):
        self.without_conda()
        self.program("uv", f"""
            case "$1" in venv) mkdir -p "$4/bin"; cp /bin/true "$4/bin/python"; echo $$ > {self.folder}/began
              while [ ! -e {self.folder}/go ]; do sleep 0.02; done ;;
            esac""")
        builder = self.start("submit-script", "-c", "local")
        until(lambda: (self.folder / "began").exists() and (self.folder / "began").read_text().strip(), "it builds")
        builder.kill()
        builder.wait()
        # The tool is alive and holds the lock: the next one waits for it, and begins anew.
        self.program("uv", """
            case "$1" in venv) python3 -m venv --without-pip "$4" ;;
            pip) python3 -m pip --python "$4" install -r "$6" ;;
            esac""")
        log = self.folder / "next.err"
        with open(log, "wb") as err:
            after = self.start("submit-script", "-c", "local", stderr=err)
        until(lambda: "waiting for that" in log.read_text(), "the next one waits")
        self.write("go", "")
        self.assertEqual(0, after.wait(120), log.read_text())
        self.assertTrue(self.record()[0].startswith("42 "))

    def test_a_build_that_fails_ends_the_command_with_the_tools_words(self):
        self.without_conda()
        self.dependencies("no-such-package-at-all==9")
        done = self.hyperdrive(code=1)
        self.assertIn("no-such-package-at-all", done.err)
        self.assertIn("build.log", done.err)
        self.assertEqual([], list(self.folder.glob(".hdrive/*/*.db")))


class Folders(HdriveTest):
    def test_attach_writes_samples_that_run_and_keeps_what_is_there(self):
        self.write("project/train.py", SCRIPT.replace('"loss"', '"Accuracy"'))
        self.write("project/.azureml/conda_dependencies.yml", "mine")
        done = self.hdrive("folder", "attach", "-w", "ws", "-g", "rg", "-e", "digits", "--path", "project")
        self.assertIn("kept  ", done.out)
        place = self.folder / "project" / ".azureml"
        self.assertEqual("mine", (place / "conda_dependencies.yml").read_text())
        self.assertEqual(["rg", "ws", "digits"], [json.loads((place / "config.json").read_text())[key] for key in
                                                  ("resource_group", "workspace_name", "experiment_name")])
        self.assertEqual(5, len(list(place.iterdir())))
        before = {path.name: path.read_text() for path in place.iterdir()}
        self.hdrive("folder", "attach", "--path", "project")
        self.assertEqual(before, {path.name: path.read_text() for path in place.iterdir()})
        done = self.hdrive("run", "-c", "local", "--hyperdrive-configuration-name", "hdconfig.yml", "--set",
                           "max_total_runs=1", cwd=self.folder / "project")
        self.assertNotIn("warning", done.err)
        self.assertEqual(["digits"], [sweep["experiment"] for sweep in self.sweeps()])

    def test_experiments_are_those_of_sweeps_and_those_that_were_created(self):
        self.assertEqual([], json.loads(self.hdrive("experiment", "list", "-f", "json").out))
        self.hdrive("experiment", "create", "-n", "later", "-w", "ws", "-g", "rg")
        self.hdrive("experiment", "create", "digits")
        self.config(QUICK, max_total_runs=2)
        self.hdrive("run", "-e", "digits")
        told = json.loads(self.hdrive("experiment", "-f", "json").out)
        self.assertEqual([("digits", 1, 2), ("later", 0, 0)], [(row["name"], row["sweeps"], row["runs"]) for row in told])
        self.hdrive("experiment", "create", code=2)


class Aliases(HdriveTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_processes)

    def test_a_job_is_created_followed_and_downloaded_by_azures_words(self):
        self.config(METRIC + "metric loss 0.5\necho trained\necho m > outputs/model\n", max_total_runs=1)
        done = self.hdrive("job", "create", "-f", "hdconfig.yml", "-g", "rg", "--output-metadata-file", "m.json")
        self.assertIn("the short way is hdrive run hdconfig.yml --detach -t m.json (-g means nothing here)", done.err)
        sweep = done.out.strip()
        self.assertEqual(sweep, json.loads((self.folder / "m.json").read_text())["run_id"])
        self.hdrive("job", "stream", "-n", sweep)
        self.assertIn("the short way is hdrive show", self.hdrive("job", "show", "-n", sweep).err)
        self.assertEqual(sweep, json.loads(self.hdrive("job", "list", "-o", "json").out)[0]["sweep_id"])
        self.assertEqual([], json.loads(self.hdrive("run", "list", "--status", "Failed", "-o", "json").out))
        self.assertIn(sweep[:11], self.hdrive("run", "list", "--last", "1", "--status", "Completed").out)
        self.hdrive("job", "download", "-n", sweep, "--all", "--download-path", "here")
        self.assertIn("The status is now 'Completed'", (self.folder / "here" / sweep / "hyperdrive.txt").read_text())
        self.hdrive("job", "download", "-n", sweep, "--output-name", "model", "--download-path", "one")
        self.assertEqual(["outputs"], os.listdir(self.folder / "one" / f"{sweep}_0"))
        self.assertIn("there are model", self.hdrive("download", sweep, "--output", "../stdout.log", code=4).err)
        self.assertEqual(["m\n", "trained\n"], [(self.folder / "here" / f"{sweep}_0" / name).read_text()
                                              for name in ("outputs/model", "stdout.log")])
        self.hdrive("run", "download-logs", "-r", f"{sweep}_0", "-d", "there")
        self.assertTrue((self.folder / "there" / f"{sweep}_0" / "stdout.log").exists())
        self.assertIn("trained", self.hdrive("run", "monitor-logs", "-r", f"{sweep}_0").out)
        self.assertIn(f"{sweep}_0", self.hdrive("run", "show", "-r", f"{sweep}_0").out)
        self.assertIn("this machine", self.hdrive("computetarget", "list").out)

    def test_a_job_is_cancelled_by_azures_words(self):
        self.config(ENDLESS, max_total_runs=1)
        sweep = self.hdrive("job", "create", "-f", "hdconfig.yml").out.strip()
        self.hdrive("job", "cancel", "-n", sweep)
        self.assertEqual(["Canceled"], [each["status"] for each in self.sweeps()])

    def test_a_file_goes_before_an_alias_and_unknown_words_are_told(self):
        self.config(QUICK, max_total_runs=1, name="list")
        self.assertIn("1 completed", self.hdrive("run", "list").out)
        self.assertIn("of Azure's there are job create,", self.hdrive("job", "delete", code=2).err)
        self.assertNotIn("job", self.hdrive("complete", "jo").out)


class Kept(RunConfigurations):
    def test_environments_are_built_ahead_shown_and_removed(self):
        self.write("bin/uv", "#!/bin/sh\ncase $1 in venv) mkdir -p $4/bin; cp /bin/true $4/bin/python;; esac\n").chmod(0o755)
        (self.folder / "path").mkdir()
        for program in ("python3", "sh", "mkdir", "cp"):
            (self.folder / "path" / program).symlink_to(shutil.which(program))
        self.environment["PATH"] = f"{self.folder}/bin:{self.folder}/path"
        self.runconfig(managed="false")
        self.write(".azureml/conda_dependencies.yml", "dependencies: [pip: [joblib]]\n")
        python = self.hdrive("environment", "build", "-c", "local").out.strip()
        self.assertTrue(os.access(python, os.X_OK))
        [row] = json.loads(self.hdrive("environment", "-f", "json").out)
        self.assertEqual(["project_environment", "uv", True], [row[key] for key in ("name", "tool", "complete")])
        self.assertIn("joblib", self.hdrive("environment", "show", row["key"][:6]).out)
        self.hdrive("environment", "show", "nothing", code=4)
        curated = self.hdrive("environment", "build", "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu").out.strip()
        self.assertIn("scikit-learn", self.hdrive("environment", "show", pathlib.Path(curated).parts[-4]).out)
        self.hdrive("environment", "remove", pathlib.Path(curated).parts[-4])
        self.assertIn("did you mean \"AzureML-sklearn\"", self.hdrive("environment", "build", "AzureML-sklern", code=2).err)
        self.hdrive("environment", "remove", "project_environment")
        self.assertEqual([], json.loads(self.hdrive("environment", "-f", "json").out))


if __name__ == "__main__":
    unittest.main()
