# SPDX-License-Identifier: Apache-2.0
"""Run configurations as users of Azure ML have them: command lines, environments, containers, data."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

from support import ENDLESS, METRIC, QUICK, HdriveTest, alive, until

RUNCONFIG = """\
script: train.py
arguments: [--epochs, 3]
target: local
framework: Python
communicator: None
nodeCount: 1
environment:
  name: project_environment
  python:
    userManagedDependencies: {managed}
    interpreterPath: python3
    condaDependenciesFile: .azureml/conda_dependencies.yml
history:
  outputCollection: true
  directoriesToWatch: [logs]
"""
SCRIPT = """\
import hdrive_run, os, sys
with open(os.environ["RECORD"], "a") as record:
    record.write(" ".join(sys.argv) + "\\n")
hdrive_run.log("loss", 0.5)
"""


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


class RunConfigurations(HdriveTest):
    def setUp(self):
        super().setUp()
        self.environment["HDRIVE_ENVIRONMENTS"] = str(self.folder / "environments")
        self.write("train.py", SCRIPT)
        self.config(command=None, max_total_runs=1, name=".azureml/hdconfig.yml")

    def runconfig(self, managed="true", more="", name="local"):
        self.write(f".azureml/{name}.runconfig", RUNCONFIG.format(managed=managed) + more)

    def hyperdrive(self, *arguments, **options):
        return self.hdrive("run", "-e", "EXP", "-c", "local", "--hyperdrive-configuration-name", "hdconfig.yml",
                           *arguments, **options)


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
        until(lambda: "another process is building it; waiting" in log.read_text(), "the other waits")
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


class Containers(RunConfigurations):
    """With an engine that is a script of the test's, and with podman where it runs."""

    MORE = "  docker: {enabled: true, baseImage: me/train, arguments: [--cap-drop, ALL], shmSize: 64m}\n"

    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_processes)
        text = RUNCONFIG.format(managed="true").replace("interpreterPath: python3", "interpreterPath: sh")
        text = text.replace("train.py", "train.sh").replace("history:", self.MORE + "history:")
        self.write(".azureml/local.runconfig", text)

    def engine(self, name, script):
        path = self.write(f"bin/{name}", f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)
        hidden = [str(self.folder / "bin")]
        for folder in self.environment["PATH"].split(":"):
            if not any((pathlib.Path(folder) / each).exists() for each in ("podman", "docker", "apptainer")):
                hidden.append(folder)
        # What else lies beside an engine is reached by links.
        links = self.folder / "links"
        links.mkdir(exist_ok=True)
        for folder in ("/usr/bin", "/bin", "/usr/local/bin"):
            for program in pathlib.Path(folder).iterdir():
                if program.name not in ("podman", "docker", "apptainer") and not (links / program.name).exists():
                    (links / program.name).symlink_to(program)
        self.environment["PATH"] = ":".join([*hidden, str(links)])

    def test_without_an_engine_it_is_refused_with_the_reason(self):
        self.write("train.sh", QUICK)
        self.engine("unrelated", "exit 0")
        done = self.hyperdrive(code=2)
        self.assertIn("wants the image me/train, and neither podman nor docker nor apptainer is in PATH", done.err)
        self.assertEqual([], list(self.folder.glob(".hdrive/*/*.db")))

    def test_a_dockerfile_is_built_once_and_its_image_used(self):
        self.write("train.sh", QUICK)
        self.write("docker/Dockerfile", "FROM scratch\n")
        self.engine("docker", f"""
            echo "$*" >> {self.folder}/calls
            case "$1" in
            image) [ -e {self.folder}/built ] ;;
            build) touch {self.folder}/built ;;
            run) while [[ "$1" != localhost/hdrive-image:* ]]; do shift; done; shift; exec "$@" ;;
            esac""")
        path = self.folder / ".azureml/local.runconfig"
        path.write_text(path.read_text().replace("baseImage: me/train", "baseDockerfile: docker/Dockerfile"))
        self.environment["HDRIVE_ENVIRONMENTS"] = str(self.folder / "cache")
        self.assertIn("building it with docker, once", self.hyperdrive().err)
        self.assertNotIn("building", self.hyperdrive().err)
        calls = (self.folder / "calls").read_text().splitlines()
        [build] = [line for line in calls if line.startswith("build ")]
        self.assertTrue(build.endswith(f" {self.folder}/docker"), build)
        self.assertEqual(0.5, self.runs()[0]["best_primary_metric"])

    # An engine whose containers are no children of the run: `run` asks for one and follows it, `rm --force` ends it.
    APART = """
        case "$1" in
        run) for a; do case $last in --name) name=$a;; esac; last=$a; done
             echo "$*" >> {folder}/calls
             while [ "$1" != me/train ]; do shift; done; shift
             mkdir -p {folder}/containers
             {python} {folder}/start.py {folder}/containers/$name "$@"
             pid=$(cat {folder}/containers/$name)
             while kill -0 $pid 2>/dev/null; do sleep 0.02; done ;;
        rm) echo "$*" >> {folder}/calls; kill -9 $(cat {folder}/containers/$3) ;;
        esac
        exit 0"""

    def apart(self):
        # Started by a process outside of the run's tree, as a daemon does: the test itself is that.
        self.write("start.py", "import pathlib, sys, time, os, json\n"
                   "place = pathlib.Path(sys.argv[1])\n"
                   "place.with_suffix('.wanted').write_text(json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]))\n"
                   "while not place.exists(): time.sleep(0.01)\n")
        self.engine("docker", self.APART.format(folder=self.folder, python=sys.executable))

    def serve(self):
        """Starts a container that was asked for, as docker's daemon would."""
        [wanted] = until(lambda: list((self.folder / "containers").glob("*.wanted")), "a container is asked for")
        command, directory, variables = until(lambda: json.loads(wanted.read_text() or "null"), "it is written")
        wanted.unlink()
        process = subprocess.Popen(command, cwd=directory, env=variables, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started.append(process)
        place = self.folder / "containers" / wanted.stem
        place.with_suffix(".new").write_text(str(process.pid))
        place.with_suffix(".new").rename(place)
        return process

    def test_the_engine_gets_image_folders_variables_and_arguments(self):
        self.write("train.sh", QUICK)
        self.engine("docker", f"""[ $1 = run ] || exit 0
            echo "$*" >> {self.folder}/calls
            while [ "$1" != me/train ]; do shift; done; shift; exec "$@" """)
        self.hyperdrive()
        line = (self.folder / "calls").read_text()
        run = self.run_directory(0)
        for part in (f"--volume {run}:{run}", f"--volume {self.folder}:{self.folder}", f"--workdir {run}/work",
                     "--env HDRIVE_METRICS_FILE", "--env AZUREML_RUN_ID", "--shm-size 64m", "--cap-drop ALL me/train sh train.sh",
                     "--epochs 3 --x 0."):
            self.assertIn(part, line)
        self.assertEqual(0.5, self.runs()[0]["best_primary_metric"])
        self.assertFalse((run / ".end-with").exists())

    def test_a_stop_ends_a_container_that_is_nobodys_child(self):
        self.write("train.sh", ENDLESS)
        self.apart()
        self.config(command=None, max_total_runs=1, name=".azureml/hdconfig.yml", cancel_grace_seconds=0)
        engine = self.start("run", "-c", "local", "--hyperdrive-configuration-name", "hdconfig.yml")
        container = self.serve()
        until(self.record, "it trains")
        self.interrupt(engine)
        self.assertEqual(130, self.finish(engine).code)
        self.assertLess(container.wait(30), 0)
        [sweep] = self.sweeps()
        self.assertIn(f"rm --force hdrive-{sweep['sweep_id']}_0-1\n", (self.folder / "calls").read_text())


class Podman(Containers):
    """The real engine, in a private mount namespace with this machine's files as its image."""

    def setUp(self):
        super().setUp()
        if not shutil.which("podman") or not shutil.which("runc") or os.geteuid() != 0:
            self.skipTest("needs podman and runc, and to be root")
        self.rootfs = pathlib.Path(tempfile.mkdtemp(prefix="hdrive-podman-"))
        self.addCleanup(shutil.rmtree, self.rootfs, ignore_errors=True)
        for folder in ("rootfs", "root", "run"):
            (self.rootfs / folder).mkdir()
        podman = shutil.which("podman")
        flags = (f"--root {self.rootfs}/root --runroot {self.rootfs}/run --storage-driver vfs "
                 "--cgroup-manager cgroupfs --events-backend file --runtime runc")
        self.engine("podman", f"""
            case "$1 $2" in "image inspect"|"info ") exit 0;; esac
            if [ "$1" = run ]; then
              shift; words=(run --ulimit nofile=1024:1024 --ulimit nproc=1024:1024)
              while [ "$1" != me/train ]; do words+=("$1"); shift; done; shift
              exec unshare -m bash -c 'mount --bind / {self.rootfs}/rootfs; exec {podman} {flags} "$@"' x \\
                "${{words[@]}}" --rootfs {self.rootfs}/rootfs "$@"
            fi
            exec {podman} {flags} "$@" """)
        probe = subprocess.run([self.folder / "bin" / "podman", "run", "--rm", "--network", "host", "--entrypoint", "",
                                "me/train", "true"], capture_output=True, text=True, timeout=120)
        if probe.returncode != 0:
            self.skipTest(f"podman does not run here: {probe.stderr}")

    def podman(self, *words):
        return subprocess.run([self.folder / "bin" / "podman", *words], capture_output=True, text=True, timeout=60).stdout

    test_without_an_engine_it_is_refused_with_the_reason = None
    test_the_engine_gets_image_folders_variables_and_arguments = None
    test_a_stop_ends_a_container_that_is_nobodys_child = None
    test_a_dockerfile_is_built_once_and_its_image_used = None

    def test_a_run_in_a_container_logs_and_keeps_its_outputs(self):
        self.write("train.sh", METRIC + 'metric loss 0.25\necho result > outputs/model\necho "$1 $AZUREML_RUN_ID"\n'
                   'cat /proc/1/comm\n')
        self.hyperdrive()
        self.assertEqual(0.25, self.runs()[0]["best_primary_metric"])
        self.assertEqual("result\n", (self.run_directory(0) / "outputs" / "model").read_text())
        out = (self.run_directory(0) / "stdout.log").read_text()
        self.assertIn(f"--epochs {self.sweeps()[0]['sweep_id']}_0\n", out)
        self.assertNotIn("systemd", out)

    def test_a_failure_in_a_container_is_the_runs(self):
        self.write("train.sh", "exit 7\n")
        self.hyperdrive(code=3)
        self.assertIn("7", self.hdrive("show", "last/0").out)

    def test_a_stop_ends_the_container_with_all_its_processes(self):
        # One that lets go of its session and hears no SIGTERM.
        self.write("train.sh", METRIC + 'trap "" TERM\nmetric loss 0.5\nsetsid sh -c \'trap "" TERM; echo $$ > '
                   '$HDRIVE_OUTPUTS_DIR/pid; while :; do sleep 1; done\' &\nwhile :; do sleep 1; done\n')
        self.config(command=None, max_total_runs=1, name=".azureml/hdconfig.yml", cancel_grace_seconds=1)
        engine = self.start("run", "-c", "local", "--hyperdrive-configuration-name", "hdconfig.yml")
        until(lambda: list(self.folder.glob(".hdrive/*/runs/0/outputs/pid")), "it trains", 120)
        self.assertIn("hdrive-HD_", self.podman("ps", "--format", "{{.Names}}"))
        self.interrupt(engine)
        self.assertEqual(130, self.finish(engine).code)
        self.assertEqual("", self.podman("ps", "--format", "{{.Names}}"))
        self.assertEqual([], self.processes())

    def test_the_containers_end_survives_the_death_of_its_client(self):
        self.write("train.sh", METRIC + "metric loss 0.5\nwhile :; do sleep 1; done\n")
        self.config(command=None, max_total_runs=1, name=".azureml/hdconfig.yml", cancel_grace_seconds=1)
        engine = self.start("run", "-c", "local", "--hyperdrive-configuration-name", "hdconfig.yml")
        until(lambda: self.podman("ps", "-q"), "the container runs", 120)
        client = self.program_of_run()
        os.kill(client, 9)
        until(lambda: not alive(client), "the run's program is gone")
        self.assertEqual(3, self.finish(engine).code)
        self.assertEqual("", self.podman("ps", "-aq"))

    def program_of_run(self):
        [path] = self.folder.glob(".hdrive/*/runs/0/supervisor.json")
        return until(lambda: json.loads(path.read_text()).get("program_pid"), "the program runs")


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
