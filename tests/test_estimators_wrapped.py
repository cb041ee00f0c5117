"""as_estimator: models of nn as estimators, beside the same models trained by hand."""

from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

import nn
from autograd_core import DomainError, ShapeError
from nn import Adam, Conv2D, Dense, Flatten, Sequential
from nn.estimators import NetworkClassifier, NetworkRegressor, as_estimator
from nn.losses import sparse_categorical_crossentropy

X, SPECIES = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
LABELS = (X[:, :3] > 0).astype(int)


def softmax(outputs):
    return Sequential([Dense(10, "tanh"), Dense(outputs, "softmax")])


def sigmoid(outputs):
    return Sequential([Dense(10, "tanh"), Dense(outputs, "sigmoid")])


def logits(outputs):
    return Sequential([Dense(10, "tanh"), Dense(outputs)])


def with_logits(name):
    return partial(getattr(nn.losses, name), from_logits=True)


OPTIONS = {"optimizer": Adam(0.02), "epochs": 30, "random_state": 0}
MODELS = {
    "softmax": (softmax, None, NAMES),
    "softmax of two": (softmax(2), None, NAMES == "setosa"),
    "one sigmoid": (sigmoid(1), None, NAMES == "setosa"),
    "labels": (sigmoid, None, LABELS),
    "class numbers": (softmax, "sparse_categorical_crossentropy", NAMES),
    "rows": (softmax, "mse", NAMES),
    "logits": (logits, with_logits("categorical_crossentropy"), NAMES),
    "logits of class numbers": (logits, with_logits("sparse_categorical_crossentropy"), NAMES),
    "one logit": (logits(1), with_logits("binary_crossentropy"), NAMES == "setosa"),
    "logits of labels": (logits, with_logits("binary_crossentropy"), LABELS),
}


@pytest.mark.parametrize(("model", "loss", "y"), MODELS.values(), ids=MODELS)
def test_classifiers(model, loss, y):
    estimator = as_estimator(model, loss=loss, **OPTIONS).fit(X, y)
    assert isinstance(estimator, NetworkClassifier)
    probabilities = estimator.predict_proba(X)
    if y is LABELS:
        assert probabilities.shape == estimator.predict(X).shape == LABELS.shape
        np.testing.assert_array_equal(estimator.predict(X), probabilities > 0.5)
        assert estimator.score(X, y) > 0.7
    else:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
        most_likely = estimator.classes_[probabilities.argmax(axis=1)]
        np.testing.assert_array_equal(estimator.predict(X), most_likely)
        assert estimator.score(X, y) > 0.9
    assert len(estimator.history_["loss"]) == estimator.n_iter_ == 30


def test_equals_the_same_training_by_hand():
    figures = {"shuffle": False, "validation_split": 0.2}
    estimator = as_estimator(softmax, loss="sparse_categorical_crossentropy", **OPTIONS)
    estimator.set_params(metrics=["accuracy"], **figures).fit(X, SPECIES)
    by_hand = softmax(3)
    by_hand.build((4,), float)
    again = as_estimator(by_hand, **OPTIONS | {"epochs": 0}).fit(X, SPECIES)
    assert again.model_ is not by_hand
    by_hand.compile(Adam(0.02), sparse_categorical_crossentropy, ["accuracy"])
    history = by_hand.fit(X, SPECIES, epochs=30, verbose=0, **figures)
    estimator.set_params(model=again.model_).fit(X, SPECIES)
    assert estimator.history_ == history.history
    np.testing.assert_array_equal(estimator.predict_proba(X), by_hand.predict(X))


def test_regressors():
    y = X @ [1.0, -2.0, 0.5, 0.0]
    one = as_estimator(logits, "regressor", **OPTIONS).fit(X, y)
    assert isinstance(one, NetworkRegressor)
    assert one.predict(X).shape == (150,)
    assert one.score(X, y) > 0.9
    several = as_estimator(logits(2), "regressor", loss="huber", **OPTIONS)
    assert several.fit(X, np.stack([y, -y], axis=1)).predict(X).shape == (150, 2)


def test_images():
    images = np.random.default_rng(0).random((60, 6, 6, 1))
    y = np.arange(60) % 2
    images[y == 1, :, :3] = 0.0
    model = Sequential([Conv2D(2, 3, activation="relu"), Flatten(), Dense(1, "sigmoid")])
    assert as_estimator(model, **OPTIONS).fit(images, y).score(images, y) == 1.0


def test_the_given_model_and_optimizer_stay_as_they_are():
    model, optimizer = softmax(3), Adam(0.02)
    as_estimator(model, optimizer=optimizer, epochs=2).fit(X, NAMES)
    assert model.parameters() == []
    assert optimizer.iterations == 0


def test_a_model_with_weights_starts_from_them():
    model = softmax(3)
    model.build((4,), float)
    fitted = as_estimator(model, epochs=0).fit(X, NAMES)
    np.testing.assert_array_equal(fitted.predict_proba(X), model.predict(X))


@pytest.mark.parametrize("y", [X[:, 0], X[:, :2], np.stack([SPECIES, SPECIES], axis=1)])
@pytest.mark.parametrize("loss", [None, "mse"])
def test_targets_of_a_classifier_are_classes(y, loss):
    estimator = as_estimator(softmax, loss=loss, **OPTIONS)
    with pytest.raises(DomainError, match="y for NetworkClassifier") as caught:
        estimator.fit(X, y)
    assert "as_estimator(model, 'regressor')" in caught.value.instead


def test_sample_weight_counts_samples():
    weights = np.arange(150) % 3
    options = OPTIONS | {"batch_size": 1000, "shuffle": False}
    weighted = as_estimator(softmax, **options).fit(X, NAMES, weights)
    repeated = as_estimator(softmax, **options)
    repeated.fit(np.repeat(X, weights, axis=0), np.repeat(NAMES, weights))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-9)


def test_class_weight_is_sample_weight_by_class():
    by_class = as_estimator(softmax, class_weight={"setosa": 3.0}, **OPTIONS).fit(X, NAMES)
    by_sample = as_estimator(softmax, **OPTIONS).fit(X, NAMES, np.where(SPECIES == 0, 3.0, 1.0))
    np.testing.assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))
    both = as_estimator(softmax, class_weight={"setosa": 3.0}, **OPTIONS)
    both.fit(X, NAMES, np.where(SPECIES == 0, 1.0, 3.0))
    plain = as_estimator(softmax, **OPTIONS).fit(X, NAMES)
    np.testing.assert_allclose(both.predict_proba(X), plain.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_warm_start_and_partial_fit_go_on(kind):
    y = SPECIES if kind == "classifier" else X[:, 0]
    classes = {"classes": [0, 1, 2]} if kind == "classifier" else {}
    model = softmax if kind == "classifier" else logits
    whole = as_estimator(model, kind, **OPTIONS).set_params(epochs=3).fit(X, y)
    warm = as_estimator(model, kind, **OPTIONS).set_params(warm_start=True, epochs=1)
    parts = as_estimator(model, kind, **OPTIONS)
    for _ in range(3):
        warm.fit(X, y)
        parts.partial_fit(X, y, **classes)
    np.testing.assert_array_equal(warm.predict(X), whole.predict(X))
    np.testing.assert_array_equal(parts.predict(X), whole.predict(X))


def test_callbacks():
    stopping = nn.EarlyStopping("loss", patience=2)
    constant = as_estimator(softmax, optimizer=Adam(0.0), shuffle=False, callbacks=[stopping])
    assert constant.fit(X, NAMES).n_iter_ == 3
    alone = clone(constant).set_params(callbacks=stopping, metrics=None)
    assert alone.fit(X, NAMES).n_iter_ == 3
    assert alone.set_params(callbacks=None, epochs=4).fit(X, NAMES).n_iter_ == 4


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (softmax(2), "a model with 2 outputs for y with 3 classes"),
        (None, "model=None\n.*this is a NoneType"),
        (lambda outputs: outputs, "model=<function.*\n.*this is a int"),
    ],
)
def test_models_that_do_not_fit(model, message):
    estimator = as_estimator(model)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, NAMES)
    assert not hasattr(estimator, "model_")


def test_regressors_need_an_output_for_each_target():
    with pytest.raises(ShapeError, match="2 outputs for y with 1 classes or"):
        as_estimator(logits(2), "regressor").fit(X, X[:, 0])


def test_kinds_and_losses_that_do_not_exist():
    with pytest.raises(ValueError, match=r"kind 'classifer'\n.*\n.*write: 'classifier'"):
        as_estimator(softmax, "classifer")
    with pytest.raises(ValueError, match="write: 'mse'"):
        as_estimator(softmax, loss="mes").fit(X, NAMES)
