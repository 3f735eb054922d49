# SPDX-License-Identifier: Apache-2.0
"""The rules of the house as tables: what each folder may include, what it may not say.

`check(root)` returns the violations of a tree, each as "path:line: sentence".
"""

import pathlib
import re

MODULES = ["config", "environment", "space", "sampling", "scheduler", "workspace", "compute", "server", "policies", "store", "plot"]

# What the files of a folder may include besides the standard library and POSIX. Prefixes of what stands
# between the quotes or brackets; SELF is the folder itself.
SELF = "SELF"
FMT = ["fmt/"]
JSON = ["nlohmann/"]
MODULE = ["hdrive/", "base/", SELF] + FMT
MAY_INCLUDE = {
    "include": ["hdrive/"],
    "base": ["hdrive/result.h", SELF, "boost/math/"] + FMT + JSON,  # the normal distribution
    "config": MODULE + ["yaml-cpp/"],
    "environment": MODULE,
    "space": MODULE,
    "sampling": MODULE + ["Eigen/", "boost/random/", "tbb/", "oneapi/tbb"],
    "scheduler": MODULE,
    "workspace": MODULE,
    "compute": MODULE + JSON + ["re2/"],
    "server": MODULE + JSON + ["boost/asio/", "boost/beast/", "openssl/"],
    "policies": MODULE,
    "store": MODULE + JSON + ["sqlite3.h"],
    "plot": MODULE,
    "cli": MODULE + JSON + ["CLI/"],
    "python": MODULE + ["nanobind/"],
    "samples": ["hdrive/"],
    "benchmarks": ["hdrive/", "benchmarks/", "sqlite3.h"] + FMT,
}

# Headers that take seconds to compile, and the files that alone may include them.
HTTP = ("server/http_server.cpp", "server/http_session.h", "server/http_wire.h")
ONLY_IN = {"CLI/": ("cli/argument_parser.cpp",), "boost/asio/": HTTP, "boost/beast/": HTTP,
           "openssl/": ("server/certificate.cpp", "server/certificate.h"),
           "server/http_session.h": ("server/http_server.cpp",)}

# In angle brackets without a slash, NAME is the standard library's, NAME.h C's or POSIX'; these are not.
THIRD_PARTY = {"sqlite3.h", "fmt.h"}
SYSTEM_FOLDERS = ("sys/", "linux/", "netinet/", "arpa/")
# These modules are pure: they touch neither files nor processes nor the clock.
PURE = ["space", "sampling", "policies"]

# Tokens no file of a folder may contain outside comments and string literals; the files and folders
# excepted; and why. The supervisor is a program of its own, the first process of each run.
SUPERVISOR = "compute/supervisor/"
# A lease is read by supervisors, which know the kernel's clock alone.
LEASE = "compute/remote/host_lease.cpp"
LIBRARY = ["include", "base"] + MODULES
FORBIDDEN = [
    (r"(system|steady|high_resolution)_clock::now|\b(clock_gettime|gettimeofday)\s*\(",
     LIBRARY + ["cli"], ["scheduler/clock.cpp", SUPERVISOR, LEASE], "time comes from the Clock"),
    (r"\brandom_device\b|\bgetrandom\s*\(|\bs?rand\s*\(", LIBRARY + ["cli"], ["scheduler/ids.cpp"],
     "entropy comes from scheduler/ids.cpp, everything else from RandomStream"),
    (r"\bmt19937|\bdefault_random_engine\b", LIBRARY, [], "random numbers come from RandomStream"),
    (r"\bgetenv\s*\(", LIBRARY, [SUPERVISOR], "only cli/ reads the environment"),
    (r"std::c(out|err|log)\b|(?<!n)\bf?printf\s*\(|\bputs\s*\(|\bfmt::print\s*\(", LIBRARY, [],
     "the library never prints"),
    (r"\b(std::)?(abort|exit|quick_exit|terminate)\s*\(", LIBRARY, [SUPERVISOR], "the library never ends the process"),
    (r"\b(signal|sigaction)\s*\(", LIBRARY, [SUPERVISOR], "the library installs no signal handlers"),
    (r"\bsleep_for\b|\bsleep_until\b|\bu?sleep\s*\(|\bnanosleep\s*\(", LIBRARY, [],
     "nothing sleeps; wait for an event with a deadline"),
    (r"(?<!v)\bfork\s*\(", LIBRARY + ["cli"], [SUPERVISOR],
     "processes start with posix_spawn or vfork"),
    (r"\b[io]?fstream\b|\bfopen\s*\(|std::filesystem::(exists|create|remove|rename|directory_iterator)",
     PURE, [], "no files in a pure module"),
]

# The concrete algorithms the scheduler must not know; their make_ functions come through the registry.
TREE = pathlib.Path(__file__).resolve().parents[2]


def rows(name):
    """The names in a list of rows, as a pattern that takes them with and without underscores."""
    return "|".join(row.replace("_", "_?") for row in
                    re.findall(r"^[A-Z]+\((\w+)\)$", (TREE / name).read_text(), re.MULTILINE))


# "random" and "auto" are words too.
ALGORITHMS = rf"(?i)\b({rows('policies/policies.inc')}|bayesian|({rows('sampling/samplers.inc')})_?sampler)\w*"

# Of the public headers, comments included, which clang-format leaves as they are.
WIDTH = 100

SPDX = "SPDX-License-Identifier: Apache-2.0"
SOURCES = {".cpp", ".h"}
NEEDS_SPDX = SOURCES | {".py", ".sh", ".cmake", ".yml", ".yaml", ".ts", ".tsx", ".mjs", ".mts", ".css", ".html", ".svg"}
SKIPPED = {"build", ".git", "__pycache__", ".hdrive", "golden", "node_modules", "dist"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def files(root):
    for path in sorted(root.rglob("*")):
        if path.is_file() and not SKIPPED & set(path.relative_to(root).parts):
            yield path


def without_comments(text, strings=True):
    """The text with comments, and string literals if asked, blanked; lines stay where they are."""
    def blank(match):
        token = match.group(0)
        if not token.startswith("/") and (not strings or match.group("include")):
            return token
        return re.sub(r"[^\n]", " ", token)
    pattern = r'(?P<include>^[ \t]*#[^\n]*)|R"(?P<d>[^(]*)\((?:.|\n)*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"' \
              r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|//[^\n]*|/\*(?:.|\n)*?\*/"
    return re.sub(pattern, blank, text, flags=re.MULTILINE)


def is_standard(name):
    return "/" not in name and "." not in name


def may_include(folder, bracket, name):
    allowed = MAY_INCLUDE[folder]
    if any(name.startswith(folder + "/" if prefix == SELF else prefix) for prefix in allowed):
        return True
    if bracket == '"':
        return False
    if is_standard(name):
        return True
    if folder in ("include", "samples") or folder in PURE:
        return False
    posix = "/" not in name and name.endswith(".h") and name not in THIRD_PARTY
    return posix or name.startswith(SYSTEM_FOLDERS)


def check_includes(folder, relative, text):
    for number, line in enumerate(without_comments(text, strings=False).splitlines(), 1):
        match = INCLUDE.match(line)
        if match and not may_include(folder, *match.groups()):
            yield f"{relative}:{number}: {folder}/ may not include {match.group(2)}"
        for prefix, only in ONLY_IN.items():
            if match and match.group(2).startswith(prefix) and folder in MAY_INCLUDE and str(relative) not in only:
                yield f"{relative}:{number}: {match.group(2)} is for {' and '.join(only)} alone"


def check_tokens(folder, relative, text):
    code = without_comments(text)
    for pattern, folders, exceptions, why in FORBIDDEN:
        if folder not in folders or str(relative).startswith(tuple(exceptions)):
            continue
        for match in re.finditer(pattern, code):
            line = code.count("\n", 0, match.start()) + 1
            yield f"{relative}:{line}: {match.group(0).strip()} is not for {folder}/: {why}"


def check_scheduler(relative, text):
    for match in re.finditer(ALGORITHMS, without_comments(text, strings=False)):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{relative}:{line}: scheduler/ names the algorithm {match.group(0)}; ask the registry for it"


def check_width(relative, text):
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > WIDTH:
            yield f"{relative}:{number}: {len(line)} columns; the public headers have {WIDTH}"


def needs_spdx(path, text):
    return path.suffix in NEEDS_SPDX or path.name == "CMakeLists.txt" or text.startswith("#!")


def check(root):
    root = pathlib.Path(root)
    problems = []
    for path in files(root):
        relative = path.relative_to(root)
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if needs_spdx(path, text) and SPDX not in "\n".join(text.splitlines()[:2]):
            problems.append(f"{relative}:1: the line {SPDX} is missing")
        folder = relative.parts[0]
        if path.suffix not in SOURCES or folder not in MAY_INCLUDE:
            continue
        problems += check_includes(folder, relative, text)
        problems += check_tokens(folder, relative, text)
        if folder == "include":
            problems += check_width(relative, text)
        if folder == "scheduler":
            problems += check_scheduler(relative, text)
    return problems
