"""Optimizers: their paths against Keras's, float by float; and what is said of mistakes."""

import math
import warnings

import numpy as np
import pytest

import autograd_core
import nn
from autograd_core import OptionError, Value, compile
from nn import optimizers, schedules
from nn.layers import Dense
from nn.mistakes import TrainingWarning
from nn.module import Module
from nn.networks import Sequential
from nn.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Nadam,
    Optimizer,
    RMSprop,
    global_norm,
)
from tests.keras_oracle import as_keras, as_numpy, keras

STEPS = 50
SHAPES = ((3, 2), (4,))
OWN = [SGD, Adagrad, Adadelta, RMSprop, Adam, AdamW, Adamax, Nadam, Lion]


def gradients(steps=STEPS, dtype=np.float64):
    """Return gradients for each step and parameter: of changing size, and now and then zero."""
    random = np.random.default_rng(1)
    sequence = []
    for step in range(steps):
        size = 10.0 ** random.uniform(-2, 1)
        sequence.append([(size * random.normal(size=shape)).astype(dtype) for shape in SHAPES])
        sequence[-1][1][step % 4] = 0.0
    return sequence


def starts(dtype=np.float64):
    random = np.random.default_rng(2)
    return [random.normal(size=shape).astype(dtype) for shape in SHAPES]


def own_path(optimizer, sequence, parameters):
    """Return the parameters' data after each step."""
    path = []
    for step in sequence:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = gradient
        optimizer.step(parameters)
        path.append([np.array(parameter.data) for parameter in parameters])
    return path


def keras_path(optimizer, sequence, data):
    variables = [keras.Variable(start, dtype=str(start.dtype)) for start in data]
    path = []
    for step in sequence:
        optimizer.apply_gradients(zip([as_keras(g) for g in step], variables, strict=True))
        path.append([np.array(as_numpy(variable)) for variable in variables])
    return path


def assert_same(path, expected, tolerance=1e-10):
    for step, (own, other) in enumerate(zip(path, expected, strict=True)):
        for a, b in zip(own, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=f"step {step}")


OPTIONS = [
    (SGD, {"learning_rate": 0.1}),
    (SGD, {"learning_rate": 0.1, "momentum": 0.9}),
    (SGD, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    (Adagrad, {"learning_rate": 0.1}),
    (Adagrad, {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 1e-3}),
    (Adadelta, {"learning_rate": 1.0}),
    (Adadelta, {"learning_rate": 0.5, "rho": 0.8, "epsilon": 1e-3}),
    (RMSprop, {"learning_rate": 0.1}),
    (RMSprop, {"learning_rate": 0.1, "rho": 0.8, "momentum": 0.9, "epsilon": 1e-3}),
    (RMSprop, {"learning_rate": 0.1, "centered": True}),
    (RMSprop, {"learning_rate": 0.1, "centered": True, "momentum": 0.5}),
    (Adam, {"learning_rate": 0.1}),
    (Adam, {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    (Adam, {"learning_rate": 0.1, "amsgrad": True}),
    (AdamW, {"learning_rate": 0.1}),
    (AdamW, {"learning_rate": 0.1, "weight_decay": 0.1, "amsgrad": True}),
    (Adamax, {"learning_rate": 0.1}),
    (Adamax, {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    (Nadam, {"learning_rate": 0.1}),
    (Nadam, {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    (Lion, {"learning_rate": 0.1}),
    (Lion, {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.5}),
    (SGD, {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    (RMSprop, {"learning_rate": 0.1, "weight_decay": 0.1, "clipnorm": 0.5}),
    (SGD, {"learning_rate": 0.1, "clipnorm": 1.0}),
    (SGD, {"learning_rate": 0.1, "clipvalue": 0.3}),
    (SGD, {"learning_rate": 0.1, "global_clipnorm": 1.0}),
    (SGD, {"learning_rate": 0.1, "clipnorm": 0.0}),  # not clipped at all, in Keras as here
    (Adam, {"learning_rate": 0.1, "global_clipnorm": 1.0}),
]


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_path_is_that_of_keras(kind, options):
    own, other = kind(**options), getattr(keras.optimizers, kind.__name__)(**options)
    path = own_path(own, gradients(), [Value(start) for start in starts()])
    assert_same(path, keras_path(other, gradients(), starts()))
    assert own.iterations == own.updates == STEPS


@pytest.mark.parametrize("kind", OWN)
def test_path_with_all_defaults_is_that_of_keras_in_float32_too(kind):
    own, other = kind(), getattr(keras.optimizers, kind.__name__)()
    sequence, data = gradients(dtype=np.float32), starts(np.float32)
    path = own_path(own, sequence, [Value(start) for start in data])
    assert_same(path, keras_path(other, sequence, data), 1e-6)
    assert {array.dtype for step in path for array in step} == {np.dtype(np.float32)}


@pytest.mark.parametrize("kind", [SGD, Adam, Nadam])
def test_gradients_accumulate_as_in_keras(kind):
    options = {"gradient_accumulation_steps": 2, "weight_decay": 0.1, "clipvalue": 0.5}
    if kind is SGD:  # schedules count steps, not updates
        options["learning_rate"] = lambda step: 0.1 / (1 + step)
    own = kind(**options)
    if kind is SGD:
        options["learning_rate"] = keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 1.0)
    other = getattr(keras.optimizers, kind.__name__)(**options)
    sequence = gradients(5)
    path = own_path(own, sequence, [Value(start) for start in starts()])
    assert_same(path, keras_path(other, sequence, starts()))
    assert (own.iterations, own.updates) == (5, 2)


def test_time_based_decay_is_a_schedule_as_in_keras():
    own = SGD(schedules.InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.01), momentum=0.9)
    schedule = keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.01)
    other = keras.optimizers.SGD(schedule, momentum=0.9)
    path = own_path(own, gradients(), [Value(start) for start in starts()])
    assert_same(path, keras_path(other, gradients(), starts()))


# Numbers and arrays


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_a_number_moves_like_an_array_of_one(kind, options):
    number, array = Value(0.5), Value([0.5])
    of_number, of_array = kind(**options), kind(**options)
    for gradient in [0.3, -2.0, 0.0, 1e-9, 5.0]:
        number.grad, array.grad = gradient, [gradient]
        of_number.step([number])
        of_array.step([array])
        assert type(number.data) is float
        assert all(type(slot) is float for slot in of_number.slots[number].values())
        assert number.data == pytest.approx(array.data[0], rel=1e-14)


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e300])
def test_what_is_not_finite_flows_silently_and_alike_through_numbers_and_arrays(kind, bad):
    number, array = Value(0.5), Value([0.5])
    for parameter in (number, array):
        optimizer = kind(global_clipnorm=None if bad == 1e300 else 1.0)
        for gradient in (bad, 1.0):
            parameter.grad = np.full(parameter.shape, gradient)
            optimizer.step([parameter])
    np.testing.assert_array_equal(number.data, array.data[0])
    assert math.isnan(number.data) or bad == 1e300


@pytest.mark.parametrize("start", [0.5, [0.5]])
def test_division_by_zero_is_nan_for_numbers_too(start):
    parameter = Value(start)
    parameter.grad = 0.0
    Adam(epsilon=0.0).step([parameter])
    assert np.isnan(parameter.data).all()


@pytest.mark.parametrize("start", [0.5, [0.5]])
def test_centered_rmsprop_where_rounding_makes_the_variance_negative_is_nan(start):
    parameter = Value(start)
    optimizer = RMSprop(centered=True, epsilon=0.0)
    optimizer.slots_of(parameter).update(velocity=1.0, average_gradient=1.0 + 1e-15)
    parameter.grad = 1.0
    optimizer.step([parameter])
    assert np.isnan(parameter.data).all()


def test_adamax_and_amsgrad_remember_nan():
    for optimizer, slot in ((Adamax(), "norm"), (Adam(amsgrad=True), "velocity_hat")):
        parameter = Value(1.0)
        for gradient in (math.nan, 2.0):
            parameter.grad = gradient
            optimizer.step([parameter])
        assert math.isnan(optimizer.slots[parameter][slot])


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("order", ["C", "F"])
def test_type_and_order_in_memory_stay_and_recorded_arrays_do_not_change(kind, order):
    options = {name: np.float64(0.1) for name in ("learning_rate", "weight_decay", "clipnorm")}
    options |= {n: np.float64(v) for n, v in kind().config().items() if n in ("beta_2", "rho")}
    parameter = Value(np.ones((3, 2), np.float32, order=order))
    recorded = parameter.data
    optimizer = kind(**options)
    gradient = np.arange(6.0).reshape(3, 2)  # float64, and in the other order half of the time
    for _ in range(2):
        parameter.grad = gradient
        optimizer.step([parameter])
    for array in (parameter.data, *optimizer.slots[parameter].values()):
        assert array.dtype == np.float32
        assert array.flags[f"{order}_CONTIGUOUS"]
    assert (recorded == 1).all()
    assert (gradient == np.arange(6.0).reshape(3, 2)).all()
    slots = optimizer.slots[parameter].values()
    assert not any(np.shares_memory(parameter.data, slot) for slot in slots)


def test_gradients_that_are_values_move_as_their_data():
    x = Value([1.0, 2.0])
    (x * x).sum().backward(create_graph=True)
    SGD(0.1).step([x])
    np.testing.assert_allclose(x.data, [0.8, 1.6])


# What steps do to a model


CONVERGING = [
    (SGD, {"learning_rate": 0.1, "momentum": 0.5}),
    (Adagrad, {"learning_rate": 0.5}),
    (Adadelta, {"learning_rate": 10.0}),
    (RMSprop, {"learning_rate": schedules.CosineDecay(0.1, 400)}),
    (Adam, {"learning_rate": 0.1}),
    (AdamW, {"learning_rate": 0.1, "weight_decay": 0.0}),
    (Adamax, {"learning_rate": 0.1}),
    (Nadam, {"learning_rate": 0.1}),
    (Lion, {"learning_rate": schedules.CosineDecay(0.1, 400)}),
]


@pytest.mark.parametrize(("kind", "options"), CONVERGING)
def test_a_bowl_is_descended_to_its_bottom(kind, options):
    x, y = Value([2.0, -1.0]), Value(3.0)
    optimizer = kind(**options)
    for _ in range(400):
        x.grad = y.grad = None
        loss = ((x - np.array([1.0, -2.0])) ** 2 * np.array([1.0, 3.0])).sum() + (y - 0.5) ** 2
        loss.backward()
        optimizer.step([x, y])
    np.testing.assert_allclose(x.data, [1.0, -2.0], atol=1e-3)
    assert y.data == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("steps", [None, 2])
@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("make", [list, tuple])
def test_a_run_resumed_from_slots_and_iterations_continues_to_the_bit(kind, steps, make):
    def optimizer():
        rate = schedules.ExponentialDecay(0.1, 10, 0.5)
        return kind(rate, gradient_accumulation_steps=steps, weight_decay=0.01)

    def parameters():
        return make([Value(starts()[0]), Value(starts(np.float32)[1].reshape(2, 2)), Value(0.5)])

    random = np.random.default_rng(3)
    sequence = [
        [random.normal(size=(3, 2)), random.normal(size=(2, 2)), random.normal()] for _ in range(9)
    ]
    whole = parameters()
    path = own_path(optimizer(), sequence, whole)
    first, before = parameters(), optimizer()
    own_path(before, sequence[:5], first)
    second, after = parameters(), optimizer()
    after.iterations = before.iterations
    for old, new in zip(first, second, strict=True):
        new.data = old.data
        after.slots[new] = {name: np.array(slot) for name, slot in before.slots[old].items()}
    rest = own_path(after, sequence[5:], second)
    for own, other in zip(rest, path[5:], strict=True):
        for a, b in zip(own, other, strict=True):
            assert a.dtype == b.dtype
            assert a.tobytes() == b.tobytes()
    assert all(type(slot) is float for slot in after.slots[second[2]].values())


def test_what_is_remembered_is_found_by_name_and_begins_at_zero():
    parameter = Value([1.0, 2.0])
    slots = SGD().slots_of(parameter)
    assert dict(slots) == {}
    np.testing.assert_array_equal(slots["anything"], [0.0, 0.0])


def test_what_is_remembered_may_have_a_shape_of_its_own():
    optimizer, parameter = SGD(), Value([1.0, 2.0])
    optimizer.slots[parameter] = {"count": 3, "momentum": np.array([1, 2])}
    slots = optimizer.slots_of(parameter)
    assert slots["count"] == 3
    np.testing.assert_array_equal(slots["momentum"], [1.0, 2.0])
    assert slots["momentum"].dtype == np.float64


def test_a_step_of_a_model_ends_with_its_constraints():
    class Bounded(Module):
        def __init__(self):
            self.weight = Value([1.0, -1.0])

        def constrain_own(self):
            self.weight.data = np.maximum(self.weight.data, 0.0)

    model = Bounded()
    (model.weight * 0.5).sum().backward()
    SGD(1.0).step(model)
    np.testing.assert_array_equal(model.weight.data, [0.5, 0.0])


def test_a_layer_learns():
    layer = Dense(2)
    x, y = np.ones((4, 3)), np.ones((4, 2))
    optimizer = Adam(learning_rate=0.1)
    for _ in range(200):
        loss = ((layer(x) - y) ** 2).mean()
        layer.zero_grad()
        loss.backward()
        optimizer.step(layer)
    assert loss.data < 1e-6


def test_parameters_without_gradient_stay_even_from_weight_decay():
    still, moving = Value([1.0]), Value([1.0])
    moving.grad = 1.0
    optimizer = AdamW(0.1)
    optimizer.step([still, moving])
    assert still.data[0] == 1.0
    assert moving.data[0] < 1.0
    assert still not in optimizer.slots


def test_a_parameter_that_is_given_twice_moves_once():
    x = Value(1.0)
    x.grad = 1.0
    SGD(0.1).step(iter([x, x]))
    assert x.data == 0.9


def test_a_gradient_that_came_before_the_last_of_accumulation_counts():
    x, y = Value(1.0), Value(1.0)
    optimizer = SGD(0.1, gradient_accumulation_steps=2)
    x.grad, y.grad = 1.0, 1.0
    optimizer.step([x, y])
    assert (x.data, y.data) == (1.0, 1.0)
    x.grad, y.grad = 3.0, None
    optimizer.step([x, y])
    assert (x.data, y.data) == pytest.approx((0.8, 0.95))
    assert "accumulated" not in optimizer.slots[x]


# Learning rates and clipping


def test_learning_rates_are_numbers_schedules_or_functions_and_may_be_assigned():
    x, optimizer = Value(1.0), SGD(0.5)
    assert optimizer.current_learning_rate() == 0.5
    x.grad = 1.0
    optimizer.step([x])
    optimizer.learning_rate = 0.25
    x.grad = 1.0
    optimizer.step([x])
    assert x.data == 0.25
    optimizer.learning_rate = lambda step: 1.0 / step
    assert optimizer.current_learning_rate() == 0.5
    optimizer.learning_rate = schedules.ConstantRate(0.125)
    x.grad = 1.0
    optimizer.step([x])
    assert x.data == 0.125


def test_a_schedule_is_asked_for_step_0_first():
    asked = []
    x, optimizer = Value(1.0), SGD(lambda step: asked.append(step) or 0.1)
    for _ in range(3):
        x.grad = 1.0
        optimizer.step([x])
    assert asked == [0, 1, 2]


def test_a_schedule_that_fails_leaves_everything_as_it_was():
    def fail(step):
        raise RuntimeError("no rate")

    x, optimizer = Value(1.0), Adam(fail)
    x.grad = 1.0
    with pytest.raises(RuntimeError, match="no rate"):
        optimizer.step([x])
    assert (x.data, x.stepped, optimizer.iterations, optimizer.slots) == (1.0, False, 0, {})


def test_global_norm_is_that_of_one_long_vector():
    parts = [np.array([[3.0, 0.0]]), -4.0, np.array([12.0], np.float32)]
    assert global_norm(parts) == pytest.approx(13.0)
    assert global_norm([]) == 0.0


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_small_gradients_pass_clipping_as_they_are(clip):
    x, y = Value([1.0, 2.0]), Value(1.0)
    x.grad, y.grad = [0.3, -0.4], 0.1
    SGD(1.0, **{clip: 1.0}).step([x, y])
    np.testing.assert_array_equal(x.data, np.array([1.0, 2.0]) - [0.3, -0.4])
    assert y.data == 1.0 - 0.1


# One's own, names, configurations


def test_an_optimizer_of_ones_own_is_one_method():
    class Signed(Optimizer):
        def update(self, data, gradient, slots, learning_rate):
            slots["count"] = slots["count"] + 1
            return data - learning_rate * np.sign(gradient) / self.updates

    x, optimizer = Value(np.ones(2, np.float32)), Signed(0.5, clipvalue=1.0)
    for _ in range(2):
        x.grad = [3.0, -2.0]
        optimizer.step([x])
    np.testing.assert_array_equal(x.data, np.array([0.25, 1.75], np.float32))
    assert x.dtype == np.float32
    np.testing.assert_array_equal(optimizer.slots[x]["count"], [2.0, 2.0])
    assert repr(optimizer) == "Signed(learning_rate=0.5, clipvalue=1.0)"


def test_an_optimizer_without_update_says_so():
    x = Value(1.0)
    x.grad = 1.0
    with pytest.raises(NotImplementedError, match="Optimizer has no update"):
        Optimizer().step([x])


def test_names_stand_for_new_optimizers_with_all_defaults():
    assert set(optimizers.BY_NAME.values()) == set(OWN)
    for name, kind in optimizers.BY_NAME.items():
        assert kind is OWN[[k.__name__.lower() for k in OWN].index(name)]
        assert type(optimizers.get(name)) is kind
        assert optimizers.get(name) is not optimizers.get(name)
        assert getattr(keras.optimizers.get(name), "name", name)
    adam = Adam(0.1)
    assert optimizers.get(adam) is adam
    with pytest.raises(OptionError, match=r"optimizer 'adm'[\s\S]*write: 'adam'"):
        optimizers.get("adm")


@pytest.mark.parametrize("kind", OWN)
def test_options_have_the_names_and_defaults_of_keras(kind):
    other = getattr(keras.optimizers, kind.__name__)().get_config()
    own = kind().config()
    assert own.pop("learning_rate") == pytest.approx(other["learning_rate"])
    assert own == {name: other[name] for name in own}
    again = kind(**kind(0.5, clipnorm=1.0).config())
    assert again.config() == kind(0.5, clipnorm=1.0).config()
    assert repr(kind()) == f"{kind.__name__}()"


def test_positions_are_those_of_keras():
    assert Adam(0.1, 0.8, 0.9, 1e-3, True).amsgrad is True
    assert AdamW(0.1, 0.2, 0.8).config()["beta_1"] == 0.8
    assert SGD(0.1, 0.9, True).nesterov is True
    assert RMSprop(0.1, 0.8, 0.7, 1e-3, True).centered is True


# In a compiled function of the user's


@pytest.mark.parametrize("schedule", [0.1, schedules.ExponentialDecay(0.1, 5, 0.5)])
@pytest.mark.parametrize("kind", OWN)
def test_apply_in_a_compiled_function_is_the_eager_step(kind, schedule):
    x, y = np.linspace(-1, 1, 12).reshape(4, 3), np.ones((4, 1))

    def trained(wrap):
        w, optimizer = Value([[0.3], [-0.2], [0.1]]), kind(schedule, weight_decay=0.1)

        def step(x, y):
            loss = np.mean((x @ w - y) ** 2)
            optimizer.apply({w: autograd_core.gradients(loss, [w])[0]})
            return loss

        step = wrap(step)
        losses = [float(step(x, y)) for _ in range(6)]
        if not callable(optimizer.learning_rate):
            optimizer.learning_rate = 0.01
        losses += [float(step(x, y)) for _ in range(3)]
        return losses, w.data, optimizer.iterations

    eager, compiled = trained(lambda f: f), trained(compile)
    assert compiled[2] == eager[2] == 9
    assert np.allclose(compiled[0], eager[0], rtol=1e-12, atol=0)
    assert np.allclose(compiled[1], eager[1], rtol=1e-12, atol=0)


def test_apply_of_plain_gradients_counts_and_holds():
    x, optimizer, held = Value(1.0), Adam(0.1), []
    optimizer.apply({x: 3.0}, hold=lambda: held.append(x.data))
    assert (x.data, optimizer.iterations) == (pytest.approx(0.9), 1)
    assert held == [x.data]
    optimizer.apply({})
    assert optimizer.iterations == 1


@pytest.mark.parametrize(
    ("options", "hold"), [({"gradient_accumulation_steps": 2}, None), ({}, print)]
)
def test_what_a_compiled_function_cannot_apply_is_refused(options, hold):
    x, optimizer = Value(1.0), SGD(0.1, **options)
    step = compile(lambda g: optimizer.apply({x: g}, hold=hold))
    with pytest.raises(OptionError, match=r"apply\(\) with (hold|gradient_acc\w+) inside"):
        step(1.0)
    assert (x.data, optimizer.iterations) == (1.0, 0)


# Mistakes


def test_nesterov_without_momentum_is_warned_of():
    with pytest.warns(TrainingWarning, match="nesterov=True with momentum=0"):
        SGD(0.1, nesterov=True)


def test_gradients_zeroed_in_place_are_zeroed():
    x, optimizer = Value([1.0, 2.0]), SGD(0.1)
    for _ in range(3):
        if x.has_grad:
            x.grad[:] = 0
        (x * x).sum().backward()
        optimizer.step([x])  # a warning would be an error here
    assert np.allclose(x.data, [0.512, 1.024])


def model_of(x):
    model = Module()
    model.x = x
    return model


@pytest.mark.parametrize("make", [lambda x: [x], model_of])
def test_a_step_without_any_gradient_is_said_and_does_nothing(make):
    x, optimizer = Value(1.0), AdamW()
    with pytest.warns(
        TrainingWarning, match="none has a gradient[\\s\\S]*loss.backward\\(\\) first"
    ):
        optimizer.step(make(x))
    assert (x.data, optimizer.iterations) == (1.0, 0)


def descend_without_zeroing(x, optimizer):
    for _ in range(3):
        (x * 2).backward()
        optimizer.step([x])


def test_gradients_that_were_used_before_are_said_once_a_line():
    x, optimizer = Value(1.0), SGD(0.1)
    with pytest.warns(TrainingWarning, match="not zeroed[\\s\\S]*model.zero_grad\\(\\)") as said:
        descend_without_zeroing(x, optimizer)
    assert len(said) == 1
    assert said[0].filename == __file__
    assert x.data == pytest.approx(1.0 - 0.1 * (2 + 4 + 6))  # what was asked for is done


def test_a_second_step_without_backward_is_said():
    x, optimizer = Value(1.0), SGD(0.1)
    (x * 2).backward()
    optimizer.step([x])
    with pytest.warns(TrainingWarning, match="an earlier step"):
        optimizer.step([x])


def test_zeroed_gradients_are_no_mistake_in_any_of_the_three_ways():
    x, optimizer = Value(1.0), SGD(0.1, gradient_accumulation_steps=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for reset in (lambda: setattr(x, "grad", None), lambda: setattr(x, "grad", 0.0)):
            reset()
            (x * 2).backward()
            optimizer.step([x])
        model_of(x).zero_grad()
        (x * 2).backward()
        optimizer.step([x])


@pytest.mark.parametrize(
    ("parameter", "why"),
    [(1.0, "it is no Value"), (Value(1.0) * 2, "computed from others"), ("x", "it is no Value")],
)
def test_what_is_no_parameter_is_refused_before_anything_moves(parameter, why):
    x, optimizer = Value(1.0), SGD(0.1)
    x.grad = 1.0
    with pytest.raises(OptionError, match=f"{why}[\\s\\S]*optimizer.step\\(model\\)"):
        optimizer.step([x, parameter])
    assert (x.data, x.stepped, optimizer.iterations) == (1.0, False, 0)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (SGD, {"learning_rate": -0.1}, "learning_rate = -0.1"),
        (SGD, {"learning_rate": None}, "learning_rate = None"),
        (SGD, {"learning_rate": "cosine_decay"}, "schedule 'cosine_decay'"),
        (SGD, {"weight_decay": -1.0}, "weight_decay = -1.0"),
        (SGD, {"clipnorm": -1.0}, "clipnorm = -1.0"),
        (SGD, {"clipvalue": -1.0}, "clipvalue = -1.0"),
        (SGD, {"global_clipnorm": math.nan}, "global_clipnorm = nan"),
        (SGD, {"clipnorm": 1.0, "clipvalue": 2.0}, "clipnorm=1.0 and clipvalue=2.0"),
        (SGD, {"clipvalue": 2.0, "global_clipnorm": 1}, "clipvalue=2.0 and global_clipnorm=1"),
        (SGD, {"gradient_accumulation_steps": 0}, "gradient_accumulation_steps = 0"),
        (SGD, {"gradient_accumulation_steps": 2.5}, "gradient_accumulation_steps = 2.5"),
        (SGD, {"momentum": 1.1}, "momentum = 1.1"),
        (Adagrad, {"initial_accumulator_value": -1.0}, "initial_accumulator_value = -1.0"),
        (Adagrad, {"epsilon": -1.0}, "epsilon = -1.0"),
        (Adadelta, {"rho": 1.5}, "rho = 1.5"),
        (Adadelta, {"epsilon": -1.0}, "epsilon = -1.0"),
        (RMSprop, {"rho": -0.5}, "rho = -0.5"),
        (RMSprop, {"momentum": -0.5}, "momentum = -0.5"),
        (RMSprop, {"epsilon": -1.0}, "epsilon = -1.0"),
        (Adam, {"beta_1": 1.0}, r"beta_1 = 1[\s\S]*beta_1 below 1"),
        (Adam, {"beta_2": 1}, r"beta_2 = 1[\s\S]*beta_2 below 1"),
        (Nadam, {"beta_1": -0.1}, "beta_1 = -0.1"),
        (Adamax, {"epsilon": -1.0}, "epsilon = -1.0"),
        (AdamW, {"weight_decay": None}, "weight_decay = None"),
        (Lion, {"beta_1": 2.0}, "beta_1 = 2.0"),
        (Lion, {"beta_2": 2.0}, "beta_2 = 2.0"),
    ],
)
def test_options_out_of_range_are_refused(kind, options, message):
    with pytest.raises(OptionError, match=message):
        kind(**options)


@pytest.mark.parametrize(
    "given", [lambda m: m, lambda m: m.parameters(), lambda m: iter(m.parameters())]
)
def test_parameters_are_refused_as_the_first_argument_and_the_step_is_named(given):
    model = model_of(Value([1.0, 2.0]))
    with pytest.raises(OptionError, match="first argument is the learning rate") as caught:
        Adam(given(model))
    assert "optimizer.step(model)" in caught.value.instead


class TestClippingOfExtremes:
    """Norms whose squares overflow or vanish, eager and compiled."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("size", ["large", "small", "one"])
    @pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm"])
    def test_the_direction_stays_and_the_norm_is_the_limit(self, clip, size, dtype):
        edge = 30 if dtype is np.float32 else 250
        scale = 10.0 ** {"large": edge, "small": -edge, "one": 0}[size]
        limit = 0.5 * scale
        gradient = np.array([3.0, 4.0], dtype) * dtype(scale)
        optimizer = SGD(1.0, **{clip: limit})

        def moved(gradient):
            x = Value(np.zeros(2, dtype))
            optimizer.apply({x: gradient}, 1.0)
            return x * 1.0

        expected = -np.array([0.3, 0.4]) * scale
        assert np.allclose(moved(gradient).data / scale, expected / scale, rtol=1e-6)
        assert np.allclose(compile(moved)(gradient) / scale, expected / scale, rtol=1e-6)

    def test_norms_of_what_is_infinite_or_empty(self):
        gradient = np.array([np.inf, 1.0])
        assert np.isnan(optimizers.global_norm([gradient * np.nan]))
        assert optimizers.global_norm([gradient]) == np.inf
        assert optimizers.global_norm([np.zeros((0, 2)), np.zeros(2)]) == 0.0


@pytest.mark.parametrize("use", ["fit", "train_on_batch"])
def test_an_optimizer_of_another_model_is_refused(use):
    x, y = np.ones((4, 2)), np.ones((4, 1))
    optimizer = Adam(0.1)

    def compiled():
        model = Sequential([Dense(1)])
        model.compile(optimizer, "mse")
        return model

    first, second = compiled(), compiled()
    for _ in range(2):
        first.train_on_batch(x, y)
    with pytest.raises(OptionError, match="2 steps of another model"):
        getattr(second, use)(x, y)
    getattr(first, use)(x, y)
    second.compile(Adam(0.1), "mse")
    getattr(second, use)(x, y)


def test_a_step_refuses_one_value_a_method_and_gradients():
    model, v = Sequential([Dense(1)], input_shape=(2,)), Value(1.0)
    (v * 3.0).backward()
    for given in ((v,), (model.parameters,), ([v], [3.0])):
        with pytest.raises(OptionError, match=r"step\(\)"):
            SGD(0.1).step(*given)
    assert v.data == 1.0


class TestALearningRate:
    @pytest.mark.parametrize(
        ("given", "says"),
        [
            (nn.Adam, "the class Adam as a learning rate"),
            (nn.Adam(), r"Adam\(\) as a learning rate"),
            (nn.EarlyStopping(), r"EarlyStopping\(\) as a learning rate"),
            (nn.initializers.Normal(), r"Normal\(\) as a learning rate"),
            (
                nn.schedules.ExponentialDecay,
                r"(?s)the class Exp.*ExponentialDecay\(initial_learning",
            ),
            ("exponential_decay", r"(?s)schedule 'exp.*ExponentialDecay\(initial_learning"),
            (nn.losses.mean_squared_error, "mean_squared_error as a learning rate"),
            (lambda step, epoch: 0.1, "<lambda> as a learning rate"),
            (nn.Dense(2), "SGD of a Dense"),
            ([0.1], "SGD of a list"),
            (Value(0.1), "SGD of a Value"),
            (np.array([0.1]), "SGD of a ndarray"),
            (-0.1, "learning_rate = -0.1"),
            (float("nan"), "learning_rate = nan"),
            (None, "learning_rate = None"),
            (1j, "learning_rate = 1j"),
        ],
    )
    def test_that_is_none_is_refused_when_it_is_made_and_when_it_is_assigned(self, given, says):
        with pytest.raises(OptionError, match=says):
            SGD(given)
        optimizer = SGD(0.5)
        with pytest.raises(OptionError, match=says):
            optimizer.learning_rate = given
        assert optimizer.learning_rate == 0.5

    @pytest.mark.parametrize("given", [np.float32(0.5), np.float64(0.5), np.array(0.5), 0.5])
    def test_of_numpy_is_a_python_number(self, given):
        optimizer = SGD(given)
        assert type(optimizer.learning_rate) is float
        optimizer.learning_rate = given
        assert (type(optimizer.learning_rate), optimizer.learning_rate) == (float, 0.5)
        x = Value(np.ones(2, np.float32))
        x.sum().backward()
        optimizer.step([x])
        assert (x.dtype, x.data.tolist()) == (np.float32, [0.5, 0.5])

    @pytest.mark.parametrize("rate", [-0.1, float("nan"), None, "fast", [0.1, 0.2]])
    def test_that_a_schedule_gives_is_checked_at_the_step(self, rate):
        x = Value(1.0)
        (x * x).backward()
        with pytest.raises(OptionError, match="the learning rate of step 0"):
            SGD(lambda step: rate).step([x])
        assert x.data == 1.0

    def test_that_a_schedule_gives_may_be_an_array_of_one_number(self):
        x = Value(1.0)
        (x * x).backward()
        SGD(lambda step: np.where(step < 1, 0.25, 0.5)).step([x])
        assert x.data == 0.5

    def test_after_a_warmup_is_checked_too(self):
        with pytest.raises(OptionError, match="the class Adam"):
            schedules.Warmup(nn.Adam, 5)


class TestAnOptionThatIsAssignedLater:
    @pytest.mark.parametrize("kind", optimizers.BY_NAME.values())
    def test_is_refused_as_in_the_constructor(self, kind):
        optimizer = kind()
        for name in optimizer.config().keys() - {"learning_rate"}:
            before = getattr(optimizer, name)
            with pytest.raises(OptionError, match=name):
                kind(**{name: "much"})
            with pytest.raises(OptionError, match=name):
                setattr(optimizer, name, "much")
            assert getattr(optimizer, name) == before

    def test_acts_if_it_fits(self):
        x, optimizer = Value(1.0), SGD(0.5)
        optimizer.weight_decay = 0.5
        (x * 0.0).backward()
        optimizer.step([x])
        assert x.data == 0.75
        optimizer.clipnorm = 1.0
        with pytest.raises(OptionError, match="clipped in one way"):
            optimizer.clipvalue = 1.0
        assert optimizer.config()["clipvalue"] is None

    def test_is_what_slots_begin_with(self):
        x, y = Value(1.0), Value(1.0)
        late, early = optimizers.Adagrad(0.1), optimizers.Adagrad(0.1, 5.0)
        late.initial_accumulator_value = 5.0
        for value, optimizer in ((x, late), (y, early)):
            (value * value).backward()
            optimizer.step([value])
        assert x.data == y.data

    def test_is_free_where_the_constructor_is_the_user_s(self):
        class Plain(SGD):
            pass

        class Mine(SGD):
            def __init__(self, momentum):
                super().__init__(0.1)
                self.momentum = momentum

        optimizer = Mine(7.0)
        optimizer.momentum = 8.0
        assert optimizer.momentum == 8.0
        for checked in (optimizer, Plain()):
            with pytest.raises(OptionError, match="learning_rate = -1"):
                checked.learning_rate = -1
        with pytest.raises(OptionError, match="momentum = 7"):
            Plain().momentum = 7.0


def test_steps_by_hand_of_a_second_model_are_refused_where_the_first_is_remembered():
    def step(optimizer, *values):
        for value in values:
            value.grad = 1.0
        optimizer.step(values)

    first, second = Value([1.0]), Value([2.0])
    for plain in (SGD(0.1), Adam(0.1)):
        step(plain, first)
        step(plain, first, second)
    for kind in (SGD, Adam):
        optimizer = kind(0.1)
        step(optimizer, first)
        if kind is SGD:  # without momentum it remembers nothing
            step(optimizer, second)
            continue
        with pytest.raises(OptionError, match="Adam after 1 steps of another model"):
            step(optimizer, second)
        with pytest.raises(OptionError, match="Adam after 1 steps of another model"):
            optimizer.apply({second: 1.0})
