"""Forged and damaged files: nn.load refuses each of them, and makes nothing large."""

import json
import tracemalloc
import warnings

import numpy as np
import pytest

import autograd_core
import nn
from autograd_core import FileError, OptionError
from nn import Activation, Conv2D, Dense, Sequential
from nn.storage.tensors import encode_array, read, write
from tests.forgeries import contents, forgery, sealed

MEGABYTE = 1_000_000


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def rewritten(model, path, change):
    """Save a model, and change its description."""
    model.save(path)
    tensors, metadata = read(path)
    change(metadata)
    write(path, tensors, metadata)
    return path


def refusal(path, limit=MEGABYTE, **options):
    """Return why a file is refused, by FileError and without the memory it asks for."""
    tracemalloc.start()
    try:
        with pytest.raises(FileError) as caught:
            nn.load(path, **options)
        assert tracemalloc.get_traced_memory()[1] < limit + 20 * path.stat().st_size
    finally:
        tracemalloc.stop()
    assert str(path) in caught.value.given or isinstance(caught.value, OptionError)
    return caught.value.why


def dense():
    model = Sequential([Dense(2, "relu")], input_shape=(3,))
    model.compile(nn.Adam(), "mse", ["mae"])
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return model


def test_each_is_answered_by_a_model_or_a_file_error(tmp_path):
    """Seeds of a longer run; see forgeries.py for what is changed."""
    found, outcomes = contents(tmp_path), {}
    for seed in range(300):
        kind = forgery(found, tmp_path / "forged", seed)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                nn.load(tmp_path / "forged")
            outcome = "loaded"
        except FileError:
            outcome = "refused"
        outcomes[kind, outcome] = outcomes.get((kind, outcome), 0) + 1
    assert outcomes["forged", "refused"] > 100
    assert outcomes["damaged", "refused"] > 40
    assert outcomes["overlapping", "refused"] > 40
    assert outcomes["forged", "loaded"] > 0  # some of them say what a model could be


class TestNames:
    """What a file names is a documented function, or a class of nn's."""

    @pytest.mark.parametrize(
        "name",
        [
            *("NamedTuple", "Any", "partial", "eval", "check_range", "get", "no_grad", "Value"),
            *("optional", "Configured", "Module", "confusion_matrix", "grad", "__import__", ""),
        ],
    )
    def test_of_anything_else_are_refused(self, name, path):
        def change(metadata):
            config = metadata["model"]["config"]["layers"][0]["config"]
            config["activation"] = {"name": name, "custom": False}

        rewritten(dense(), path, change)
        with pytest.raises(OptionError):  # custom_objects may have it
            nn.load(path)
        assert "there is none of this name" in refusal(path)

    @pytest.mark.parametrize("name", ["relu", "mean_squared_error", "erf"])
    def test_of_classes_are_not_those_of_functions(self, name, path):
        def change(metadata):
            metadata["model"]["config"]["layers"][0]["class"] = name

        assert f"{name} as a class" in refusal(rewritten(dense(), path, change))

    @pytest.mark.parametrize("custom", [["Dense"], Dense, "Dense"])
    def test_of_ones_own_come_in_a_dict(self, custom, path):
        dense().save(path)
        with pytest.raises(OptionError, match="custom_objects="):
            nn.load(path, custom)

    def test_of_ones_own_are_those_that_are_given(self, path):
        def bent(x):
            return x * x

        Sequential([Dense(2, bent)], input_shape=(3,)).save(path)
        assert refusal(path) == "it is not ours"
        assert nn.load(path, {"bent": bent}).layers[0].activation is bent

    def test_of_autograd_core_are_not_mistaken_for_nns(self, path):
        """Both have a leaky_relu, whose slopes are 0.01 and 0.2."""
        slope = Sequential([Activation(autograd_core.leaky_relu), Dense(1)], input_shape=(3,))
        slope.save(path)
        with pytest.raises(OptionError, match=r"custom_objects={'leaky_relu': leaky_relu}"):
            nn.load(path)
        same = nn.load(path, {"leaky_relu": autograd_core.leaky_relu})
        x = -np.ones((2, 3))
        assert np.array_equal(same.predict(x), slope.predict(x))
        Sequential([Activation(autograd_core.erf)], input_shape=(3,)).save(path)
        assert nn.load(path).layers[0].activation is autograd_core.erf


class TestSizes:
    """A description may claim any size; the tensors have one."""

    LAYERS = {
        "Dense": (lambda: Dense(2), {"units": 10**9}),
        "more than memory": (lambda: Dense(2), {"units": 10**15}),
        "Embedding": (lambda: nn.Embedding(5, 2), {"input_dim": 10**9}),
        "RBF": (lambda: nn.RBF(2), {"units": 10**9}),
        "GRU": (lambda: nn.GRU(2), {"units": 10**5}),
        "Conv1D": (lambda: nn.Conv1D(2, 2), {"filters": 10**9}),
    }

    @pytest.mark.parametrize(("make", "claim"), LAYERS.values(), ids=LAYERS)
    def test_of_layers_are_those_of_the_tensors(self, make, claim, path):
        shape = (3,) if isinstance(make(), Dense | nn.RBF | nn.Embedding) else (4, 3)

        def change(metadata):
            metadata["model"]["config"]["layers"][0]["config"] |= claim

        rewritten(Sequential([make()], input_shape=shape), path, change)
        assert "holds no numbers for it" in refusal(path)

    MODELS = {
        "MLP": (lambda: nn.MLP(2, [3, 1]), {"nouts": [10**9, 1]}),
        "Neuron": (lambda: nn.Neuron(2), {"nin": 10**9}),
        "Perceptron": (lambda: nn.Perceptron(2), {"nin": 10**9}),
        "Hopfield": (lambda: nn.Hopfield(3), {"units": 10**5}),
        "Boltzmann": (lambda: nn.BoltzmannMachine(3), {"units": 10**5}),
        "restricted": (lambda: nn.RestrictedBoltzmannMachine(3, 2), {"hidden": 10**8}),
    }

    @pytest.mark.parametrize(("make", "claim"), MODELS.values(), ids=MODELS)
    def test_of_models_are_those_of_the_tensors(self, make, claim, path):
        def change(metadata):
            metadata["model"]["config"] |= claim

        assert "holds no numbers for it" in refusal(rewritten(make(), path, change))

    @pytest.mark.parametrize("shape", [[10**6, 10**6, 1], [10**9, 3, 1]])
    def test_of_samples_are_not_computed(self, shape, path):
        def change(metadata):
            metadata["model"]["config"]["input_shape"] = {"tuple": shape}
            for built in metadata["inputs"].values():
                built[0] = shape

        model = Sequential([Conv2D(2, 3), nn.MaxPooling2D()], input_shape=(8, 8, 1))
        rewritten(model, path, change)
        tracemalloc.start()
        nn.load(path)
        assert tracemalloc.get_traced_memory()[1] < MEGABYTE
        tracemalloc.stop()

    @pytest.mark.parametrize("built", [[[10**9], "float64"], [[3.0], "float32"], [["3"], "O"]])
    def test_of_inputs_are_those_of_the_tensors(self, built, path):
        refusal(rewritten(dense(), path, lambda metadata: metadata["inputs"].update({"0": built})))

    def test_of_layers_inside_layers_are_no_matter_of_time(self, path):
        """Each of 60 levels has the one below it twice: computed, they were 2 ** 60 calls."""
        model = Sequential([Dense(3)], input_shape=(3,))
        for _ in range(60):
            outer = Sequential([model])
            outer.layers.append(model)
            outer.input_shape = (3,)
            model = outer
        model.save(path)
        assert len(nn.load(path).parameters()) == 2


class TestStructure:
    @pytest.mark.parametrize("depth", [100, 2_000, 200_000])
    @pytest.mark.parametrize("start", ["[", '{"tuple":[', '{"dict":[['])
    def test_that_is_nested_deep_is_refused(self, start, depth, path):
        model = dense()
        model.save(path)
        tensors, metadata = read(path)
        text = json.dumps(metadata | {"model": "HERE"})
        path.write_bytes(sealed(tensors, text.replace('"HERE"', start * depth + "}]" * depth)))
        assert "JSON" in refusal(path)
        end = {"[": "]", '{"tuple":[': "]}", '{"dict":[[': ",1]]}"}[start]
        path.write_bytes(sealed(tensors, text.replace('"HERE"', start * depth + "1" + end * depth)))
        refusal(path, limit=20 * MEGABYTE)

    @pytest.mark.parametrize("text", ["", "[", "[]", "3", "null", '"a"', "{'a': 1}", "[" * 99_999])
    def test_that_is_no_description_is_refused(self, text, path):
        path.write_bytes(sealed({}, text))
        assert "its metadata" in refusal(path)

    def test_in_circles_is_refused(self, path):
        def change(metadata):
            metadata["model"]["config"]["layers"].append({"same": 0})

        assert "nothing that could be made" in refusal(rewritten(dense(), path, change))

    @pytest.mark.parametrize("key", ["model", "inputs"])
    @pytest.mark.parametrize("junk", [None, 3, "text", [], {"0": 3}, {"9": [[3], "float32"]}])
    def test_of_another_kind_is_refused(self, key, junk, path):
        if (key, junk) != ("inputs", None):
            refusal(rewritten(dense(), path, lambda metadata: metadata.update({key: junk})))

    TRAINING = {
        "an optimizer that is none": ("optimizer", lambda metadata: metadata["model"]),
        "steps below 0": ("iterations", -1),
        "steps in words": ("iterations", "7"),
        "steps beyond counting": ("iterations", 10**400),
        "slots of an unknown parameter": ("slots", {"9.weight": {}}),
        "slots of another shape": ("slots", {"0.bias": {"m": encode_array(np.ones(1))}}),
        "a generator of no kind": ("generator", {"bit_generator": "PCG64", "state": 3}),
        "a loss that is none": ("loss", 3),
        "a metric that is none": ("metrics", {"mae": None}),
    }

    @pytest.mark.parametrize(("key", "junk"), TRAINING.values(), ids=TRAINING)
    def test_of_training_is_refused(self, key, junk, path):
        def change(metadata):
            training = metadata["training"]
            training[key] = junk(metadata) if callable(junk) else junk

        refusal(rewritten(dense(), path, change))

    @pytest.mark.parametrize("option", [3, [1], {"tuple": []}, True, {"same": 0}])
    @pytest.mark.parametrize("name", ["activation", "kernel_regularizer", "bias_constraint"])
    def test_of_choices_that_are_no_functions_is_refused(self, name, option, path):
        def change(metadata):
            metadata["model"]["config"]["layers"][0]["config"][name] = option

        refusal(rewritten(dense(), path, change))

    def test_of_options_that_a_function_has_not_is_refused(self, path):
        def change(metadata):
            config = metadata["model"]["config"]["layers"][0]["config"]
            relu = config["activation"]
            config["activation"] = {"partial": relu, "arguments": [], "keywords": {"slope": 1}}

        assert "takes other options now" in refusal(rewritten(dense(), path, change))
