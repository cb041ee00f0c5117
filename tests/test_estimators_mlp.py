"""MLPClassifier and MLPRegressor beside scikit-learn's own, from the same random_state."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network
from sklearn.datasets import load_iris, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from nn.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), [0, 1, 1, 0]
X, SPECIES = load_iris(return_X_y=True)
X = scale(X)
LABELS = make_multilabel_classification(150, n_classes=3, random_state=0)[1]
FIGURES = [scale(part) for part in make_regression(150, 4, n_targets=2, random_state=0)]
WEIGHTS = np.random.default_rng(0).uniform(0.5, 2.0, 150)
COUNTS = np.random.default_rng(1).poisson(np.exp(X[:, 0])).astype(float)
DATA = {
    "two classes": (MLPClassifier, X, SPECIES > 0),
    "classes": (MLPClassifier, X, SPECIES),
    "labels": (MLPClassifier, X, LABELS),
    "figures": (MLPRegressor, FIGURES[0], FIGURES[1][:, 0]),
}
OPTIONS = {
    "adam": {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6, "learning_rate_init": 0.01},
    "sgd": {"solver": "sgd", "momentum": 0.5},
    "plain momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "no momentum": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.5,
        "tol": 1e-3,
        "n_iter_no_change": 1,
        "max_iter": 60,
    },
    "lbfgs": {"solver": "lbfgs", "alpha": 0.1},
    "lbfgs, few calls": {"solver": "lbfgs", "max_fun": 5},
    "logistic": {"activation": "logistic"},
    "tanh": {"activation": "tanh"},
    "identity": {"activation": "identity"},
    "alpha": {"alpha": 3.0},
    "no alpha": {"alpha": 0.0},
    "batches": {"batch_size": 32},
    "in order": {"batch_size": 32, "shuffle": False},
    "one batch": {"batch_size": 1000},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "one number": {"hidden_layer_sizes": 6},
    "early stopping": {
        "early_stopping": True,
        "validation_fraction": 0.2,
        "max_iter": 60,
        "n_iter_no_change": 4,
        "learning_rate_init": 0.01,
    },
    "converged": {"tol": 1e-2, "max_iter": 100},
    "never": {"n_iter_no_change": np.inf, "tol": 10.0},
}


def pair(kind, **options):
    """Return scikit-learn's estimator and ours."""
    options = {"hidden_layer_sizes": (7, 5), "max_iter": 15, "random_state": 20} | options
    return getattr(neural_network, kind.__name__)(**options), kind(**options)


def assert_close(ours, theirs, rtol):
    if theirs is None:
        assert ours is None
    else:
        np.testing.assert_allclose(ours, theirs, rtol, rtol)


def assert_equal(theirs, ours, rtol=1e-8, curves=True):
    for name in ("coefs_", "intercepts_"):
        for their, our in zip(getattr(theirs, name), getattr(ours, name), strict=True):
            assert_close(our, their, rtol)
            assert our.dtype == their.dtype
    for name in ("n_iter_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "t_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    if hasattr(theirs, "classes_"):
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    if curves:
        assert_close(ours.loss_, theirs.loss_, rtol)
    if curves and ours.solver != "lbfgs":
        for name in ("loss_curve_", "best_loss_", "best_validation_score_", "validation_scores_"):
            assert_close(getattr(ours, name), getattr(theirs, name), rtol)


@pytest.mark.filterwarnings("ignore:Got `batch_size`:UserWarning")
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("data", DATA)
def test_equals_scikit_learn(data, options):
    kind, x, y = DATA[data]
    theirs, ours = pair(kind, **options)
    assert_equal(theirs.fit(x, y), ours.fit(x, y))
    if kind is MLPClassifier:
        np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))
        assert_close(ours.predict_proba(x), theirs.predict_proba(x), 1e-8)
        assert_close(np.exp(ours.predict_log_proba(x)), theirs.predict_proba(x), 1e-8)
    else:
        assert_close(ours.predict(x), theirs.predict(x), 1e-8)
    assert ours.score(x, y) == pytest.approx(theirs.score(x, y))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_equals_scikit_learn_in_float32(solver):
    theirs, ours = pair(MLPClassifier, solver=solver)
    x = X.astype(np.float32)
    assert_equal(theirs.fit(x, SPECIES), ours.fit(x, SPECIES), rtol=1e-4)
    assert ours.predict_proba(x).dtype == np.float32


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("data", DATA)
def test_sample_weights(data, solver):
    kind, x, y = DATA[data]
    theirs, ours = pair(kind, solver=solver, batch_size=40)
    assert_equal(theirs.fit(x, y, WEIGHTS), ours.fit(x, y, WEIGHTS))


def test_sample_weights_in_early_stopping():
    theirs, ours = pair(MLPClassifier, early_stopping=True, max_iter=40)
    assert_equal(theirs.fit(X, SPECIES, WEIGHTS), ours.fit(X, SPECIES, WEIGHTS))


def test_a_sample_of_weight_0_is_as_if_not_there():
    weights = np.where(np.arange(150) < 40, 0.0, 1.0)
    with_zeros = pair(MLPClassifier, batch_size=20)[1].fit(X, SPECIES, weights)
    assert_equal(pair(MLPClassifier, batch_size=20)[1].fit(X[40:], SPECIES[40:]), with_zeros)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_poisson(solver):
    theirs, ours = pair(MLPRegressor, loss="poisson", solver=solver)
    assert_equal(theirs.fit(X, COUNTS), ours.fit(X, COUNTS))
    assert (ours.predict(X) > 0).all()


def test_several_figures_have_the_sum_of_their_losses():
    theirs, ours = pair(MLPRegressor, alpha=0.0)
    assert_equal(theirs.fit(*FIGURES), ours.fit(*FIGURES), curves=False)
    assert_close(ours.loss_curve_, 2 * np.array(theirs.loss_curve_), 1e-8)
    assert ours.predict(FIGURES[0]).shape == (150, 2)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_samples(form):
    theirs, ours = pair(MLPClassifier, batch_size=40, early_stopping=True)
    x = np.where(X > 0, X, 0.0)
    assert_equal(theirs.fit(x, SPECIES), ours.fit(form(x), SPECIES))
    np.testing.assert_array_equal(ours.predict(form(x)), ours.predict(x))
    theirs, ours = pair(MLPClassifier, solver="lbfgs")
    assert_equal(theirs.fit(x, SPECIES), ours.fit(form(x), SPECIES))


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_warm_start(solver):
    theirs, ours = pair(MLPClassifier, warm_start=True, solver=solver)
    for max_iter in (8, 12, 3):
        theirs.set_params(max_iter=max_iter).fit(X, SPECIES)
        assert_equal(theirs, ours.set_params(max_iter=max_iter).fit(X, SPECIES))


def test_warm_start_keeps_the_best_weights_of_all_trainings():
    # scikit-learn goes on to learn in the arrays it kept as the best ones, and so loses them
    ours = pair(MLPClassifier, warm_start=True, early_stopping=True, learning_rate_init=0.05)[1]
    best = ours.fit(X, SPECIES).best_validation_score_
    coefs = ours.coefs_
    ours.set_params(learning_rate_init=10.0).fit(X, SPECIES)
    assert ours.best_validation_score_ == best == max(ours.validation_scores_)
    assert len(ours.validation_scores_) == len(ours.loss_curve_)
    assert_close(ours.coefs_[0], coefs[0], 0.0)


@pytest.mark.parametrize("options", [{}, {"solver": "sgd", "learning_rate": "invscaling"}])
def test_partial_fit(options):
    theirs, ours = pair(MLPClassifier, batch_size=16, **options)
    for start in (0, 50, 100, 20):
        part, weights = slice(start, start + 50), WEIGHTS[start : start + 50]
        theirs.partial_fit(X[part], SPECIES[part], weights, classes=[0, 1, 2])
        ours.partial_fit(X[part], SPECIES[part], weights, classes=[0, 1, 2])
    assert_equal(theirs, ours)
    assert len(ours.loss_curve_) == 4


def test_partial_fit_of_figures_and_labels():
    theirs, ours = pair(MLPRegressor)
    for _ in range(3):
        theirs.partial_fit(FIGURES[0], FIGURES[1][:, 0])
        ours.partial_fit(FIGURES[0], FIGURES[1][:, 0])
    assert_equal(theirs, ours)
    theirs, ours = pair(MLPClassifier)
    theirs.partial_fit(X, LABELS, classes=[0, 1, 2])
    assert_equal(theirs, ours.partial_fit(X, LABELS, classes=[0, 1, 2]))


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    assert not hasattr(MLPRegressor(solver="lbfgs"), "partial_fit")


def test_weights_may_be_assigned():
    theirs = pair(MLPClassifier)[0].fit(X, SPECIES)
    ours = pair(MLPClassifier, random_state=1)[1].fit(X, SPECIES)
    ours.coefs_, ours.intercepts_ = theirs.coefs_, theirs.intercepts_
    assert_close(ours.predict_proba(X), theirs.predict_proba(X), 1e-12)
    ours.coefs_[0][:] = 0.0
    assert not ours.model_.layers[0].weight.data.any()


def test_names_of_classes():
    names = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
    theirs, ours = pair(MLPClassifier)
    assert_equal(theirs.fit(X, names), ours.fit(X, names))
    assert ours.predict(X).dtype == names.dtype


def test_lbfgs_at_its_goal_takes_no_step():
    theirs, ours = pair(MLPClassifier, solver="lbfgs", tol=1e9)
    assert_equal(theirs.fit(X, SPECIES), ours.fit(X, SPECIES))
    assert ours.n_iter_ == 0
    assert ours.best_loss_ == ours.loss_


def test_one_class_is_always_told():
    ours = MLPClassifier(max_iter=2).fit(X, np.full(150, "all"))
    assert set(ours.predict(X)) == {"all"}


@pytest.mark.no_cover
@pytest.mark.parametrize("solver", ["adam", "lbfgs", "sgd"])
@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu", "identity"])
def test_xor_as_in_the_lecture_notes(activation, solver):
    options = {"hidden_layer_sizes": (2,), "activation": activation, "solver": solver}
    theirs, ours = pair(MLPClassifier, max_iter=10000, **options)
    theirs.fit(*XOR), ours.fit(*XOR)
    np.testing.assert_array_equal(ours.predict(XOR[0]), theirs.predict(XOR[0]))
    if solver == "lbfgs":  # near the minimum, rounding decides where the search along a line ends
        assert_close(ours.predict_proba(XOR[0]), theirs.predict_proba(XOR[0]), 0.01)
    else:
        assert_equal(theirs, ours)


@pytest.mark.no_cover
def test_xor_is_learnt_by_relu_but_not_by_logistic():
    options = {"hidden_layer_sizes": (2,), "max_iter": 10000, "random_state": 20}
    logistic = MLPClassifier(activation="logistic", **options).fit(*XOR)
    relu = MLPClassifier(activation="relu", **options).fit(*XOR)
    assert logistic.predict(XOR[0]).tolist() == [1, 1, 1, 1]
    assert logistic.n_iter_ == 16
    assert relu.predict(XOR[0]).tolist() == [0, 1, 1, 0]
    assert relu.n_iter_ == 2989


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("solver", "why"), [("adam", "3 epochs, the most allowed"), ("lbfgs", "LIMIT")]
)
def test_a_search_that_has_not_ended_is_said(solver, why):
    with pytest.warns(
        ConvergenceWarning, match=f"MLPClassifier has not converged: .*{why}"
    ) as said:
        MLPClassifier(3, solver=solver, max_iter=3, tol=0.0, random_state=0).fit(X, SPECIES)
    assert said[0].filename == __file__
