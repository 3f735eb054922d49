# SPDX-License-Identifier: Apache-2.0
"""Runs in containers: what the engine is told, and podman itself where it runs."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from run_configurations import RUNCONFIG, RunConfigurations
from support import ENDLESS, METRIC, QUICK, alive, until


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


if __name__ == "__main__":
    unittest.main()
