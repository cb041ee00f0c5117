"""Neuron, Layer, MLP: scalar networks, in which every weight is a node one can see."""

import random
from collections.abc import Sequence
from typing import Any

from autograd_core import ShapeError, Value

from .module import Module


class Neuron(Module):
    """One neuron: relu(w[0] * x[0] + w[1] * x[1] + ... + b), or without relu.

    The weights w start uniform in (-1, 1), the bias b at 0. Inputs may be Values or numbers; where
    each is an array of n numbers, n samples flow through the same neuron at once.

    Args:    nin: how many inputs.
             nonlin: False leaves out relu.
             generator: where weights come from; None: Python's own, which `random.seed` seeds.
    Example: >>> neuron = Neuron(2, generator=random.Random(7))
             >>> neuron, [round(w.data, 3) for w in neuron.w]
             (ReLUNeuron(2), [-0.352, -0.698])
             >>> round(neuron([1.0, -2.0]).data, 3)
             1.045
    """

    def __init__(
        self, nin: int, nonlin: bool = True, generator: random.Random | None = None
    ) -> None:
        uniform = random.uniform if generator is None else generator.uniform
        self.w = [Value(uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the neuron's output.

        Args:    x: one input for each weight: Values, numbers or arrays (samples,).
        Returns: Value, a number or of shape (samples,).
        Raises:  ShapeError: x is longer or shorter than the weights.
        """
        if len(x) != len(self.w):
            raise ShapeError(
                f"{len(x)} inputs for {self}",
                f"it has {len(self.w)} weights, one for each input",
                f"a list of {len(self.w)} Values or numbers; a batch is a list of "
                f"{len(self.w)} arrays, one column of the data each",
            )
        out = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return out.relu() if self.nonlin else out

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons side by side, which all see the same inputs.

    Args:    nin: how many inputs.
             nout: how many neurons.
             kwargs: see Neuron.
    Example: >>> layer = Layer(3, 2, nonlin=False)
             >>> layer, len(layer([1.0, 2.0, 3.0]))
             (Layer of [LinearNeuron(3), LinearNeuron(3)], 2)
    """

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the neurons' outputs.

        Args:    x: one input for each weight of a neuron, as for Neuron.
        Returns: a list of Values, one for each neuron; the Value itself if there is one neuron.
        Raises:  ShapeError: x has a length other than nin.
        """
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of {self.neurons}"


class MLP(Module):
    """A multi-layer perceptron: layers one after the other, with relu in all but the last.

    Args:    nin: how many inputs.
             nouts: how many neurons in each layer.
             generator: see Neuron.
    Example: >>> model = MLP(2, [2, 1], generator=random.Random(7))
             >>> model
             MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]
             >>> len(model.parameters()), round(model([1.0, -2.0]).data, 3)
             (9, -0.466)
    """

    def __init__(self, nin: int, nouts: list[int], generator: random.Random | None = None) -> None:
        sizes = [nin, *nouts]
        last = len(nouts) - 1
        self.layers = [
            Layer(sizes[i], sizes[i + 1], nonlin=i != last, generator=generator)
            for i in range(len(nouts))
        ]

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the last layer's output.

        Args:    x: one input for each of nin: Values, numbers or arrays (samples,).
        Returns: a list of Values, one for each neuron of the last layer; the Value itself if there
                 is one neuron.
        Raises:  ShapeError: x has a length other than nin.
        """
        out: Any = x
        for layer in self.layers:
            out = layer(x)
            x = [out] if len(layer.neurons) == 1 else out  # one neuron gives no list
        return out

    def __repr__(self) -> str:
        return f"MLP of {self.layers}"
