# SPDX-License-Identifier: Apache-2.0
"""What a training script needs to know of its run, and how it reports metrics to hdrive.

    import hdrive_run
    rate = hdrive_run.params.get("learning_rate", 0.01)
    hdrive_run.log("accuracy", 0.93, step=3)

One file without dependencies, on the PYTHONPATH of every run (only where a run reports by HTTP itself it wants
hdrive_report.py, which lies beside it). A script that imports it also works outside
hdrive, if the file is beside it: `params` is empty then, and `log` prints. The lines it writes are described
in docs/metric-protocol.md.
"""

import json
import math
import os
import sys
import threading

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


# Of a run that shares no files with the engine and that nobody else reports of: where it reports itself by HTTP.
_report_url = os.environ.get("HDRIVE_REPORT_URL", "")
_metrics_file = os.environ.get("HDRIVE_METRICS_FILE", "")
if _report_url and not _metrics_file:
    import tempfile
    import zlib
    # The same for all processes of this attempt on this machine.
    _metrics_file = os.path.join(
        tempfile.gettempdir(), "hdrive-%d-%08x.jsonl" % (os.getuid(), zlib.crc32(_report_url.encode("utf-8"))))

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
    if _report_url:
        _reporter().notify()


_reporting = {"lock": threading.Lock(), "reporter": None}


def _reporter():
    """What brings the file's lines to the engine, from a thread of its own; one for each process that logs."""
    with _reporting["lock"]:
        reporter = _reporting["reporter"]
        if reporter is None or reporter.process != os.getpid():
            import hdrive_report
            reporter = _reporting["reporter"] = hdrive_report.start_reporter(_report_url, _metrics_file)
        return reporter


if hasattr(os, "register_at_fork"):  # a lock that another thread held would stay closed in a child
    os.register_at_fork(after_in_child=lambda: _reporting.update(lock=threading.Lock()))


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
