"""What the estimators have beyond scikit-learn's, and what bad input gets."""

import signal
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

import nn
from autograd_core import AutogradError, DomainError, OptionError, ShapeError
from nn import losses
from nn.estimators import MLPClassifier, MLPRegressor, PerceptronClassifier, as_estimator

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, SPECIES = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
LABELS = (X[:, :3] > 0).astype(int)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]


def classifier(**options):
    return MLPClassifier(**{"hidden_layer_sizes": 6, "max_iter": 5, "random_state": 0} | options)


def regressor(**options):
    return MLPRegressor(**{"hidden_layer_sizes": 6, "max_iter": 5, "random_state": 0} | options)


def assert_same_weights(one, other):
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_dropout_stands_after_each_hidden_layer_and_repeats():
    ours = classifier(hidden_layer_sizes=(6, 4), dropout=0.5).fit(X, SPECIES)
    kinds = [type(layer).__name__ for layer in ours.model_.layers]
    assert kinds == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert ours.model_.layers[1].rate == 0.5
    assert_same_weights(ours, classifier(hidden_layer_sizes=(6, 4), dropout=0.5).fit(X, SPECIES))
    without = classifier(hidden_layer_sizes=(6, 4)).fit(X, SPECIES)
    assert (ours.coefs_[0] != without.coefs_[0]).any()
    np.testing.assert_array_equal(ours.predict_proba(X), ours.predict_proba(X))


@pytest.mark.parametrize(("class_weight", "factor"), [({"setosa": 3.0}, 3.0), ("balanced", 1.0)])
def test_class_weight_is_sample_weight_by_class(class_weight, factor):
    by_sample = np.where(SPECIES == 0, factor, 1.0)
    by_class = classifier(class_weight=class_weight).fit(X, NAMES)
    assert_same_weights(by_class, classifier().fit(X, NAMES, by_sample))
    both = classifier(class_weight=class_weight).fit(X, NAMES, 1 / by_sample)
    assert_same_weights(both, classifier().fit(X, NAMES))


def test_class_weight_of_labels():
    weights = [{0: 1.0, 1: 2.0}, {0: 1.0, 1: 1.0}, {0: 3.0, 1: 1.0}]
    by_sample = np.where(LABELS[:, 0], 2.0, 1.0) * np.where(LABELS[:, 2], 1.0, 3.0)
    assert_same_weights(
        classifier(class_weight=weights).fit(X, LABELS), classifier().fit(X, LABELS, by_sample)
    )


@pytest.mark.parametrize("loss", ["binary_crossentropy", losses.binary_crossentropy])
def test_any_loss_of_classes(loss):
    y = SPECIES > 0
    assert_same_weights(classifier(loss=loss).fit(X, y), classifier().fit(X, y))


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
@pytest.mark.parametrize("y", [SPECIES, SPECIES > 0], ids=["classes", "two"])
def test_crossentropies_of_classes_are_the_log_loss(y, loss):
    assert_same_weights(classifier(loss=loss).fit(X, y), classifier().fit(X, y))
    assert_same_weights(classifier(loss=losses.get(loss)).fit(X, y), classifier().fit(X, y))


@pytest.mark.parametrize(
    "loss",
    ["huber", "mae", partial(losses.huber, delta=0.5), lambda y, p, sample_weight: (p * p).mean()],
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_any_loss_of_figures(loss, solver):
    ours = regressor(loss=loss, solver=solver, alpha=0.0, max_iter=30).fit(X, X[:, 0])
    function = losses.get(loss)
    reached = function(X[:, :1], ours.predict(X)[:, None], sample_weight=None)
    assert ours.loss_curve_[0] > ours.loss_curve_[-1]
    assert reached == pytest.approx(ours.loss_, rel=0.1)


@pytest.mark.parametrize("activation", ["gelu", "sigmoid", nn.activations.softplus])
def test_any_activation(activation):
    ours = classifier(activation=activation).fit(X, SPECIES)
    assert ours.model_.layers[0].activation is nn.activations.get(activation)


def test_sigmoid_is_logistic():
    assert_same_weights(
        classifier(activation="sigmoid").fit(X, SPECIES),
        classifier(activation="logistic").fit(X, SPECIES),
    )


class StopAfterThree(nn.Callback):
    def on_epoch_end(self, epoch, logs):
        self.loss = logs["loss"]
        self.model.stop_training = epoch == 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_callbacks_may_stop(solver):
    callback = StopAfterThree()
    ours = classifier(solver=solver, callbacks=[callback], max_iter=50).fit(X, SPECIES)
    assert ours.n_iter_ == len(ours.loss_curve_) == 3
    assert callback.loss == ours.loss_ == ours.loss_curve_[-1]


@pytest.mark.parametrize("make", [classifier, PerceptronClassifier])
def test_no_callback_and_a_single_one(make):
    callback = StopAfterThree()
    assert make(callbacks=callback, max_iter=50).fit(X, SPECIES).n_iter_ == 3
    make(callbacks=None).fit(X, SPECIES)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("loss", ["log_loss", partial(losses.huber, delta=0.5)], ids=["log", "own"])
def test_checkpoints_in_training(solver, loss, tmp_path):
    callback = nn.ModelCheckpoint(tmp_path / "{epoch}.safetensors")
    ours = classifier(solver=solver, loss=loss, callbacks=[callback]).fit(X, SPECIES)
    loaded = nn.load(tmp_path / "5.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), ours.predict_proba(X))
    if solver != "lbfgs":  # which has no optimizer to go on with
        given = np.eye(3)[SPECIES], ours.predict_proba(X)
        assert loaded.loss(*given) == ours.model_.loss(*given)
        loaded.fit(X, np.eye(3)[SPECIES], verbose=0)


class Interrupt(nn.Callback):
    def on_epoch_end(self, epoch, logs):
        if epoch == 1:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_ctrl_c_ends_training_and_keeps_what_was_learnt(solver):
    ours = classifier(solver=solver, callbacks=[Interrupt()], max_iter=50).fit(X, SPECIES)
    assert ours.n_iter_ == 2
    assert ours.predict(X).shape == (150,)


def test_targets_in_a_column_are_as_good():
    with pytest.warns(Warning, match="A column-vector y was passed"):
        ours = classifier().fit(X, SPECIES[:, None])
    assert_same_weights(ours, classifier().fit(X, SPECIES))


def test_lbfgs_has_a_loss_curve():
    ours = classifier(solver="lbfgs", max_iter=20).fit(X, SPECIES)
    assert len(ours.loss_curve_) == ours.n_iter_ == 20
    assert ours.loss_curve_ == sorted(ours.loss_curve_, reverse=True)
    assert ours.best_loss_ == ours.loss_ == ours.loss_curve_[-1]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_verbose_says_each_epoch(solver, capsys):
    classifier(solver=solver, max_iter=2, verbose=True).fit(X, SPECIES)
    assert "epoch 2  loss" in capsys.readouterr().out


def test_the_model_inside_can_be_saved_and_learn_on(tmp_path):
    ours = classifier(max_iter=30).fit(X, SPECIES)
    ours.model_.save(tmp_path / "model.safetensors")
    loaded = nn.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), ours.predict_proba(X))
    before = loaded.evaluate(X, np.eye(3)[SPECIES])
    loaded.fit(X, np.eye(3)[SPECIES], epochs=5, verbose=0)
    assert loaded.evaluate(X, np.eye(3)[SPECIES]) < before


def test_early_stopping_of_figures_goes_back_to_the_best():
    ours = regressor(early_stopping=True, max_iter=200, learning_rate_init=0.05, n_iter_no_change=3)
    ours.fit(X, X[:, 0])
    assert ours.best_validation_score_ == max(ours.validation_scores_)
    assert ours.n_iter_ < 200


BAD_OPTIONS = [
    ({"solver": "lbgfs"}, r"solver 'lbgfs'\n.*\n.*write: 'lbfgs'"),
    ({"learning_rate": "adaptative"}, "learning_rate 'adaptative'\n.*\n.*write: 'adaptive'"),
    ({"activation": "rleu"}, "activation 'rleu'\n.*\n.*write: 'relu'"),
    ({"loss": "logloss"}, "loss 'logloss'"),
    ({"alpha": -1}, "alpha = -1"),
    ({"power_t": -1}, "power_t = -1"),
    ({"tol": -1}, "tol = -1"),
    ({"n_iter_no_change": 0}, "n_iter_no_change = 0"),
    ({"validation_fraction": 2}, "validation_fraction = 2"),
    ({"max_iter": 0}, "max_iter=0"),
    ({"max_fun": 0.5}, "max_fun=0.5"),
    ({"batch_size": 0}, "batch_size=0"),
    ({"batch_size": "all"}, "batch_size='all'"),
    ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes=0"),
    ({"learning_rate_init": -1}, "learning_rate = -1"),
    ({"solver": "sgd", "momentum": 2}, "momentum = 2"),
    ({"beta_1": 1.5}, "beta_1 = 1.5"),
    ({"epsilon": -1}, "epsilon = -1"),
    ({"dropout": 1.5}, "rate = 1.5"),
    ({"dropout": 0.5, "solver": "lbfgs"}, "dropout=0.5 with solver='lbfgs'\n.*lines"),
    ({"callbacks": [print]}, "as a callback"),
    (
        {"callbacks": nn.LearningRateScheduler(lambda epoch, rate: rate), "solver": "lbfgs"},
        "LearningRateScheduler with solver='lbfgs'\n.*no learning rate",
    ),
    ({"callbacks": [nn.ReduceLROnPlateau("loss")], "solver": "lbfgs"}, "OnPlateau with solver"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_bad_options(make, options, message):
    estimator = make().fit(X, SPECIES).set_params(**options)
    before = dict(vars(estimator))
    with pytest.raises(OptionError, match=message):
        estimator.fit(X[:, :3], SPECIES > 1)
    assert vars(estimator) == before
    with pytest.raises(OptionError):
        make(**options).fit(X, SPECIES)
    assert not hasattr(make(**options), "model_")


def test_weights_that_do_not_fit_change_nothing():
    ours = classifier().fit(X, SPECIES)
    before = [coef.copy() for coef in ours.coefs_]
    with pytest.raises(ShapeError, match=r"1\.weight of shape \(6, 4\)"):
        ours.coefs_ = [before[0] + 1, before[0]]
    assert all((one == other).all() for one, other in zip(before, ours.coefs_, strict=True))


def test_too_few_samples_to_hold_out():
    with pytest.raises(OptionError, match=r"validation_fraction=0\.005 of 150 samples"):
        regressor(early_stopping=True, validation_fraction=0.005).fit(X, SPECIES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"penalty": "l3"}, "penalty 'l3'"),
        ({"l1_ratio": 2}, "l1_ratio = 2"),
        ({"validation_fraction": -1}, "validation_fraction = -1"),
        ({"alpha": -1}, "alpha = -1"),
        ({"eta0": -1}, "eta0 = -1"),
        ({"penalty": "l2", "eta0": 10, "alpha": 10}, r"eta0 \* alpha \* \(1 - l1_ratio\) = 100"),
        ({"tol": -1}, "tol = -1"),
        ({"max_iter": 0}, "max_iter=0"),
        ({"n_iter_no_change": 0}, "n_iter_no_change=0"),
    ],
)
def test_bad_options_of_perceptrons(options, message):
    with pytest.raises(OptionError, match=message):
        PerceptronClassifier(**options).fit(X, SPECIES)


def test_a_perceptron_needs_two_classes():
    with pytest.raises(DomainError, match="y with one class, 'all'"):
        PerceptronClassifier().fit(X, ["all"] * 150)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(3), ShapeError, r"sample_weight of shape \(3,\) for 150 samples"),
        (np.ones((150, 2)), ShapeError, r"sample_weight of shape \(150, 2\)"),
        (np.zeros(150), DomainError, "zero as every weight"),
        (-np.ones(150), DomainError, "sample_weight with negative numbers"),
    ],
)
def test_bad_weights(weights, error, message):
    estimator = classifier()
    with pytest.raises(error, match=message):
        estimator.fit(X, SPECIES, weights)
    assert not hasattr(estimator, "model_")


EVERY_CLASSIFIER = [
    classifier(),
    PerceptronClassifier(),
    as_estimator(lambda outputs: nn.Sequential([nn.Dense(outputs, "softmax")])),
]


@pytest.mark.parametrize("estimator", EVERY_CLASSIFIER, ids=lambda e: type(e).__name__)
def test_bad_parts(estimator):
    estimator = clone(estimator)
    with pytest.raises(OptionError, match="the first partial_fit without classes"):
        estimator.partial_fit(X, NAMES)
    with pytest.raises(DomainError, match=r"y with 'virginica'\n.*'setosa', 'versicolor'\n"):
        estimator.partial_fit(X, NAMES, classes=["setosa", "versicolor"])
    estimator.partial_fit(X, NAMES, classes=["setosa", "versicolor", "virginica", "pallida"])
    before = estimator.model_.state_dict()
    with pytest.raises(OptionError, match=r"classes=\['setosa'\]\n.*'pallida'"):
        estimator.partial_fit(X, NAMES, classes=["setosa"])
    with pytest.raises(DomainError, match="y with 'other'"):
        estimator.partial_fit(X, np.where(SPECIES == 0, "other", NAMES))
    with pytest.raises(OptionError, match="class_weight='balanced' in partial_fit"):
        estimator.set_params(class_weight="balanced").partial_fit(X, NAMES)
    after = estimator.model_.state_dict()
    assert all((before[name] == after[name]).all() for name in before)


@pytest.mark.parametrize("estimator", [classifier(), regressor(), PerceptronClassifier()])
def test_parts_are_not_held_out(estimator):
    with pytest.raises(OptionError, match="partial_fit with early_stopping=True"):
        clone(estimator).set_params(early_stopping=True).partial_fit(X, SPECIES)


@pytest.mark.parametrize("estimator", EVERY_CLASSIFIER, ids=lambda e: type(e).__name__)
def test_warm_start_keeps_to_its_classes(estimator):
    estimator = clone(estimator).set_params(warm_start=True).fit(X[:100], NAMES[:100])
    with pytest.raises(DomainError, match="y with 'virginica'"):
        estimator.fit(X, NAMES)
    assert estimator.classes_.tolist() == ["setosa", "versicolor"]


def test_warm_start_keeps_to_its_layers():
    estimator = classifier(warm_start=True).fit(X, SPECIES)
    with pytest.raises(OptionError, match=r"layers of \[4, 5, 3\] units after .* \[4, 6, 3\]"):
        estimator.set_params(hidden_layer_sizes=5).fit(X, SPECIES)


def test_poisson_takes_no_negative_figures():
    with pytest.raises(DomainError, match="y with -1 for loss='poisson'"):
        regressor(loss="poisson").fit(X, np.full(150, -1.0))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_weights_that_are_no_numbers_any_more(early_stopping):
    options = {"solver": "sgd", "learning_rate_init": 1e200, "early_stopping": early_stopping}
    with pytest.raises(DomainError, match="weights of MLPRegressor that became NaN or inf"):
        regressor(activation="identity", **options).fit(X, X[:, 0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::nn.TrainingWarning")
def test_a_part_that_leads_too_far_changes_nothing():
    ours = regressor(activation="identity", solver="sgd").partial_fit(X, X[:, 0])
    before, curve = ours.model_.state_dict(), ours.loss_curve_
    with pytest.raises(DomainError, match="became NaN or inf"):
        ours.partial_fit(X * 1e200, X[:, 0])
    assert all((before[name] == now).all() for name, now in ours.model_.state_dict().items())
    assert ours.loss_curve_ == curve


def test_errors_are_of_both_kinds():
    with pytest.raises(AutogradError):
        classifier(alpha=-1).fit(X, SPECIES)
    with pytest.raises(ValueError, match="alpha"):
        classifier(alpha=-1).fit(X, SPECIES)


class TestGoingOn:
    """warm_start and partial_fit: what the model that is there does not follow is refused."""

    @pytest.mark.parametrize("kind", ["mlp", "network", "perceptron"])
    def test_a_warm_start_refuses_data_without_a_class(self, kind):
        estimator = {
            "mlp": lambda: MLPClassifier(4, max_iter=2, warm_start=True),
            "network": lambda: as_estimator(
                nn.Sequential([nn.Dense(3, "softmax")]), warm_start=True
            ),
            "perceptron": lambda: PerceptronClassifier(warm_start=True),
        }[kind]()
        x, y = np.random.default_rng(0).normal(size=(30, 2)), np.tile([0, 1, 2], 10)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            estimator.fit(x, y)
            with pytest.raises(OptionError, match="y without 2"):
                estimator.fit(x[y < 2], y[y < 2])
            with pytest.raises(DomainError):
                estimator.fit(x, y + 1)
            estimator.partial_fit(x[y < 2], y[y < 2])

    @pytest.mark.parametrize(
        ("name", "value"), [("activation", "tanh"), ("dropout", 0.5), ("loss", "mae")]
    )
    def test_a_warm_start_refuses_another_network(self, name, value):
        x = np.random.default_rng(0).normal(size=(30, 2))
        estimator = MLPRegressor(4, solver="lbfgs", max_iter=1000, alpha=0.1, warm_start=True)
        estimator.fit(x, x[:, 0]).set_params(alpha=0.2).fit(x, x[:, 0])
        estimator.set_params(solver="adam", **{name: value})
        with pytest.raises(OptionError, match=name):
            estimator.fit(x, x[:, 0])

    @pytest.mark.parametrize(
        ("name", "value"),
        [("optimizer", "sgd"), ("loss", "mae"), ("metrics", ["mae"]), ("model", nn.Dense(1))],
    )
    def test_a_warm_start_refuses_another_model(self, name, value):
        x = np.random.default_rng(0).normal(size=(30, 2))
        estimator = as_estimator(
            nn.Sequential([nn.Dense(1)]), "regressor", warm_start=True, epochs=2
        )
        estimator.fit(x, x[:, 0]).set_params(epochs=1).fit(x, x[:, 0])
        assert estimator.n_iter_ == 1
        with pytest.raises(OptionError, match=name):
            estimator.set_params(**{name: value}).fit(x, x[:, 0])


def test_a_coefficient_or_intercept_that_is_assigned_acts():
    x = np.random.default_rng(0).normal(size=(30, 2))
    estimator = MLPRegressor((), solver="lbfgs", alpha=0.0, max_iter=1000).fit(x, x[:, 0])
    estimator.coefs_[0] = np.array([[2.0], [3.0]])
    estimator.intercepts_[0] = [5.0]
    assert np.allclose(estimator.predict(x), x @ [2.0, 3.0] + 5.0)
    estimator.coefs_[0][:] = 1.0
    assert np.allclose(estimator.predict(x), x @ [1.0, 1.0] + 5.0)
    with pytest.raises(AutogradError):
        estimator.coefs_[0] = np.ones((3, 1))
