"""Random trainings: whatever layers, losses, optimizers and callbacks, compiled equals eager."""

import pytest

import nn
from nn import activations, constraints, losses, optimizers, schedules
from tests.random_trainings import UNSMOOTH, changes, difference, draw

# Chosen so that all there is occurs, and most pairs of a layer and an optimizer
SEEDS = [
    *(8, 26, 40, 50, 53, 54, 58, 64, 72, 84, 87, 105, 107, 140, 152, 153, 162, 180),
    *(205, 207, 303, 309, 336, 339, 369, 386, 396, 523, 719, 772, 919, 976, 982),
    *(991, 1043, 1067, 1117, 1278, 1294, 1361, 1371, 1495),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_compiled_training_is_the_eager_one(seed):
    case, found = difference(seed)
    assert found is None, case.parts


@pytest.mark.filterwarnings("ignore::nn.mistakes.TrainingWarning")
def test_all_there_is_occurs_in_them():
    cases = [draw(seed).case for seed in SEEDS]
    found = {}
    for case in cases:
        for kind, names in case.parts.items():
            found.setdefault(kind, set()).update(names)
    assert set(nn.layers.__all__) - found["layer"] == {"ArrayLayer"}
    assert {losses.get(name) for name in found["loss"]} == set(losses.BY_NAME.values())
    assert found["optimizer"] == set(optimizers.BY_NAME)
    assert found["constraint"] == set(constraints.BY_NAME)
    kinds = {text.partition("(")[0] for text in found["schedule"]}
    assert kinds == {kind.__name__ for kind in schedules.BY_NAME.values()}
    assert found["change"] == set(changes())
    functions = {activations.get(name) for name in found["activation"]}
    assert set(activations.BY_NAME.values()) - functions == {
        activations.get(name) for name in UNSMOOTH - {"step", "sign"}
    }
    assert {"float32", "float64"} == found["dtype"]
    pairs = {(layer, case.parts["optimizer"][0]) for case in cases for layer in case.parts["layer"]}
    assert len(pairs) > 130
