# SPDX-License-Identifier: Apache-2.0
"""Helpers of the tests."""

import subprocess
import sys
import textwrap


def script(text, **given):
    """What became of a Python program of its own."""
    return subprocess.run([sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=60,
                          **given)
