# SPDX-License-Identifier: Apache-2.0
"""Notebooks in the shapes that people publish for Azure ML, one program each; written for these tests. Nothing in
them is hdrive's: they are run after hdrive.azureml.install() and nothing else."""

RANDOM_WITH_BANDIT = """
import azureml.core
from azureml.core import Experiment, Workspace, Environment, ScriptRunConfig, Dataset
from azureml.core.compute import ComputeTarget, AmlCompute
from azureml.core.compute_target import ComputeTargetException
from azureml.train.hyperdrive import (BanditPolicy, HyperDriveConfig, PrimaryMetricGoal, RandomParameterSampling,
                                      choice, uniform)
from azureml.widgets import RunDetails

print("SDK", azureml.core.VERSION)
ws = Workspace.from_config()
print(ws.name, ws.resource_group, ws.location, ws.subscription_id, sep="\\n")
try:
    target = ComputeTarget(workspace=ws, name="cpu-cluster")
except ComputeTargetException:
    target = "local"

env = Environment.get(workspace=ws, name="AzureML-Minimal")
src = ScriptRunConfig(source_directory="src", script="train.py", arguments=["--kernel", "linear"],
                      compute_target=target, environment=env)
sampling = RandomParameterSampling({"--kernel": choice("linear", "rbf", "poly"), "--penalty": uniform(0.5, 1.5)})
config = HyperDriveConfig(run_config=src, hyperparameter_sampling=sampling,
                          policy=BanditPolicy(slack_factor=0.1, evaluation_interval=1, delay_evaluation=5),
                          primary_metric_name="Accuracy", primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
                          max_total_runs=4, max_concurrent_runs=2)
run = Experiment(workspace=ws, name="iris").submit(config)
RunDetails(run).show()
run.wait_for_completion(show_output=True)
assert run.get_status() == "Completed"

best = run.get_best_run_by_primary_metric()
print(best.get_details()["runDefinition"]["arguments"])
print("accuracy", max(best.get_metrics()["Accuracy"]))
assert "outputs/model.json" in best.get_file_names()
best.download_file("outputs/model.json", "best.json")
"""

GRID = """
import json
from azureml.core import Experiment, ScriptRunConfig, Workspace
from azureml.core.environment import Environment
from azureml.core.runconfig import RunConfiguration
from azureml.train.hyperdrive import (GridParameterSampling, HyperDriveConfig, HyperDriveRun, MedianStoppingPolicy,
                                      PrimaryMetricGoal)
from azureml.train.hyperdrive.parameter_expressions import choice

ws = Workspace.from_config()
exp = Experiment(ws, "grid")
run_config = RunConfiguration()
run_config.environment.python.user_managed_dependencies = True
config = HyperDriveConfig(run_config=ScriptRunConfig("src", "train.py", run_config=run_config),
                          hyperparameter_sampling=GridParameterSampling({"penalty": choice(0.5, 1.0, 2.0),
                                                                         "kernel": choice(["rbf", "linear"])}),
                          primary_metric_name="Accuracy", primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
                          policy=MedianStoppingPolicy(evaluation_interval=1, delay_evaluation=5), max_total_runs=100,
                          max_duration_minutes=30)
run = exp.submit(config, tags={"purpose": "grid"})
assert run.wait_for_completion()["status"] == "Completed"
children = run.get_children_sorted_by_primary_metric()
assert len(children) == 6
assert json.loads(children[0]["hyperparameters"])["penalty"] == 1.0
again = HyperDriveRun(exp, run.id)
assert len(again.get_metrics()) == 6 and again.get_tags() == {"purpose": "grid"}
for child in run.get_children():
    assert child.parent.id == run.id
"""

BAYESIAN = """
from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace
from azureml.train.hyperdrive import *

ws = Workspace.from_config()
env = Environment("user-managed-env")
env.python.user_managed_dependencies = True
src = ScriptRunConfig(source_directory="src", script="train.py", environment=env)
src.run_config.target = "local"
sampling = BayesianParameterSampling({"--penalty": uniform(0.5, 3), "--kernel": choice("rbf", "linear")})
config = HyperDriveConfig(run_config=src, hyperparameter_sampling=sampling, primary_metric_name="Accuracy",
                          primary_metric_goal=PrimaryMetricGoal.MAXIMIZE, max_total_runs=5, max_concurrent_runs=1,
                          policy=NoTerminationPolicy())
run = Experiment(ws, "bayesian").submit(config)
run.wait_for_completion(show_output=False)
assert len(run.get_hyperparameters()) == 5
print(run.get_best_run_by_primary_metric().get_metrics())
"""

ESTIMATOR = """
from azureml.core import Experiment, Workspace
from azureml.train.estimator import Estimator
from azureml.train.hyperdrive import (HyperDriveRunConfig, PrimaryMetricGoal, RandomParameterSampling,
                                      TruncationSelectionPolicy, choice)

ws = Workspace.from_config()
estimator = Estimator(source_directory="src", compute_target="local", entry_script="train.py",
                      script_params={"--epochs": 2}, conda_packages=["numpy"], pip_packages=["azureml-sdk"])
single = Experiment(ws, "estimator").submit(estimator)
single.wait_for_completion(show_output=True)
assert single.get_metrics()["Kernel type"] == "linear"
config = HyperDriveRunConfig(estimator=estimator,
                             hyperparameter_sampling=RandomParameterSampling({"--kernel": choice("rbf", "poly")}),
                             policy=TruncationSelectionPolicy(truncation_percentage=20, evaluation_interval=1,
                                                              delay_evaluation=5),
                             primary_metric_name="Accuracy", primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
                             max_total_runs=8, max_concurrent_runs=2)
run = Experiment(ws, "estimator").submit(config)
run.wait_for_completion()
arguments = run.get_best_run_by_primary_metric().get_details()["runDefinition"]["arguments"]
assert arguments[:3] == ["--epochs", "2", "--kernel"], arguments
assert [each.type for each in Experiment(ws, "estimator").get_runs()] == ["hyperdrive", "azureml.scriptrun"]
"""

PIPELINE = """
import json
from azureml.core import Experiment, ScriptRunConfig, Workspace
from azureml.pipeline.core import Pipeline, PipelineData, TrainingOutput
from azureml.pipeline.steps import HyperDriveStep, HyperDriveStepRun, PythonScriptStep
from azureml.train.hyperdrive import GridParameterSampling, HyperDriveConfig, PrimaryMetricGoal, choice

ws = Workspace.from_config()
config = HyperDriveConfig(run_config=ScriptRunConfig("src", "train.py"), max_total_runs=2, max_concurrent_runs=1,
                          hyperparameter_sampling=GridParameterSampling({"--penalty": choice(1.0, 2.0)}),
                          primary_metric_name="Accuracy", primary_metric_goal=PrimaryMetricGoal.MAXIMIZE)
metrics = PipelineData(name="metrics", pipeline_output_name="metrics_output",
                       training_output=TrainingOutput("Metrics"))
model = PipelineData(name="model", training_output=TrainingOutput("Model", model_file="outputs/model.json"))
tune = HyperDriveStep(name="tune", hyperdrive_config=config, inputs=[], outputs=[metrics, model])
register = PythonScriptStep(script_name="register.py", name="register", arguments=["--model", model], inputs=[model],
                            compute_target="local", source_directory="src", allow_reuse=False)
pipeline = Pipeline(workspace=ws, steps=[register, tune])
run = Experiment(ws, "pipeline").submit(pipeline)
assert run.wait_for_completion(show_output=True) == "Completed"

step = HyperDriveStepRun(step_run=run.find_step_run("tune")[0])
assert step.get_best_run_by_primary_metric().get_metrics()["Penalty"] == 1.0
where = run.get_pipeline_output("metrics_output").download("fetched")
with open(where) as file:
    assert len(json.load(file)) == 2
assert run.find_step_run("register")[0].get_metrics() == {"penalty": 1.0}
"""

V2_SWEEP = """
from azure.ai.ml import MLClient, command, Input
from azure.ai.ml.sweep import BanditPolicy, Choice, Uniform
from azure.identity import DefaultAzureCredential

ml_client = MLClient(DefaultAzureCredential(), "subscription", "group", "workspace")
job = command(code="./src", command="python train.py --penalty ${{inputs.penalty}} --kernel ${{inputs.kernel}}",
              environment="AzureML-Minimal@latest", inputs=dict(penalty=1.0, kernel="linear"),
              display_name="iris", description="as the samples have it")
sweep_job = job(penalty=Uniform(min_value=0.5, max_value=1.5), kernel=Choice(values=["rbf", "linear"])).sweep(
    sampling_algorithm="random", primary_metric="Accuracy", goal="Maximize")
sweep_job.set_limits(max_total_trials=3, max_concurrent_trials=2, timeout=7200)
sweep_job.early_termination = BanditPolicy(evaluation_interval=2, slack_factor=0.1)
returned = ml_client.create_or_update(sweep_job)
print(returned.studio_url)
ml_client.jobs.stream(returned.name)
ml_client.jobs.download(returned.name, download_path="best")
assert ml_client.jobs.get(returned.name).status == "Completed"
"""
