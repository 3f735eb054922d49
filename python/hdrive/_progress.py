# SPDX-License-Identifier: Apache-2.0
"""A progress bar, by tqdm: in a terminal a line, in a notebook a widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._errors import ConfigError

if TYPE_CHECKING:
    from ._handle import Handle


def check() -> None:
    """Raises ConfigError where there is no tqdm."""
    try:
        import tqdm  # noqa: F401
    except ImportError:
        raise ConfigError("progress: needs tqdm (pip install tqdm)") from None


def follow(handle: Handle) -> None:
    """Shows a bar until the sweep has ended. KeyboardInterrupt stops the sweep cleanly, and is raised again."""
    from tqdm.auto import tqdm
    sweep = handle.sweep
    try:
        with tqdm(total=sweep._spec.max_total_runs, unit="run") as bar:
            while True:
                over = handle.wait(0.2)
                entry = sweep._entry()
                bar.total = sweep._spec.max_total_runs  # which may change on the way
                bar.n = entry["completed"] + entry["failed"] + entry["canceled"]
                best = sweep._view.best()
                if best is not None:
                    bar.set_postfix({f"best {sweep.metric}": f"{best.best(sweep.metric, sweep.goal):g}"}, refresh=False)
                bar.refresh()
                if over:
                    return
    except KeyboardInterrupt:
        handle._stop_cleanly()
        raise
