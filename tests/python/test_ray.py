# SPDX-License-Identifier: Apache-2.0
import math
import pickle

import hdrive
import pytest

tune = pytest.importorskip("ray.tune")

from hdrive.integrations.ray import HdriveSearch  # noqa: E402

SPACE = {"x": hdrive.uniform(-1, 1), "layers": [1, 2, 3]}


def search(sampler="bayesian", space=SPACE, **given):
    return HdriveSearch(sampler, space, **{"metric": "loss", "mode": "min", "seed": 1, **given})


def loss(config):
    return config["x"] ** 2 + config["layers"]


def go_on(searching, count, value=loss, first=0):
    """Trials one after another; their configs."""
    configs = []
    for number in range(first, first + count):
        config = searching.suggest(str(number))
        if config == HdriveSearch.FINISHED:
            break
        configs.append(config)
        searching.on_trial_complete(str(number), {"loss": value(config), "training_iteration": 1})
    return configs


def test_a_model_finds_the_minimum_with_few_trials():
    best = min(go_on(search(), 25), key=loss)
    assert best["layers"] == 1 and abs(best["x"]) < 0.1


def test_the_mode_is_the_goal():
    best = max(go_on(search(mode="max"), 25, lambda config: -loss(config)), key=lambda config: -loss(config))
    assert best["layers"] == 1 and abs(best["x"]) < 0.1


def test_the_same_seed_suggests_the_same():
    assert go_on(search(), 8) == go_on(search(), 8)
    assert go_on(search(), 8) != go_on(search(seed=2), 8)


def test_a_saved_search_goes_on_as_if_never_interrupted(tmp_path):
    expected = go_on(search(), 12)
    first = search()
    assert go_on(first, 6) == expected[:6]
    pending = first.suggest("pending")
    first.save(str(tmp_path / "state"))
    again = search(seed=99)
    again.restore(str(tmp_path / "state"))
    again.on_trial_complete("pending", {"loss": loss(pending)})
    assert [pending, *go_on(again, 5, first=7)] == expected[6:]


def test_a_search_can_be_pickled():
    expected = go_on(search(), 8)
    first = search()
    go_on(first, 4)
    assert go_on(pickle.loads(pickle.dumps(first)), 4, first=4) == expected[4:]


def test_a_finite_space_is_finished_when_exhausted():
    assert len(go_on(search("grid", {"a": [1, 2], "b": ["x", None]}), 9, lambda _: 1.0)) == 4


def test_domains_of_ray_are_taken():
    space = {"u": tune.uniform(0, 1), "lu": tune.loguniform(1e-4, 1e-1), "qu": tune.quniform(0.5, 2, 0.5),
             "qlu": tune.qloguniform(0.1, 1, 0.1), "r": tune.randint(1, 4), "lr": tune.lograndint(1, 100),
             "qr": tune.qrandint(10, 30, 10), "qlr": tune.qlograndint(2, 64, 2), "n": tune.randn(5, 2),
             "qn": tune.qrandn(5, 2, 0.5), "c": tune.choice([None, "a", [1, 2], max])}
    configs = go_on(search("random", space), 200, lambda _: 1.0)

    def all_of(name):
        return {config[name] for config in configs if not isinstance(config[name], list)}

    assert all(0 <= value <= 1 for value in all_of("u")) and all(1e-4 <= value <= 1e-1 for value in all_of("lu"))
    assert all_of("qu") == {0.5, 1.0, 1.5, 2.0}
    assert {round(value, 6) for value in all_of("qlu")} == {round(i / 10, 6) for i in range(1, 11)}
    assert all_of("r") == {1, 2, 3} and all_of("qr") == {10, 20, 30}
    assert min(all_of("lr")) == 1 and max(all_of("lr")) <= 99
    assert all(value % 2 == 0 and 2 <= value <= 64 for value in all_of("qlr"))
    assert len(all_of("n")) == 200 and all(value * 2 == int(value * 2) for value in all_of("qn"))
    assert all_of("c") == {None, "a", max} and any(config["c"] == [1, 2] for config in configs)
    types = {"u": float, "lu": float, "qu": float, "r": int, "lr": int, "qr": int, "qlr": int, "n": float}
    assert {name: type(configs[0][name]) for name in types} == types


def test_a_param_space_may_be_nested_and_hold_constants():
    searching = HdriveSearch("random", seed=1)
    config = {"model": {"lr": tune.uniform(0, 1), "act": "relu"}, "data": [1, 2], "x": hdrive.uniform(0, 1)}
    assert searching.set_search_properties("loss", "min", config)
    suggested = searching.suggest("0")
    assert set(suggested) == {"model", "x"} and set(suggested["model"]) == {"lr"}
    assert not searching.set_search_properties("loss", "min", config)


@pytest.mark.parametrize("space, text", [
    ({"x": tune.grid_search([1])}, "grid_search"), ({"x": tune.sample_from(lambda _: 1)}, "no equivalent"),
    ({"x": tune.quniform(0.1, 0.1, 0.1), "y": hdrive.choice(hdrive.option("a", {"z": [1]}), "b")}, "conditional"),
    ({"x": object()}, "x: a object is no parameter")])
def test_what_has_no_equivalent_is_refused_by_name(space, text):
    with pytest.raises(hdrive.ConfigError, match=text):
        search("random", space)


def test_what_is_wrong_or_lacking_is_said():
    with pytest.raises(hdrive.ConfigError, match="did you mean"):
        search("baysian")
    with pytest.raises(hdrive.ConfigError, match="mode"):
        search(mode="minimize")
    with pytest.raises(hdrive.ConfigError, match="metric and mode"):
        HdriveSearch(space=SPACE).suggest("0")
    with pytest.raises(hdrive.ConfigError, match="no space"):
        HdriveSearch(metric="loss", mode="min").suggest("0")


def test_failures_and_missing_metrics_are_failures_to_the_sampler():
    statuses = []

    class Watching:
        def propose(self, history, run):
            statuses[:] = [history.status(i) for i in range(len(history))]
            return {"x": 0.0, "layers": 1}

    searching = search(Watching())
    for number, (result, error) in enumerate([({"loss": 1.0}, False), ({"loss": 1.0}, True), ({"other": 1.0}, False),
                                              ({"loss": math.nan}, False), (None, False)]):
        searching.suggest(str(number))
        searching.on_trial_complete(str(number), result, error)
    searching.suggest("still running")
    searching.on_trial_complete("unknown", {"loss": 1.0})
    searching.suggest("last")
    assert statuses == ["Completed", "Failed", "Failed", "Failed", "Canceled", "Running"]


def test_points_are_tried_first_and_completed_by_drawing():
    configs = go_on(search(points_to_evaluate=[{"x": 0.5, "layers": 2}, {"layers": 3}]), 3)
    assert configs[0] == {"x": 0.5, "layers": 2}
    assert configs[1]["layers"] == 3 and configs[1]["x"] != configs[2]["x"]


def test_results_from_elsewhere_are_known_to_the_sampler():
    searching = search()
    for i in range(10):
        x = (i - 4) / 5
        searching.add_evaluated_point({"x": x, "layers": 1}, loss({"x": x, "layers": 1}))
    searching.add_evaluated_point({"x": 0.9, "layers": 1}, 5.0, pruned=True)
    assert abs(go_on(searching, 1)[0]["x"]) < 0.3
    with pytest.raises(hdrive.ConfigError, match="lack 'layers'"):
        searching.add_evaluated_point({"x": 0.5}, 1.0)


def test_a_tuner_of_ray_runs_it(tmp_path, monkeypatch):
    import ray
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        def train(config):
            tune.report({"loss": config["x"] ** 2 + config["layers"] + config["offset"]})

        searching = HdriveSearch("bayesian", seed=1, num_samples=4)
        tuner = tune.Tuner(train, param_space={"x": tune.uniform(-1, 1), "layers": tune.choice([1, 2]), "offset": 0},
                           tune_config=tune.TuneConfig(metric="loss", mode="min", num_samples=4, search_alg=searching,
                                                       max_concurrent_trials=1),
                           run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0))
        results = tuner.fit()
    finally:
        ray.shutdown()
    assert len(results) == 4 and not results.errors
    assert {result.config["offset"] for result in results} == {0}
    assert searching.get_state()["records"][0][2] == "Completed"
