"""Descriptions: objects, through JSON and back, without pickle."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import nn
from autograd_core import OptionError, Primitive, relu
from nn import Dense, Sequential, activations
from nn.configuration import Configured
from nn.storage.loading import restore
from nn.storage.saving import describe


class Scale(Configured):
    """Keeps anything."""

    def __init__(self, factor=1.0, then=None):
        self.factor, self.then = factor, then


def double(x):
    return 2 * x


def ours(*things):
    """Return things by name, as if they were nn's own."""
    return {getattr(thing, "__name__", None) or thing.name: thing for thing in things}


KNOWN = ours(Scale, double, Dense, Sequential, relu, *activations.BY_NAME.values())


def through_json(thing, known=KNOWN):
    return restore(json.loads(json.dumps(describe(thing))), known)


class TestPlainThings:
    @pytest.mark.parametrize(
        "thing",
        [None, True, 0, -3, 2.5, float("inf"), "text", [], (), {}, [1, (2, [None])], ((1,), "a")],
        ids=str,
    )
    def test_come_back(self, thing):
        found = through_json(thing)
        assert found == thing
        assert type(found) is type(thing)

    def test_come_back_as_keys_of_dicts(self):
        thing = {1: "a", (2, 3): [4], "tuple": {"class": 5}, None: 6}
        assert through_json(thing) == thing
        assert list(through_json(thing)) == list(thing)

    @pytest.mark.parametrize(
        ("scalar", "plain"),
        [(np.float32(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True), (np.str_("a"), "a")],
    )
    def test_of_numpys_come_back_as_pythons(self, scalar, plain):
        found = through_json(scalar)
        assert (found, type(found)) == (plain, type(plain))

    @pytest.mark.parametrize("array", [np.float32([[1.5, np.nan]]), np.arange(3), np.array(2.0)])
    def test_that_are_arrays_come_back_to_the_bit(self, array):
        found = through_json([array])[0]
        assert (found.dtype, found.shape, found.tobytes()) == (
            array.dtype,
            array.shape,
            array.tobytes(),
        )


class TestFunctions:
    def test_come_back_by_name(self):
        assert through_json([double, relu, Scale]) == [double, relu, Scale]

    def test_come_back_with_their_options(self):
        found = through_json(partial(partial(double, 1), 2, x=(3, relu)))
        assert (found.func, found.args, found.keywords) == (double, (1, 2), {"x": (3, relu)})

    def test_that_are_primitives_come_back_by_name(self):
        cube = Primitive("cube", lambda x: x**3, lambda g, out, x: g * 3 * x**2)
        assert through_json(cube, {"cube": cube}) is cube

    def test_of_ones_own_need_custom_objects(self):
        with pytest.raises(OptionError) as caught:
            through_json(double, {})
        assert caught.value.given == "double, which the file names"
        assert caught.value.instead == "custom_objects={'double': double}"

    def test_of_ones_own_are_not_mistaken_for_ours(self):
        def tanh(x):
            return x

        description = describe(tanh)
        with pytest.raises(OptionError, match=r"tanh.*\n.*not ours\n.*custom_objects={'tanh': t"):
            restore(description, {"tanh": activations.BY_NAME["tanh"]})
        assert restore(description, {"tanh": tanh}) is tanh

    def test_of_ours_may_be_replaced(self):
        assert restore(describe(relu), {"relu": double}) is double

    def test_without_a_name_are_refused(self):
        with pytest.raises(OptionError, match=r"function <lambda>(.|\n)*def (.|\n)*custom_objects"):
            describe({"activation": lambda x: x})


class TestObjects:
    def test_come_back_by_their_configuration(self):
        found = through_json(Scale(2, then=[Scale(np.ones(2)), {"f": double}]))
        assert type(found) is Scale
        assert found.factor == 2
        assert found.then[0].factor.tolist() == [1, 1]
        assert found.then[1] == {"f": double}

    def test_come_back_once_where_they_occur_twice(self):
        inner = Scale(3)
        outer = Scale(inner)
        found = through_json([inner, outer, (inner, {"a": outer}), Scale(3)])
        assert found[1].factor is found[0]
        assert found[2] == (found[0], {"a": found[1]})
        assert found[3] is not found[0]

    def test_come_back_whatever_order_json_has(self):
        inner = Scale(3)
        description = json.dumps(describe([Scale(inner, then=inner), inner]), sort_keys=True)
        found = restore(json.loads(description), KNOWN)
        assert found[0].factor is found[0].then is found[1]

    def test_are_described_once(self):
        inner = Scale(3)
        assert describe([inner, inner])[1] == {"same": 0}

    def test_that_are_not_known_need_custom_objects(self):
        with pytest.raises(OptionError, match=r"Scale, which the .*\n.*\n.*{'Scale': Scale}"):
            through_json([Scale()], {})

    def test_of_ones_own_are_not_mistaken_for_ours(self):
        class Dense(Configured):
            pass

        with pytest.raises(OptionError, match=r"not ours\n.*custom_objects={'Dense': Dense}"):
            through_json(Dense(), {"Dense": nn.Dense})

    def test_of_ours_that_do_not_exist_say_so(self):
        description = describe(relu) | {"name": "rely"}
        with pytest.raises(OptionError, match=r"rely, which the file names\n.*none of this name"):
            restore(description, KNOWN)

    def test_with_other_arguments_than_today_say_so(self):
        description = describe(Scale(2)) | {"config": {"size": 2}}
        with pytest.raises(OptionError, match=r"Scale\(size\), as .*\n.*now: .*unexpected .*size"):
            restore(description, KNOWN)

    def test_keep_the_errors_of_their_constructors(self):
        class Broken(Configured):
            def __init__(self):
                raise TypeError("own")

        description = {"class": "Broken", "custom": True, "number": 0, "config": {}}
        with pytest.raises(TypeError, match=r"^own$"):
            restore(description, {"Broken": Broken})

    @pytest.mark.parametrize(
        "thing",
        [object(), 1j, b"bytes", {1}, SimpleNamespace(name="a"), slice(1)],
        ids=lambda thing: type(thing).__name__,
    )
    def test_of_other_kinds_are_refused(self, thing):
        with pytest.raises(OptionError, match=r"in something to be saved\n(.|\n)*Configured"):
            describe([thing])

    def test_that_can_be_called_but_have_no_configuration_are_refused(self):
        class Callable:
            def __call__(self):
                """Compute nothing."""

        with pytest.raises(OptionError, match="Configured"):
            describe(Callable())

    @pytest.mark.parametrize("description", [{}, {"class": "Scale"}, {"other": 1}, {1}], ids=str)
    def test_that_nothing_describes_are_not_made(self, description):
        with pytest.raises(OptionError, match=r"nothing that could be made\n.*describe\(thing\)"):
            restore(description, KNOWN)


class TestModels:
    """Layers and the initializers they chose."""

    def known(self, *layers):
        initializers = [
            type(each) for layer in layers for each in layer.config().values() if each is not None
        ]
        return KNOWN | ours(*initializers)

    def test_come_back_and_take_their_state(self):
        first, last = Dense(3, "relu"), Dense(2, use_bias=False)
        model = Sequential([first, last], input_shape=(4,))
        found = through_json(model, self.known(first, last))
        found.load_state_dict(model.state_dict())
        x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)
        assert repr(found) == repr(model)
        assert found(x).data.tobytes() == model(x).data.tobytes()

    def test_come_back_with_a_layer_used_twice(self):
        shared = Dense(4, "tanh")
        model = Sequential([shared, Dense(4), shared], input_shape=(4,))
        found = through_json(model, self.known(shared))
        assert found.layers[0] is found.layers[2]
        assert found.layers[0] is not found.layers[1]
        assert found.named_parameters().keys() == model.named_parameters().keys()

    def test_come_back_nested_and_unbuilt(self):
        model = Sequential([Sequential([Dense(2)]), Dense(1)])
        found = through_json(model, self.known(Dense(2)))
        assert repr(found) == repr(model)
        assert found.parameters() == []
