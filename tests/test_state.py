"""Module: parameters, buffers and parts by name; modes; Sequential and its summary."""

from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import nn
from autograd_core import (
    AutogradError,
    DataError,
    GradientWarning,
    OptionError,
    ShapeError,
    TraceError,
    Value,
    compile,
    grad,
)
from nn import Activation, BatchNormalization, Dense, Dropout, Module, Sequential
from nn.interchange import keras_weights, torch_weights
from tests.every_layer import KINDS, example, samples
from tests.interrupts import interrupted


def module(**attributes):
    made = Module()
    for name, part in attributes.items():
        setattr(made, name, part)
    return made


class TestNames:
    def test_of_parameters_are_dotted(self):
        inner = module(w=Value(1.0), parts=[Value(2.0), {"k": Value(3.0)}])
        names = module(first=inner, b=Value(4.0)).named_parameters()
        assert {name: p.data for name, p in names.items()} == {
            "first.w": 1.0,
            "first.parts.0": 2.0,
            "first.parts.1.k": 3.0,
            "b": 4.0,
        }

    def test_of_modules_begin_with_the_whole(self):
        inner = module()
        whole = module(a=inner, parts=[module()])
        assert list(whole.modules()) == ["", "a", "parts.0"]
        assert whole.modules()["a"] is inner

    def test_private_attributes_are_left_alone(self):
        assert module(_cache=Value(1.0), _part=module(w=Value(2.0))).parameters() == []

    def test_sequential_numbers_its_layers_as_pytorch_does(self):
        model = Sequential([Dense(3), Activation("relu"), BatchNormalization()], (2,))
        assert list(model.state_dict()) == [
            "0.weight",
            "0.bias",
            "2.weight",
            "2.bias",
            "2.running_mean",
            "2.running_var",
        ]


class TestAnAssignmentToAParameter:
    @pytest.mark.parametrize(
        "change",
        [
            lambda layer: layer.weight * 0.5,
            lambda layer: layer.weight - 0.1,
            lambda layer: np.zeros((1, 3)),
            lambda layer: [[1.0, 2.0, 3.0]],
            lambda layer: np.float64(2.0),
            lambda layer: 2,
        ],
    )
    def test_of_a_result_or_of_numbers_is_refused(self, change):
        layer = Dense(1)
        layer.build((3,))
        weight = layer.weight
        with pytest.raises(OptionError, match=r"parameter 'weight' of Dense(.|\n)*\.weight\.data"):
            layer.weight = change(layer)
        assert layer.weight is weight
        assert list(layer.state_dict()) == ["weight", "bias"]

    def test_in_place_is_refused_as_python_assigns_the_result(self):
        model = module(w=Value([1.0, 2.0]))
        (model.w * model.w).sum().backward()
        with (
            pytest.raises(OptionError, match=r"\.w\.data -= "),
            pytest.warns(GradientWarning, match="p -= step"),  # which knows no owner
        ):
            model.w -= 0.1 * model.w.grad
        with pytest.raises(OptionError, match=r"\.w\.data"):
            model.w *= 0.5
        assert model.w.data.tolist() == [1.0, 2.0]

    def test_of_another_parameter_ties_the_two(self):
        first, second = Dense(3), Dense(3)
        first.build((3,))
        second.build((3,))
        second.weight = first.weight
        model = Sequential([first, second])
        assert [p is first.weight for p in model.parameters()] == [True, False, False]
        second.bias = Value(np.ones(3))
        assert second.bias in model.parameters()

    def test_of_none_or_of_a_part_takes_it_away(self):
        model = module(w=Value(1.0), v=Value(2.0))
        model.w, model.v = None, [Value(3.0), Value(4.0)]
        assert list(model.named_parameters()) == ["v.0", "v.1"]

    def test_private_values_and_results_may_be_replaced(self):
        model = module(_state=Value(1.0), latest=Value(1.0) * 2.0)
        model._state, model.latest = model._state * 2.0, 3.0
        assert (model._state.data, model.latest) == (2.0, 3.0)


class TestStateDict:
    def test_holds_copies_of_parameters_and_buffers(self):
        model = module(w=Value([1.0, 2.0]), b=Value(3.0), mean=np.zeros(2), text="no")
        state = model.state_dict()
        assert list(state) == ["w", "b", "mean"]
        assert state["b"].shape == ()
        state["w"][0] = state["mean"][0] = 100.0
        assert model.w.data[0] == 1.0
        assert model.mean[0] == 0.0

    def test_loads_to_the_bit(self):
        model = module(w=Value([1.0, 2.0]), b=Value(3.0), mean=np.zeros(2))
        model.load_state_dict({"w": [3.0, 4.0], "b": 5, "mean": np.ones(2)})
        assert model.w.data.tolist() == [3.0, 4.0]
        assert type(model.b.data) is float
        assert model.mean.tolist() == [1.0, 1.0]

    def test_keeps_type_and_memory_order(self):
        model = module(w=Value(np.asfortranarray(np.ones((2, 3), np.float32))))
        model.load_state_dict({"w": np.arange(6.0).reshape(2, 3)})
        assert model.w.dtype == np.float32
        assert model.w.data.flags.f_contiguous
        assert model.w.data.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]

    WRONG = {
        "missing": ({"w": [3.0, 4.0]}, OptionError, "missing: b"),
        "unknown": ({"w": [3.0, 4.0], "b": 1.0, 3: 2.0}, OptionError, "unknown: 3"),
        "shape": ({"w": [3.0, 4.0], "b": [1.0]}, ShapeError, r"b of shape \(1,\)"),
        "list": ([[3.0, 4.0], 5.0], OptionError, r"a list as the state(.|\n)*dict\(zip"),
        "text": ({"w": [3.0, 4.0], "b": "5.0"}, DataError, "b of type <U3"),
        "bytes": ({"w": [3.0, 4.0], "b": b"5"}, DataError, "b of type .S1"),
        "complex": ({"w": [3.0, 4.0], "b": 5j}, DataError, "b of type complex128"),
        "dates": ({"w": [3.0, 4.0], "b": np.datetime64("now")}, DataError, "b of type dat"),
        "durations": ({"w": [3.0, 4.0], "b": np.timedelta64(5)}, DataError, "b of type tim"),
        "objects": ({"w": [3.0, 4.0], "b": None}, DataError, "b of type object"),
        "ragged": ({"w": [3.0, [4.0]], "b": 1.0}, DataError, "w, a list"),
    }

    @pytest.mark.parametrize(("state", "kind", "says"), WRONG.values(), ids=WRONG)
    def test_that_does_not_fit_changes_nothing(self, state, kind, says):
        model = module(w=Value([1.0, 2.0]), b=Value(3.0))
        with pytest.raises(kind, match=says):
            model.load_state_dict(state)
        assert model.w.data.tolist() == [1.0, 2.0]
        assert model.b.data == 3.0

    @pytest.mark.parametrize(
        "counts", [np.array([1.5, 2.0]), np.array(["1", "2"]), np.array([1j, 2])], ids=str
    )
    def test_gives_buffers_no_numbers_that_they_do_not_hold(self, counts):
        model = module(w=Value(1.0), counts=np.array([3, 4]))
        with pytest.raises(DataError, match=r"counts of type (.|\n)*as int64"):
            model.load_state_dict({"w": 2.0, "counts": counts})
        assert (model.w.data, model.counts.tolist()) == (1.0, [3, 4])

    def test_gives_no_numbers_to_buffers_that_are_read_only(self):
        model = module(w=Value(1.0), a=np.zeros(2), b=np.broadcast_to(0.0, 2))
        with pytest.raises(DataError, match=r"^b, a buffer that is read-only"):
            model.load_state_dict({"w": 2.0, "a": np.ones(2), "b": np.ones(2)})
        assert (model.w.data, model.a.tolist()) == (1.0, [0.0, 0.0])

    def test_takes_nan_whole_numbers_bools_and_values(self):
        model = module(a=Value([1.0]), b=Value(2.0), c=Value([3.0]), d=Value(4.0))
        model.load_state_dict({"a": [np.nan], "b": 5, "c": np.array([True]), "d": Value(6.0)})
        assert np.isnan(model.a.data).all()
        assert (model.b.data, model.c.data.tolist(), model.d.data) == (5.0, [1.0], 6.0)

    def test_is_loaded_whole_or_not_at_all_wherever_an_interrupt_comes(self):
        model = module(a=Value([1.0]), b=Value(1.0), c=np.ones(2), d=Value([1.0]))
        old = {name: data.tolist() for name, data in model.state_dict().items()}
        new = {name: np.full_like(data, 2.0) for name, data in model.state_dict().items()}
        complete = {name: data.tolist() for name, data in new.items()}
        line = 0
        while interrupted(lambda: model.load_state_dict(new), line, ("nn/module.py",)):
            assert {n: data.tolist() for n, data in model.state_dict().items()} in (old, complete)
            line += 1
        assert line > 20
        assert {n: data.tolist() for n, data in model.state_dict().items()} == complete

    def test_that_comes_between_forward_and_backward_is_noticed(self):
        model = module(w=Value([1.0, 2.0]))
        loss = (model.w * model.w).sum()
        model.load_state_dict({"w": [3.0, 4.0]})
        with pytest.raises(AutogradError, match="backward"):
            loss.backward()

    def test_is_not_loaded_by_a_compiled_function_which_would_do_so_once(self):
        model = module(w=Value(1.0))
        with pytest.raises(TraceError):
            compile(lambda x: model.load_state_dict({"w": 5.0}) or model.w * x)(1.0)
        assert model.w.data == 1.0

    def test_need_not_be_complete_if_one_says_so(self):
        model = module(w=Value([1.0, 2.0]), b=Value(3.0))
        model.load_state_dict({"b": 4.0, "other": 1.0}, strict=False)
        assert model.b.data == 4.0


class TestOrder:
    """Other libraries write an array's bytes as they lie in memory."""

    MODELS = {
        "transposed": lambda: module(w=Value(np.asfortranarray(np.eye(2, 3))), m=np.eye(3, 2).T),
        "strided": lambda: module(w=Value(np.arange(6.0)[::2]), m=np.arange(6.0)[::-2]),
        "big-endian": lambda: module(
            w=Value(np.arange(3, dtype=">f4")), m=np.arange(3, dtype=">i8")
        ),
        "recurrent": lambda: Sequential(
            [nn.Bidirectional(nn.LSTM(2, return_sequences=True)), nn.GRU(3)], input_shape=(5, 2)
        ),
        "images": lambda: Sequential(
            [nn.Conv2D(3, 2), BatchNormalization(), nn.Flatten(), Dense(2)], input_shape=(4, 5, 2)
        ),
    }

    @pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
    def test_of_what_is_exported_is_cs_and_safetensors_gives_it_back(self, make, tmp_path):
        model = make()
        state = model.state_dict()
        weights = torch_weights(model) if isinstance(model, Sequential) else state
        arrays = keras_weights(model) if isinstance(model, Sequential) else []
        named = {f"keras {i}": array for i, array in enumerate(arrays)}
        for exported in (state, weights, named):
            for array in exported.values():
                assert array.flags.c_contiguous
                assert array.dtype.isnative
            save_file(exported, tmp_path / "weights.safetensors")
            found = load_file(tmp_path / "weights.safetensors")
            assert all(np.array_equal(found[name], array) for name, array in exported.items())

    @pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
    def test_of_memory_is_no_matter_of_numbers(self, make):
        model = make()
        state = model.state_dict()
        for name, parameter in model.named_parameters().items():
            np.testing.assert_array_equal(state[name], parameter.data)
        model.load_state_dict(state)
        assert all(np.array_equal(data, state[n]) for n, data in model.state_dict().items())


class TestModes:
    def test_train_and_eval_reach_all_parts(self):
        model = Sequential([Dropout(0.5), Sequential([Dropout(0.5)])])
        assert model.training
        assert model.eval() is model
        assert not any(part.training for part in model.modules().values())
        assert model.train() is model
        assert all(part.training for part in model.modules().values())

    def test_evaluating_is_undone_part_by_part(self):
        model = Sequential([Dropout(0.5), Dropout(0.5)])
        model.layers[0].eval()
        with model.evaluating():
            assert not any(part.training for part in model.modules().values())
        assert [layer.training for layer in model.layers] == [False, True]

    def test_evaluating_is_undone_after_a_failure(self):
        model = Sequential([Dropout(0.5)])
        with pytest.raises(ZeroDivisionError), model.evaluating():
            1 / 0  # noqa: B018
        assert model.layers[0].training


class TestBuilding:
    def test_parameters_take_the_type_of_the_first_data(self):
        for dtype in (np.float32, np.float64):
            layer = Dense(2)
            layer(np.ones((4, 3), dtype))
            assert layer.weight.dtype == dtype
        layer = Dense(2)
        layer([[1, 2, 3]])
        assert layer.weight.dtype == np.float64

    def test_input_shape_makes_parameters_at_once_as_float32(self):
        model = Sequential([Dense(2)], input_shape=(3,))
        assert [p.shape for p in model.parameters()] == [(2, 3), (2,)]
        assert model.layers[0].weight.dtype == np.float32

    def test_the_same_seed_gives_the_same_weights_in_both_types(self):
        weights = []
        for dtype in (np.float32, np.float64):
            nn.set_seed(0)
            layer = Dense(2)
            layer.build((3,), dtype)
            weights.append(layer.weight.data)
        assert np.array_equal(weights[0], weights[1].astype(np.float32))

    def test_added_layers_are_built_when_the_input_shape_is_known(self):
        model = Sequential(input_shape=(3,))
        model.add(Dense(4))
        model.add(Dense(2))
        assert len(model.parameters()) == 4
        later = Sequential()
        later.add(Dense(4))
        assert later.parameters() == []

    def test_a_failed_build_leaves_a_layer_unbuilt(self):
        layer = Dense(2, kernel_initializer=lambda shape, dtype: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            layer(np.ones((1, 3)))
        assert layer.input_shape is None

    WRONG = {
        "one axis": (lambda: Dense(2)(np.ones(3)), ShapeError, r"x\[None\] for one sample"),
        "other features": (
            lambda: Sequential([Dense(2)], (3,))(np.ones((5, 4))),
            ShapeError,
            r"(?s)input of shape \(5, 4\) for Dense.*\(batch, 3\)",
        ),
        "no layer": (lambda: Sequential([np.tanh]), OptionError, "nn.Activation"),
        "no units": (lambda: Dense(0), OptionError, "units=0"),
    }

    @pytest.mark.parametrize(("act", "kind", "says"), WRONG.values(), ids=WRONG)
    def test_wrong_inputs(self, act, kind, says):
        with pytest.raises(kind, match=says):
            act()


class TestSummary:
    def test_784_16_16_10_has_13002_parameters(self):
        model = Sequential([Dense(16), Dense(16), Dense(10)], input_shape=(784,))
        assert str(model.summary()).endswith("parameters: 13,002")
        assert sum(np.size(p.data) for p in model.parameters()) == 13_002

    def test_notebooks_show_it_as_it_is(self):
        model = Sequential([Dense(2)], input_shape=(3,))
        assert repr(model.summary()) == str(model.summary())

    def test_names_inner_layers_buffers_and_what_is_not_built(self):
        model = Sequential([Sequential([Dense(2)]), BatchNormalization(), Dropout(0.5)])
        assert "not built yet" in model.summary()
        model.build((3,))
        lines = [line.split() for line in model.summary().splitlines()]
        assert lines[2:5] == [
            ["0.0", "Dense", "(batch,", "2)", "8"],
            ["1", "BatchNormalization", "(batch,", "2)", "4"],
            ["2", "Dropout", "(batch,", "2)", "0"],
        ]
        assert model.summary().endswith("parameters: 12, and 4 numbers that are not trained")

    def test_scalar_networks_have_one_too(self):
        assert str(nn.MLP(2, [16, 16, 1]).summary()).endswith("parameters: 337")


class TestPenaltiesAndConstraints:
    def test_of_all_parts_are_found(self):
        model = Sequential(
            [Dense(2, kernel_regularizer="l1"), Sequential([Dense(1, bias_regularizer="l2")])]
        )
        model(np.ones((1, 3)))
        model.layers[1].layers[0].bias.data = np.array([2.0])
        expected = 0.01 * np.abs(model.layers[0].weight.data).sum() + 0.01 * 4
        np.testing.assert_allclose(float(model.penalty()), expected)
        assert Sequential([Dense(1)]).penalty() == 0.0

    def test_activity_is_penalized_per_sample(self):
        layer = Dense(2, activity_regularizer=nn.regularizers.L2(0.1))
        out = layer(np.ones((5, 3)))
        np.testing.assert_allclose(float(layer.penalty()), 0.1 * np.sum(out.data**2) / 5)
        layer.penalty().backward()
        assert layer.weight.has_grad

    def test_activity_of_a_layer_used_twice_counts_twice(self):
        layer = Dense(3, activity_regularizer="l2", kernel_initializer="ones")
        model, x = Sequential([layer, Sequential([layer])]), np.ones((2, 3))
        for _ in range(2):  # a second forward pass begins anew
            model(x)
            np.testing.assert_allclose(float(model.penalty()), 0.01 * 3 * (9 + 81))
        layer(x)
        layer(x)  # a call by itself is a forward pass
        np.testing.assert_allclose(float(model.penalty()), 0.01 * 3 * 9)
        with pytest.raises(ShapeError):
            model(np.ones((2, 4)))
        layer(x)
        np.testing.assert_allclose(float(model.penalty()), 0.01 * 3 * 9)

    @pytest.mark.parametrize("jit", [False, True])
    def test_training_and_evaluation_count_all_uses(self, jit):
        x, y = np.ones((2, 3)), np.zeros((2, 3))
        layer = Dense(3, use_bias=False, activity_regularizer="l2")
        model = Sequential([layer, layer])
        model.compile(nn.SGD(0.01), "mse", jit=jit)
        model.build((3,), float)
        weight = layer.weight.data.copy()

        def objective(w):
            once = x @ w.T
            twice = once @ w.T
            return np.mean(twice**2) + 0.01 * (np.sum(once**2) + np.sum(twice**2)) / len(x)

        for _ in range(4):
            np.testing.assert_allclose(model.evaluate(x, y), objective(weight))
            history = model.fit(x, y, epochs=1, verbose=0)
            np.testing.assert_allclose(history.history["loss"], objective(weight))
            weight = weight - 0.01 * grad(objective)(weight)
            np.testing.assert_allclose(layer.weight.data, weight)

    def test_constraints_hold_after_a_step(self):
        model = Sequential([Dense(2, kernel_constraint="non_neg")])
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 3)), -np.ones((4, 2)), epochs=5, verbose=0)
        assert (model.layers[0].weight.data >= 0).all()


def test_foreign_objects_are_no_parts():
    assert module(foreign=SimpleNamespace(w=Value(1.0))).state_dict() == {}


class TestLayersOfASequential:
    def test_of_a_class_its_call_is_named(self):
        with pytest.raises(OptionError, match=r"write: Dense\(\.\.\.\)"):
            Sequential([Dense])

    def test_stand_in_one_list(self):
        with pytest.raises(OptionError, match=r"Sequential of a Dense(.|\n)*Sequential\(\[first"):
            Sequential(Dense(2), Dense(1))


class TestWhatALayerWasMadeWith:
    """Parameters and buffers of all layers, assigned by name, at random."""

    def made(self, kind):
        layer = example(kind)
        layer(samples(kind).astype(np.float32))
        return [
            (part, name)
            for part in layer.modules().values()
            for name, each in vars(part).items()
            if isinstance(each, Value | np.ndarray) and not name.startswith("_")
        ]

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_keeps_its_shape_and_its_type_whatever_is_assigned(self, kind):
        random = np.random.default_rng(len(kind.__name__))
        for part, name in self.made(kind):
            own = getattr(part, name)
            before = np.array(getattr(own, "data", own))
            for _ in range(20):
                with pytest.raises(AutogradError, match=r"why: .*\n  write: "):
                    setattr(part, name, self.wrong(random, own))
                assert getattr(part, name) is own
            state = part.state_dict()
            with pytest.raises(AutogradError):
                part.load_state_dict(state | {name: np.zeros((*own.shape, 2))})
            assert np.array_equal(part.state_dict()[name], before)
            self.assign(part, name, before * 2)
            assert np.array_equal(part.state_dict()[name], before * 2)
            assert getattr(part, name).dtype == np.float32

    def wrong(self, random, own):
        """Return something of another shape or type, or no numbers."""
        shape = list(own.shape)
        axis = random.integers(len(shape))
        shape[axis] += random.integers(1, 3)
        others = [tuple(shape), own.shape[1:], (*own.shape, 1), (1, *own.shape), ()]
        array = random.normal(size=others[random.integers(len(others))])
        right = np.zeros(own.shape)
        things = [array, array.tolist(), Value(array), right + 1j, right.astype(str), None, "zeros"]
        things += [np.full(own.shape, None), Dense(1), 0.5, np.float32(2.0), right.astype("M8[s]")]
        if isinstance(own, Value):
            things += [right, own * 2.0]
        return things[random.integers(len(things))]

    def assign(self, part, name, data):
        """Assign new numbers as one is told to."""
        if isinstance(getattr(part, name), Value):
            getattr(part, name).data = data
        else:
            setattr(part, name, data.astype(np.float64).tolist())

    def test_may_be_another_value_of_its_shape(self):
        layer = Dense(3)
        layer.build((2,))
        other = layer.weight = Value(np.ones((3, 2), np.float32))
        assert layer.weight is other

    def test_is_of_other_sizes_where_the_layer_is_built_anew(self):
        for layer in (BatchNormalization(), Dense(3), nn.LSTM(2)):
            layer.build_for((4, 3), np.float32)
            layer.build_for((4, 5), np.float32)
            assert layer.state_dict()
            assert layer(np.ones((2, 4, 5))).shape[0] == 2

    @pytest.mark.parametrize("mode", ["no", 1, None])
    def test_is_no_mode(self, mode):
        layer = Dense(3)
        with pytest.raises(OptionError, match=f"training = {mode!r}"):
            layer.training = mode
        with pytest.raises(OptionError, match=f"training = {mode!r}"):
            Sequential([layer]).train(mode)
        assert layer.training


@pytest.mark.parametrize("seed", [-1, 1.5, "a", None, True, [1, 2]])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(OptionError, match="the same seed gives the same run"):
        nn.set_seed(seed)


@pytest.mark.parametrize("layer", [nn.LSTM(2), BatchNormalization(), nn.Bidirectional(nn.GRU(2))])
@pytest.mark.parametrize(
    ("mask", "kind"),
    [
        (3, DataError),
        (np.ones((2, 3), bool), ShapeError),
        (np.ones((4, 2), bool), ShapeError),
        (np.full((2, 4), np.nan), DataError),
        (np.full((2, 4), -1.0), DataError),
        (np.full((2, 4), "yes"), DataError),
    ],
)
def test_a_mask_says_of_each_step_whether_it_counts(layer, mask, kind):
    with pytest.raises(kind, match="whether it counts"):
        layer(np.ones((2, 4, 3)), mask=mask)


@pytest.mark.parametrize("layer", [nn.LSTM(2), BatchNormalization(), nn.Bidirectional(nn.GRU(2))])
def test_a_mask_may_be_a_list_of_0_and_1(layer):
    mask = [[1, 0, 1, 0], [1, 1, 0, 0]]
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    found, expected = layer(x, mask=mask), layer(x, mask=np.array(mask, bool))
    assert np.array_equal(found.data, expected.data)
