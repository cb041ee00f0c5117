"""Saving and loading: to the bit, whole or not at all, and to and from PyTorch's files."""

import os
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import nn
from autograd_core import FileError, OptionError, Value
from nn import LSTM, Adam, BatchNormalization, Dense, Dropout, Module, Sequential
from nn.layers import ArrayLayer
from tests.interrupts import interrupted

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)


def model_of(**options):
    return Sequential(
        [
            Dense(8, "relu", kernel_regularizer=nn.regularizers.L2(0.01), **options),
            BatchNormalization(),
            Dropout(0.3),
            Dense(2, "softmax"),
        ]
    )


def train(model, epochs, initial_epoch=0):
    return model.fit(X, Y, batch_size=8, epochs=epochs, initial_epoch=initial_epoch, verbose=0)


def same(first, second):
    one, other = first.state_dict(), second.state_dict()
    return one.keys() == other.keys() and all(np.array_equal(one[n], other[n]) for n in one)


class TestRoundTrip:
    def test_predictions_are_the_same_to_the_bit(self, tmp_path):
        model = model_of()
        model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
        train(model, 2)
        model.save(tmp_path / "model.safetensors")
        loaded = nn.load(tmp_path / "model.safetensors")
        assert repr(loaded) == repr(model)
        assert same(model, loaded)
        assert np.array_equal(loaded.predict(X), model.predict(X))
        assert loaded.evaluate(X, Y, return_dict=True) == model.evaluate(X, Y, return_dict=True)

    @pytest.mark.parametrize(
        "optimizer",
        ["sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamw", "adamax", "nadam", "lion"],
    )
    def test_training_continues_to_the_bit(self, tmp_path, optimizer):
        """Shuffles, dropout, optimizer and batch statistics go on as if nothing had happened."""
        path = tmp_path / "model.safetensors"

        def fresh():
            nn.set_seed(5)
            model = model_of()
            model.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"])
            return model

        straight = fresh()
        expected = train(straight, 4).history
        model = fresh()
        train(model, 2)
        model.save(path)
        nn.set_seed(99)
        generator = nn.randomness.generator().bit_generator.state
        resumed = nn.load(path)
        assert nn.randomness.generator().bit_generator.state == generator  # loading draws nothing
        history = train(resumed, 4, initial_epoch=2).history
        assert same(straight, resumed)
        assert history == {name: figures[2:] for name, figures in expected.items()}

    def test_training_continues_to_the_bit_through_several_files(self, tmp_path):
        """A loaded model draws from numbers of its own, which its next file takes along."""
        nn.set_seed(5)
        straight = model_of()
        straight.compile("adam", "sparse_categorical_crossentropy")
        train(straight, 6)
        nn.set_seed(5)
        model = model_of()
        model.compile("adam", "sparse_categorical_crossentropy")
        for epochs in (2, 4, 6):
            train(model, epochs, initial_epoch=epochs - 2)
            model.save(tmp_path / "model.safetensors")
            nn.set_seed(99)
            model = nn.load(tmp_path / "model.safetensors")
        assert same(straight, model)

    def test_an_optimizer_of_one_s_own_continues_to_the_bit(self, tmp_path):
        class Rows(nn.Optimizer):
            """Remembers a number for each row of a weight, and one for it all."""

            def update(self, data, gradient, slots, learning_rate):
                rows = np.sum(gradient * gradient, axis=tuple(range(1, gradient.ndim)))
                slots["rows"] = slots["rows"].sum() * 0.0 + rows
                slots["size"] = 0.9 * np.mean(slots["size"]) + 0.1 * np.sum(rows)
                slots["steps"] = float(self.updates)
                return data - learning_rate * gradient / np.sqrt(slots["size"] + slots["steps"])

        nn.set_seed(5)
        straight = model_of()
        straight.compile(Rows(0.1), "sparse_categorical_crossentropy")
        train(straight, 2)
        straight.save(tmp_path / "model.safetensors")
        resumed = nn.load(tmp_path / "model.safetensors", {"Rows": Rows})
        slots = resumed.optimizer.slots[resumed.parameters()[0]]
        kinds = [(np.shape(slots[name]), type(slots[name])) for name in ("rows", "size", "steps")]
        assert kinds == [((8,), np.ndarray), ((), np.float32), ((), float)]
        train(straight, 4, initial_epoch=2)
        train(resumed, 4, initial_epoch=2)
        assert same(straight, resumed)

    def test_a_schedule_continues(self, tmp_path):
        model = model_of()
        rate = nn.schedules.ExponentialDecay(0.1, 5, 0.5)
        model.compile(Adam(rate, clipnorm=1.0), "sparse_categorical_crossentropy")
        train(model, 1)
        model.save(tmp_path / "model.safetensors")
        optimizer = nn.load(tmp_path / "model.safetensors").optimizer
        assert repr(optimizer) == repr(model.optimizer)
        assert optimizer.iterations == 5

    def test_models_that_were_not_compiled(self, tmp_path):
        model = Sequential([Dense(2)], input_shape=(6,))
        model.save(tmp_path / "model.safetensors")
        loaded = nn.load(tmp_path / "model.safetensors")
        assert loaded.optimizer is None
        assert np.array_equal(loaded.predict(X), model.predict(X))

    def test_without_the_optimizer(self, tmp_path):
        model = model_of()
        model.compile("adam", "sparse_categorical_crossentropy")
        train(model, 1)
        model.save(tmp_path / "small.safetensors", include_optimizer=False)
        model.save(tmp_path / "large.safetensors")
        small, large = ((tmp_path / f"{n}.safetensors").stat().st_size for n in ("small", "large"))
        assert small < large
        assert nn.load(tmp_path / "small.safetensors").loss is None

    def test_compiled_training_stays_compiled(self, tmp_path):
        model = Sequential([Dense(2)], input_shape=(6,))
        for jit in (False, True):
            model.compile("sgd", "mse", jit=jit)
            model.save(tmp_path / "model.safetensors")
            assert nn.load(tmp_path / "model.safetensors").jit is jit

    def test_output_shapes_are_known_without_computing(self, tmp_path):
        model = model_of()
        model(X)
        model.save(tmp_path / "model.safetensors")
        assert str(nn.load(tmp_path / "model.safetensors").summary()) == str(model.summary())

    def test_a_parameter_that_two_layers_share_is_refused(self, tmp_path):
        """Each layer would come back with one of its own, and the file would lack the second."""
        model = Sequential([Dense(6), Dense(6)], input_shape=(6,))
        model.layers[1].weight = model.layers[0].weight
        with pytest.raises(OptionError, match=r"0\.weight and 1\.weight are one Value(.|\n)*part"):
            model.save(tmp_path / "model.safetensors")
        assert list(tmp_path.iterdir()) == []

    def test_layers_of_one_s_own_may_make_parameters_by_computing(self, tmp_path):
        class Lazy(Module):
            def __init__(self):
                self.weight = None

            def __call__(self, x):
                if self.weight is None:
                    self.weight = Value(np.ones(x.shape[-1]))
                return x * self.weight

        model = Sequential([Lazy(), Dense(1)], input_shape=(6,))
        model.layers[0].weight.data = np.arange(6.0)
        model.save(tmp_path / "model.safetensors")
        loaded = nn.load(tmp_path / "model.safetensors", {"Lazy": Lazy})
        assert loaded.layers[0].weight.data.tolist() == list(range(6))

    def test_float64_nested_and_shared_layers(self, tmp_path):
        shared = Dense(6, "tanh")
        model = Sequential([shared, Sequential([shared, Dense(6)]), shared])
        model.build((6,), np.float64)
        model.save(tmp_path / "model.safetensors")
        loaded = nn.load(tmp_path / "model.safetensors")
        assert loaded.layers[0] is loaded.layers[1].layers[0]
        assert loaded.layers[0].weight.dtype == np.float64
        assert np.array_equal(loaded.predict(X), model.predict(X))

    def test_recurrent_and_scalar_networks(self, tmp_path):
        sequence = Sequential([LSTM(3), Dense(1)], input_shape=(5, 2))
        sequence.save(tmp_path / "lstm.safetensors")
        x = RNG.normal(size=(4, 5, 2))
        loaded = nn.load(tmp_path / "lstm.safetensors")
        assert np.array_equal(loaded.predict(x), sequence.predict(x))
        scalar = nn.MLP(2, [3, 1], activation="tanh")
        scalar.save(tmp_path / "mlp.safetensors")
        assert nn.load(tmp_path / "mlp.safetensors")([1.0, -2.0]).data == scalar([1.0, -2.0]).data

    def test_classes_and_functions_of_one_s_own(self, tmp_path):
        def bent(x):
            return x * x

        class Scale(ArrayLayer):
            def __init__(self, start):
                self.start = start

            def make_parameters(self, input_shape):
                self.make_parameter("weight", input_shape, nn.initializers.Constant(self.start))

            def forward(self, x):
                return x * self.weight

        path = tmp_path / "model.safetensors"
        model = Sequential([Scale(3.0), Dense(2, bent)], input_shape=(6,))
        model.save(path)
        with pytest.raises(OptionError, match=r"(?s)Scale.*custom_objects"):
            nn.load(path)
        loaded = nn.load(path, custom_objects={"Scale": Scale, "bent": bent})
        assert np.array_equal(loaded.predict(X), model.predict(X))

    def test_functions_of_numpy_need_no_introduction(self, tmp_path):
        model = Sequential([Dense(2, np.tanh), nn.Activation(np.arctan)], input_shape=(6,))
        model.save(tmp_path / "model.safetensors")
        loaded = nn.load(tmp_path / "model.safetensors")
        assert [layer.activation for layer in loaded.layers] == [np.tanh, np.arctan]

    def test_modules_of_one_s_own(self, tmp_path):
        class Net(Module):
            def __init__(self, units):
                self.units = units
                self.inner, self.gain = Dense(units), Value(2.0)

            def __call__(self, x):
                return self.inner(x) * self.gain

        model = Net(3)
        model.build((6,))
        model.save(tmp_path / "net.safetensors")
        loaded = nn.load(tmp_path / "net.safetensors", {"Net": Net})
        assert np.array_equal(loaded.predict(X), model.predict(X))


FLIP = nn.RandomFlip("horizontal"), nn.RandomTranslation(0.1, (-0.1, 0.1), fill_value=0.5)
RULES = {
    "kernel_regularizer": nn.regularizers.L1L2(0.1, 0.2),
    "bias_constraint": nn.constraints.MinMaxNorm(0.1, 0.9, 0.5),
    "kernel_initializer": nn.initializers.VarianceScaling(2.0, "fan_out", "uniform"),
    "bias_initializer": nn.initializers.Constant(0.3),
    "activity_regularizer": "l1",
}
OPTIONS = {
    "Dense": (lambda: [Dense(3, partial(nn.activations.leaky_relu, negative_slope=0.3), **RULES)]),
    "Conv1D": (lambda: [nn.Conv1D(3, 2, padding="causal", dilation_rate=2, **RULES)]),
    "Conv2D": (lambda: [nn.Conv2D(3, (2, 3), strides=(2, 1), padding="same", activation=np.tanh)]),
    "pooling": (lambda: [nn.MaxPooling2D((2, 3), (1, 2), "same"), nn.AveragePooling2D(2, 1)]),
    "recurrent": (
        lambda: [
            nn.GRU(2, activation="softsign", dropout=0.2, reset_after=False, return_sequences=True),
            nn.LSTM(2, go_backwards=True, unit_forget_bias=False),
        ]
    ),
    "both ways": (lambda: [nn.Bidirectional(nn.GRU(2), "ave", nn.GRU(2, go_backwards=True))]),
    "normalization": (
        lambda: [
            BatchNormalization(momentum=0.5, epsilon=0.1, center=False),
            *(nn.LayerNormalization(scale=False), nn.PReLU("ones"), nn.Flatten(), nn.RBF(3)),
        ]
    ),
    "images": (lambda: list(FLIP)),
}
SHAPES = {"Dense": (4,), "Conv1D": (7, 2), "recurrent": (5, 2), "both ways": (5, 2)}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_comes_back(name, tmp_path):
    x = RNG.normal(size=(3, *SHAPES.get(name, (7, 6, 2)))).astype(np.float32)
    model = Sequential(OPTIONS[name]())
    model(x)
    model.save(tmp_path / "model.safetensors")
    loaded = nn.load(tmp_path / "model.safetensors")
    assert repr(loaded) == repr(model)
    for part, twin in zip(model.modules().values(), loaded.modules().values(), strict=True):
        assert repr(part.config()) == repr(twin.config())
    assert np.array_equal(loaded.predict(x), model.predict(x))
    found = []
    for each in (model, loaded):
        nn.set_seed(0)
        out = each.train()(x)
        found.append((out.data.tobytes(), float(each.penalty())))
        each.constrain()
    assert found[0] == found[1]
    assert same(model, loaded)


class TestFiles:
    def saved(self, tmp_path):
        model = model_of()
        model.build((6,))
        model.save(tmp_path / "model.safetensors")
        return tmp_path / "model.safetensors"

    def test_hold_the_state_dict_under_pytorch_s_names_and_no_more(self, tmp_path):
        tensors = safetensors.numpy.load_file(self.saved(tmp_path))
        shapes = {name: data.shape for name, data in tensors.items()}
        assert shapes == {
            "0.weight": (8, 6),
            "0.bias": (8,),
            "1.weight": (8,),
            "1.bias": (8,),
            "1.running_mean": (8,),
            "1.running_var": (8,),
            "3.weight": (2, 8),
            "3.bias": (2,),
        }

    def test_of_pytorch_s_give_their_weights(self, tmp_path):
        """safetensors.torch.save_file(torch_model.state_dict(), path) writes what this reads."""
        path = tmp_path / "torch.safetensors"
        state = {"0.weight": RNG.normal(size=(2, 6)), "0.bias": np.ones(2)}
        safetensors.numpy.save_file(state, path)
        model = Sequential([Dense(2)])
        model.build((6,), np.float64)
        model.load_weights(path)
        np.testing.assert_allclose(model(X).data, X @ state["0.weight"].T + 1, rtol=1e-12)
        with pytest.raises(FileError, match=r"(?s)weights, but not the model.*load_weights"):
            nn.load(path)

    def test_of_pytorch_s_may_count_batches(self, tmp_path):
        path = tmp_path / "torch.safetensors"
        model = Sequential([BatchNormalization()], input_shape=(6,))
        state = model.state_dict() | {"0.num_batches_tracked": np.array(7)}
        state["0.running_mean"] = np.arange(6.0, dtype=np.float32)
        safetensors.numpy.save_file(state, path)
        model.load_weights(path)
        assert model.layers[0].running_mean.tolist() == list(range(6))

    def test_load_weights_loads_all_or_nothing_wherever_an_interrupt_comes(self, tmp_path):
        path = self.saved(tmp_path)
        model = model_of()
        model.build((6,))
        old = {name: data + 1 for name, data in model.state_dict().items()}
        new = safetensors.numpy.load_file(path)
        places = ("nn/module.py", "nn/storage/saving.py")
        line, found = 0, set()
        while True:
            model.load_state_dict(old)
            if not interrupted(lambda: model.load_weights(path), line, places):
                break
            state = model.state_dict()
            is_old, is_new = (
                all(np.array_equal(data, state[name]) for name, data in each.items())
                for each in (old, new)
            )
            assert is_old != is_new
            found.add(is_old)
            line += 1
        assert True in found
        assert np.array_equal(model.layers[0].weight.data, new["0.weight"])

    def test_weights_that_do_not_fit_change_nothing(self, tmp_path):
        path = self.saved(tmp_path)
        model = Sequential([Dense(8), BatchNormalization(), Dense(3)], input_shape=(6,))
        before = model.state_dict()
        with pytest.raises(OptionError, match=re.escape("missing: 2.weight, 2.bias")):
            model.load_weights(path)
        assert all(np.array_equal(before[n], data) for n, data in model.state_dict().items())

    @pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.999])
    def test_truncated_are_refused(self, tmp_path, share):
        path = self.saved(tmp_path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(FileError):
            nn.load(path)

    def test_altered_are_refused_wherever_the_change_is(self, tmp_path):
        path = self.saved(tmp_path)
        content = path.read_bytes()
        for place in np.linspace(0, len(content) - 1, 60).astype(int):
            altered = bytearray(content)
            altered[place] ^= 1
            path.write_bytes(bytes(altered))
            with pytest.raises(FileError):
                nn.load(path)

    def test_missing_and_foreign_are_refused(self, tmp_path):
        np.savez(tmp_path / "weights.npz", a=np.ones(3))
        for name in ("nothing.safetensors", "weights.npz"):
            with pytest.raises(FileError, match=name):
                nn.load(tmp_path / name)

    def test_a_failed_save_leaves_the_file_before_it_whole(self, tmp_path):
        path = self.saved(tmp_path)
        before = path.read_bytes()
        model = Sequential([Dense(2, lambda x: x)], input_shape=(6,))
        with pytest.raises(OptionError, match="lambda"):
            model.save(path)
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["m.keras", "m.H5", "m.pt", "m.pth", "m.pkl", "m.onnx", "m.npz"])
@pytest.mark.parametrize("kind", [Path, os.fsencode])
def test_a_name_of_another_format_is_refused(kind, name, tmp_path):
    with pytest.raises(OptionError, match=r"(?s)safetensors format.*model\.safetensors"):
        Sequential([Dense(1)], input_shape=(2,)).save(kind(tmp_path / name))
    assert list(tmp_path.iterdir()) == []
