# SPDX-License-Identifier: Apache-2.0
"""Lists of packages: read from files, and held against what an interpreter has."""

from __future__ import annotations

import json
import operator
import os
import re
import subprocess
from typing import Any

from ._errors import UserErrorException

__all__ = ["conda_packages_of", "missing", "read_conda_file", "read_pip_file"]

# Prints what an interpreter has: its version, and each package with its version.
_LIST = """
import importlib.metadata, json, platform
found = {"python": platform.python_version()}
for each in importlib.metadata.distributions():
    name = each.metadata["Name"]
    if name: found[name.lower().replace("_", "-").replace(".", "-")] = each.version
print(json.dumps(found))
"""

# What conda, or Azure's lists, call otherwise than pip, or what is no package of Python.
_OTHER_NAMES = {"pytorch": "torch", "py-xgboost": "xgboost", "tensorflow-gpu": "tensorflow", "matplotlib-base":
                "matplotlib"}
_NEVER_NEEDED = re.compile(r"(azureml[-.].*|azureml|azure-ai-ml|azure-identity|pip|setuptools|wheel|cudatoolkit|"
                           r"nodejs|mkl|openmpi|libgcc.*)$")


def read_pip_file(path: str) -> list[str]:
    """The requirements of a requirements.txt, files that it includes among them."""
    found: list[str] = []
    for line in _lines(path):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if line.startswith(("-r ", "--requirement ")):
            found += read_pip_file(os.path.join(os.path.dirname(path), line.split(None, 1)[1]))
        elif line and not line.startswith("-"):
            found.append(line)
    return found


def read_conda_file(path: str) -> tuple[list[str], list[str]]:
    """The packages of conda and those of pip of an environment.yml. Reads lists of plain words, which is what these
    files consist of; raises UserErrorException for other YAML."""
    conda: list[str] = []
    pip: list[str] = []
    section, pip_indent = "", -1
    for number, raw in enumerate(_lines(path), 1):
        line = re.sub(r"(^|\s)#.*", "", raw).rstrip()
        indent = len(line) - len(line.lstrip())
        word = line.strip()
        if not word or word == "---":
            continue
        if not word.startswith("-"):
            key, colon, value = word.partition(":")
            if not colon or (value.strip() and key == "dependencies"):
                raise UserErrorException(f"{path}:{number}: a key, or \"- package\", is wanted, not {word!r}")
            section, pip_indent = key.strip(), -1
            continue
        item = word[1:].strip().strip("\"'")
        if section != "dependencies":
            continue
        if pip_indent >= 0 and indent > pip_indent:
            pip.append(item)
        elif re.fullmatch(r"pip\s*:", item):
            pip_indent = indent
        else:
            pip_indent = -1
            conda.append(item.rpartition("::")[2])
    return conda, pip


def conda_packages_of(content: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The packages of conda and of pip in what a conda file would hold."""
    conda: list[str] = []
    pip: list[str] = []
    for each in content.get("dependencies", []):
        if isinstance(each, dict):
            pip += each.get("pip", [])
        else:
            conda.append(str(each))
    return conda, pip


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except OSError as error:
        raise UserErrorException(f"{path}: {error.strerror}") from None


def missing(conda: list[str], pip: list[str], interpreter: str) -> list[str]:
    """Those of the packages that the interpreter does not have, as they were asked for."""
    # What begins with a dash is an option for whoever installs.
    packages = [*conda, *(text for text in pip if not text.startswith("-"))]
    wanted = [(text, *_parse(text)) for text in packages]
    wanted = [each for each in wanted if not _NEVER_NEEDED.match(each[1])]
    if not wanted:
        return []
    there = _installed(interpreter)
    lacking = []
    for text, name, conditions in wanted:
        version = there.get(name, there.get(_OTHER_NAMES.get(name, "")))
        if version is None:
            lacking.append(text)
        elif not all(_holds(version, condition) for condition in conditions):
            lacking.append(f"{text} (it has {version})")
    return lacking


def _installed(interpreter: str) -> dict[str, str]:
    try:
        told = subprocess.run([interpreter, "-c", _LIST], capture_output=True, check=True, timeout=60).stdout
        found: dict[str, str] = json.loads(told)
        return found
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UserErrorException(f"{interpreter} does not tell which packages it has: {error}") from None


def _parse(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The name and the conditions, (operator, version) each. Conda's "=1.2" means 1.2 and all below it."""
    words = re.split(r"\s*;", text)[0]
    name = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", words)
    if name is None:
        raise UserErrorException(f"{text!r} names no package")
    rest = re.sub(r"\[[^\]]*\]", "", words[name.end():])
    conditions = re.findall(r"(===?|~=|!=|>=|<=|=|<|>)\s*([0-9A-Za-z.*+!-]+)", rest)
    plain = name.group(1).lower().replace("_", "-").replace(".", "-")
    return plain, [("==" if sign == "===" else sign, version) for sign, version in conditions]


def _numbers(version: str) -> list[int]:
    release = re.match(r"[0-9.]*", version)
    return [int(part) for part in (release.group() if release else "").split(".") if part]


def _holds(there: str, condition: tuple[str, str]) -> bool:
    sign, version = condition
    have, wanted = _numbers(there), _numbers(version)
    within = have[:len(wanted)] == wanted
    if sign == "=" or (sign in ("==", "!=") and "*" in version):
        return within if sign != "!=" else not within
    if sign == "~=":
        return have >= wanted and have[:max(1, len(wanted) - 1)] == wanted[:max(1, len(wanted) - 1)]
    length = max(len(have), len(wanted))
    compare = {"==": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le, "<": operator.lt,
               ">": operator.gt}[sign]
    return bool(compare(have + [0] * (length - len(have)), wanted + [0] * (length - len(wanted))))


