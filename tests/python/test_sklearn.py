# SPDX-License-Identifier: Apache-2.0
import pickle
import warnings

import hdrive
import numpy
import pytest

sklearn = pytest.importorskip("sklearn", minversion="1.3")
stats = pytest.importorskip("scipy.stats")

from hdrive.integrations.sklearn import HdriveSearchCV  # noqa: E402
from sklearn.base import BaseEstimator, ClassifierMixin, clone  # noqa: E402
from sklearn.datasets import make_classification  # noqa: E402
from sklearn.exceptions import FitFailedWarning  # noqa: E402
from sklearn.linear_model import LogisticRegression, Ridge  # noqa: E402
from sklearn.model_selection import (GroupKFold, KFold, RandomizedSearchCV, ShuffleSplit,  # noqa: E402
                                     cross_val_score)
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import MinMaxScaler, StandardScaler  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

X, y = make_classification(n_samples=120, n_features=6, random_state=0)
C = {"C": hdrive.log_uniform_values(1e-3, 1e2)}


class Scripted(ClassifierMixin, BaseEstimator):
    """Scores what its parameter says, the same on each fold; a negative one fails. Counts its fits."""

    fits = 0

    def __init__(self, quality=0.5):
        self.quality = quality

    def fit(self, X, y):
        Scripted.fits += 1
        if self.quality < 0:
            raise ArithmeticError("negative")
        self.classes_ = numpy.unique(y)
        return self

    def score(self, X, y):
        return self.quality

    def predict(self, X):
        return numpy.zeros(len(X))


@pytest.fixture(autouse=True)
def no_fits():
    Scripted.fits = 0


class InTurn:
    """A sampler that proposes values of `quality` one after another."""

    def __init__(self, *values):
        self.values = values

    def propose(self, history, run):
        return {"quality": self.values[run]} if run < len(self.values) else None


QUALITY = {"quality": hdrive.uniform(-1, 1)}


def scripted(*values, **given):
    settings = {"n_iter": len(values), "cv": 4, "refit": False}
    return HdriveSearchCV(Scripted(), QUALITY, sampler=InTurn(*values), **{**settings, **given}).fit(X, y)


# ---- scikit-learn's own checks ----------------------------------------------------------------------------------
# As for RandomizedSearchCV they run on one of a regressor and one of a classifier; one has a policy.


def failing_for_search_estimators(_):
    return {"check_supervised_y_2d": "no search estimator raises the warning",
            "check_requires_y_none": "no search estimator has the message"}


CHECKED = [HdriveSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, error_score="raise", random_state=0),
           HdriveSearchCV(Ridge(), {"alpha": hdrive.uniform(0.1, 1)}, n_iter=2, cv=2, error_score="raise",
                          random_state=0, sampler="random", policy="median_stopping")]

if "expected_failed_checks" in parametrize_with_checks.__code__.co_varnames:
    @parametrize_with_checks(CHECKED, expected_failed_checks=failing_for_search_estimators)
    def test_scikit_learns_estimator_checks_pass(estimator, check):
        check(estimator)


# ---- the shape of results ---------------------------------------------------------------------------------------


def test_results_have_the_shape_of_a_randomized_search():
    ours = HdriveSearchCV(LogisticRegression(), C, n_iter=6, cv=3, random_state=0, return_train_score=True).fit(X, y)
    theirs = RandomizedSearchCV(LogisticRegression(), {"C": stats.loguniform(1e-3, 1e2)}, n_iter=6, cv=3,
                                random_state=0, return_train_score=True).fit(X, y)
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, column in theirs.cv_results_.items():
        assert len(ours.cv_results_[name]) == 6
        assert type(ours.cv_results_[name]) is type(column)
        if name != "params":
            assert ours.cv_results_[name].dtype == column.dtype
    fitted = {name for name in vars(theirs) if name.endswith("_")}
    assert {name for name in vars(ours) if name.endswith("_")} == fitted
    assert {type(params["C"]) for params in ours.cv_results_["params"]} == {float}


def test_scores_are_those_of_cross_validation():
    search = HdriveSearchCV(LogisticRegression(), C, n_iter=5, cv=3, random_state=0).fit(X, y)
    for place, params in enumerate(search.cv_results_["params"]):
        scores = cross_val_score(LogisticRegression(**params), X, y, cv=3)
        assert [search.cv_results_[f"split{i}_test_score"][place] for i in range(3)] == scores.tolist()
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert search.best_estimator_.C == search.best_params_["C"]
    assert search.score(X, y) == search.best_estimator_.score(X, y)


def test_the_same_random_state_finds_the_same():
    def found(**given):
        search = HdriveSearchCV(LogisticRegression(), C, n_iter=6, cv=2, **given).fit(X, y)
        return search.cv_results_["params"]

    assert found(random_state=3) == found(random_state=3)
    assert found(random_state=3) != found(random_state=4)
    assert found(random_state=numpy.random.RandomState(3)) == found(random_state=numpy.random.RandomState(3))


def test_a_model_learns_from_the_scores():
    class Hill(Scripted):
        def score(self, X, y):
            return 1 - (self.quality - 0.3) ** 2

    search = HdriveSearchCV(Hill(), {"quality": hdrive.uniform(0, 1)}, n_iter=15, cv=2, random_state=0,
                            sampler="bayesian").fit(X, y)
    assert abs(search.best_params_["quality"] - 0.3) < 0.02


def test_jobs_evaluate_in_other_processes():
    search = HdriveSearchCV(LogisticRegression(), C, n_iter=6, cv=2, random_state=0, n_jobs=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    stopping = HdriveSearchCV(LogisticRegression(), C, n_iter=6, cv=2, random_state=0, n_jobs=2,
                              policy=hdrive.Bandit(slack_amount=0.5)).fit(X, y)
    assert len(stopping.cv_results_["params"]) == 6


def test_folds_are_the_same_for_all_candidates():
    for policy in None, "no_termination":
        search = HdriveSearchCV(DecisionTreeClassifier(random_state=0, max_depth=1), {"min_samples_leaf": [1]*4},
                                n_iter=4, cv=ShuffleSplit(3), policy=policy, sampler="tpe", random_state=0).fit(X, y)
        for fold in range(3):
            assert len(set(search.cv_results_[f"split{fold}_test_score"])) == 1


# ---- spaces -----------------------------------------------------------------------------------------------------


def test_distributions_of_scipy_and_lists_are_taken():
    search = HdriveSearchCV(DecisionTreeClassifier(random_state=0),
                            {"max_depth": stats.randint(1, 6), "criterion": ["gini", "entropy"],
                             "min_samples_leaf": range(1, 4), "max_features": numpy.array([0.5, 1.0]),
                             "ccp_alpha": stats.uniform(0, 0.1), "class_weight": [None, "balanced", {0: 1, 1: 2}]},
                            n_iter=12, cv=2, random_state=0, sampler="random").fit(X, y)
    params = search.cv_results_["params"]
    assert {type(each["max_depth"]) for each in params} == {int}
    assert all(each["class_weight"] in (None, "balanced", {0: 1, 1: 2}) for each in params)
    assert {each["max_features"] for each in params} == {0.5, 1.0}


def test_a_pipeline_is_searched_over_its_steps():
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", LogisticRegression())])
    search = HdriveSearchCV(pipeline, {"scale": [StandardScaler(), MinMaxScaler(), "passthrough"],
                                       "clf__C": hdrive.log_uniform_values(1e-2, 1e2)},
                            n_iter=8, cv=2, random_state=0).fit(X, y)
    assert {type(params["scale"]) for params in search.cv_results_["params"]} <= {StandardScaler, MinMaxScaler, str}
    assert search.predict(X).shape == y.shape


def test_one_of_several_spaces_is_drawn_first():
    pipeline = Pipeline([("clf", LogisticRegression())])
    search = HdriveSearchCV(pipeline, [{"clf": [LogisticRegression()], "clf__C": hdrive.uniform(0.1, 1)},
                                       {"clf": [DecisionTreeClassifier()], "clf__max_depth": [1, 2, 3]}],
                            n_iter=10, cv=2, random_state=0, sampler="random").fit(X, y)
    kinds = {(type(params["clf"]).__name__, *sorted(set(params) - {"clf"})) for params in search.cv_results_["params"]}
    assert kinds == {("LogisticRegression", "clf__C"), ("DecisionTreeClassifier", "clf__max_depth")}
    assert search.cv_results_["param_clf__C"].mask.any()


def test_conditional_parameters_exist_with_their_option_alone():
    space = {"splitter": hdrive.choice(hdrive.option("random", {"max_depth": hdrive.int_uniform(1, 3)}), "best")}
    search = HdriveSearchCV(DecisionTreeClassifier(), space, n_iter=4, cv=2, sampler="sobol").fit(X, y)
    assert {tuple(params) for params in search.cv_results_["params"]} == {("splitter", "max_depth"), ("splitter",)}


def test_a_grid_needs_no_number_of_candidates():
    search = HdriveSearchCV(LogisticRegression(), {"C": [0.1, 1, 10], "fit_intercept": [True, False]}, n_iter=None,
                            sampler="grid", cv=2).fit(X, y)
    assert len({tuple(params.values()) for params in search.cv_results_["params"]}) == 6


def test_a_space_that_is_exhausted_is_warned_of():
    with pytest.warns(UserWarning, match="fewer than n_iter=9"):
        search = HdriveSearchCV(LogisticRegression(), {"C": [0.1, 1, 10]}, n_iter=9, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 3


@pytest.mark.parametrize("given, text", [
    ({"space": 3}, "space: wanted"), ({"space": {"C": []}}, "C has no options"),
    ({"space": {"C": stats.gamma(1)}}, "no equivalent of scipy.stats.gamma"), ({"sampler": "baysian"}, "did you mean"),
    ({"policy": "none_such"}, "policy"), ({"n_iter": None}, "n_iter")])
def test_what_is_wrong_is_said_by_fit(given, text):
    settings = {"space": C, **given}
    with pytest.raises(hdrive.ConfigError, match=text):
        HdriveSearchCV(LogisticRegression(), **settings).fit(X, y)


# ---- metrics ----------------------------------------------------------------------------------------------------


def test_of_several_metrics_the_one_of_refit_is_optimised():
    search = HdriveSearchCV(LogisticRegression(), C, n_iter=4, cv=2, random_state=0,
                            scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss").fit(X, y)
    assert search.multimetric_
    assert search.best_score_ == max(search.cv_results_["mean_test_neg_log_loss"])
    assert "rank_test_accuracy" in search.cv_results_


def test_a_function_may_choose_the_best_and_another_may_score():
    def worst(results):
        return int(numpy.argmin(results["mean_test_accuracy"]))

    def scoring(estimator, X, y):
        return {"accuracy": estimator.score(X, y), "intercept": estimator.intercept_[0]}

    search = HdriveSearchCV(LogisticRegression(), C, n_iter=4, cv=2, random_state=0, scoring=scoring, refit=worst)
    search.fit(X, y)
    assert search.best_index_ == worst(search.cv_results_)
    assert not hasattr(search, "best_score_")


def test_groups_and_weights_reach_splitter_and_estimator():
    groups = numpy.arange(len(y)) % 4
    search = HdriveSearchCV(LogisticRegression(), C, n_iter=3, cv=GroupKFold(4), random_state=0)
    search.fit(X, y, groups=groups, sample_weight=numpy.ones(len(y)))
    assert search.n_splits_ == 4
    for policy in None, "no_termination":
        with sklearn.config_context(enable_metadata_routing=True):
            weighted = LogisticRegression().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
            routed = HdriveSearchCV(weighted, C, n_iter=3, random_state=0,
                                    cv=GroupKFold(4), policy=policy)
            routed.fit(X, y, groups=groups, sample_weight=numpy.ones(len(y)))
        assert routed.cv_results_["mean_test_score"].tolist() == search.cv_results_["mean_test_score"].tolist()


# ---- a policy on folds ------------------------------------------------------------------------------------------


def test_a_policy_leaves_out_the_folds_of_what_is_hopeless():
    search = scripted(0.9, 0.2, 0.8, 0.1, policy=hdrive.Bandit(slack_amount=0.3))
    assert search.cv_results_["stopped_early"].tolist() == [False, True, False, True]
    assert Scripted.fits == 4 + 1 + 4 + 1
    assert search.cv_results_["split0_test_score"].tolist() == [0.9, 0.2, 0.8, 0.1]
    assert numpy.isnan(search.cv_results_["split1_test_score"]).tolist() == [False, True, False, True]
    assert search.cv_results_["rank_test_score"].tolist() == [1, 3, 2, 3]
    assert search.best_index_ == 0 and search.n_splits_ == 4


def test_a_policy_sees_the_mean_of_the_folds_so_far():
    seen = []

    class Watching:
        def judge(self, run, history):
            seen.append(history.reports(run))
            return False

    class Uneven(Scripted):
        def score(self, X, y):
            return len(X)

    HdriveSearchCV(Uneven(), QUALITY, n_iter=1, cv=[(numpy.arange(9), numpy.arange(n)) for n in (2, 4, 9)],
                   sampler=InTurn(0.5), policy=Watching(), refit=False).fit(X[:9], y[:9])
    assert seen == [[2.0], [2.0, 3.0]]


def test_what_a_policy_does_not_stop_has_the_scores_it_has_without():
    settings = {"n_iter": 5, "cv": KFold(3, shuffle=True, random_state=1), "random_state": 0,
                "return_train_score": True, "scoring": ["accuracy", "roc_auc"], "refit": "roc_auc"}
    plain = HdriveSearchCV(LogisticRegression(), C, **settings).fit(X, y)
    judged = HdriveSearchCV(LogisticRegression(), C, policy="no_termination", **settings).fit(X, y)
    assert set(judged.cv_results_) - set(plain.cv_results_) == {"stopped_early"}
    for name in plain.cv_results_:
        if "time" not in name and not name.startswith("param"):
            assert judged.cv_results_[name].tolist() == plain.cv_results_[name].tolist()
    assert judged.cv_results_["params"] == plain.cv_results_["params"]


def test_a_stopped_candidate_is_no_cause_of_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scripted(0.9, 0.2, policy=hdrive.Bandit(slack_amount=0.3))


# ---- failures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [None, "median_stopping"])
def test_a_candidate_that_fails_on_every_fold_is_not_the_end(policy):
    with pytest.warns(FitFailedWarning):
        search = scripted(0.5, -0.5, 0.7, -0.1, policy=policy, return_train_score=True)
    assert search.best_params_ == {"quality": 0.7}
    assert numpy.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True, False, True]
    assert search.cv_results_["rank_test_score"].tolist() == [2, 3, 1, 3]


def test_a_failed_candidate_has_the_error_score():
    with pytest.warns(FitFailedWarning):
        search = scripted(-0.5, 0.5, error_score=-7.0)
    assert search.cv_results_["mean_test_score"].tolist() == [-7.0, 0.5]


def test_a_search_in_which_all_fails_raises():
    with pytest.warns(FitFailedWarning), pytest.raises(ValueError, match="fits failed"):
        scripted(-0.5, -0.1)


def test_errors_are_raised_where_asked_for():
    with pytest.raises(ArithmeticError):
        scripted(0.5, -0.1, error_score="raise")


# ---- as an estimator --------------------------------------------------------------------------------------------


def test_a_search_can_be_cloned_pickled_and_nested():
    search = HdriveSearchCV(LogisticRegression(), C, n_iter=3, cv=2, random_state=0, policy="median_stopping")
    again = clone(search).set_params(n_iter=2, estimator__max_iter=200)
    assert again.n_iter == 2 and search.n_iter == 3
    fitted = pickle.loads(pickle.dumps(search.fit(X, y)))
    assert fitted.predict(X).tolist() == search.predict(X).tolist()
    assert len(cross_val_score(again, X, y, cv=2)) == 2
    assert search.cv == 2
    assert "HdriveSearchCV" in repr(search)


def test_a_data_frame_keeps_its_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    search = HdriveSearchCV(LogisticRegression(), C, n_iter=2, cv=2, random_state=0).fit(frame, y)
    assert search.feature_names_in_.tolist() == list("abcdef")
    assert len(pandas.DataFrame(search.cv_results_)) == 2


@pytest.mark.parametrize("n_iter", [0, "a", 4.5])
def test_a_number_of_candidates_that_is_none_is_named(n_iter):
    with pytest.raises(hdrive.ConfigError, match="n_iter: "):
        HdriveSearchCV(Ridge(), {"alpha": hdrive.uniform(0, 1)}, n_iter=n_iter).fit([[1], [2], [3]] * 4, [1, 2, 3] * 4)
