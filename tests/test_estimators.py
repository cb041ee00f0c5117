"""Estimators by scikit-learn's own checks, and at work with its tools."""

import pickle
import subprocess
import sys
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import nn
from nn import Adam, Dense, Sequential
from nn.estimators import MLPClassifier, MLPRegressor, PerceptronClassifier, as_estimator

X, SPECIES = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
# What a check may find nothing to look at in: scikit-learn's own MLPClassifier gives these, too
NOT_APPLICABLE = ("does not have a decision_function", "SCIPY_ARRAY_API is not set")


class Network:
    """Makes a network, and has a name that is the same in every process that collects tests."""

    def __init__(self, last):
        self.last = last

    def __call__(self, outputs):
        return Sequential([Dense(10, "relu"), Dense(outputs, self.last)])

    def __repr__(self):
        return f"Network({self.last!r})"


classifying, regressing = Network("softmax"), Network(None)


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::nn.TrainingWarning")
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix:UserWarning")
@parametrize_with_checks(
    [
        MLPClassifier(16, learning_rate_init=0.02, max_iter=100),
        MLPRegressor(16, learning_rate_init=0.02, max_iter=100),
        PerceptronClassifier(tol=100.0),
        as_estimator(classifying, optimizer=Adam(0.05), batch_size=200, epochs=60),
        as_estimator(regressing, "regressor", optimizer=Adam(0.05), batch_size=200, epochs=60),
    ]
)
def test_scikit_learns_own_checks(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        if not any(why in str(reason) for why in NOT_APPLICABLE):
            raise


ESTIMATORS = {
    "MLPClassifier": MLPClassifier(16, max_iter=60, learning_rate_init=0.02, random_state=0),
    "PerceptronClassifier": PerceptronClassifier(tol=0.1),
    "as_estimator": as_estimator(classifying, optimizer=Adam(0.05), epochs=20, random_state=0),
}
everyone = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
few_epochs = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@few_epochs
@everyone
def test_pipeline_and_cross_validation(estimator):
    pipeline = make_pipeline(StandardScaler(), estimator)
    assert cross_val_score(pipeline, X, NAMES, cv=3).min() > 0.7
    assert not hasattr(estimator, "model_")  # what was trained were clones


@few_epochs
def test_grid_search_in_two_processes():
    pipeline = make_pipeline(StandardScaler(), ESTIMATORS["MLPClassifier"])
    grid = {"mlpclassifier__alpha": [1e-4, 1e3]}
    search = GridSearchCV(pipeline, grid, n_jobs=2, cv=2).fit(X, NAMES)
    assert search.best_params_ == {"mlpclassifier__alpha": 1e-4}
    assert search.score(X, NAMES) > 0.9
    models = {"model": [regressing, Sequential([Dense(1)])], "optimizer": [Adam(0.1)]}
    estimator = as_estimator(None, "regressor", loss="mae", epochs=30, random_state=0)
    x = np.random.default_rng(0).normal(size=(100, 1))
    search = GridSearchCV(estimator, models, n_jobs=2, cv=2).fit(x, np.abs(x[:, 0]))
    assert search.best_params_["model"] is regressing


@few_epochs
@everyone
def test_frames(estimator):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), clone(estimator))
    pipeline.fit(frame, pd.Series(NAMES))
    assert pipeline[-1].feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names should match"):
        pipeline.predict(frame.rename(columns={"a": "e"}))


@few_epochs
@everyone
def test_clones_and_copies(estimator):
    fitted = clone(estimator).fit(X / 8, NAMES)
    assert repr(clone(fitted)) == repr(estimator)
    assert not hasattr(clone(fitted), "model_")
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict(X / 8), fitted.predict(X / 8))
    again = clone(estimator).fit(X / 8, NAMES)
    for one, other in zip(fitted.model_.parameters(), again.model_.parameters(), strict=True):
        np.testing.assert_array_equal(one.data, other.data)
        assert not one.has_grad


@few_epochs
@everyone
def test_the_generators_of_others_are_left_alone(estimator):
    nn.set_seed(0)
    drawn = np.random.default_rng(0).random()
    clone(estimator).set_params(random_state=3).fit(X / 8, NAMES)
    assert nn.randomness.generator().random() == drawn


def python(code):
    """Run code in a process of its own; return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_nn_alone_imports_neither_scikit_learn_nor_scipy():
    code = "import sys, nn; print({'sklearn', 'scipy', 'nn.estimators'} & sys.modules.keys())"
    assert python(code) == "set()\n"


def test_without_scikit_learn_the_error_names_the_command():
    code = """
import sys
sys.modules["sklearn"] = None
try:
    import nn.estimators
except ImportError as error:
    print(type(error).__name__, error)
"""
    said = python(code)
    assert said.startswith("MissingPackageError scikit-learn, which is not installed")
    assert said.endswith("write: pip install scikit-learn\n")
