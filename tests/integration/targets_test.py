# SPDX-License-Identifier: Apache-2.0
"""Targets by name: the verb that keeps them, and sweeps that go to one."""
import json
import unittest

from support import HdriveTest

LOG = "echo '{\"name\": \"loss\", \"value\": 1}' >> $HDRIVE_METRICS_FILE"


class Targets(HdriveTest):
    def read(self, name):
        return (self.folder / name).read_text()

    def test_targets_are_made_shown_changed_and_removed(self):
        self.write("targets.yml", "# ours\ntargets:\n  cluster: {type: slurm, slots: 7}\n")
        self.hdrive("target", "create", "lab", "--host", "ada@node1:2201", "--slots", "2")
        rows = json.loads(self.hdrive("target", "list", "-f", "json").out)
        self.assertEqual([("local", None), ("cluster", 7), ("lab", 2)], [(row["name"], row["slots"]) for row in rows])
        self.hdrive("target", "update", "lab", "--set", "hosts.0.port=22")
        self.assertIn('hosts: [{host: "ada@node1:2201", port: 22}]', self.hdrive("target", "show", "lab").out)
        self.hdrive("target", "delete", "lab")
        self.assertEqual("# ours\ntargets:\n  cluster: {type: slurm, slots: 7}\n", self.read("targets.yml"))

    def test_a_batch_system_is_named_or_described_by_its_commands(self):
        self.hdrive("target", "create", "grid", "--type", "command", "--set", "system=sge", "--set", "queue=long")
        self.hdrive("target", "create", "own", "--type", "command", "--set", "submit=sub {script}", "--set", "status=stat",
                    "--set", "cancel=end {jobs}", "--set", "job_pattern=(.+)", "--set", "states={R: running}",
                    "--set", "state_pattern='(?P<job>.+) (?P<state>.+)'")
        rows = json.loads(self.hdrive("target", "list", "-f", "json").out)
        self.assertEqual(["this machine", "sge long", "sub"], [row["place"] for row in rows])
        self.config(LOG, target="grid", resources={"nodes": 2})
        self.assertIn("nodes is 2", self.hdrive("run", code=2).err)
        self.config(LOG, target="own", resources={"gpus": 1})
        self.assertIn('target own: runs ask for "gpus", and "submit" has no place for it; write {gpus} into it',
                      self.hdrive("run", code=2).err)

    def test_the_users_file_is_another_one(self):
        self.hdrive("target", "create", "lab", "--host", "node1", "--global", env={"XDG_CONFIG_HOME": str(self.folder / "conf")})
        self.assertIn("hosts: [{host: node1}]", self.read("conf/hdrive/targets.yml"))

    def test_what_is_wrong_is_told_and_changes_nothing(self):
        self.write("targets.yml", "targets:\n  cluster: {type: slurm}\n")
        for words, told in [(["create", "cluster", "--type", "slurm"], 'there is a target "cluster" already'),
                            (["create", "x"], "--type is wanted"),
                            (["create", "x", "--type", "shh"], 'did you mean "ssh"?'),
                            (["update", "cluster", "--set", "partitions=x"], 'did you mean "partition"?'),
                            (["create", "x", "--type", "command", "--set", "system=sgee"], 'did you mean "sge"?'),
                            (["create", "x", "--type", "command", "--set", "system=sge", "--set", "cancel=qdel"],
                             'says neither {jobs} nor {job}'),
                            (["update", "cluster"], "what is to change?")]:
            self.assertIn(told, self.hdrive("target", *words, code=2).err)
        for action in ("show", "delete", "test"):
            self.assertIn('did you mean "cluster"?', self.hdrive("target", action, "clustre", code=4).err)
        self.assertEqual("targets:\n  cluster: {type: slurm}\n", self.read("targets.yml"))

    def test_this_machine_passes_its_own_test(self):
        told = self.hdrive("target", "test", "local").out
        for step in ("reach it and start a run", "hear a metric", "end of the run", "fetch its files", "cancel a run"):
            self.assertIn(f"ok   {step}", told)
        self.assertNotIn("FAIL", told)

    def test_a_sweep_goes_to_the_targets_it_names(self):
        self.config(LOG, target=["local"])
        self.hdrive("run")
        self.assertEqual(["Completed"] * 4, [run["status"] for run in self.runs()])
        self.config(LOG, target="loca")
        self.assertIn('target loca: there is no target of this name; allowed: local; did you mean "local"?',
                      self.hdrive("run", code=2).err)

    def test_one_process_is_not_taken_for_several(self):
        self.config(LOG, resources={"nodes": 2})
        self.assertIn("a run has 2 nodes, but this machine is one; allowed: 1, or a target of type slurm, or of type ssh with several hosts",
                      self.hdrive("run", code=2).err)
        self.config(LOG, resources={"processes_per_node": 2})
        self.assertIn("a run has 2 processes, but nothing says what starts them; add distribution: pytorch, mpi or "
                      "tensorflow", self.hdrive("run", code=2).err)
        self.write("targets.yml", "targets: {far: {type: ssh, hosts: [nowhere.invalid]}}")
        self.config(LOG, target="far", resources={"nodes": 2})
        self.assertIn("target far: a run has 2 nodes, and there is 1 host", self.hdrive("run", code=2).err)
        # Also where its slots are known, of which there are none for such a run.
        self.write("targets.yml", "targets: {far: {type: ssh, hosts: [{host: nowhere.invalid, slots: 2}]}}")
        self.config(LOG, target="far", resources={"nodes": 2}, max_concurrent_runs=None)
        self.assertIn("target far: a run has 2 nodes, and there is 1 host", self.hdrive("run", code=2).err)
        self.write("targets.yml", "targets: {far: {type: ssh, hosts: [a.invalid, b.invalid]}}")
        self.assertIn("write distribution: pytorch or tensorflow", self.hdrive("run", code=2).err)
        self.config(LOG, target="far", resources={"nodes": 2}, distribution="mpi")
        self.assertIn("would need mpirun to log in from one host to the others", self.hdrive("run", code=2).err)
        self.write("targets.yml", "targets: {far: {type: command, system: sge}}")
        self.assertIn("nodes is 2, but on the target far a run has one machine", self.hdrive("run", code=2).err)

    def test_a_distributed_run_is_one_run_of_several_processes(self):
        self.config(LOG, distribution="pytorch", resources={"processes_per_node": 2})
        self.hdrive("run")
        self.assertEqual(["Completed"] * 4, [run["status"] for run in self.runs()])
        self.assertEqual(4, len(list(self.folder.glob(".hdrive/HD_*/runs/*/processes/1/stdout.log"))))


if __name__ == "__main__":
    unittest.main()
