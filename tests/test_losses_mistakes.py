"""Silent mistakes in losses are warned of, with their fix; and right use stays silent."""

import numpy as np
import pytest

import nn
from autograd_core import (
    GradientWarning,
    OptionError,
    Value,
    compile,
    messages,
    no_grad,
    sigmoid,
    softmax,
)
from nn import losses
from nn.mistakes import TrainingWarning

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(4, 3))
CHANCES = softmax(LOGITS)
ONE_HOT, NUMBERS = np.eye(3)[[0, 1, 2, 0]], [0, 1, 2, 0]
NAN = np.where(np.arange(12).reshape(4, 3) == 5, np.nan, LOGITS)


def said(match, fix, loss, *arguments, **options):
    """Return the loss, after it has warned of a mistake and named the fix."""
    messages.warned.clear()  # all that follow are made at one line
    with pytest.warns(TrainingWarning, match=match) as caught:
        out = loss(*arguments, **options)
    assert len(caught) == 1
    assert f"write: {fix}" in str(caught[0].message)
    assert caught[0].filename == __file__
    return out


class TestBroadcast:
    y, p = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 5.0])

    @pytest.mark.parametrize("loss", [losses.mean_squared_error, losses.hinge, losses.poisson])
    def test_a_column_and_a_row_are_paired(self, loss):
        y = np.minimum(self.y, 1)
        expected = loss(y, self.p, None, "none")
        match = r"targets of shape \(3,\) for predictions of shape \(3, 1\)[^$]*\(3, 3\)"
        out = said(match, "y_true[:, None], ", loss, y, self.p[:, None], None, "none")
        assert out.tolist() == expected.tolist()
        match = r"targets of shape \(3, 1\) for predictions of shape \(3,\)[^$]*\(3, 3\)"
        out = said(match, "y_true[:, 0], ", loss, y[:, None], self.p, None, "none")
        assert out.tolist() == expected.tolist()

    def test_gradients_of_the_pairs(self):
        p = Value(self.p[:, None])
        said("would broadcast", "y_true", losses.mean_squared_error, self.y, p).backward()
        assert p.grad.tolist() == [[0.0], [0.0], [4 / 3]]

    def test_a_single_sample_is_silent(self):
        assert losses.mean_squared_error([1.0], [[3.0]]) == 4.0
        assert losses.mean_squared_error([[1.0]], [3.0]) == 4.0

    def test_is_said_once_a_line(self):
        with pytest.warns(TrainingWarning) as caught:
            _ = [losses.mean_squared_error(self.y, self.p[:, None]) for _ in range(3)]
        assert len(caught) == 1


class TestBroadcastByHand:
    X = RANDOM.normal(size=(8, 3))
    Y = X[:, 0]

    @pytest.mark.parametrize(
        "loss",
        [
            lambda p, y: np.mean((p - y) ** 2),
            lambda p, y: np.sum(np.square(y - p)),
            lambda p, y: abs(p - y).mean() + 1.0,
            lambda p, y: (0.5 * (p - y) * (p - y)).sum(),
            compile(lambda p, y: np.mean((p * 2.0 - y) ** 2)),
        ],
    )
    def test_of_a_column_with_a_row_is_warned_of_once(self, loss):
        p = nn.Sequential([nn.Dense(1)])(self.X)
        with pytest.warns(GradientWarning, match=r"shapes \(8, 1\) and \(8,\)") as caught:
            _ = [loss(p, self.Y) for _ in range(2)]
        [warning] = caught
        assert warning.filename == __file__

    def test_of_pairs_that_are_meant_is_silent(self):
        p, y = nn.Sequential([nn.Dense(1)])(self.X), Value(self.Y)
        np.mean((p - self.Y[:, None]) ** 2)
        np.mean((p - self.Y[None, :]) ** 2)
        np.mean((p[:, 0] - self.Y) ** 2)
        np.sum((y[:, None] - self.Y) ** 2)
        np.sum((y.reshape(-1, 1) - y) ** 2)
        np.sum(np.exp(-((p - self.Y) ** 2)))
        np.mean((p[:4] - self.Y) ** 2)


def test_a_loss_of_one_s_own_around_logits_makes_metrics_decide_at_0():
    def own(y_true, y_pred):
        return losses.binary_crossentropy(y_true, y_pred, from_logits=True)

    def of_probabilities(y_true, y_pred):
        return losses.binary_crossentropy(y_true, y_pred, from_logits=False, reduction="mean")

    x = RANDOM.normal(size=(200, 3))
    y = (x[:, 0] > 0) * 1
    for loss, boundary in ((own, 0.0), (of_probabilities, 0.5)):
        model = nn.Sequential([nn.Dense(1, None if boundary == 0.0 else "sigmoid")])
        model.compile("sgd", loss, metrics=["accuracy"])
        outputs = model.predict(x)[:, 0]
        assert np.any((outputs > 0) != (outputs > 0.5))
        assert model.evaluate(x, y)[1] == np.mean((outputs > boundary) == y)


class TestActivationTwice:
    @pytest.mark.parametrize("activation", [softmax, sigmoid])
    def test_before_a_loss_that_applies_it(self, activation):
        p = activation(Value(LOGITS))
        match = f"{activation.__name__} before a loss with from_logits=True"
        for loss, y in (
            (losses.sparse_categorical_crossentropy, NUMBERS),
            (losses.categorical_crossentropy, ONE_HOT),
            (losses.binary_crossentropy, ONE_HOT),
        ):
            said(match, "from_logits=False, or no activation", loss, y, p, from_logits=True)

    @pytest.mark.parametrize("p", [CHANCES, CHANCES.astype(np.float32), ONE_HOT])
    def test_probabilities_where_logits_are_expected(self, p):
        sparse, full = losses.sparse_categorical_crossentropy, losses.categorical_crossentropy
        match = "probabilities where logits are expected"
        said(match, "from_logits=False, ", sparse, NUMBERS, p, from_logits=True)
        said(match, "from_logits=False, ", full, ONE_HOT, Value(p), from_logits=True)

    def test_in_evaluation_it_is_seen_from_the_numbers(self):
        with no_grad():
            p = softmax(Value(LOGITS))
        loss = losses.sparse_categorical_crossentropy
        said("where logits are expected", "from_logits=False", loss, NUMBERS, p, from_logits=True)

    def test_logits_are_silent(self):
        for z in (LOGITS, np.abs(LOGITS), np.zeros((4, 3)), NAN, Value(NAN), 1000 * LOGITS):
            losses.sparse_categorical_crossentropy(NUMBERS, z, from_logits=True)
            losses.categorical_crossentropy(ONE_HOT, z, from_logits=True)
            with np.errstate(invalid="ignore"):  # NumPy's logaddexp speaks of NaN
                losses.binary_crossentropy(ONE_HOT, z, from_logits=True)
        losses.binary_crossentropy(ONE_HOT, CHANCES, from_logits=True)  # small logits


class TestLogitsAsProbabilities:
    @pytest.mark.parametrize(
        "z", [LOGITS, LOGITS - 5, np.abs(LOGITS) + 1, np.inf * np.ones((4, 3))]
    )
    def test_values_outside_0_and_1(self, z):
        for loss, y in (
            (losses.categorical_crossentropy, ONE_HOT),
            (losses.binary_crossentropy, ONE_HOT),
            (losses.kl_divergence, ONE_HOT),
            (losses.sparse_categorical_crossentropy, NUMBERS),
        ):
            with np.errstate(all="ignore"):
                said("where probabilities are expected", "from_logits=True", loss, y, z)

    @pytest.mark.parametrize(
        "p", [sigmoid(LOGITS), sigmoid(Value(LOGITS)), np.full((4, 3), 0.2), np.zeros((4, 3))]
    )
    def test_rows_that_do_not_sum_to_1(self, p):
        match, fix = "predictions whose rows do not sum to 1", "softmax as last activation"
        with np.errstate(all="ignore"):
            said(match, fix, losses.categorical_crossentropy, ONE_HOT, p)
            said(match, fix, losses.sparse_categorical_crossentropy, NUMBERS, p)
            said(match, fix, losses.kl_divergence, ONE_HOT, p)

    def test_probabilities_are_silent(self):
        nan = np.where(np.isnan(NAN), np.nan, CHANCES)
        for p in (CHANCES, CHANCES.astype(np.float32), np.round(CHANCES, 2), nan, Value(nan)):
            losses.categorical_crossentropy(ONE_HOT, p)
            losses.sparse_categorical_crossentropy(NUMBERS, p)
            losses.kl_divergence(ONE_HOT, p)
            losses.binary_crossentropy(ONE_HOT, p)
        losses.binary_crossentropy(ONE_HOT, sigmoid(LOGITS))

    def test_one_class(self):
        p = softmax(Value(LOGITS[:, :1]))
        fix = "binary_crossentropy with a sigmoid"
        said("one class", fix, losses.sparse_categorical_crossentropy, [0, 0, 0, 0], p)
        said("one class", fix, losses.categorical_crossentropy, np.ones((4, 1)), p)


class TestLabels:
    @pytest.mark.parametrize(
        ("labels", "first"),
        [
            ([0, 3, 2, 0], "3"),
            ([0, -1, 2, 0], "-1"),
            ([0, 1.5, 2, 0], "1.5"),
            ([0, np.nan, 2, 0], "nan"),
            ([[0], [255], [2], [0]], "255"),
            (np.array([0, 200, 2, 0], np.uint8), "200"),
        ],
    )
    def test_outside_the_classes_count_0(self, labels, first):
        loss, z = losses.sparse_categorical_crossentropy, Value(LOGITS)
        match = f"1 of 4 labels outside the classes, the first {first}"
        fix = "whole labels from 0 to 2"
        out = said(match, fix, loss, labels, z, None, "none", from_logits=True)
        rest = loss([0, 2, 0], LOGITS[[0, 2, 3]], None, "none", from_logits=True)
        np.testing.assert_array_equal(out.data, [rest[0], 0, *rest[1:]])
        out = said(match, fix, loss, labels, z, from_logits=True)
        assert out.data == pytest.approx(sum(rest) / 4, rel=1e-15)
        out.backward()
        assert z.grad[1].tolist() == [0.0, 0.0, 0.0]
        assert (z.grad[[0, 2, 3]] != 0).all()

    @pytest.mark.parametrize("y", [[-1.0, 1.0], [0.0, 2.0], [1, 255]])
    def test_binary_targets(self, y):
        match = rf"targets from {y[0]:g} to {y[1]:g} for two classes"
        fix = "y_true / 255" if y[1] == 255 else "(y_true + 1) / 2"
        said(match, fix, losses.binary_crossentropy, y, [0.5, 0.5])

    def test_rows_of_targets(self):
        match, fix = "targets whose rows do not sum to 1", "np.eye(classes)[labels]"
        for y in (2 * ONE_HOT - 1, np.ones((4, 3)), 0 * ONE_HOT):
            said(match, fix, losses.categorical_crossentropy, y, CHANCES)
            said(match, fix, losses.kl_divergence, y, CHANCES)

    @pytest.mark.parametrize("y", [[0, 1, 2], [-1, 1, 0.5], [-2, 1, np.nan]])
    def test_labels_of_hinges(self, y):
        match = f"labels as large as {np.nanmax(np.abs(y)):g} for a hinge loss"
        fix = "np.where(y_true == positive, 1, -1)"
        said(match, fix, losses.hinge, y, [1.0, 1.0, 1.0])
        said(match, fix, losses.squared_hinge, y, [1.0, 1.0, 1.0])
        said(match, fix, losses.categorical_hinge, [y], [[1.0, 1.0, 1.0]])

    def test_right_labels_are_silent(self):
        nan, soft = [0.0, np.nan, 1.0], [0.25, 0.0, 1.0]
        losses.binary_crossentropy(nan, [0.5, 0.5, 0.5])
        losses.binary_crossentropy(soft, [0.5, 0.5, 0.5], label_smoothing=0.5)
        losses.categorical_crossentropy([nan], CHANCES[:1])
        losses.categorical_crossentropy(CHANCES.astype(np.float32), CHANCES, label_smoothing=0.1)
        losses.kl_divergence([nan], CHANCES[:1])
        for y in (nan, [0, 1, 1], [-1, 1, 1], [-1, 0, 1]):
            losses.hinge(y, LOGITS[0])
            losses.categorical_hinge([y], LOGITS[:1])


@pytest.mark.parametrize("loss", sorted({each.__name__ for each in losses.BY_NAME.values()}))
def test_losses_refuse_the_order_of_pytorch(loss):
    w = Value(np.full((2, 3), 1 / 6))
    out, y = w * 2.0, [0, 1] if loss.startswith("sparse") else np.eye(3)[:2]
    losses.get(loss)(y, out)
    with pytest.raises(OptionError, match="targets come first"):
        losses.get(loss)(out, y)
