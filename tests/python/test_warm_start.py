# SPDX-License-Identifier: Apache-2.0
"""resume_from and resume_child_runs of Sweep."""

import os

import hdrive
import pytest


def bowl(x):
    return (x - 0.3) ** 2


def sweep(directory, **more):
    given = {"metric": "loss", "goal": "minimize", "max_total_runs": 25, "seed": 3, "directory": directory, **more}
    return hdrive.Sweep({"x": hdrive.uniform(0, 1)}, **given)


def test_a_sampler_learns_from_an_earlier_sweep(tmp_path):
    first = sweep(tmp_path, name="first")
    first.run(bowl)
    for earlier in (first, [first], ["first"], [first.id], [first.directory]):
        second = sweep(tmp_path, sampler="bayesian", max_total_runs=2, resume_from=earlier)
        second.run(bowl)
        assert second.runs[0].proposal.startswith("model of 25 results")
        assert len(second.runs) == 2 and second.best.number in (0, 1)
    assert any("25 runs taken over" in note for note in second.notes)


def test_one_in_memory_learns_too(tmp_path):
    first = sweep(tmp_path)
    first.run(bowl)
    second = sweep(":memory:", sampler="tpe", max_total_runs=1, resume_from=first)
    second.run(bowl)
    assert second.runs[0].proposal.startswith("model (TPE)")


def test_failed_runs_go_on_first(tmp_path):
    def fails(x):
        raise ValueError(x)

    first = sweep(tmp_path, max_total_runs=2)
    first.run(fails, progress=False)
    second = sweep(tmp_path, max_total_runs=3, resume_child_runs=[f"{first.id}_1", f"{first.id}/0"])
    second.run(bowl)
    assert [run.params for run in second.runs][:2] == [run.params for run in first.runs]
    assert second.runs[0].proposal == f"goes on from {first.id}_0"


def train_on(run, params):
    """As a worker process calls it: what the earlier run left is there, and where it is said to be."""
    earlier = run.resume_from
    before = float(open(os.path.join(earlier, "model")).read()) if earlier else -1.0
    run.log({"before": before, "loss": params["x"]})


@pytest.mark.parametrize("workers", ["thread", "process"])
def test_a_function_finds_the_outputs_of_the_run_it_goes_on_from(tmp_path, workers):
    def fails(run, params):
        with open(os.path.join(run.outputs_dir, "model"), "w") as file:
            file.write(str(params["x"]))
        raise ValueError("not done")

    first = sweep(tmp_path, max_total_runs=1)
    first.run(fails)
    second = sweep(tmp_path, max_total_runs=2, resume_child_runs=f"{first.id}_0")
    second.run(train_on, workers=workers)
    assert [run.metrics["before"].tolist() for run in second.runs] == [[first.runs[0].params["x"]], [-1.0]]


def test_a_sweep_in_memory_has_no_place_for_earlier_outputs(tmp_path):
    first = sweep(tmp_path, max_total_runs=1)
    first.run(lambda x: 1 / 0)
    seen = []
    sweep(":memory:", max_total_runs=1, resume_child_runs=f"{first.id}_0").run(
        lambda run, params: seen.append(run.resume_from) or 0.0)
    assert seen == [None]


def test_what_cannot_be_taken_over_is_refused(tmp_path):
    memory = sweep(":memory:", max_total_runs=1)
    memory.run(bowl)
    with pytest.raises(hdrive.ConfigError, match="is kept in memory"):
        sweep(tmp_path, resume_from=memory)
    with pytest.raises(hdrive.ConfigError, match="a sweep, or its id"):
        sweep(tmp_path, resume_from=[3])
    with pytest.raises(hdrive.ConfigError, match="resume_from: \"none\""):
        sweep(tmp_path, resume_from=["none"]).run(bowl)
