# SPDX-License-Identifier: Apache-2.0
"""Which names stand in which module of Azure's SDKs, and the registration of these modules.

The standard library alone, as scripts load this file too. Names are looked up when they are asked for: what a script
takes from _context costs it no import of hdrive.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from types import ModuleType
from typing import Any, Callable

_EXPRESSIONS = ("choice", "randint", "uniform", "quniform", "loguniform", "qloguniform", "normal", "qnormal",
                "lognormal", "qlognormal")
_SAMPLING = ("RandomParameterSampling", "GridParameterSampling", "BayesianParameterSampling", "HyperParameterSampling")
_POLICIES = ("BanditPolicy", "MedianStoppingPolicy", "TruncationSelectionPolicy", "NoTerminationPolicy",
             "EarlyTerminationPolicy")
_CONFIG = ("HyperDriveConfig", "HyperDriveRunConfig", "PrimaryMetricGoal")
_DISTRIBUTED = ("MpiConfiguration", "PyTorchConfiguration", "TensorflowConfiguration")
_DOCKER = ("ContainerRegistry", "DockerBuildContext", "DockerSection")
_RUNCONFIG = ("RunConfiguration", "DockerConfiguration", "CondaDependencies", "DEFAULT_CPU_IMAGE",
              "DEFAULT_GPU_IMAGE", *_DISTRIBUTED)
_COMPUTE = ("ComputeTarget", "AmlCompute", "RemoteCompute", "HDInsightCompute", "BatchCompute", "DatabricksCompute",
            "AdlaCompute", "DataFactoryCompute", "AksCompute", "KubernetesCompute", "ComputeInstance")
_ERRORS = ("ActivityFailedException", "AzureMLException", "ComputeTargetException", "ExperimentExecutionException",
           "RunEnvironmentException", "TrainingException", "UserErrorException", "WorkspaceException")
_STEPS = ("HyperDriveStep", "HyperDriveStepRun", "PythonScriptStep", "EstimatorStep")
_PIPELINE = ("Pipeline", "PipelineRun", "PipelineData", "TrainingOutput", "StepRun", "StepSequence")
_PUBLISHED = ("PublishedPipeline", "PipelineEndpoint", "PipelineParameter", "Schedule", "ScheduleRecurrence")
_ABSENT = ("Dataset", "Datastore", "Model", "Webservice", "Image")
_AUTHENTICATION = ("InteractiveLoginAuthentication", "ServicePrincipalAuthentication", "AzureCliAuthentication",
                   "MsiAuthentication")

# Names of azureml.*; all of them are names of hdrive.azureml, some there under another one.
MODULES: dict[str, tuple[str, ...]] = {
    "azureml": (),
    "azureml.core": ("Workspace", "Experiment", "Run", "Environment", "ScriptRunConfig", "RunConfiguration",
                     "ComputeTarget", "VERSION", "__version__", *_ABSENT),
    "azureml.core.authentication": _AUTHENTICATION,
    "azureml.core.compute": (*_COMPUTE, "ComputeTargetException"),
    "azureml.core.compute_target": ("ComputeTargetException", *_COMPUTE),
    "azureml.core.conda_dependencies": ("CondaDependencies",),
    "azureml.core.container_registry": ("ContainerRegistry",),
    "azureml.core.dataset": ("Dataset",),
    "azureml.core.datastore": ("Datastore",),
    "azureml.core.environment": ("Environment", "CondaDependencies", "DEFAULT_CPU_IMAGE", "DEFAULT_GPU_IMAGE",
                                 *_DOCKER),
    "azureml.core.experiment": ("Experiment",),
    "azureml.core.model": ("Model",),
    "azureml.core.runconfig": (*_RUNCONFIG, "Environment", "DataReference", "ContainerRegistry"),
    "azureml.core.run": ("Run", "_OfflineRun", "get_run"),
    "azureml.core.script_run": ("ScriptRun",),
    "azureml.core.script_run_config": ("ScriptRunConfig",),
    "azureml.core.workspace": ("Workspace",),
    "azureml.data": ("OutputFileDatasetConfig", "TabularDataset:DatasetPath", "FileDataset:DatasetPath"),
    "azureml.data.data_reference": ("DataReference",),
    "azureml.data.dataset_factory": ("TabularDatasetFactory", "FileDatasetFactory"),
    "azureml.data.file_dataset": ("FileDataset:DatasetPath",),
    "azureml.data.tabular_dataset": ("TabularDataset:DatasetPath",),
    "azureml.exceptions": _ERRORS,
    "azureml.pipeline": (),
    "azureml.pipeline.core": (*_PIPELINE, *_PUBLISHED),
    "azureml.pipeline.core.graph": ("PipelineData",),
    "azureml.pipeline.core.pipeline": ("Pipeline",),
    "azureml.pipeline.core.run": ("PipelineRun", "StepRun"),
    "azureml.pipeline.core.schedule": ("Schedule", "ScheduleRecurrence"),
    "azureml.pipeline.steps": _STEPS,
    "azureml.telemetry": ("set_diagnostics_collection",),
    "azureml.train": (),
    "azureml.train.dnn": ("PyTorch:PyTorchEstimator", "TensorFlow:TensorFlowEstimator", "Chainer", "Mpi",
                          "ParameterServer", "Gloo", "Nccl"),
    "azureml.train.estimator": ("Estimator", "MMLBaseEstimator"),
    "azureml.train.hyperdrive": (*_EXPRESSIONS, *_SAMPLING, *_POLICIES, *_CONFIG, "HyperDriveRun", "HyperDriveStep",
                                 "HyperDriveStepRun"),
    "azureml.train.hyperdrive.parameter_expressions": _EXPRESSIONS,
    "azureml.train.hyperdrive.policy": _POLICIES,
    "azureml.train.hyperdrive.run": ("HyperDriveRun", "PrimaryMetricGoal"),
    "azureml.train.hyperdrive.runconfig": _CONFIG,
    "azureml.train.hyperdrive.sampling": _SAMPLING,
    "azureml.train.sklearn": ("SKLearn",),
    "azureml.train.widgets": ("RunDetails",),
    "azureml.widgets": ("RunDetails",),
}

# Names of azure.ai.ml.*, all of hdrive.azureml.v2.
_DISTRIBUTIONS = ("Choice", "Randint", "Uniform", "QUniform", "LogUniform", "QLogUniform", "Normal", "QNormal",
                  "LogNormal", "QLogNormal")
_IDENTITIES = ("ManagedIdentityConfiguration", "UserIdentityConfiguration", "AmlTokenConfiguration")
_V2_POLICIES = ("BanditPolicy", "MedianStoppingPolicy", "TruncationSelectionPolicy")
MODULES_V2: dict[str, tuple[str, ...]] = {
    "azure.ai.ml": ("MLClient", "command", "Input", "Output", "MpiDistribution", "PyTorchDistribution",
                    "TensorFlowDistribution", "load_job", "load_component", "load_environment", *_IDENTITIES),
    "azure.ai.ml.constants": ("AssetTypes", "InputOutputModes"),
    "azure.ai.ml.dsl": ("pipeline",),
    "azure.ai.ml.entities": ("Environment", "BuildContext", "Command", "SweepJob", "Job", "AmlCompute", "Data", "Model",
                             "ManagedOnlineEndpoint", "ManagedOnlineDeployment", *_IDENTITIES),
    "azure.ai.ml.sweep": (*_DISTRIBUTIONS, *_V2_POLICIES, "SweepJob", "SweepJobLimits", "Objective",
                          "SamplingAlgorithm",
                          "RandomSamplingAlgorithm", "GridSamplingAlgorithm", "BayesianSamplingAlgorithm"),
    "azure.identity": ("DefaultAzureCredential", "InteractiveBrowserCredential", "AzureCliCredential"),
}

# What scripts get without hdrive: (module, name there).
_LIGHT = {"Run": ("_context", "Run"), "_OfflineRun": ("_context", "OfflineRun"), "Model": ("_model", "Model"),
          **{name: ("_datasets", name)
             for name in ("Dataset", "DatasetPath", "FileDatasetFactory", "TabularDatasetFactory")},
          **{name: ("_errors", name) for name in _ERRORS}}

class _Elsewhere(type):
    """A class of Azure's that this interpreter has nothing for: scripts import it beside Run and never use it."""

    _why = ""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise ImportError(f"{cls.__name__}.{name}: {cls._why}")

    def __call__(cls, *_: Any, **__: Any) -> Any:
        raise ImportError(f"{cls.__name__}: {cls._why}")


#: Whether install() was called: the scripts of this process's sweeps get the modules then.
installed = False


def _find(package: str, name: str) -> Any:
    heavy = sys.modules.get("hdrive.azureml")
    if package == "hdrive.azureml" and name in _LIGHT and (heavy is None or not hasattr(heavy, name)):
        module, there = _LIGHT[name]
        return getattr(sys.modules["hdrive.azureml." + module], there)
    return getattr(importlib.import_module(package), name)


def _substitute(module: ModuleType, name: str) -> Any:
    if name.lower().strip("_") == "version":
        return "hdrive"
    return _Elsewhere(name, (), {"__module__": module.__name__, "_why": (
        "Run.get_context() and all it gives are there; the rest of azureml needs the package hdrive in this "
        f"interpreter ({sys.executable})")})


def _getter(module: ModuleType, names: tuple[str, ...], package: str) -> Callable[[str], Any]:
    under = {name.partition(":")[0]: name.rpartition(":")[2] for name in names}

    def get(name: str) -> Any:
        if name not in under:
            raise AttributeError(f"hdrive's {module.__name__} has no {name}; it has: {', '.join(under) or 'modules'}")
        try:
            found = _find(package, under[name])
        except ModuleNotFoundError:
            found = _substitute(module, name)
        setattr(module, name, found)
        return found
    return get


def _module(name: str, names: tuple[str, ...], package: str) -> ModuleType:
    module = sys.modules.get(name)
    if module is None or not getattr(module, "_of_hdrive", False):
        kept = module is not None and name in ("azureml", "azure", "azure.ai")
        if module is None or not kept:
            module = ModuleType(name, f"hdrive in the place of {name}.")
            module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
            module.__path__ = []
            module.__file__ = __file__  # what a script prints to see which azureml it has
        sys.modules[name] = module
    module.__dict__["_of_hdrive"] = True
    module.__dict__["__getattr__"] = _getter(module, names, package)
    module.__dict__["__all__"] = [each.split(":")[0] for each in names]
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)
    return module


def register() -> None:
    """Puts the modules of azureml into sys.modules. Others of the real package, if there is one, are still found."""
    if "azureml" not in sys.modules:
        _there("azureml")
    for name, names in MODULES.items():
        _module(name, names, "hdrive.azureml")


def _there(name: str) -> bool:
    try:
        importlib.import_module(name)
        return True
    except ImportError:
        return False


def install() -> None:
    """Registers hdrive under the names of Azure's SDKs: azureml.core, azureml.train.hyperdrive, azureml.widgets,
    azureml.pipeline and azure.ai.ml, in this process and, azureml.*, in the scripts that it starts. Where the real
    packages are installed, these names mean hdrive from now on; azure.identity is left alone then. Harmless twice.

        import hdrive.azureml
        hdrive.azureml.install()
        from azureml.core import Workspace, Experiment, ScriptRunConfig
    """
    global installed
    installed = True
    register()
    for name in ("azure", "azure.ai"):
        if not _there(name):
            _module(name, (), "hdrive.azureml.v2")
    for name, names in MODULES_V2.items():
        if name != "azure.identity" or getattr(sys.modules.get(name), "_of_hdrive", False) or not _there(name):
            _module(name, names, "hdrive.azureml.v2")
