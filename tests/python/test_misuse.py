# SPDX-License-Identifier: Apache-2.0
"""What is given wrongly is refused by its name, before anything begins, and nothing is changed silently."""

import copy
import math
import os
import pickle

import hdrive
import pytest

CIRCLE = []
CIRCLE.append(CIRCLE)
DEEP = []
for _ in range(100000):
    DEEP = [DEEP]


@pytest.mark.parametrize("given, says", [
    ({"max_total_runs": True}, "max_total_runs: a whole number is wanted, not True"),
    ({"name": "\udcff"}, "name: .*lone surrogates"),
    ({"metric": "\udcff"}, "metric: .*lone surrogates"),
    ({"space": {"\udcff": [1, 2]}}, "a parameter's name: .*lone surrogates"),
    ({"space": {"x": ["\udcff", "a"]}}, "lone surrogates"),
    ({"space": {"x": [["\udcff"], "a"]}}, "lone surrogates"),
    ({"space": {"x": [CIRCLE, 1]}}, "contains itself"),
    ({"space": {"x": [DEEP, 1]}}, "nested too deep"),
    ({"start_points": "abc"}, "start_points: a list of dicts is wanted"),
    ({"start_points": {"x": 0.5}}, "start_points: a list of dicts is wanted"),
    ({"start_points": [3]}, "start_points: a dict from names to values is wanted, not 3"),
    ({"listeners": [3]}, "listeners: an object of a class derived from hdrive.Listener is wanted, not 3"),
    ({"listeners": None}, "listeners: a list of listeners is wanted"),
    ({"listeners": [hdrive.Listener]}, "listeners: an object of a class"),
    ({"sampler": {"type": "tpe", 3: 4}}, "an option's name is a str, not 3"),
    ({"max_duration": -1}, "max_duration"),
    ({"goal": "minimise"}, 'allowed: minimize, maximize; did you mean "minimize"'),
    ({"repeat_best": "a"}, "repeat_best: 'a' is not allowed; a pair of whole numbers"),
    ({"repeat_best": (1,)}, "repeat_best: .* a pair of whole numbers"),
    ({"environment_variables": {"A": 1}}, "environment_variables: .* not allowed; a dict from names to texts is"),
    ({"metric_patterns": 3}, "metric_patterns: 3 is not allowed; a list of texts is"),
    ({"stop_at": "a"}, "stop_at: 'a' is not allowed; a number is"),
    ({"resume_from": None}, "resume_from: a list of earlier sweeps is wanted, not None"),
    ({"resume_child_runs": 3}, "resume_child_runs: a list of runs, as in SWEEP/3, is wanted, not 3"),
    ({"max_duration": math.nan}, "max_duration"),
])
def test_a_wrong_argument_is_named(make, given, says):
    with pytest.raises(hdrive.ConfigError, match=says):
        make(**given)


def test_an_option_that_is_no_value_is_told_with_its_parameter(make):
    with pytest.raises(TypeError, match="^depth: a value is .*not a bytes"):
        make({"depth": [b"a", b"b"]})
    with pytest.raises(hdrive.ConfigError, match="option: a dict from names to expressions is wanted beside 'sgd'"):
        hdrive.option("sgd", lambda: {})


def test_a_duration_may_be_for_ever(make):
    assert make(max_duration=math.inf).run(lambda x: x).status == "Completed"


@pytest.mark.parametrize("command, says", [
    (["echo", "a\0b"], "null character"), ("echo 'a", "cannot be split into words"), ([1], "the int 1"),
    (5, "a list of words is wanted"), (b"echo", "a list of words is wanted"), (["\udcff"], "lone surrogates"),
    ([], "what is to be run")])
def test_a_command_that_cannot_be_run_leaves_no_sweep(make, command, says, own_folder):
    sweep = make(directory=own_folder / "kept")
    with pytest.raises(hdrive.ConfigError, match=says):
        sweep.run_command(command)
    assert sweep.status == "NotStarted" and not os.path.exists(own_folder / "kept")
    with pytest.warns(UserWarning, match="logged no metric"):
        sweep.run_command(["true"])
    assert len(sweep.runs) > 0


def test_runs_are_found_and_chosen_by_what_there_is(make):
    sweep = make().run(lambda x: x)
    with pytest.raises(TypeError, match="not by 'a'"):
        sweep.runs["a"]
    with pytest.raises(hdrive.ConfigError, match="any other condition"):
        sweep.runs.filter(lambda run: run.number > 3)
    with pytest.raises(hdrive.ConfigError, match="run: a whole number is wanted, not 'a'"):
        sweep.explain("a")
    with pytest.raises(hdrive.ConfigError, match="enqueue: a dict from names to values is wanted"):
        sweep.enqueue([1])
    with pytest.raises(hdrive.ConfigError, match='^max_total_run: unknown key .*did you mean "max_total_runs"'):
        sweep.update(max_total_run=20)
    with pytest.raises(hdrive.ConfigError, match="a object is no value"):
        sweep.update(max_total_runs=object())


@pytest.mark.parametrize("how", [pickle.dumps, copy.copy, copy.deepcopy])
def test_runs_are_neither_copied_nor_pickled(make, how):
    sweep = make().run(lambda x: x)
    for thing in (sweep.runs[0], sweep.runs):
        with pytest.raises(TypeError, match="belongs to its sweep.*run.params"):
            how(thing)


def test_a_working_directory_that_was_removed_is_told(own_folder, monkeypatch):
    gone = own_folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(hdrive.NotFoundError, match="the working directory was removed.*give a directory"):
        hdrive.Sweep({"x": [1, 2]}, metric="loss", goal="minimize", max_total_runs=1)
    assert hdrive.sweeps(own_folder) == []


def test_a_sampler_and_a_policy_by_themselves_name_what_is_wrong():
    space = {"x": hdrive.uniform(0, 1)}
    with pytest.raises(hdrive.ConfigError, match="max_total_runs: a whole number is wanted, not 'a'"):
        hdrive.make_sampler("tpe", space, goal="minimize", max_total_runs="a")
    with pytest.raises(hdrive.ConfigError, match="seed: -1 is not allowed"):
        hdrive.make_sampler("tpe", space, goal="minimize", max_total_runs=3, seed=-1)
    with pytest.raises(TypeError, match="judge: a hdrive.History is wanted, not a NoneType"):
        hdrive.Bandit(slack_factor=0.1).judge(0, None)
