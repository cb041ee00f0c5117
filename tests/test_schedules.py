"""Schedules: step by step against Keras's, and the others at the corners of their formulas."""

import math

import numpy as np
import pytest

from autograd_core import OptionError
from nn import schedules
from nn.schedules import (
    ConstantRate,
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    PiecewiseConstantDecay,
    PolynomialDecay,
    Schedule,
    StepDecay,
    Warmup,
)
from tests.keras_oracle import as_keras, as_numpy, keras

AS_IN_KERAS = [
    (ExponentialDecay, {"decay_steps": 7, "decay_rate": 0.9}),
    (ExponentialDecay, {"decay_steps": 7, "decay_rate": 0.9, "staircase": True}),
    (InverseTimeDecay, {"decay_steps": 7, "decay_rate": 0.5}),
    (InverseTimeDecay, {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    (PolynomialDecay, {"decay_steps": 20}),
    (PolynomialDecay, {"decay_steps": 20, "end_learning_rate": 0.01, "power": 0.5}),
    (PolynomialDecay, {"decay_steps": 9, "power": 2.0, "cycle": True}),
    (CosineDecay, {"decay_steps": 20}),
    (CosineDecay, {"decay_steps": 20, "alpha": 0.1}),
    (CosineDecay, {"decay_steps": 9, "alpha": 0.1, "warmup_target": 0.5, "warmup_steps": 5}),
    (CosineDecay, {"decay_steps": 9, "warmup_target": 0.5}),
    (CosineDecayRestarts, {"first_decay_steps": 6}),
    (CosineDecayRestarts, {"first_decay_steps": 5, "t_mul": 1.0, "m_mul": 0.9, "alpha": 0.1}),
    (CosineDecayRestarts, {"first_decay_steps": 5, "t_mul": 1.3, "m_mul": 0.7, "alpha": 0.1}),
]


@pytest.mark.parametrize(("kind", "options"), AS_IN_KERAS)
def test_rates_are_those_of_keras(kind, options):
    own = kind(0.3, **options)
    other = getattr(keras.optimizers.schedules, kind.__name__)(0.3, **options)
    rates = [own(step) for step in range(41)]
    expected = as_numpy(keras.ops.vectorized_map(other, as_keras(np.arange(41.0))))
    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=1e-15)
    assert all(type(rate) is float for rate in rates)


def test_constant_pieces_are_those_of_keras():
    own = PiecewiseConstantDecay([3, 7], [0.3, 0.2, 0.1])
    other = keras.optimizers.schedules.PiecewiseConstantDecay([3, 7], [0.3, 0.2, 0.1])
    assert [own(step) for step in range(12)] == [float(other(step)) for step in range(12)]


@pytest.mark.parametrize(("kind", "options"), AS_IN_KERAS)
def test_names_and_defaults_are_those_of_keras(kind, options):
    other = getattr(keras.optimizers.schedules, kind.__name__)(0.3, **options).get_config()
    assert kind(0.3, **options).config() == {n: v for n, v in other.items() if n != "name"}


def test_restarts_are_counted_exactly_however_late():
    schedule = CosineDecayRestarts(0.1, first_decay_steps=3, t_mul=2.0)
    for period in range(1, 40):
        start = 3 * (2**period - 1)
        assert schedule(start) == 0.1
        assert schedule(start - 1) < 0.1
    assert CosineDecayRestarts(0.1, first_decay_steps=3, t_mul=1)(3 * 10**12) == 0.1


def test_a_constant_stays():
    assert ConstantRate(0.3)(0) == ConstantRate(0.3)(10**9) == 0.3


def test_steps_drop_every_so_many_steps():
    own = StepDecay(0.3, decay_steps=7, decay_rate=0.9)
    staircase = ExponentialDecay(0.3, decay_steps=7, decay_rate=0.9, staircase=True)
    assert [own(step) for step in range(40)] == [staircase(step) for step in range(40)]
    assert StepDecay(0.8, 10)(25) == 0.2


def test_time_based_decay_is_that_of_older_texts():
    schedule = InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.01)
    assert [schedule(t) for t in (0, 1, 50)] == pytest.approx([0.1, 0.1 / 1.01, 0.1 / 1.5])


@pytest.mark.parametrize("following", [StepDecay(0.4, 10), lambda step: 0.4 * 0.5 ** (step // 10)])
def test_warmup_rises_in_a_line_and_then_counts_from_0(following):
    schedule = Warmup(following, warmup_steps=4)
    rates = [schedule(step) for step in (0, 1, 2, 3, 4, 13, 14)]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.2])


def test_warmup_to_a_number_from_another_one_and_of_no_steps():
    schedule = Warmup(0.5, warmup_steps=2, initial_learning_rate=0.1)
    assert [schedule(step) for step in (0, 1, 2, 9)] == pytest.approx([0.1, 0.3, 0.5, 0.5])
    assert Warmup(0.5, warmup_steps=0)(0) == 0.5


def test_warmup_before_a_cosine_is_the_warmup_of_the_cosine():
    own = Warmup(CosineDecay(0.5, 20, alpha=0.1), 5, initial_learning_rate=0.1)
    other = CosineDecay(0.1, 20, alpha=0.1, warmup_target=0.5, warmup_steps=5)
    assert [own(s) for s in range(30)] == pytest.approx([other(s) for s in range(30)], rel=1e-14)


def test_one_cycle_at_the_corners_of_its_formula():
    schedule = OneCycle(0.5, total_steps=101, pct_start=0.5, div_factor=10, final_div_factor=100)
    start, end, top = 0.05, 0.0005, 49.5
    assert schedule(0) == pytest.approx(start, rel=1e-14)
    assert schedule(100) == pytest.approx(end, rel=1e-14)
    assert schedule(150) == pytest.approx(end, rel=1e-14)
    assert schedule(top) == pytest.approx(0.5, rel=1e-14)
    assert schedule(top / 2) == pytest.approx((start + 0.5) / 2, rel=1e-14)
    assert schedule((top + 100) / 2) == pytest.approx((end + 0.5) / 2, rel=1e-14)
    rise = start + (0.5 - start) * (1 - math.cos(math.pi * 10 / top)) / 2
    assert schedule(10) == pytest.approx(rise, rel=1e-14)


@pytest.mark.parametrize("part", [0.0, 0.05, 0.1])
def test_one_cycle_without_a_rise_only_falls(part):
    rates = [OneCycle(1.0, total_steps=10, pct_start=part)(step) for step in range(10)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[0] == 1.0) == (part == 0.1)  # below that the peak lies before step 0
    assert rates[-1] == pytest.approx(4e-6)


def test_one_cycle_that_only_rises_falls_after_its_end():
    schedule = OneCycle(1.0, total_steps=10, pct_start=1.0)
    assert schedule(9) == 1.0
    assert schedule(10) == pytest.approx(4e-6)


def test_names_alone_are_no_learning_rate_and_everything_else_is_taken_as_it_is():
    for given in (0.1, ConstantRate(0.1), abs, None):
        assert schedules.get(given) is given
    for name, kind in schedules.BY_NAME.items():
        assert issubclass(kind, Schedule)
        with pytest.raises(OptionError, match=rf"schedule '{name}'[\s\S]*{kind.__name__}\("):
            schedules.get(name)
    with pytest.raises(OptionError, match=r"schedule 'cosin_decay'[\s\S]*write: 'cosine_decay'"):
        schedules.get("cosin_decay")


def test_schedules_show_their_configuration():
    schedule = Warmup(ExponentialDecay(0.1, 10, 0.5), 5)
    assert repr(schedule) == (
        "Warmup(schedule=ExponentialDecay(initial_learning_rate=0.1, decay_steps=10,"
        " decay_rate=0.5), warmup_steps=5)"
    )
    assert type(schedule)(**schedule.config())(7) == schedule(7)


def test_a_schedule_of_ones_own_says_what_it_lacks():
    with pytest.raises(NotImplementedError, match="Schedule has no __call__"):
        Schedule()(0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExponentialDecay(0.1, 0, 0.5), "decay_steps = 0"),
        (lambda: InverseTimeDecay(0.1, -1, 0.5), "decay_steps = -1"),
        (lambda: StepDecay(0.1, 0), "decay_steps = 0"),
        (lambda: PolynomialDecay(0.1, 0), "decay_steps = 0"),
        (lambda: CosineDecay(0.1, 0), "decay_steps = 0"),
        (lambda: CosineDecayRestarts(0.1, 0), "first_decay_steps = 0"),
        (lambda: CosineDecayRestarts(0.1, 5, t_mul=0.5), "t_mul = 0.5"),
        (lambda: Warmup(0.1, -1), "warmup_steps = -1"),
        (lambda: OneCycle(0.1, 1), "total_steps = 1"),
        (lambda: OneCycle(0.1, 10, pct_start=1.5), "pct_start = 1.5"),
        (lambda: PiecewiseConstantDecay([1], [0.1]), r"1 values for 1 bound[\s\S]*write: 2 values"),
        (lambda: PiecewiseConstantDecay([2, 1], [3, 2, 1]), r"\[2, 1\][\s\S]*write: \[1, 2\]"),
        (lambda: PiecewiseConstantDecay([1, 1], [3, 2, 1]), r"boundaries \[1, 1\]"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(OptionError, match=message):
        make()
