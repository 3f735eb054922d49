# SPDX-License-Identifier: Apache-2.0
"""The shape of azure.ai.ml: command jobs, their sweeps, MLClient.

    from hdrive.azureml.v2 import MLClient, Uniform, command

    job = command(code="src", command="python train.py --lr ${{inputs.lr}}", inputs={"lr": 0.1})
    sweep = job(lr=Uniform(0.01, 1)).sweep(sampling_algorithm="random", primary_metric="accuracy", goal="maximize")
    sweep.set_limits(max_total_trials=8, max_concurrent_trials=2)
    ml_client = MLClient.from_config()
    started = ml_client.jobs.create_or_update(sweep)
    ml_client.jobs.stream(started.name)
"""

from ._absent import (AmlTokenConfiguration, Data, ManagedIdentityConfiguration, ManagedOnlineDeployment,
                      ManagedOnlineEndpoint, Model, UserIdentityConfiguration, pipeline)
from ._client import (AmlCompute, AzureCliCredential, DefaultAzureCredential, InteractiveBrowserCredential, MLClient,
                      SubmittedJob)
from ._distributions import (BanditPolicy, BayesianSamplingAlgorithm, Choice, GridSamplingAlgorithm, LogNormal,
                             LogUniform, MedianStoppingPolicy, Normal, Objective, QLogNormal, QLogUniform, QNormal,
                             QUniform, Randint, RandomSamplingAlgorithm, SamplingAlgorithm, SweepJobLimits,
                             TruncationSelectionPolicy, Uniform)
from ._jobs import (AssetTypes, BuildContext, Command, Environment, Input, InputOutputModes, Job, MpiDistribution,
                    Output, PyTorchDistribution, SweepJob, TensorFlowDistribution, command)
from ._load import CommandComponent, LoadedJob, load_component, load_environment, load_job

__all__ = ["AmlCompute", "AmlTokenConfiguration", "AssetTypes", "AzureCliCredential", "BanditPolicy", "BayesianSamplingAlgorithm",
           "BuildContext", "Choice", "Command", "CommandComponent", "Data", "DefaultAzureCredential", "Environment",
           "GridSamplingAlgorithm", "Input", "InputOutputModes", "InteractiveBrowserCredential", "Job", "LoadedJob", "LogNormal",
           "LogUniform", "MLClient", "ManagedIdentityConfiguration", "ManagedOnlineDeployment", "ManagedOnlineEndpoint", "MedianStoppingPolicy",
           "Model", "MpiDistribution", "Normal", "Objective", "Output", "PyTorchDistribution", "QLogNormal",
           "QLogUniform", "QNormal", "QUniform", "Randint", "RandomSamplingAlgorithm", "SamplingAlgorithm",
           "SubmittedJob", "SweepJob", "SweepJobLimits", "TensorFlowDistribution", "TruncationSelectionPolicy",
           "Uniform", "UserIdentityConfiguration", "command", "load_component", "load_environment", "load_job",
           "pipeline"]
