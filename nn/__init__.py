"""Neural networks on autograd_core.

- Module: finds parameters among its attributes
- Neuron, Layer, MLP: scalar networks, in which every weight is a node one can see
"""

from .module import Module
from .neurons import MLP, Layer, Neuron

__all__ = ["MLP", "Layer", "Module", "Neuron"]
