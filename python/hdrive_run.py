# SPDX-License-Identifier: Apache-2.0
"""What a training script needs to know of its run, and how it reports metrics to hdrive.

    import hdrive_run
    rate = hdrive_run.params.get("learning_rate", 0.01)
    hdrive_run.log("accuracy", 0.93, step=3)

One file without dependencies, on the PYTHONPATH of every run. A script that imports it also works outside
hdrive, if the file is beside it: `params` is empty then, and `log` prints. The lines it writes are described
in docs/metric-protocol.md.
"""

import json
import math
import os
import sys

__all__ = ["log", "params", "run_id", "attempt", "is_active", "outputs_dir", "logs_dir",
           "checkpoint_dir"]


def _read_params():
    try:
        if "HDRIVE_PARAMETERS" in os.environ:
            drawn = json.loads(os.environ["HDRIVE_PARAMETERS"])
        else:  # too many for a variable, or no run
            with open(os.path.join(os.environ["HDRIVE_RUN_DIR"], "run.json"), encoding="utf-8") as file:
                drawn = json.load(file)["parameters"]
    except (KeyError, OSError, ValueError):
        return {}
    if not isinstance(drawn, dict):
        return {}
    return {name.lstrip("-"): value for name, value in drawn.items()}


_metrics_file = os.environ.get("HDRIVE_METRICS_FILE", "")

#: Whether the script runs under hdrive.
is_active = bool(_metrics_file)
#: The run's parameters, by name without leading dashes. Empty outside hdrive.
params = _read_params()
#: "HD_<uuid>_<n>", or None outside hdrive.
run_id = os.environ.get("HDRIVE_RUN_ID") or None
#: 1, or more if an earlier attempt of this run was lost: look in `checkpoint_dir` for what it saved.
attempt = int(os.environ.get("HDRIVE_ATTEMPT") or 1)
#: Where to write what is to be kept, such as the model. Exists. "outputs" outside hdrive.
outputs_dir = os.environ.get("HDRIVE_OUTPUTS_DIR") or "outputs"
#: Where to write logs. Exists. "logs" outside hdrive.
logs_dir = os.environ.get("HDRIVE_LOGS_DIR") or "logs"
#: Where to save what another attempt of this run goes on from. Exists, and is kept over attempts. "checkpoints"
#: outside hdrive.
checkpoint_dir = os.environ.get("HDRIVE_CHECKPOINT_DIR") or "checkpoints"


def log(name, value, step=None):
    """Reports a metric: `value` is anything float() takes (numpy and torch scalars too), NaN and infinity
    included; `step` is an epoch or a batch, as the script counts. Returns when hdrive can see it. May be
    called from several threads and, with the run's environment, from several processes.

    Raises TypeError or ValueError for what is no number, OSError if the file cannot be written.
    """
    name = str(name)
    if not name:
        raise ValueError("a metric needs a name")
    number = float(value)
    if step is not None:
        step = int(step)
    if not is_active:
        print("%s%s: %r" % (name, "" if step is None else " [%d]" % step, number))
        sys.stdout.flush()
        return
    entry = {"name": name, "value": _json_number(number)}
    if step is not None:
        entry["step"] = step
    _append((json.dumps(entry) + "\n").encode("utf-8"))


def _json_number(number):
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def _append(line):
    # Opened each time: a script may close descriptors or fork between two reports. One write to a file opened
    # for appending is never mixed with another's, so threads and processes need no lock.
    descriptor = os.open(_metrics_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        while line:
            line = line[os.write(descriptor, line):]
    finally:
        os.close(descriptor)
