"""SimpleRNN, LSTM, GRU, Bidirectional and Masking, against Keras and PyTorch's formulas."""

import jax
import numpy as np
import pytest

from autograd_core import OptionError, ShapeError, Value, check_gradients
from nn.layers import GRU, LSTM, Bidirectional, Dense, Masking, SimpleRNN
from nn.layers.recurrent import RecurrentLayer
from nn.networks import Sequential
from nn.randomness import set_seed
from tests.keras_oracle import as_keras, as_numpy, keras

# Keras computes tanh in float32 otherwise

random = np.random.default_rng(0)
X = random.standard_normal((3, 4, 4))
MASK = np.array([[1, 1, 1, 1], [0, 1, 0, 1], [1, 1, 0, 0]], bool)
LAYERS = {
    "SimpleRNN": SimpleRNN,
    "LSTM": LSTM,
    "GRU": GRU,
    "GRU, reset before": lambda *args, **options: GRU(*args, reset_after=False, **options),
}
layers = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
OPTIONS = {
    "default": {},
    "without bias": {"use_bias": False},
    "along features": {"activation": "softmax"},
}


def filled(layer, x=X):
    """Build a layer and give all its parameters random numbers, biases included."""
    layer(x)
    for parameter in layer.parameters():
        parameter.data = random.standard_normal(parameter.shape) * 0.5
    return layer


def in_keras_form(layer, arrays):
    """Return Keras's list of arrays for one layer: [kernel, recurrent kernel, bias]."""
    names = ["weight_ih_l0", "weight_hh_l0"] + ["bias_ih_l0"] * layer.use_bias
    if isinstance(layer, GRU):  # r, z, n become z, r, n
        arrays = {
            name: np.concatenate(np.split(a, 3)[1::-1] + np.split(a, 3)[2:])
            for name, a in arrays.items()
        }
    found = [arrays[name].T for name in names]
    if layer.use_bias and getattr(layer, "reset_after", False):
        found[2] = np.stack([arrays["bias_ih_l0"], arrays["bias_hh_l0"]])
    return found


def parts(layer):
    """Return the recurrent layers in a model, in Keras's order."""
    return [part for part in layer.modules().values() if isinstance(part, RecurrentLayer)]


def of_keras(layer, theirs, x, mask, weigh):
    """Return Keras's output, and the gradients of sum(output * weigh), with our weights."""
    theirs.build(x.shape)
    variables = [
        as_keras(a)
        for part in parts(layer)
        for a in in_keras_form(part, {n: p.data for n, p in part.named_parameters().items()})
    ]
    others = [variable.value for variable in theirs.non_trainable_variables]
    options = {} if mask is None else {"mask": as_keras(mask)}

    def loss(variables, x):
        out, _ = theirs.stateless_call(variables, others, x, training=False, **options)
        return (out * weigh).sum(), out

    run = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
    with jax.disable_jit():  # compiling takes longer than these few steps
        (_, out), (gradients, x_gradient) = run(variables, as_keras(x))
    return as_numpy(out), [as_numpy(g) for g in gradients], as_numpy(x_gradient)


def assert_equals_keras(layer, theirs, mask=None):
    x = Value(X)
    out = filled(layer)(x, mask=mask) if mask is not None else filled(layer)(x)
    weigh = np.cos(np.arange(out.data.size)).reshape(out.shape)
    expected, gradients, x_gradient = of_keras(layer, theirs, X, mask, weigh)
    layer.zero_grad()
    (out * weigh).sum().backward()
    np.testing.assert_allclose(out.data, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(x.grad, x_gradient, rtol=1e-10, atol=1e-12)
    ours = [
        a
        for part in parts(layer)
        for a in in_keras_form(part, {n: p.grad for n, p in part.named_parameters().items()})
    ]
    assert len(ours) == len(gradients)
    for mine, other in zip(ours, gradients, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-12)


def of_kind(layer):
    """Return Keras's layer with the same options."""
    names = "units", "use_bias", "return_sequences", "go_backwards", "reset_after"
    options = {name: getattr(layer, name) for name in names if hasattr(layer, name)}
    for name in ("activation", "recurrent_activation"):
        if hasattr(layer, name):
            options[name] = getattr(layer, name).__name__
    return getattr(keras.layers, type(layer).__name__)(**options)


class TestAgainstKeras:
    @pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
    @layers
    def test_options(self, make, options):
        layer = make(2, **options)
        assert_equals_keras(layer, of_kind(layer))

    @pytest.mark.parametrize(("return_sequences", "go_backwards"), [(False, False), (True, True)])
    @layers
    def test_masks(self, make, return_sequences, go_backwards):
        layer = make(2, return_sequences=return_sequences, go_backwards=go_backwards)
        assert_equals_keras(layer, of_kind(layer), MASK)

    @pytest.mark.parametrize("make", [LSTM, GRU])
    def test_recurrent_activation(self, make):
        layer = make(2, recurrent_activation="tanh")
        assert_equals_keras(layer, of_kind(layer))
        layer = make(2, activation=None, recurrent_activation=None)
        assert_equals_keras(layer, of_kind(layer))

    def test_stacked(self):
        ours = Sequential([LSTM(2, return_sequences=True), GRU(2)])
        theirs = keras.Sequential([of_kind(layer) for layer in ours.layers])
        assert_equals_keras(ours, theirs)

    def test_masking_a_stack(self):
        x = np.where(MASK[..., None], X, 7.0)
        ours = Sequential([Masking(7.0), LSTM(2, return_sequences=True), GRU(2)])
        filled(ours, x)
        theirs = keras.Sequential([keras.layers.Masking(7.0), *map(of_kind, ours.layers[1:])])
        theirs.build(x.shape)
        for part, other in zip(parts(ours), theirs.layers[1:], strict=True):
            other.set_weights(in_keras_form(part, part.state_dict()))
        with jax.disable_jit():
            expected = as_numpy(theirs(as_keras(x)))
        np.testing.assert_allclose(ours(x).data, expected, rtol=1e-10)

    @pytest.mark.parametrize(
        ("merge_mode", "return_sequences"),
        [("concat", False), ("concat", True), ("sum", True), ("mul", False), ("ave", True)],
    )
    def test_bidirectional(self, merge_mode, return_sequences):
        layer = LSTM(2, return_sequences=return_sequences)
        theirs = keras.layers.Bidirectional(of_kind(layer), merge_mode)
        assert_equals_keras(Bidirectional(layer, merge_mode), theirs)

    @pytest.mark.parametrize("return_sequences", [False, True])
    def test_bidirectional_masks(self, return_sequences):
        layer = GRU(2, return_sequences=return_sequences)
        theirs = keras.layers.Bidirectional(of_kind(layer))
        assert_equals_keras(Bidirectional(layer), theirs, MASK)

    def test_bidirectional_with_a_backward_layer(self):
        forwards, backwards = LSTM(2), SimpleRNN(2, go_backwards=True)
        theirs = keras.layers.Bidirectional(of_kind(forwards), backward_layer=of_kind(backwards))
        assert_equals_keras(Bidirectional(forwards, backward_layer=backwards), theirs)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class TestAgainstPyTorchsFormulas:
    """One step on one sample, from the equations in PyTorch's reference."""

    def state(self, layer):
        filled(layer, X[:1, :1])
        if not isinstance(layer.bias_hh_l0, Value):
            layer.bias_hh_l0[:] = random.standard_normal(len(layer.bias_hh_l0))
        return layer.state_dict().values()

    def test_simple_rnn(self):
        layer = SimpleRNN(2, return_sequences=True)
        w_ih, w_hh, b_ih, b_hh = self.state(layer)
        x1, x2 = X[0, :2]
        h = np.tanh(w_ih @ x1 + b_ih + b_hh)
        h = np.tanh(w_ih @ x2 + b_ih + w_hh @ h + b_hh)
        np.testing.assert_allclose(layer(X[:1, :2]).data[0, 1], h)

    def test_lstm(self):
        layer = LSTM(2)
        w_ih, w_hh, b_ih, b_hh = self.state(layer)
        h = c = np.zeros(2)
        for x in X[0]:
            i, f, g, o = np.split(w_ih @ x + b_ih + w_hh @ h + b_hh, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(layer(X[:1]).data[0], h)

    def test_gru(self):
        layer = GRU(2)
        w_ih, w_hh, b_ih, b_hh = self.state(layer)
        h = np.zeros(2)
        for x in X[0]:
            (x_r, x_z, x_n), (h_r, h_z, h_n) = (
                np.split(w_ih @ x + b_ih, 3),
                np.split(w_hh @ h + b_hh, 3),
            )
            z, n = sigmoid(x_z + h_z), np.tanh(x_n + sigmoid(x_r + h_r) * h_n)
            h = (1 - z) * n + z * h
        np.testing.assert_allclose(layer(X[:1]).data[0], h)

    def test_bidirectional(self):
        layer = Bidirectional(SimpleRNN(2, return_sequences=True))
        filled(layer, X)
        state = layer.state_dict()
        h = np.zeros(2)
        for x in X[0, ::-1]:
            h = np.tanh(
                state["weight_ih_l0_reverse"] @ x
                + state["bias_ih_l0_reverse"]
                + state["weight_hh_l0_reverse"] @ h
            )
        np.testing.assert_allclose(layer(X).data[0, 0, 2:], h)


class TestParameters:
    @pytest.mark.parametrize(("make", "gates"), [(SimpleRNN, 1), (LSTM, 4), (GRU, 3)])
    def test_have_pytorchs_names_and_shapes(self, make, gates):
        layer = make(2)
        layer.build((5, 4))
        assert {name: a.shape for name, a in layer.state_dict().items()} == {
            "weight_ih_l0": (gates * 2, 4),
            "weight_hh_l0": (gates * 2, 2),
            "bias_ih_l0": (gates * 2,),
            "bias_hh_l0": (gates * 2,),
        }
        assert list(make(2, use_bias=False).state_dict()) == []

    def test_one_bias_is_trained_where_keras_has_one(self):
        counts = {name: len(filled(make(2)).parameters()) for name, make in LAYERS.items()}
        assert counts == {"SimpleRNN": 3, "LSTM": 3, "GRU": 4, "GRU, reset before": 3}

    @layers
    def test_start_as_in_keras(self, make):
        layer = make(8)
        layer(np.zeros((1, 1, 24)))
        gates = layer.gates
        limit = np.sqrt(6 / (24 + gates * 8))
        largest = abs(layer.weight_ih_l0.data).max()
        assert 0.95 * limit < largest <= limit
        weight = layer.weight_hh_l0.data
        np.testing.assert_allclose(weight.T @ weight, np.eye(8), atol=1e-12)
        forget = [0] * 8 + [1] * 8 + [0] * 16
        expected = forget if isinstance(layer, LSTM) else [0] * gates * 8
        assert layer.bias_ih_l0.data.tolist() == expected
        assert np.asarray(getattr(layer.bias_hh_l0, "data", layer.bias_hh_l0)).max() == 0

    def test_forget_bias_can_start_like_the_others(self):
        layer = LSTM(2, unit_forget_bias=False, bias_initializer="ones")
        layer(X)
        assert layer.bias_ih_l0.data.tolist() == [1] * 8
        layer = LSTM(2, bias_initializer=lambda shape, dtype: np.full(shape, 3.0, dtype))
        layer(X)
        assert layer.bias_ih_l0.data.tolist() == [3, 3, 1, 1, 3, 3, 3, 3]

    def test_are_regularized_and_constrained(self):
        def times(factor):
            return lambda w: (w * factor).sum()

        def fill(number):
            return lambda w: np.full_like(w, number)

        layer = filled(
            GRU(
                2,
                kernel_regularizer=times(1.0),
                recurrent_regularizer=times(10.0),
                bias_regularizer=times(100.0),
                activity_regularizer=times(1000.0),
                kernel_constraint=fill(1.0),
                recurrent_constraint=fill(2.0),
                bias_constraint=fill(3.0),
            )
        )
        out = layer(X).data
        total = sum(
            factor * getattr(layer, name).data.sum()
            for name, factor in [
                ("weight_ih_l0", 1),
                ("weight_hh_l0", 10),
                ("bias_ih_l0", 100),
                ("bias_hh_l0", 100),
            ]
        )
        np.testing.assert_allclose(layer.penalty().data, total + 1000 * out.sum() / len(X))
        layer.constrain()
        assert [set(p.data.ravel()) for p in layer.parameters()] == [{1}, {2}, {3}, {3}]

    @layers
    def test_take_the_type_of_the_data(self, make):
        layer = make(2, return_sequences=True, dropout=0.5, recurrent_dropout=0.5)
        x = Value(X.astype(np.float32))
        out = layer(x, mask=MASK)
        out.sum().backward()
        gradients = [p.grad for p in layer.parameters()]
        types = {a.dtype for a in [out, x.grad, *gradients, *layer.state_dict().values()]}
        assert types == {np.dtype(np.float32)}

    def test_both_biases_of_a_file_count(self):
        layer = filled(LSTM(2))
        before = layer(X).data
        state = layer.state_dict()
        state["bias_hh_l0"], state["bias_ih_l0"] = state["bias_ih_l0"], state["bias_hh_l0"]
        layer.load_state_dict(state)
        np.testing.assert_allclose(layer(X).data, before, rtol=1e-14)


class TestDerivatives:
    @layers
    def test_to_second_order(self, make):
        layer = make(1, return_sequences=True)
        filled(layer, X[:1, :2, :2])

        def run(x, parameters):
            for name, parameter in parameters.items():
                vars(layer)[name] = parameter  # as a function of others
            return layer(x, mask=MASK[1:2, :2])

        parameters = {name: p.data for name, p in layer.named_parameters().items()}
        check_gradients(run, X[:1, :2, :2], parameters)

    def test_taking_a_value_apart_costs_no_square(self):
        steps = 64
        x = Value(np.zeros((1, steps, 1)))
        nodes, stack = set(), [SimpleRNN(1)(x)]
        while stack:
            node = stack.pop()
            if node not in nodes:
                nodes.add(node)
                stack += [each for each in node.inputs if isinstance(each, Value)]
        taken = [n.inputs[0] for n in nodes if n.primitive and n.primitive.name == "getitem"]
        assert sum(source.data.size for source in taken) <= 2 * steps * (np.log2(steps) + 1)


class TestDropout:
    def test_drops_features_alike_at_all_steps_in_training_only(self):
        layer = SimpleRNN(50, activation=None, dropout=0.5, return_sequences=True)
        layer(np.ones((4, 3, 50)))
        layer.weight_ih_l0.data = np.eye(50)
        layer.weight_hh_l0.data = np.zeros((50, 50))
        out = layer(np.ones((4, 3, 50))).data
        assert set(out.ravel()) == {0.0, 2.0}
        assert (out == out[:, :1]).all()
        assert not (out[:1] == out[1:]).all()
        assert not (out == layer(np.ones((4, 3, 50))).data).all()
        assert (layer.eval()(np.ones((4, 3, 50))).data == 1.0).all()

    def test_drops_the_state(self):
        layer = SimpleRNN(50, activation=None, recurrent_dropout=0.5, return_sequences=True)
        layer(np.ones((4, 3, 50)))
        layer.weight_ih_l0.data = np.eye(50)
        layer.weight_hh_l0.data = np.eye(50)
        out = layer(np.ones((4, 3, 50))).data
        assert (out[:, 0] == 1.0).all()
        assert set(out[:, 1].ravel()) == {1.0, 3.0}
        np.testing.assert_array_equal(out[:, 2] > 1, out[:, 1] > 1)
        assert (layer.eval()(np.ones((4, 3, 50))).data[:, 2] == 3.0).all()

    @pytest.mark.parametrize("make", [LSTM, GRU, LAYERS["GRU, reset before"]])
    @pytest.mark.parametrize("dropout", [0.0, 0.5])
    def test_draws_for_each_gate_if_the_state_is_dropped(self, make, dropout):
        draws = []

        class Watched:
            def random(self, shape, dtype):
                draws.append(shape)
                return np.ones(shape, dtype)

        layer = filled(make(2, dropout=dropout, recurrent_dropout=0.5))
        whole = filled(make(2))
        whole.load_state_dict(
            {
                name: a / 2 if "hh" in name and "weight" in name else a
                for name, a in layer.state_dict().items()
            }
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("nn.layers.dropout.generator", Watched)
            out = layer(X if not dropout else X / 2).data
        assert draws == [(3, 4)] * (layer.gates * bool(dropout)) + [(3, 2)] * layer.gates
        layer.weight_hh_l0.data = layer.weight_hh_l0.data * 2  # 1 / (1 - 0.5), nothing dropped
        np.testing.assert_allclose(out, layer.eval()(X).data, rtol=1e-12)

    def test_draws_once_for_all_gates_otherwise(self):
        set_seed(3)
        layer = filled(LSTM(2, dropout=0.5))
        set_seed(3)
        keep = np.random.default_rng(3).random((3, 4)) >= 0.5
        out = layer(X).data
        np.testing.assert_allclose(out, layer.eval()(X * 2 * keep[:, None]).data, rtol=1e-12)


class TestMasks:
    @layers
    def test_what_follows_padding_reads_as_if_it_were_not_there(self, make):
        layer = filled(make(2))
        padded = np.concatenate([X[:, :2], np.full((3, 2, 4), np.nan), X[:, 2:]], 1)
        mask = ~np.isnan(padded).any(-1)
        np.testing.assert_allclose(layer(padded, mask=mask).data, layer(X).data, rtol=1e-14)

    def test_a_step_left_out_repeats_the_output(self):
        out = filled(LSTM(2, return_sequences=True))(X, mask=MASK).data
        assert (out[2, 2:] == out[2, 1]).all()
        assert (out[1, 0] == 0).all()

    def test_go_on_with_the_output_if_it_has_steps(self):
        for layer in (LSTM(2, return_sequences=True), Bidirectional(GRU(2, return_sequences=True))):
            assert layer.takes_mask
            assert layer.output_mask(X, MASK) is MASK
        assert LSTM(2).output_mask(X, MASK) is None
        assert Bidirectional(LSTM(2)).output_mask(X, MASK) is None

    def test_of_another_shape(self):
        with pytest.raises(ShapeError, match=r"shape \(3, 3\) for .*\(3, 4, 4\)(?s:.*)\(3, 4\)"):
            LSTM(2)(X, mask=MASK[:, :3])


class TestMasking:
    def test_leaves_out_steps_in_which_all_features_equal_the_value(self):
        x = np.array([[[1.0, 9.0], [9.0, 9.0]]], np.float32)
        layer = Masking(9.0)
        assert layer.output_mask(x, None).tolist() == [[True, False]]
        assert layer.output_mask(Value(x), None).tolist() == [[True, False]]
        assert layer(x).tolist() == [[[1.0, 9.0], [0.0, 0.0]]]
        assert layer(x).dtype == np.float32

    def test_passes_gradients_where_steps_count(self):
        x = Value([[[1.0, 0.0], [0.0, 0.0]]])
        Masking()(x).sum().backward()
        assert x.grad.tolist() == [[[1, 1], [0, 0]]]


class TestBidirectional:
    def test_has_pytorchs_names(self):
        layer = Bidirectional(LSTM(2))
        layer.build((5, 4))
        names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
        assert list(layer.state_dict()) == names + [f"{name}_reverse" for name in names]
        assert list(layer.modules()) == ["", "forward_layer", "backward_layer"]
        assert len(layer.parameters()) == 6

    def test_copies_the_layer_with_weights_of_their_own(self):
        layer = Bidirectional(LSTM(2, recurrent_activation="relu", dropout=0.25))
        layer(X)
        assert repr(layer.backward_layer) == repr(layer.layer)[:-1] + ", go_backwards=True)"
        assert not (layer.layer.weight_ih_l0.data == layer.backward_layer.weight_ih_l0.data).any()

    def test_is_told_by_its_configuration(self):
        layer = Bidirectional(LSTM(2), "sum")
        again = Bidirectional(**layer.config())
        assert repr(again) == repr(layer)
        assert "merge_mode='sum'" in repr(again)

    def test_trains_and_evaluates_both(self):
        layer = Bidirectional(LSTM(2, dropout=0.5, kernel_regularizer=lambda w: (w * w).sum()))
        layer(X)
        assert (layer.eval()(X).data == layer(X).data).all()
        both = layer.forward_layer, layer.backward_layer
        expected = sum((part.weight_ih_l0.data**2).sum() for part in both)
        np.testing.assert_allclose(layer.penalty().data, expected)

    def test_refuses_what_does_not_fit(self):
        with pytest.raises(OptionError, match=r"merge_mode 'add'(?s:.*)concat, sum, mul, ave"):
            Bidirectional(LSTM(2), "add")
        with pytest.raises(OptionError, match="merge_mode None"):
            Bidirectional(LSTM(2), None)
        with pytest.raises(OptionError, match=r"Dense.* in Bidirectional(?s:.*)LSTM or GRU"):
            Bidirectional(Dense(2))
        with pytest.raises(OptionError, match=r"as the forward layer(?s:.*)go_backwards=False"):
            Bidirectional(LSTM(2, go_backwards=True))
        with pytest.raises(OptionError, match=r"as the backward layer(?s:.*)go_backwards=True"):
            Bidirectional(LSTM(2), backward_layer=LSTM(2))
        with pytest.raises(OptionError, match="the same return_sequences for both"):
            Bidirectional(LSTM(2), backward_layer=LSTM(2, go_backwards=True, return_sequences=True))

    def test_refuses_data_before_it_makes_parameters(self):
        layer = Bidirectional(LSTM(2))
        with pytest.raises(ShapeError, match=r"input of shape \(3, 4\) for LSTM"):
            layer(X[:, 0])
        assert layer.parameters() == []


class TestInput:
    @layers
    def test_of_one_step(self, make):
        layer = filled(make(2), X[:, :1])
        assert layer(X[:, :1]).shape == (3, 2)
        assert (layer(Value(X[:, :1])).data == layer(X[:, :1]).data).all()

    @layers
    def test_as_a_value_gives_the_same(self, make):
        layer = filled(make(2, return_sequences=True))
        assert (layer(Value(X)).data == layer(X).data).all()

    def test_may_have_any_number_of_steps(self):
        layer = filled(LSTM(2))
        assert layer(X[:, :3]).shape == (3, 2)
        assert layer([[[1, 2, 3, 4]]]).shape == (1, 2)

    @pytest.mark.parametrize("shape", [(3, 4), (3, 0, 4), (3, 5, 4, 1)])
    def test_of_another_shape(self, shape):
        layer = LSTM(2)
        with pytest.raises(ShapeError, match="sequences of at least one step"):
            layer(np.zeros(shape))
        assert layer.parameters() == []

    def test_with_other_features(self):
        layer = filled(LSTM(2))
        with pytest.raises(ShapeError, match=r"made for samples of shape \(4, 4\)"):
            layer(X[..., :3])


class TestOptions:
    @pytest.mark.parametrize("make", [SimpleRNN, LSTM, GRU])
    def test_are_told_by_repr_and_configuration(self, make):
        layer = make(2, go_backwards=True)
        assert repr(layer) == f"{make.__name__}(units=2, go_backwards=True)"
        assert make(**layer.config()).config() == layer.config()

    def test_outside_their_range(self):
        with pytest.raises(OptionError, match="units=0"):
            LSTM(0)
        with pytest.raises(OptionError, match=r"dropout = 1.5"):
            GRU(2, dropout=1.5)
        with pytest.raises(OptionError, match=r"recurrent_dropout = -1"):
            SimpleRNN(2, recurrent_dropout=-1)

    def test_a_subclass_needs_a_step(self):
        with pytest.raises(NotImplementedError, match="RecurrentLayer has no make_step"):
            RecurrentLayer(2)(X)


@layers
def test_learns_to_remember_the_first_element(make):
    set_seed(0)
    source = np.random.default_rng(1)
    model = Sequential([make(8), Dense(1)])
    velocity = {}
    for _ in range(150):
        x = source.choice([-1.0, 1.0], (32, 8, 1))
        out = model(x)
        loss = np.mean((out - x[:, 0]) ** 2)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            velocity[p] = 0.9 * velocity.get(p, 0.0) - 0.05 * np.clip(p.grad, -1, 1)
            p.data = p.data + velocity[p]
    x = source.choice([-1.0, 1.0], (200, 8, 1))
    assert ((model(x).data > 0) == (x[:, 0] > 0)).mean() > 0.99
