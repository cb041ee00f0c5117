"""PerceptronClassifier beside scikit-learn's own Perceptron, without shuffle."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron
from sklearn.preprocessing import scale

import nn
from nn.estimators import PerceptronClassifier

X, SPECIES = load_iris(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(150)[:60]
X, SPECIES = scale(X)[ORDER], SPECIES[ORDER]
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
TARGETS = {"two classes": SPECIES > 1, "three classes": NAMES}
OPTIONS = {
    "plain": {},
    "l2": {"penalty": "l2"},
    # Of l1, scikit-learn's stopping rule sees the norm before the last truncations
    "l1": {"penalty": "l1", "alpha": 0.01, "tol": None, "max_iter": 12},
    "elasticnet": {"penalty": "elasticnet", "l1_ratio": 0.4, "tol": None, "max_iter": 12},
    "balanced": {"class_weight": "balanced"},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2},
    "never converged": {"tol": None, "max_iter": 7},
    "one epoch without a gain": {"tol": 0.01, "n_iter_no_change": 1},
    "no intercept": {"fit_intercept": False, "eta0": 0.1},
}


def assert_equal(theirs, ours):
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
def test_equals_scikit_learn(y, options):
    theirs = Perceptron(shuffle=False, **options).fit(X, y)
    ours = PerceptronClassifier(shuffle=False, **options).fit(X, y)
    assert_equal(theirs, ours)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, y) == theirs.score(X, y)


@pytest.mark.parametrize("weights", [{False: 0.5, True: 3.0}, {"setosa": 2.0, "virginica": 0.5}])
def test_class_weight(weights):
    y = TARGETS["two classes" if True in weights else "three classes"]
    options = {"class_weight": weights, "shuffle": False}
    assert_equal(Perceptron(**options).fit(X, y), PerceptronClassifier(**options).fit(X, y))


def test_warm_start():
    options = {"shuffle": False, "warm_start": True, "tol": None, "max_iter": 3}
    theirs, ours = Perceptron(**options), PerceptronClassifier(**options)
    for y in (NAMES, np.roll(NAMES, 1)):
        assert_equal(theirs.fit(X, y), ours.fit(X, y))


def test_partial_fit():
    theirs, ours = Perceptron(shuffle=False), PerceptronClassifier(shuffle=False)
    for part in (slice(0, 30), slice(30, 60)):
        theirs.partial_fit(X[part], SPECIES[part], classes=[0, 1, 2])
        ours.partial_fit(X[part], SPECIES[part], classes=[0, 1, 2])
    assert_equal(theirs, ours)


def test_float32():
    ours = PerceptronClassifier(shuffle=False).fit(X.astype(np.float32), NAMES)
    assert ours.coef_.dtype == ours.decision_function(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(
        ours.coef_, PerceptronClassifier(shuffle=False).fit(X, NAMES).coef_, atol=1e-4
    )


def test_sparse_samples():
    dense = PerceptronClassifier().fit(X, NAMES)
    assert_equal(dense, PerceptronClassifier().fit(sparse.csr_matrix(X), NAMES))


def test_random_state_decides_the_order():
    first, same, other = (
        PerceptronClassifier(random_state=seed).fit(X, NAMES).coef_ for seed in (1, 1, 2)
    )
    assert (first == same).all()
    assert (first != other).any()


def test_l1_makes_weights_exactly_0():
    noise = np.random.default_rng(0).normal(size=(60, 20))
    x = np.hstack([X, noise])
    ours = PerceptronClassifier(penalty="l1", alpha=0.1).fit(x, SPECIES == 0)
    assert (ours.coef_[:, 4:] == 0).mean() > 0.5


def test_learns_what_the_single_perceptron_learns():
    x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]
    ours = PerceptronClassifier(tol=None, max_iter=50).fit(x, y)
    single = nn.Perceptron.of(ours.coef_[0].tolist(), bias=ours.intercept_.item())
    assert single.predict(x).tolist() == ours.predict(x).tolist() == y


def test_callbacks():
    history = nn.callbacks.History()
    ours = PerceptronClassifier(callbacks=[history]).fit(X, NAMES)
    assert len(history.epoch) == ours.n_iter_


def test_the_model_inside_can_be_saved(tmp_path):
    ours = PerceptronClassifier().fit(X, NAMES)
    ours.model_.save(tmp_path / "perceptron.safetensors")
    loaded = nn.load(tmp_path / "perceptron.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), ours.decision_function(X))


def test_a_search_that_has_not_ended_is_said():
    with pytest.warns(ConvergenceWarning, match="converged: 2 epochs were too few") as said:
        PerceptronClassifier(max_iter=2).fit(X, NAMES)
    assert said[0].filename == __file__
