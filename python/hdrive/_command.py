# SPDX-License-Identifier: Apache-2.0
"""The command `hdrive`, which this package carries."""

import os
import sys


def main() -> None:
    """Becomes the command: this process is replaced by it."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "hdrive")
    if not os.path.exists(path):
        sys.exit("hdrive: this package was built without the command (HDRIVE_BUILD_CLI=OFF)")
    os.execv(path, ["hdrive", *sys.argv[1:]])
