# SPDX-License-Identifier: Apache-2.0
import copy
import pickle

import hdrive
import pytest

optuna = pytest.importorskip("optuna")
kit = pytest.importorskip("optuna.testing.pytest_samplers")

from hdrive.integrations.optuna import HdrivePruner, HdriveSampler  # noqa: E402
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.WARNING)


# ---- Optuna's own tests of samplers -----------------------------------------------------------------------------
# Left out: MultiObjectiveSamplerTestCase, since hdrive has one primary metric (SingleOnly... is its counterpart), and
# "grid", which cannot draw from what is continuous.


@pytest.fixture(params=[name for name in hdrive.samplers() if name != "grid"])
def sampler(request):
    return lambda: HdriveSampler(request.param, seed=7)


class TestBasic(kit.BasicSamplerTestCase):
    @pytest.fixture
    def sampler(self, sampler):
        return sampler


class TestRelative(kit.RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self, sampler):
        return sampler


class TestSingleOnly(kit.SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self, sampler):
        return sampler


# ---- the sampler ------------------------------------------------------------------------------------------------

SPACE = {"x": FloatDistribution(-1, 1), "n": IntDistribution(2, 10, step=2), "r": FloatDistribution(0, 1, step=0.25),
         "lr": FloatDistribution(1e-5, 1e-1, log=True), "c": CategoricalDistribution([None, True, 1, "a"])}


def objective(trial):
    x = trial.suggest_float("x", -1, 1)
    n = trial.suggest_int("n", 2, 10, step=2)
    return x * x + n


def study_of(sampler, n_trials=12, objective=objective, **given):
    study = optuna.create_study(sampler=sampler, **given)
    study.optimize(objective, n_trials=n_trials)
    return study


def params_of(study):
    return [trial.params for trial in study.trials]


def test_a_study_of_one_job_repeats_exactly():
    first, second = (params_of(study_of(HdriveSampler("bayesian", seed=3))) for _ in range(2))
    assert first == second
    assert first != params_of(study_of(HdriveSampler("bayesian", seed=4)))


def test_a_model_finds_the_minimum_with_few_trials():
    study = study_of(HdriveSampler("bayesian", seed=1), 25)
    assert study.best_params["n"] == 2
    assert abs(study.best_params["x"]) < 0.1


def test_the_direction_of_the_study_is_the_goal():
    study = study_of(HdriveSampler("bayesian", seed=1), 25, lambda t: -objective(t), direction="maximize")
    assert abs(study.best_params["x"]) < 0.1


def test_a_given_space_is_proposed_from_the_first_trial_on():
    class Middle:
        def propose(self, history, run):
            return {"x": 0.5, "n": 3}, "the middle"

    space = {"x": FloatDistribution(-1, 1), "n": IntDistribution(2, 10, step=2)}
    study = study_of(HdriveSampler(Middle(), seed=1, search_space=space), 2)
    assert params_of(study) == [{"x": 0.5, "n": 8}] * 2  # the third step from 2 on


def test_values_are_of_the_types_that_optuna_gives():
    study = optuna.create_study(sampler=HdriveSampler("sobol", seed=1, search_space=SPACE))
    for _ in range(16):
        params = study.ask(SPACE).params
        assert [type(params[name]) for name in ("x", "n", "r", "lr")] == [float, int, float, float]
        assert params["n"] in (2, 4, 6, 8, 10) and params["r"] in (0, 0.25, 0.5, 0.75, 1)
        assert any(params["c"] is option for option in SPACE["c"].choices)


def test_a_grid_tries_every_point_once_and_ends_the_study():
    space = {"n": IntDistribution(1, 3), "r": FloatDistribution(0, 1, step=0.5), "c": CategoricalDistribution("ab")}
    study = study_of(HdriveSampler("grid", search_space=space), 100,
                     lambda t: t.suggest_int("n", 1, 3) + t.suggest_float("r", 0, 1, step=0.5)
                     + len(t.suggest_categorical("c", ("a", "b"))))
    points = [tuple(trial.params.values()) for trial in study.trials]
    assert len(set(points)) == 18
    assert len(points) == 19  # the one in which it was noticed


def test_a_grid_without_a_space_or_over_real_numbers_is_refused():
    with pytest.raises(hdrive.ConfigError, match="search_space"):
        HdriveSampler("grid")
    with pytest.raises(ValueError, match="choice"):
        HdriveSampler("grid", search_space={"x": FloatDistribution(0, 1)})


def test_an_exhausted_space_is_drawn_from_again():
    study = study_of(HdriveSampler("random", seed=1), 20, lambda t: t.suggest_int("n", 1, 3))
    assert len(study.trials) == 20
    assert {trial.params["n"] for trial in study.trials[:4]} == {1, 2, 3}


def test_options_of_any_kind_and_odd_names_are_taken():
    nan = float("nan")

    def odd(trial):
        trial.suggest_categorical("--c", [nan, 1, 1.5, "1"])
        trial.suggest_categorical("c", [True, 1])
        return trial.suggest_float("-", 0, 1)

    study = study_of(HdriveSampler("tpe", seed=1), 8, odd)
    assert all(trial.state.name == "COMPLETE" for trial in study.trials)


def test_enqueued_trials_and_trials_added_from_elsewhere_are_known():
    seen = []

    class Watching(hdrive.Sampler):
        def propose(self, history, run):
            seen.append([history.params(i) for i in range(len(history))])
            return {"x": 0.25}

    study = optuna.create_study(sampler=HdriveSampler(Watching(), search_space={"x": FloatDistribution(-1, 1)}))
    study.add_trial(optuna.create_trial(params={"x": 0.5}, distributions={"x": FloatDistribution(-1, 1)}, value=1.0))
    study.enqueue_trial({"x": 0.75})
    study.optimize(lambda trial: trial.suggest_float("x", -1, 1), n_trials=3)
    assert [trial.params["x"] for trial in study.trials] == [0.5, 0.75, 0.25, 0.25]
    assert seen[-1] == [{"x": 0.5}, {"x": 0.75}, {"x": 0.25}]


def test_pruned_and_failed_trials_are_known_as_such():
    statuses = []

    class Watching(hdrive.Sampler):
        def propose(self, history, run):
            statuses[:] = [(history.status(i), history.best(i, None)) for i in range(len(history))]
            return {"x": 0.25}

    def train(trial):
        trial.suggest_float("x", -1, 1)
        if trial.number == 0:
            trial.report(0.5, 1)
            raise optuna.TrialPruned
        if trial.number == 1:
            raise ArithmeticError
        return 1.0

    study = optuna.create_study(sampler=HdriveSampler(Watching(), search_space={"x": FloatDistribution(-1, 1)}))
    study.optimize(train, n_trials=4, catch=ArithmeticError)
    assert statuses == [("Canceled", 0.5), ("Failed", None), ("Completed", 1.0)]


def test_runs_that_go_on_are_not_proposed_again():
    study = optuna.create_study(sampler=HdriveSampler("bayesian", seed=1, search_space={"x": FloatDistribution(0, 1)}))
    values = [study.ask().suggest_float("x", 0, 1) for _ in range(8)]
    assert len(set(values)) == 8


def test_a_sampler_serves_one_study_after_another():
    sampler = HdriveSampler("bayesian", seed=1)
    assert params_of(study_of(sampler)) == params_of(study_of(sampler))


def test_several_jobs_share_a_sampler():
    study = optuna.create_study(sampler=HdriveSampler("tpe", seed=1, n_jobs=4))
    study.optimize(objective, n_trials=40, n_jobs=4)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 40


def test_a_sampler_and_a_pruner_can_be_pickled_and_copied():
    expected = params_of(study_of(HdriveSampler("tpe", seed=5)))
    sampler = HdriveSampler("tpe", seed=5)
    study_of(sampler)
    for same in (pickle.loads(pickle.dumps(sampler)), copy.deepcopy(sampler)):
        assert params_of(study_of(same)) == expected
    assert copy.deepcopy(pickle.loads(pickle.dumps(HdrivePruner()))).prune is not None


def test_a_study_kept_in_a_database_goes_on(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    study_of(HdriveSampler("bayesian", seed=1), 6, storage=url, study_name="s")
    study = optuna.load_study(storage=url, study_name="s", sampler=HdriveSampler("bayesian", seed=1))
    study.optimize(objective, n_trials=6)
    assert params_of(study) == params_of(study_of(HdriveSampler("bayesian", seed=1), 12))


def test_what_is_wrong_is_said_when_it_is_given():
    with pytest.raises(hdrive.ConfigError, match="did you mean \"bayesian\""):
        HdriveSampler("baysian")
    with pytest.raises(hdrive.ConfigError):
        HdriveSampler({"type": "tpe", "no_such_option": 1})
    with pytest.raises(hdrive.ConfigError):
        HdrivePruner("no_such_policy")


def test_what_a_sampler_of_ones_own_returns_is_checked():
    class Wrong:
        def __init__(self, answer):
            self.answer = answer

        def propose(self, history, run):
            return self.answer

    for answer, text in (({}, "gave no 'x'"), ({"x": 7}, "7"), (3, "returned a int")):
        study = optuna.create_study(sampler=HdriveSampler(Wrong(answer), search_space={"x": FloatDistribution(0, 1)}))
        with pytest.raises(hdrive.ConfigError, match=text):
            study.ask().suggest_float("x", 0, 1)


# ---- the pruner -------------------------------------------------------------------------------------------------


def curves(pruner, finals, steps=8, direction="minimize"):
    """A study whose trials descend to the given values; the numbers of those that were pruned."""
    study = optuna.create_study(direction=direction, pruner=pruner, sampler=optuna.samplers.RandomSampler(1))

    def train(trial):
        for step in range(steps):
            trial.report(finals[trial.number] + 1 / (step + 1), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return finals[trial.number]

    study.optimize(train, n_trials=len(finals))
    return [trial.number for trial in study.trials if trial.state.name == "PRUNED"]


def test_a_policy_prunes():
    assert curves(HdrivePruner(hdrive.Bandit(slack_amount=0.5)), [0.0, 0.2, 3.0, 0.1]) == [2]
    assert curves(HdrivePruner("median_stopping"), [0.1, 0.0, 3.0, 4.0]) == [2, 3]
    assert curves(HdrivePruner({"type": "no_termination"}), [0.0, 9.0]) == []


def test_a_policy_prunes_as_in_a_sweep():
    finals = [0.3, 0.1, 0.5, 0.2, 0.9, 0.05, 0.4, 0.6]

    def train(run, params):
        for step in range(8):
            run.log("loss", finals[run.number] + 1 / (step + 1), step)

    for policy in hdrive.Bandit(slack_factor=0.2), hdrive.MedianStopping(delay_evaluation=3), \
            hdrive.TruncationSelection(30, evaluation_interval=2):
        sweep = hdrive.Sweep({"x": hdrive.uniform(0, 1)}, metric="loss", goal="minimize", policy=policy,
                             max_total_runs=8, directory=":memory:").run(train)
        stopped = [run.number for run in sweep.runs if run.cause == "policy"]
        assert curves(HdrivePruner(policy), finals) == stopped
        assert stopped


def test_the_direction_counts_for_a_pruner_too():
    assert curves(HdrivePruner(hdrive.Bandit(slack_amount=0.5)), [0.0, 3.0, 1.0], direction="maximize") == [2]


def test_a_policy_of_ones_own_prunes():
    class Impatient:
        def judge(self, run, history):
            return len(history.reports(run)) > 2, "long enough"

    assert curves(HdrivePruner(Impatient()), [1.0, 2.0]) == [0, 1]


def test_reports_out_of_order_and_reported_again_count_once():
    lengths = []

    class Watching:
        def judge(self, run, history):
            lengths.append(history.reports(run))
            return False

    study = optuna.create_study(pruner=HdrivePruner(Watching()))
    trial = study.ask()
    assert not trial.should_prune()
    trial.report(3.0, 3)
    trial.should_prune()
    trial.report(1.0, 1)
    trial.should_prune()
    trial.report(float("nan"), 5)
    trial.should_prune()
    trial.should_prune()
    assert lengths[:2] == [[3.0], [1.0, 3.0]]
    assert len(lengths[3]) == 3


@pytest.mark.parametrize("seed", ["a", -1, 2**70, True])
def test_a_seed_that_is_none_is_named(seed):
    with pytest.raises(hdrive.ConfigError, match="seed: "):
        HdriveSampler(seed=seed)
