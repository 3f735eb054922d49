# SPDX-License-Identifier: Apache-2.0
"""A first hdconfig.yml from the arguments of a training script: what `hdrive init train.py` runs.

The script is read, never run: its syntax tree has the calls of add_argument(). What looks like a hyperparameter gets
an expression around its default; the rest is listed in comments with the reason. Prints the file; on stderr "N M",
how many parameters it has and how many arguments it leaves out.
"""

import ast
import json
import math
import re
import shlex
import sys

# Words of names, by what they mean for a range.
LOG_SCALE = {"lr", "rate", "eta", "eta0", "decay", "wd", "l1", "l2", "alpha", "lambda", "lam", "eps", "epsilon", "tol",
             "reg", "temperature", "tau", "c"}
FRACTION = {"dropout", "drop", "momentum", "ratio", "fraction", "frac", "beta", "beta1", "beta2", "gamma", "smoothing",
            "prob", "p", "subsample", "colsample"}
NOT_TUNED = {"epochs", "epoch", "seed", "worker", "workers", "device", "gpu", "gpus", "cuda", "rank", "port", "host",
             "data", "dataset", "path", "dir", "directory", "file", "folder", "output", "outputs", "out", "log", "logs",
             "save", "checkpoint", "checkpoints", "resume", "name", "project", "verbose", "interval", "print", "debug",
             "threads", "procs", "processes", "nodes", "url", "tag", "version", "train", "val", "test", "steps",
             "iterations", "max", "num_classes"}
TUNED = {"hidden", "layers", "layer", "batch", "units", "width", "depth", "filters", "heads", "size", "dim", "neurons",
         "estimators", "leaves"}
SKIPPED_ACTIONS = {"store_true", "store_false", "count", "append", "append_const", "store_const", "extend",
                   "BooleanOptionalAction"}
NUMBERS = {"int": int, "float": float}
# Beyond these the ranges around a default have no ends that a configuration can name.
LARGEST, SMALLEST = {int: 10 ** 15, float: 1e300}, 1e-300
NO_LITERAL = (ValueError, TypeError, ArithmeticError, MemoryError, RecursionError)


def words_of(name):
    return re.split(r"[_\-.]+", name.lower())


def literal(node):
    """The value that an expression of literals has; raises ValueError for others. Takes 64 * 4 and 1e-3, too."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Add, ast.Sub, ast.Div, ast.Pow)):
        left, right = literal(node.left), literal(node.right)
        if all(isinstance(side, (int, float)) and not isinstance(side, bool) for side in (left, right)):
            if isinstance(node.op, ast.Pow) and not (abs(left) <= 64 and abs(right) <= 64):
                raise ValueError
            return {ast.Mult: lambda: left * right, ast.Add: lambda: left + right, ast.Sub: lambda: left - right,
                    ast.Div: lambda: left / right, ast.Pow: lambda: left ** right}[type(node.op)]()
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("list", "tuple", "range"):
        values = [literal(argument) for argument in node.args]
        values = range(*values) if node.func.id == "range" else list(*values)
        if len(values) <= 100:
            return list(values)
    raise ValueError


def last_word(node):
    """`argparse.BooleanOptionalAction` and `float` by their last name; of text the text itself."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    return node.value if isinstance(node, ast.Constant) else None


class Argument:
    def __init__(self, call):
        self.given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        names = [node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        options = [name for name in names if name.startswith("-")]
        long_ones = [name for name in options if name.startswith("--")]
        self.option = (long_ones or options or [None])[0]
        self.position = names[0] if names and not options else None
        self.name = (self.option or self.position or "").lstrip("-")
        self.action = last_word(self.given.get("action"))
        self.type = last_word(self.given.get("type"))
        self.required = last_word(self.given.get("required")) is True
        self.many = "nargs" in self.given
        self.default, self.has_default = None, False
        try:
            self.default = literal(self.given["default"])
            self.has_default = self.default is not None
        except (KeyError, *NO_LITERAL):
            pass
        try:
            self.choices = list(dict.fromkeys(literal(self.given["choices"])))
        except (KeyError, *NO_LITERAL):
            self.choices = None

    def number_type(self):
        if self.type in NUMBERS:
            return NUMBERS[self.type]
        if self.type is None and isinstance(self.default, (int, float)) and not isinstance(self.default, bool):
            return type(self.default)
        return None

    def number(self):
        """The default as the script gets it: argparse converts a text, and nothing else. None where it is no number."""
        value = self.default
        try:
            value = self.number_type()(value) if isinstance(value, str) else value
        except ValueError:
            return None
        return None if isinstance(value, bool) or not isinstance(value, (int, float)) else value

    def why_no_range(self):
        """Why there is no range around the default, or None."""
        if not self.has_default:
            return "has no default to draw around"
        number = self.number()
        if number is None:
            return "has a default that is no number to draw around"
        if number != number or abs(number) == math.inf:
            return "has no default to draw around"
        if abs(number) > LARGEST[self.number_type()]:
            return "has a default that is too large to draw around"
        if 0 < abs(number) < SMALLEST:
            return "has a default that is too near to 0 to draw around"
        return None

    def why_not(self):
        """Why it is no parameter, or None."""
        words = words_of(self.name)
        if self.option is None:
            return "stands without a name on the command line; put it into the command"
        if self.action in SKIPPED_ACTIONS:
            return "is a switch, which takes no value; put it into the command, or let the script take a value"
        if self.type in ("bool", "strtobool", "str2bool") and not self.choices:
            return "is a truth value; argparse's type=bool takes every text for true"
        if self.many:
            return "takes several values; list the combinations as a choice of texts"
        if self.choices:
            if not all(is_option(choice) for choice in self.choices):
                return "has choices that are neither texts nor numbers; list them as texts"
            return None if len(self.choices) > 1 else "has one choice only"
        if not set(words) & TUNED and set(words) & NOT_TUNED:
            return "does not look like a hyperparameter"
        if self.number_type() is None:
            return "is text without choices"
        return self.why_no_range()

    def expression(self):
        if self.choices:
            return "choice", self.choices
        number = self.number()
        if self.number_type() is int and float(number).is_integer():
            return around_integer(int(number))
        return around_real(float(number), set(words_of(self.name)))


def is_option(value):
    """Whether a configuration has such options: texts, and numbers that are not beyond all bounds."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    return isinstance(value, str) or abs(value) <= LARGEST[type(value)]


def around_integer(default):
    if default >= 8:
        return "int_log_uniform", [max(1, default // 4), default * 4]
    if default >= 0:
        return "int_uniform", [1 if default else 0, max(2 * default, default + 3)]
    return "int_uniform", [2 * default, -2 * default]


def around_real(default, words):
    if 0 < default < 1 and words & FRACTION:
        return "uniform", [0.5, 0.999] if default > 0.5 else [0.0, min(0.9, 4 * default)]
    if default > 0 and (words & LOG_SCALE or default < 0.05 or default > 10):
        return "log_uniform_values", [tidy(default / 10), tidy(default * 10)]
    if default == 0:
        return "uniform", [0.0, 1.0]
    low, high = sorted((default / 2, default * 2))
    return "uniform", [tidy(low), tidy(high)]


def tidy(number):
    return float(f"{number:.6g}")


def calls_in(tree, name):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_word(node.func) == name:
            yield node


def arguments_of(tree):
    found = {}
    for call in sorted(calls_in(tree, "add_argument"), key=lambda node: (node.lineno, node.col_offset)):
        argument = Argument(call)
        if argument.name and argument.name not in found and argument.action not in ("help", "version"):
            found[argument.name] = argument
    return list(found.values())


def metric_of(tree):
    """The metric that the script seems to judge itself by, and its goal; None where it logs nothing."""
    names = []
    for function in ("log", "log_metric", "report", "add_scalar"):
        for call in calls_in(tree, function):
            if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
                names.append(call.args[0].value)
    for call in calls_in(tree, "log"):
        if call.args and isinstance(call.args[0], ast.Dict):
            names += [key.value for key in call.args[0].keys
                      if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    measures = ("loss", "acc", "error", "auc", "f1", "score", "rmse", "mse", "reward", "perplexity", "iou", "bleu")
    names = [name for name in names if any(measure in name.lower() for measure in measures)]
    if not names:
        return None
    best = next((name for name in names if re.search("val|eval|test|dev", name.lower())), names[-1])
    smaller = any(word in best.lower() for word in ("loss", "err", "mse", "mae", "perplexity"))
    return best, "Minimize" if smaller else "Maximize"


def yaml_text(text):
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.\-]*", text)
    reserved = text.lower() in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    return text if plain and not reserved else json.dumps(text)


def yaml_value(value):
    if isinstance(value, str):
        return yaml_text(value)
    return json.dumps(value)


def comment(text):
    return re.sub(r"[^\x20-\x7e]+", " ", text)


def parameter_lines(argument):
    expression, values = argument.expression()
    default = f"default {argument.default!r}" if argument.has_default else "no default"
    return [f"  - name: {json.dumps(argument.option)}    # {comment(default)}",
            f"    expression: {expression}",
            f"    values: [{', '.join(yaml_value(value) for value in values)}]"]


def configuration(script, tree):
    arguments = arguments_of(tree)
    tuned = [argument for argument in arguments if argument.why_not() is None]
    others = [argument for argument in arguments if argument.why_not() is not None]
    lines = [f"# Made by hdrive init from {comment(script)}. Look at the ranges, then: hdrive validate, hdrive run.",
             "sampling:", "  type: random    # or bayesian, tpe, cmaes, grid, ...: hdrive list-algorithms",
             "  parameter_space:"]
    for argument in tuned:
        lines += parameter_lines(argument)
    if not tuned:
        lines += ["  # No argument with a default or choices was found; an example:",
                  "  - name: --learning_rate", "    expression: log_uniform_values", "    values: [0.0001, 0.1]"]
    if others:
        lines += ["  # Left out:"]
        lines += [f"  #   {comment(argument.option or argument.name)} {argument.why_not()}" for argument in others]
    metric = metric_of(tree)
    if metric is None:
        lines += ["# The script seems to report no metric; see docs/metric-protocol.md for the ways to do it:",
                  "#     import hdrive_run; hdrive_run.log(\"val_loss\", value)"]
    name, goal = metric or ("val_loss", "Minimize")
    command = ["python3", script]
    command += [f"TODO_{argument.name}" for argument in others if argument.option is None]
    for argument in others:
        if argument.option is not None and argument.required and argument.action not in SKIPPED_ACTIONS:
            command += [argument.option, f"TODO_{argument.name}"]
    lines += [f"primary_metric_name: {yaml_text(name)}", f"primary_metric_goal: {goal}", "max_total_runs: 20",
              "command:"]
    lines += [f"- {yaml_text(word)}" for word in command]
    return "\n".join(lines) + "\n", len(tuned), len(others)


def main(script):
    try:
        with open(script, "rb") as file:
            tree = ast.parse(file.read(), script)
    except OSError as error:
        sys.exit(f"{script}: {error.strerror}")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f":{error.lineno}" if getattr(error, "lineno", None) else ""
        sys.exit(f"{script}{line}: is no Python that python3 can read: {getattr(error, 'msg', error)}")
    text, tuned, others = configuration(script, tree)
    sys.stdout.write(text)
    sys.stderr.write(f"{tuned} {others}\n")


main(sys.argv[1])
