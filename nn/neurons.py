"""Neuron, Layer: parts of scalar networks, in which every weight is a node one can see."""

import random
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from autograd_core import OptionError, ShapeError, Value
from autograd_core.data import Operand, Tree

from . import activations, initializers
from .configuration import Choice, function_of, name_of
from .data import whole_number
from .layers import Dense
from .module import Module
from .randomness import drawing_from
from .storage.tensors import reserve

LINEAR = (None, activations.linear)


def _is_rows(x: object) -> bool:
    """Tell whether x is a list of lists of plain numbers, which is read as an array is."""
    return (
        isinstance(x, list | tuple)
        and bool(x)
        and all(isinstance(row, list | tuple) for row in x)
        and all(isinstance(number, int | float | np.number) for row in x for number in row)
    )


class ScalarModule(Module):
    """A part of a scalar network: a list of inputs goes in, a list of outputs comes out.

    A subclass computes in `forward`, from a list to a list. Called, all of them take one sample,
    columns or rows:

    - a list (tuple, array, Value) of numbers is one sample, and gives one Value for each neuron;
    - a list of arrays (samples,), one column of the data for each input, sends all samples through
      the same single weights at once, and gives one Value (samples,) for each neuron;
    - an array or Value of two axes, (samples, inputs), has a sample in each row, and gives one
      Value (samples, neurons), as layers on arrays do.

    Example: >>> class SumAndProduct(ScalarModule):
             ...     def forward(self, x):
             ...         return [x[0] + x[1], x[0] * x[1]]
             >>> part = SumAndProduct()
             >>> part([Value(2.0), 3.0])[1].data
             6.0
             >>> part([Value([2.0, 4.0]), 3.0])[1].data
             array([ 6., 12.])
             >>> part(Value([[2.0, 3.0], [4.0, 3.0], [0.0, 1.0]])).data
             array([[ 5.,  6.],
                    [ 7., 12.],
                    [ 1.,  0.]])
    """

    expects_unit_inputs = True

    def forward(self, x: Operand) -> list[Value]:
        """Return the list of outputs for a list of inputs, numbers or columns."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x)")

    def __call__(self, x: Operand) -> Tree:
        """Return the outputs.

        Args:    x: one input for each weight of a neuron: Values, numbers or arrays (samples,);
                 or rows, an array, list of lists or Value (samples, inputs).
        Returns: a list of Values, one for each neuron; the Value itself if there is one neuron.
                 Of rows: Value (samples, neurons).
        Raises:  ShapeError: the number of inputs is not that of the weights, or x has three axes.
        """
        axes = len(getattr(x, "shape", ()))
        if axes > 2:
            raise ShapeError(
                f"input of shape {x.shape} for {self}",
                "a neuron takes numbers, one for each weight",
                "x.reshape(len(x), -1), (samples, inputs)",
            )
        if isinstance(x, int | float) or (axes == 0 and isinstance(x, Value)):
            raise ShapeError(
                f"the number {x!r} for {self}",
                "it takes one number for each weight, in a list",
                "[0.5, 0.1], with one number for each input",
            )
        if _is_rows(x):
            x, axes = np.asarray(x, np.float64), 2
        if axes == 2:
            rows = x if isinstance(x, Value) else np.asarray(x)
            columns = [rows[:, i] for i in range(rows.shape[1])]
            return np.stack(self.forward(columns), axis=1)
        out = self.forward(x)
        return out[0] if len(out) == 1 else out


class Neuron(ScalarModule):
    """One neuron: activation(w[0] * x[0] + w[1] * x[1] + ... + b).

    Args:    nin: how many inputs.
             nonlin: False leaves out the activation, as in micrograd.
             activation: a name or function, see nn.activations; None: linear.
             initializer: where the weights w start, see nn.initializers; None: uniform in (-1, 1),
             drawn by Python's own `random`, as in micrograd. The bias b starts at 0.
             use_bias: False leaves b out: it is None.
    Raises:  OptionError: nin below 1, an unknown name, or an activation of whole layers.
    Example: >>> random.seed(7)
             >>> neuron = Neuron(2)
             >>> neuron, [round(w.data, 3) for w in neuron.w]
             (ReLUNeuron(2), [-0.352, -0.698])
             >>> round(neuron([1.0, -2.0]).data, 3)
             1.045
    """

    fixed = frozenset(("nin", "initializer", "use_bias"))

    w: list[Value]
    b: Any  # a Value, or None

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        activation: Choice = "relu",
        initializer: Choice = None,
        use_bias: bool = True,
    ) -> None:
        self.nin = whole_number("nin", nin)
        self.activation = activations.get(activation)
        self.nonlin = nonlin and self.activation not in LINEAR
        if self.nonlin and function_of(self.activation) in activations.OF_LAYERS:
            name = name_of(self.activation)
            raise OptionError(
                f"activation {name} for a neuron",
                "it needs the outputs of all neurons of a layer at once",
                f"Layer({nin}, 3, activation={name!r})",
            )
        self.initializer = initializers.get(initializer)
        self.use_bias = use_bias
        self.w = [Value(number) for number in _draw(1, nin, self.initializer)[0]]
        self.b = Value(0.0) if use_bias else None

    def _as_constructed(self, name: str, value: object) -> object:
        state = random.getstate()
        try:
            with drawing_from(np.random.default_rng(0)):  # weights of a neuron that only checks
                return super()._as_constructed(name, value)
        finally:
            random.setstate(state)

    @classmethod
    def of(cls, weights: Sequence[float], bias: float | None = 0.0, **options: Any) -> Self:
        """Return a neuron with given weights.

        Args:    weights: one number for each input.
                 bias: None: no bias.
                 options: the constructor's others.
        Example: >>> neuron = Neuron.of([3.0, -2.0], bias=1.0, activation="tanh")
                 >>> neuron, neuron([1.0, 2.0]).data
                 (TanhNeuron(2), 0.0)
        """
        neuron = cls(len(weights), initializer="zeros", use_bias=bias is not None, **options)
        neuron.w = [Value(weight) for weight in weights]
        if bias is not None:
            neuron.b = Value(bias)
        return neuron

    def forward(self, x: Operand) -> list[Value]:
        """Return a list of one: the activation of the weighted sum."""
        if len(x) != len(self.w):
            raise ShapeError(
                f"{len(x)} inputs for {self}",
                f"it has {len(self.w)} weights, one for each input",
                f"a list of {len(self.w)} Values or numbers; a batch is a list of "
                f"{len(self.w)} columns, or an array (samples, {len(self.w)})",
            )
        products = (wi * xi for wi, xi in zip(self.w, x, strict=True))
        out = sum(products, next(products) if self.b is None else self.b)
        return [self.activation(out) if self.nonlin else out]

    def __repr__(self) -> str:
        return f"{_prefix(self.activation) if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(ScalarModule):
    """Neurons side by side, which all see the same inputs.

    Args:    nin: how many inputs.
             nout: how many neurons.
             nonlin, activation, use_bias: see Neuron. softmax and log_softmax belong to a layer:
             they are applied to the outputs of all its neurons, which are linear.
             initializer: see Neuron; draws all weights as one array (nout, nin), as for Dense.
    Raises:  OptionError: nin or nout below 1, or an unknown name.
    Example: >>> layer = Layer(3, 2, nonlin=False)
             >>> layer, len(layer([1.0, 2.0, 3.0]))
             (Layer of [LinearNeuron(3), LinearNeuron(3)], 2)
    """

    fixed = Neuron.fixed | {"nout", "nonlin", "activation"}

    neurons: list[Neuron]

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a layer as Keras's `Layer` is derived from, which is another class here."""
        super().__init_subclass__(**options)
        if "call" in vars(cls):
            raise OptionError(
                f"class {cls.__name__}(nn.Layer) with a method `call`",
                "nn.Layer is a layer of single neurons, as in micrograd; Keras's Layer is another",
                "class ...(nn.layers.ArrayLayer) with `forward`, and `make_parameters` for `build`",
            )

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        activation: Choice = "relu",
        initializer: Choice = None,
        use_bias: bool = True,
    ) -> None:
        self.nin, self.nout = whole_number("nin", nin), whole_number("nout", nout)
        self.activation = activations.get(activation)
        self.nonlin = nonlin and self.activation not in LINEAR
        self.initializer = initializers.get(initializer)
        self.use_bias = use_bias
        self._acts_as_one = self.nonlin and function_of(self.activation) in activations.OF_LAYERS
        options: dict[str, Any] = {
            "bias": 0.0 if use_bias else None,
            "nonlin": self.nonlin and not self._acts_as_one,
            "activation": self.activation,
        }
        rows = _draw(nout, nin, self.initializer)
        self.neurons = [Neuron.of(row, **options) for row in rows]

    def forward(self, x: Operand) -> list[Value]:
        """Return the neurons' outputs."""
        out = [neuron(x) for neuron in self.neurons]
        if self._acts_as_one:
            together = self.activation(np.stack(out, axis=-1))
            out = [together[..., i] for i in range(len(out))]
        return out

    def to_dense(self) -> Dense:
        """Return the same layer on arrays: a Dense, float64, with copies of all numbers.

        Raises:  OptionError: the neurons have not all the same activation, or not all a bias.
        Example: >>> Layer(3, 2).to_dense()(np.ones((5, 3))).shape
                 (5, 2)
        """
        kinds = [(n.activation if n.nonlin else None, n.b is None) for n in self.neurons]
        if any(kind != kinds[0] for kind in kinds):
            raise OptionError(
                f"{self} as a Dense layer",
                "its neurons differ in activation or bias, and those of a Dense are all alike",
                "neurons of one kind",
            )
        activation, has_no_bias = kinds[0]
        dense = Dense(
            len(self.neurons),
            self.activation if self._acts_as_one else activation,
            use_bias=not has_no_bias,
            kernel_initializer="zeros",
        )
        dense.build((len(self.neurons[0].w),), np.float64)
        dense.weight.data = np.array([[w.data for w in neuron.w] for neuron in self.neurons])
        if dense.use_bias:
            dense.bias.data = np.array([neuron.b.data for neuron in self.neurons])
        return dense

    def __repr__(self) -> str:
        return f"{_prefix(self.activation) if self._acts_as_one else ''}Layer of {self.neurons}"


def _draw(nout: int, nin: int, initializer: Choice) -> list[list[float]]:
    """Return a row of weights for each neuron; without an initializer, in micrograd's order."""
    reserve((nout, nin))
    if initializer is None:
        return [[random.uniform(-1, 1) for _ in range(nin)] for _ in range(nout)]
    rows: list[list[float]] = np.asarray(initializer((nout, nin), np.float64)).tolist()
    return rows


def _prefix(activation: Choice) -> str:
    """Return how a repr begins: ReLU, LeakyReLU, Tanh."""
    words = name_of(activation).strip("<>_").split("_")
    return "".join(word.capitalize() for word in words).replace("Relu", "ReLU")
