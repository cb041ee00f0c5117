"""LSTM and GRU: recurrent layers whose gates decide what the state keeps."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from .recurrent import RecurrentLayer, Step, affine, gate_slices


@dataclass(eq=False, repr=False)
class LSTM(RecurrentLayer):
    """Long short-term memory: a cell c that gates write to, forget and read.

    With z = x W_ih^T + b + h W_hh^T in four blocks: i, f, o = recurrent_activation(z_i, z_f, z_o)
    and g = activation(z_g); then c' = f c + i g and h' = o activation(c'). The blocks stand in
    the order i, f, g, o, as in PyTorch and Keras.

    Args:    recurrent_activation: of the gates i, f and o; None: linear.
             unit_forget_bias: True starts f's bias at 1, so that c is kept at first.
             all others: see SimpleRNN.
    Raises:  OptionError: see SimpleRNN.
    Example: >>> layer = LSTM(4)
             >>> layer([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]).shape
             (1, 4)
             >>> layer.weight_ih_l0.shape, layer.weight_hh_l0.shape, layer.bias_ih_l0.shape
             ((16, 2), (16, 4), (16,))

    Source:  S. Hochreiter and J. Schmidhuber, Long short-term memory, 1997; with the forget gate
             of F. Gers et al., 2000.
    """

    gates = 4
    states = 2

    recurrent_activation: Any = "sigmoid"
    _: KW_ONLY
    unit_forget_bias: bool = True

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights and biases, with 1 as bias of f if unit_forget_bias."""
        super().make_parameters(input_shape)
        if self.use_bias and self.unit_forget_bias:
            bias = np.array(self.bias_ih_l0.data)
            bias[self.units : 2 * self.units] = 1.0
            self.bias_ih_l0.data = bias

    def make_step(self, from_x: Callable[[Any], Any], masks: list[Any]) -> Step:
        """Return the step."""
        from_h = affine(self.weight_hh_l0, None, masks)
        activation, gate = self.activation, self.recurrent_activation
        at_i, at_f, at_g, at_o = gate_slices(self.units, self.gates)

        def step(x: Any, h: Any, c: Any) -> tuple[Any, ...]:
            z = from_x(x) + from_h(h)
            c = gate(z[at_f]) * c + gate(z[at_i]) * activation(z[at_g])
            return gate(z[at_o]) * activation(c), c

        return step


@dataclass(eq=False, repr=False)
class GRU(RecurrentLayer):
    """Gated recurrent unit: h' = (1 - z) n + z h, where z says how much of h stays.

    r, z = recurrent_activation(x W_ih^T + b_ih + h W_hh^T + b_hh), in the blocks of r and z, and
    n = activation(x W_ih^T + b_ih + r (h W_hh^T + b_hh)) in that of n. The blocks stand in
    PyTorch's order r, z, n; Keras has z first.

    Args:    recurrent_activation: of the gates r and z; None: linear.
             reset_after: False applies r to h before the product, (r h) W_hh^T, with one bias.
             True, with two biases, is what PyTorch's files hold.
             all others: see SimpleRNN.
    Raises:  OptionError: see SimpleRNN.
    Example: >>> layer = GRU(4)
             >>> layer([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]).shape
             (1, 4)
             >>> layer.weight_ih_l0.shape, layer.weight_hh_l0.shape, layer.bias_hh_l0.shape
             ((12, 2), (12, 4), (12,))

    Source:  K. Cho et al., Learning phrase representations, 2014, whose form is reset_after=False.
    """

    gates = 3

    recurrent_activation: Any = "sigmoid"
    _: KW_ONLY
    reset_after: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.trains_both_biases = self.reset_after

    def make_step(self, from_x: Callable[[Any], Any], masks: list[Any]) -> Step:
        """Return the step."""
        if not self.reset_after:
            return self._make_step_resetting_before(from_x, masks)
        from_h = affine(self.weight_hh_l0, self.bias_hh_l0 if self.use_bias else None, masks)
        activation, gate = self.activation, self.recurrent_activation
        at_r, at_z, at_n = gate_slices(self.units, self.gates)
        at_rz = (slice(None), slice(2 * self.units))

        def step(x: Any, h: Any) -> tuple[Any, ...]:
            x, state = from_x(x), from_h(h)
            rz = x[at_rz] + state[at_rz]
            n = activation(x[at_n] + gate(rz[at_r]) * state[at_n])
            return (n + gate(rz[at_z]) * (h - n),)

        return step

    def _make_step_resetting_before(self, from_x: Callable[[Any], Any], masks: list[Any]) -> Step:
        split = 2 * self.units
        from_h = affine(self.weight_hh_l0[:split], None, masks[:2])
        from_reset = affine(self.weight_hh_l0[split:], None, masks[2:])
        activation, gate = self.activation, self.recurrent_activation
        at_r, at_z, at_n = gate_slices(self.units, self.gates)

        def step(x: Any, h: Any) -> tuple[Any, ...]:
            x = from_x(x)
            rz = x[:, :split] + from_h(h)
            n = activation(x[at_n] + from_reset(gate(rz[at_r]) * h))
            return (n + gate(rz[at_z]) * (h - n),)

        return step
