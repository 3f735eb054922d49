# SPDX-License-Identifier: Apache-2.0
"""HyperDrive's API over hdrive's engine: programs for azureml.core and azureml.train.hyperdrive run after changing
their imports, or unchanged after `install()`.

    from hdrive.azureml import *

    ws = Workspace.from_config()
    src = ScriptRunConfig(source_directory=".", script="train.py")
    config = HyperDriveConfig(run_config=src, hyperparameter_sampling=RandomParameterSampling({"--lr": uniform(0, 1)}),
                              primary_metric_name="accuracy", primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
                              max_total_runs=8)
    run = Experiment(ws, "digits").submit(config)
    run.wait_for_completion(show_output=True)
    run.get_best_run_by_primary_metric().get_metrics()

docs/azureml.md tells what works and what does not yet. `hdrive.azureml.v2` has the shape of azure.ai.ml.
"""

from .. import __version__
from ._absent import (AzureCliAuthentication, DataReference, Datastore, Image, InteractiveLoginAuthentication,
                      MsiAuthentication, OutputFileDatasetConfig,
                      PipelineEndpoint, PipelineParameter, PublishedPipeline, Schedule, ScheduleRecurrence, ServicePrincipalAuthentication, Webservice,
                      set_diagnostics_collection)
from ._compute import (AdlaCompute, AksCompute, AmlCompute, BatchCompute, ComputeInstance, ComputeTarget,
                       DatabricksCompute, DataFactoryCompute, HDInsightCompute, KubernetesCompute, RemoteCompute)
from ._config import HyperDriveConfig, HyperDriveRunConfig
from ._context import OfflineRun as _OfflineRun
from ._datasets import Dataset, DatasetPath, FileDatasetFactory, TabularDatasetFactory
from ._environment import DEFAULT_CPU_IMAGE, DEFAULT_GPU_IMAGE, CondaDependencies, Environment
from ._errors import (ActivityFailedException, AzureMLException, ComputeTargetException, ExperimentExecutionException,
                      NotBuiltError, RunEnvironmentException, TrainingException, UserErrorException,
                      WorkspaceException)
from ._estimator import (Chainer, Estimator, Gloo, MMLBaseEstimator, Mpi, Nccl, ParameterServer, PyTorchEstimator,
                         SKLearn, TensorFlowEstimator)
from ._hyperdrive_run import HyperDriveRun
from ._images import ContainerRegistry, DockerBuildContext, DockerConfiguration, DockerSection
from ._model import Model
from ._modules import install
from ._pipeline import Pipeline, PipelineData, PipelineRun, StepRun, StepSequence, TrainingOutput
from ._policies import (BanditPolicy, EarlyTerminationPolicy, MedianStoppingPolicy, NoTerminationPolicy,
                        PrimaryMetricGoal, TruncationSelectionPolicy)
from ._runconfig import (MpiConfiguration, PyTorchConfiguration, RunConfiguration, ScriptRunConfig,
                         TensorflowConfiguration)
from ._runs import Run, ScriptRun, get_run
from ._space import (BayesianParameterSampling, GridParameterSampling, HyperParameterSampling, RandomParameterSampling,
                     choice, lognormal, loguniform, normal, qlognormal, qloguniform, qnormal, quniform, randint,
                     uniform)
from ._steps import EstimatorStep, HyperDriveStep, HyperDriveStepRun, PythonScriptStep
from ._workspace import Experiment, Workspace
from .widgets import RunDetails

VERSION = __version__

__all__ = [
    "ActivityFailedException", "AdlaCompute", "AksCompute", "AmlCompute", "AzureCliAuthentication",
    "AzureMLException", "BanditPolicy", "BatchCompute", "BayesianParameterSampling", "Chainer", "ComputeInstance",
    "ComputeTarget", "ComputeTargetException", "CondaDependencies", "ContainerRegistry", "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE", "DataFactoryCompute", "DataReference", "DatabricksCompute", "Dataset", "DatasetPath",
    "Datastore", "DockerBuildContext", "DockerConfiguration", "DockerSection", "EarlyTerminationPolicy",
    "Environment", "Estimator", "EstimatorStep", "Experiment", "ExperimentExecutionException", "FileDatasetFactory",
    "Gloo", "GridParameterSampling", "HDInsightCompute", "HyperDriveConfig", "HyperDriveRun", "HyperDriveRunConfig",
    "HyperDriveStep", "HyperDriveStepRun", "HyperParameterSampling", "Image", "InteractiveLoginAuthentication",
    "KubernetesCompute", "MMLBaseEstimator", "MedianStoppingPolicy", "Model", "Mpi", "MpiConfiguration",
    "MsiAuthentication", "Nccl", "NoTerminationPolicy", "NotBuiltError", "OutputFileDatasetConfig",
    "ParameterServer", "Pipeline", "PipelineData", "PipelineEndpoint", "PipelineParameter", "PipelineRun", "PrimaryMetricGoal",
    "PublishedPipeline", "PyTorchConfiguration",
    "PyTorchEstimator", "PythonScriptStep", "RandomParameterSampling", "RemoteCompute", "Run", "RunConfiguration",
    "RunDetails", "RunEnvironmentException", "SKLearn", "Schedule", "ScheduleRecurrence", "ScriptRun", "ScriptRunConfig",
    "ServicePrincipalAuthentication", "StepRun", "StepSequence", "TabularDatasetFactory", "TensorFlowEstimator",
    "TensorflowConfiguration", "TrainingException", "TrainingOutput", "TruncationSelectionPolicy",
    "UserErrorException", "VERSION", "Webservice", "Workspace", "WorkspaceException", "choice", "get_run",
    "install", "lognormal", "loguniform", "normal", "qlognormal", "qloguniform", "qnormal", "quniform", "randint",
    "set_diagnostics_collection", "uniform"]
