"""Options of training: what is accepted acts, also in combinations; the rest is refused."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import nn
from autograd_core import AutogradError, OptionError, Value, sigmoid
from nn import losses, metrics
from nn.estimators import MLPRegressor, as_estimator

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(24, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0]
BINARY = (Y > 0) * 1
EAGER_AND_JIT = pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])


def model_of(units=1, activation=None, loss="mse", optimizer=None, **options):
    nn.set_seed(0)
    model = nn.Sequential([nn.Dense(units, activation)], input_shape=(4,))
    model.compile(nn.SGD(0.1) if optimizer is None else optimizer, loss=loss, **options)
    return model


def learnt(model, *data, **options):
    """Return the losses of two epochs."""
    options = {"epochs": 2, "batch_size": 8, "shuffle": False, "verbose": 0} | options
    return model.fit(*data, **options).history["loss"]


class TestLossesAndMetricsOfOnesOwn:
    @EAGER_AND_JIT
    def test_a_loss_of_two_arguments_learns_as_one_of_three(self, jit):
        expected = learnt(model_of(), X, Y[:, None])
        mean = model_of(loss=lambda y_true, y_pred: np.mean((y_true - y_pred) ** 2), jit=jit)
        each = model_of(loss=lambda y_true, y_pred: (y_true - y_pred)[:, 0] ** 2, jit=jit)
        assert np.allclose(learnt(mean, X, Y[:, None]), expected)
        assert np.allclose(learnt(each, X, Y[:, None]), expected)

    @EAGER_AND_JIT
    def test_losses_of_samples_are_weighted(self, jit):
        weights = RANDOM.uniform(size=24)
        expected = learnt(model_of(), X, Y[:, None], sample_weight=weights)
        model = model_of(loss=lambda y_true, y_pred: (y_true - y_pred)[:, 0] ** 2, jit=jit)
        assert np.allclose(learnt(model, X, Y[:, None], sample_weight=weights), expected)

    def test_a_loss_that_has_averaged_refuses_weights(self):
        model = model_of(loss=lambda y_true, y_pred: np.mean((y_true - y_pred) ** 2))
        with pytest.raises(OptionError, match="all samples count alike"):
            learnt(model, X, Y[:, None], sample_weight=np.ones(24))

    @pytest.mark.parametrize(
        ("loss", "message"),
        [
            (lambda y_true, y_pred: None, "returns None"),
            (lambda y_true, y_pred: 1.0, "a plain float"),
            (lambda y_true, y_pred: np.mean(y_pred.data), "a plain float"),
            (lambda y_true, y_pred: Value(np.mean(y_pred.data)), "not computed from y_pred"),
            (partial(losses.mean_squared_error, reduction="none"), "losses of shape"),
        ],
    )
    def test_a_loss_without_a_derivative_is_refused(self, loss, message):
        for use in ("fit", "train_on_batch", "evaluate"):
            with pytest.raises(OptionError, match=message):
                getattr(model_of(loss=loss), use)(X, Y[:, None])

    def test_estimators_take_losses_of_two_arguments(self):
        def loss(y_true, y_pred):
            return np.mean((y_true - y_pred) ** 2)

        def by(make):
            return [make(each).fit(X, Y).predict(X) for each in (loss, "mean_squared_error")]

        model = nn.Sequential([nn.Dense(1)])
        own, named = by(lambda loss: as_estimator(model, "regressor", loss=loss, random_state=0))
        assert np.allclose(own, named)
        for solver in ("lbfgs", "adam"):
            options = {"solver": solver, "max_iter": 20, "tol": 0.0, "random_state": 0}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                own, named = by(lambda loss, o=options: MLPRegressor(4, loss=loss, **o))
            assert np.allclose(own, named)

    def test_a_metric_may_return_a_value(self):
        model = model_of(metrics=[lambda y_true, y_pred: np.mean(abs(Value(y_pred) - y_true))])
        found = model.evaluate(X, Y[:, None])
        assert np.isclose(found[1], np.mean(abs(model.predict(X)[:, 0] - Y)))

    @pytest.mark.parametrize("returned", [None, "good", {}])
    def test_a_metric_without_a_number_is_refused(self, returned):
        model = model_of(metrics=[lambda y_true, y_pred: returned])
        with pytest.raises(OptionError, match="a metric is a number"):
            model.evaluate(X, Y[:, None])


class TestNamesOfMetrics:
    def test_metrics_of_one_name_all_appear(self):
        thresholds = [partial(metrics.precision, threshold=t) for t in (0.3, 0.5, 0.7)]
        model = model_of(1, "sigmoid", "binary_crossentropy", metrics=[*thresholds, "f1", "acc"])
        found = model.evaluate(X, BINARY, return_dict=True)
        assert list(found) == ["loss", "precision", "precision_1", "precision_2", "f1", "acc"]
        chances = model.predict(X)[:, 0]
        expected = [metrics.precision(BINARY, chances, threshold=t) for t in (0.3, 0.5, 0.7)]
        assert [found["precision"], found["precision_1"], found["precision_2"]] == expected

    @pytest.mark.parametrize("name", ["loss", "val_loss", "epoch", "learning_rate"])
    def test_a_metric_named_as_another_figure_is_refused(self, name):
        def metric(y_true, y_pred):
            return 0.0

        metric.__name__ = name
        with pytest.raises(OptionError, match="another figure"):
            model_of(metrics=[metric])

    @pytest.mark.parametrize("given", [metrics.auc, {"mae": metrics.auc}, [None], [3]])
    def test_what_is_no_list_of_functions_is_refused(self, given):
        with pytest.raises(OptionError):
            model_of(metrics=given)


THRESHOLDED = ["accuracy", "binary_accuracy", "precision", "recall", "f1"]
FIGURES = [*THRESHOLDED, "auc", "binary_crossentropy"]


class TestLogits:
    @pytest.mark.parametrize("units", [1, 3])
    def test_metrics_of_logits_are_those_of_probabilities(self, units):
        y = RANDOM.integers(0, 2, (24, units))
        logits = partial(losses.binary_crossentropy, from_logits=True)
        figures = [f for f in FIGURES if units == 1 or f != "accuracy"]
        of_logits = model_of(units, None, logits, metrics=figures)
        of_chances = model_of(units, "sigmoid", "binary_crossentropy", metrics=figures)
        expected = of_chances.evaluate(X, y, return_dict=True)
        found = of_logits.evaluate(X, y, return_dict=True)
        assert all(np.isclose(found[name], expected[name]) for name in expected)
        assert found["precision"] not in (0.0, 1.0)

    def test_metrics_of_logits_of_classes_are_those_of_probabilities(self):
        y = RANDOM.integers(0, 3, 24)
        of_classes = [
            partial(metrics.f1_score, average="macro"),
            "sparse_categorical_crossentropy",
            "accuracy",
            partial(metrics.sparse_top_k_categorical_accuracy, k=2),
        ]
        logits = partial(losses.sparse_categorical_crossentropy, from_logits=True)
        found = model_of(3, None, logits, metrics=of_classes).evaluate(X, y)
        plain = "sparse_categorical_crossentropy"
        expected = model_of(3, "softmax", plain, metrics=of_classes).evaluate(X, y)
        assert np.allclose(found, expected)

    @pytest.mark.parametrize("metric", ["precision", "recall", "f1", "binary_accuracy"])
    def test_a_threshold_of_probabilities_is_refused_for_logits_of_classes(self, metric):
        logits = partial(losses.categorical_crossentropy, from_logits=True)
        with pytest.raises(OptionError, match="logits of classes"):
            model_of(3, None, logits, metrics=[metric])

    def test_a_threshold_of_ones_own_stays(self):
        logits = partial(losses.binary_crossentropy, from_logits=True)
        own = partial(metrics.recall, threshold=0.4)
        model = model_of(1, None, logits, metrics=[own])
        expected = metrics.recall(BINARY, model.predict(X)[:, 0], threshold=0.4)
        assert model.evaluate(X, BINARY)[1] == expected

    @pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
    def test_scores_of_a_hinge_loss_decide_at_0(self, loss):
        model = model_of(loss=loss, metrics=THRESHOLDED)
        scores = model.predict(X)[:, 0]
        expected = [metrics.get(name)(BINARY, sigmoid(scores)) for name in THRESHOLDED]
        assert model.evaluate(X, BINARY)[1:] == expected
        assert np.array_equal(model.predict_classes(X), scores > 0)

    @pytest.mark.parametrize("y", [BINARY, np.stack([BINARY, 1 - BINARY], 1)], ids=["two", "many"])
    def test_an_estimator_with_a_hinge_loss_decides_at_0(self, y):
        model = nn.Sequential([nn.Dense(y[0].size)])
        estimator = as_estimator(model, loss="hinge", random_state=0).set_params(epochs=3)
        scores = estimator.fit(X, y).model_.predict(X)
        assert np.array_equal(estimator.predict(X), np.squeeze(scores) > 0)
        assert ((scores > 0) & (scores < 0.5)).any()
        with pytest.raises(OptionError, match="scores"):
            estimator.predict_proba(X)


class TestCallbacks:
    def test_one_callback_may_come_alone(self):
        seen = []
        callback = nn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
        learnt(model_of(), X, Y[:, None], callbacks=callback)
        assert seen == [0, 1]

    @pytest.mark.parametrize("given", ["EarlyStopping", nn.callbacks.EarlyStopping, [print], 3])
    def test_what_is_no_callback_is_named(self, given):
        with pytest.raises(OptionError, match="as a callback"):
            learnt(model_of(), X, Y[:, None], callbacks=given)

    def test_of_a_class_its_call_is_named(self):
        with pytest.raises(OptionError, match=r"write: EarlyStopping\(\.\.\.\)"):
            learnt(model_of(), X, Y[:, None], callbacks=[nn.EarlyStopping])

    @pytest.mark.parametrize(
        "schedule", [lambda epoch: 0.5 / (epoch + 1), lambda epoch, rate: 0.5 / (epoch + 1)]
    )
    def test_a_schedule_takes_the_epoch_and_may_take_the_rate(self, schedule):
        callback = nn.LearningRateScheduler(schedule)
        history = model_of().fit(X, Y[:, None], epochs=2, verbose=0, callbacks=callback).history
        assert history["learning_rate"] == [0.5, 0.25]

    @pytest.mark.parametrize("rate", [None, "fast", -1.0, np.nan])
    def test_a_schedule_that_returns_no_rate_is_refused(self, rate):
        callback = nn.LearningRateScheduler(lambda epoch: rate)
        with pytest.raises(AutogradError, match="learning rate of epoch 0"):
            learnt(model_of(), X, Y[:, None], callbacks=callback)


class TestOptionsOfFit:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"epochs": 2.5}, "counts epochs"),
            ({"epochs": 1.0}, "counts epochs"),
            ({"epochs": "many"}, "epochs = 'many'"),
            ({"initial_epoch": 0.5}, "counts epochs"),
            ({"initial_epoch": -1}, "initial_epoch"),
            ({"shuffle": "batch"}, "shuffle='batch'"),
            ({"shuffle": None}, "shuffle=None"),
            ({"verbose": 3}, "verbose=3"),
            ({"verbose": "loud"}, "verbose='loud'"),
            ({"batch_size": 0}, "batch_size"),
            ({"batch_size": 8.0}, "batch_size"),
            ({"validation_split": 0.5, "validation_data": (X, Y)}, "one or the other"),
        ],
    )
    def test_what_would_do_nothing_or_something_else_is_refused(self, options, message):
        with pytest.raises(OptionError, match=message):
            model_of().fit(X, Y[:, None], **({"verbose": 0} | options))

    def test_a_split_of_batches_is_refused(self):
        with pytest.raises(OptionError, match="iterable of batches"):
            model_of().fit([(X, Y[:, None])], verbose=0, validation_split=0.5)

    @pytest.mark.parametrize("name", ["fit", "evaluate"])
    def test_a_batch_size_of_batches_is_refused(self, name):
        for given in ([(X, Y[:, None])], nn.batches(X, Y[:, None], batch_size=8)):
            with pytest.raises(OptionError, match=r"batch_size=4.*batches\n.*comes\n.*nn\.batches"):
                getattr(model_of(), name)(given, batch_size=4, verbose=0)

    def test_no_epoch_left_is_warned_of(self):
        with pytest.warns(nn.TrainingWarning, match="none is left to learn"):
            history = model_of().fit(X, Y[:, None], epochs=5, initial_epoch=5, verbose=0)
        assert history.epoch == []

    def test_each_option_acts(self):
        def state(**options):
            model = model_of(activation="sigmoid", loss="binary_crossentropy")
            model.fit(X, BINARY, **({"verbose": 0, "epochs": 2, "batch_size": 8} | options))
            return model.layers[0].weight.data.tolist()

        plain = state()
        assert state() == plain  # otherwise a difference would prove nothing
        for option in (
            {"batch_size": 3},
            {"epochs": 3},
            {"initial_epoch": 1},
            {"shuffle": False},
            {"validation_split": 0.5},
            {"class_weight": {1: 3.0}},
            {"sample_weight": np.arange(24.0)},
            {"class_weight": {1: 3.0}, "sample_weight": np.arange(24.0)},
        ):
            assert state(**option) != plain, option

    def test_weights_of_the_last_samples_go_to_validation(self):
        weights = np.arange(24.0)
        options = {"validation_split": 0.25, "verbose": 0}
        history = model_of(optimizer=nn.SGD(0.0)).fit(
            X, Y[:, None], sample_weight=weights, class_weight=None, **options
        )
        expected = model_of().evaluate(X[18:], Y[18:, None], sample_weight=weights[18:])
        assert np.isclose(history.history["val_loss"][0], expected)


def test_a_mask_value_of_nan_is_refused():
    with pytest.raises(OptionError, match="NaN equals no number"):
        nn.Masking(np.nan)
