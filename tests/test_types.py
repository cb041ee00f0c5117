"""Types of a user's code: mypy checks what is asserted here, and the tests that it is true."""

from typing import assert_type

import numpy as np

import nn
from autograd_core import Value, no_grad
from nn.callbacks import History


def test_operators_of_a_value_are_typed_and_give_values() -> None:
    v, w = Value([[1.0, 2.0], [3.0, 4.0]]), Value([[1.0, 0.0], [0.0, 1.0]])
    for each in (
        assert_type(v + w, Value),
        assert_type(v * 2, Value),
        assert_type(2 * v, Value),
        assert_type(2 - v, Value),
        assert_type(v**2, Value),
        assert_type(v @ w, Value),
        assert_type(-v, Value),
        assert_type(abs(v), Value),
        assert_type(divmod(v, 2)[0], Value),
    ):
        assert isinstance(each, Value)


def test_methods_of_a_value_are_typed_and_give_values() -> None:
    v = Value([[1.0, 2.0], [3.0, 4.0]])
    for each in (
        assert_type(v.sum(axis=0), Value),
        assert_type(v.mean(0, keepdims=True), Value),
        assert_type(v.max(), Value),
        assert_type(v.reshape(4, 1), Value),
        assert_type(v.reshape((4, 1)).squeeze(), Value),
        assert_type(v.swapaxes(0, 1), Value),
        assert_type(v.transpose(1, 0), Value),
        assert_type(v.T, Value),
        assert_type(v[0], Value),
        assert_type(v[:, 0], Value),
        assert_type(v.clip(0.0, 2.0), Value),
        assert_type(v.softmax(axis=-1), Value),
        assert_type(v.astype(np.float32), Value),
        assert_type(next(iter(v)), Value),
    ):
        assert isinstance(each, Value)


def test_plain_data_of_a_value_is_typed_as_data() -> None:
    v = Value([1.0, 2.0])
    loss = assert_type((v * 2).sum(), Value)
    assert_type(loss.backward(), None)
    assert isinstance(assert_type(loss.item(), float), float)
    assert isinstance(assert_type(float(loss), float), float)
    assert isinstance(assert_type(v.shape, tuple[int, ...]), tuple)
    assert isinstance(v.data, np.ndarray)


def test_a_decorated_function_keeps_its_type() -> None:
    @no_grad
    def double(x: float) -> float:
        return 2 * x

    assert isinstance(assert_type(double(1.5), float), float)


def test_models_are_typed_and_give_what_they_say() -> None:
    model = nn.Sequential([nn.Dense(1)])
    model.compile("sgd", loss="mse")
    x, y = [[0.0], [1.0]], [1.0, 3.0]
    history = assert_type(model.fit(x, y, verbose=0), History)
    assert isinstance(history, History)
    logs = assert_type(model.train_on_batch(x, y), dict[str, float])
    assert all(isinstance(figure, float) for figure in logs.values())
    assert assert_type(model.eval(), nn.Sequential) is model
    assert isinstance(model.predict(x), np.ndarray)
    optimizer = assert_type(nn.optimizers.get("adam"), nn.optimizers.Optimizer)
    assert isinstance(optimizer, nn.optimizers.Optimizer)
