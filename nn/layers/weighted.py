"""WeightedLayer: what layers with a kernel and a bias have in common, the options of both."""

from dataclasses import dataclass
from typing import Any, Literal

from .base import ArrayLayer


@dataclass(eq=False, repr=False, kw_only=True)
class WeightedLayer(ArrayLayer):
    """A layer that weighs its input with a kernel, Keras's word, and adds a bias.

    Args:    as in Dense.
    """

    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    trainable: bool = True

    def make_kernel(
        self, name: str, shape: tuple[int, ...], order: Literal["C", "F"] = "C"
    ) -> None:
        """Make `self.<name>` with the kernel's options; order: see make_parameter."""
        rules = self.kernel_regularizer, self.kernel_constraint
        self.make_parameter(name, shape, self.kernel_initializer, *rules, order=order)

    def make_bias(self, name: str, size: int) -> None:
        """Make `self.<name>` (size,) with the bias's options, if use_bias."""
        rules = self.bias_regularizer, self.bias_constraint
        if self.use_bias:
            self.make_parameter(name, (size,), self.bias_initializer, *rules)
