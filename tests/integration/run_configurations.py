# SPDX-License-Identifier: Apache-2.0
"""What tests of run configurations share: a folder as users of Azure ML have them."""

from support import HdriveTest

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
