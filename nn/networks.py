"""Sequential, MLP: layers one after the other, as arrays and as single numbers."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from autograd_core import OptionError, UnsupportedError, Value
from autograd_core.data import Function, Operand, Result, Tree

from . import activations, initializers
from .configuration import Choice, Configured, check_range
from .layers import Activation, Dense, Flatten
from .mistakes import check_mask
from .module import Module, checked_shape
from .neurons import LINEAR, Layer, ScalarModule


class Input(Configured):
    """The shape of one sample, as the first element of Sequential.

    It makes the parameters at once, as float32; without it data decide.

    Args:    shape: of one sample, without the batch.
    Raises:  OptionError: no whole numbers from 1.
    Example: >>> from nn.layers import Dense
             >>> Sequential([Input((4,)), Dense(2)]).layers[0].weight.shape
             (2, 4)
    """

    def __init__(self, shape: Iterable[int]) -> None:
        self.shape = checked_shape("shape", shape)

    def __array__(self, *_: object, **_options: object) -> NoReturn:
        """Refuse what Keras's functional models do."""
        raise UnsupportedError(
            f"a call of a layer on {self}",
            "a layer computes with numbers here; models of several paths are classes",
            "a subclass of nn.Module that calls its layers in __call__(self, x)",
        )


class Sequential(Module):
    """A model of layers, each of which takes what the one before it gives.

    Args:    layers: Modules, in order; `add` appends more. The first may be an Input.
             input_shape: of one sample, (features,); makes the parameters at once, as float32.
             None: they are made when the first data come, in the type of the data.
             name: for summaries.
    Raises:  OptionError: a layer that is not a Module, or layers that are not in a list.
    Example: >>> import numpy as np
             >>> from nn.layers import Dense
             >>> model = Sequential([Dense(16, "relu"), Dense(10)], input_shape=(784,))
             >>> model(np.zeros((5, 784))).shape, len(model.parameters())
             ((5, 10), 4)
    """

    takes_mask = True
    read_anew = Module.read_anew | {"_mask"}
    _mask: Operand = None  # of the last output, until it is asked for

    name: str | None = None
    layers: list[Module]
    input_shape: tuple[int, ...] | None = None

    def __init__(
        self,
        layers: Iterable[Module | Input] = (),
        input_shape: tuple[int, ...] | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(layers, Module) or not isinstance(layers, Iterable):
            raise OptionError(
                f"Sequential of a {type(layers).__name__}",
                "it takes its layers in one list, as in Keras",
                "Sequential([first, second])",
            )
        self.name = name
        self.layers = []
        self.input_shape = None
        for layer in layers:
            self.add(layer)
        if input_shape is not None:
            self.input_shape = input_shape
            if self.layers:
                self.build(input_shape)

    def add(self, layer: Module | Input) -> None:
        """Append a layer. One with the option input_shape makes the parameters of the next ones.

        Raises:  OptionError: it is not a Module.
        """
        if isinstance(layer, Input):
            self.input_shape = layer.shape
            return
        if not isinstance(layer, Module):
            is_class = isinstance(layer, type) and issubclass(layer, Module)
            raise OptionError(
                f"{layer!r} as a layer",
                "a layer finds its parameters and knows training from evaluation: a Module",
                f"{layer.__name__}(...), an object of this class"
                if is_class
                else f"nn.Activation({layer!r}) for a function, or a subclass of nn.Module",
            )
        self.layers.append(layer)
        if not self.trainable:
            layer.trainable = False
        if len(self.layers) == 1:
            self.input_shape = self.input_shape or getattr(layer, "_declared", None)
        if self.input_shape is not None:
            self.build(self.input_shape)

    def pop(self) -> Module:
        """Take the last layer off, and return it."""
        return self.layers.pop()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Module:
        """Return a layer by its name, or by its number from 0.

        Raises:  OptionError: there is none.
        """
        for i, layer in enumerate(self.layers):
            if i == index or (name is not None and getattr(layer, "name", None) == name):
                return layer
        raise OptionError(
            f"get_layer({name!r}, index={index!r})",
            "there is no such layer",
            f"an index from 0 to {len(self.layers) - 1}, or the name= of one",
        )

    def _as_constructed(self, name: str, value: object) -> object:
        """Return a shape as it is: the constructor would build the layers anew."""
        if name == "input_shape":
            return value if value is None else checked_shape(name, value)
        return super()._as_constructed(name, value)

    @property
    def expects_unit_inputs(self) -> bool | None:  # type: ignore[override] # a plain attribute
        """What the first layer expects that does not hand its input on."""
        expected = (layer.expects_unit_inputs for layer in self.layers)
        return next((each for each in expected if each is not None), None)

    def children(self) -> dict[str, Module]:
        """Return the layers by number, as PyTorch names them."""
        return {str(i): layer for i, layer in enumerate(self.layers)}

    def __call__(self, x: Operand, mask: Operand = None) -> Result:
        """Return the last layer's output.

        Args:    x: Value or array, (batch, ...).
                 mask: (batch, steps), True where a step counts; for layers of sequences.
        Returns: Value, (batch, ...).
        """
        for layer in self.layers:
            given = x
            x = layer(x, mask=mask) if layer.takes_mask else layer(x)
            if mask is not None and not (layer.takes_mask or getattr(layer, "passes_mask", True)):
                check_mask(layer)
            mask = layer.output_mask(given, mask)
        if mask is not self._mask:
            self._mask = mask
        return x

    def output_mask(self, x: Operand, mask: Operand) -> Result:
        """Return the mask (batch, steps) that goes with the output of the last call, or None."""
        mask = self._mask
        if mask is not None:
            self._mask = None
        return mask

    def to_scalar(self) -> "MLP":
        """Return the same network with every weight a node one can see.

        The numbers are copied: outputs and gradients are the same, and each network learns on its
        own. Regularizers and constraints, which belong to whole arrays, stay behind. Flatten is
        passed over, since neurons take rows of numbers.

        Raises:  OptionError: a layer other than Dense, Activation and Flatten, one that has no
                 weights yet, or an activation without a Dense of its own.
        Example: >>> from nn.layers import Dense
                 >>> Sequential([Dense(2, "tanh"), Dense(1)], input_shape=(2,)).to_scalar()
                 MLP of [Layer of [TanhNeuron(2), TanhNeuron(2)], Layer of [LinearNeuron(2)]]
        """
        return _scalar_network(self.layers)


class MLP(ScalarModule):
    """A multi-layer perceptron: layers one after the other, the last one linear by default.

    Args:    nin: how many inputs.
             nouts: how many neurons in each layer.
             activation: of the layers before the last, see Neuron; a list has one for each.
             output_activation: of the last layer.
             initializer: see Layer.
             use_bias: see Neuron; a list has one for each layer.
    Raises:  OptionError: a size below 1, an unknown name, or a list of another length.
    Example: >>> import random
             >>> random.seed(7)
             >>> model = MLP(2, [2, 1])
             >>> model
             MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]
             >>> len(model.parameters()), round(model([1.0, -2.0]).data, 3)
             (9, -0.466)
    """

    fixed = Layer.fixed | {"nouts", "output_activation"}

    layers: list[Layer]

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Choice = "relu",
        output_activation: Choice = "linear",
        initializer: Choice = None,
        use_bias: bool | Sequence[bool] = True,
    ) -> None:
        if not isinstance(nouts, Iterable):
            raise OptionError(
                f"nouts = {nouts!r}", "each layer has its number of neurons", "a list, nouts=[4, 1]"
            )
        check_range("the number of layers", len(nouts), 1)
        self.nin, self.nouts = nin, list(nouts)
        is_list = isinstance(activation, list | tuple)
        get = activations.get
        self.activation = [get(each) for each in activation] if is_list else get(activation)
        self.output_activation = get(output_activation)
        self.initializer = initializers.get(initializer)
        self.use_bias = use_bias
        hidden = _one_each("activation", self.activation, len(nouts) - 1)
        biases = _one_each("use_bias", use_bias, len(nouts))
        self.layers = [
            Layer(*sizes, activation=kind, initializer=self.initializer, use_bias=has_bias)
            for sizes, kind, has_bias in zip(
                pairwise([nin, *nouts]), [*hidden, self.output_activation], biases, strict=True
            )
        ]

    def forward(self, x: Operand) -> list[Value]:
        """Return the outputs of the last layer's neurons."""
        for layer in self.layers:
            x = layer.forward(x)
        return list(x)

    def to_dense(self) -> Sequential:
        """Return the same network on arrays: a Sequential of Dense layers, float64.

        The numbers are copied: outputs and gradients are the same, and each learns on its own.

        Example: >>> import numpy as np
                 >>> model = MLP(2, [3, 1], activation="tanh")
                 >>> x = np.array([[1.0, -2.0], [0.5, 0.0]])
                 >>> bool(np.allclose(model.to_dense()(x).data, model(x).data))
                 True
        """
        return Sequential([layer.to_dense() for layer in self.layers])

    def __repr__(self) -> str:
        return f"MLP of {self.layers}"


def _one_each(name: str, given: Tree, count: int) -> list[Any]:
    """Return one choice for each layer: of a list its own, of a single choice the same."""
    each = list(given) if isinstance(given, list | tuple) else [given] * count
    if len(each) != count:
        raise OptionError(
            f"{name} with {len(each)} entries",
            f"there are {count} layers to choose for",
            f"a list of {count}, or one choice for all of them",
        )
    return each


def _scalar_network(layers: Iterable[Module]) -> MLP:
    """Return a scalar network with the numbers of layers on arrays; see Sequential.to_scalar."""
    parts: list[tuple[Dense, Function | None]] = []  # each Dense, with its activation
    for layer in layers:
        if type(layer) is Dense:
            parts.append((_built(layer), layer.activation))
        elif type(layer) is Activation and parts and parts[-1][1] in LINEAR:
            parts[-1] = (parts[-1][0], layer.activation)
        elif type(layer) is not Flatten:
            raise OptionError(
                f"{layer} in a scalar network",
                "a neuron is a weighted sum and one activation",
                "Dense layers, each with at most one activation",
            )
    dense_layers, kinds = [dense for dense, _ in parts], [kind for _, kind in parts]
    made = MLP(
        dense_layers[0].weight.shape[1] if parts else 1,
        [dense.units for dense in dense_layers],
        activation=kinds[:-1],
        output_activation=kinds[-1] if parts else None,
        initializer="zeros",
        use_bias=[dense.use_bias for dense in dense_layers],
    )
    for neurons, dense in zip(made.layers, dense_layers, strict=True):
        for i, neuron in enumerate(neurons.neurons):
            neuron.w = [Value(weight) for weight in np.asarray(dense.weight)[i]]
            neuron.b = Value(np.asarray(dense.bias)[i]) if dense.use_bias else None
    return made


def _built(dense: Dense) -> Dense:
    """Return a Dense that has weights and takes rows of numbers.

    Raises:  OptionError: it has none yet, or takes samples of several axes.
    """
    if dense.input_shape is None:
        raise OptionError(
            f"{dense} in a scalar network",
            "it has no weights before it knows how many inputs there are",
            "model.build(input_shape) first",
        )
    if len(dense.input_shape) != 1:
        raise OptionError(
            f"{dense} for samples of shape {dense.input_shape} in a scalar network",
            "a neuron takes a row of numbers",
            "Flatten() before it",
        )
    return dense
