"""Recurrent layers: SimpleRNN, LSTM, GRU, and Bidirectional."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, field
from typing import TypeAlias

import numpy as np

from autograd_core import OptionError, ShapeError, Value
from autograd_core.data import Operand, Result

from ..configuration import Choice, Model, check_range, configured
from ..data import whole_number
from ..module import Module
from .base import ArrayLayer, steps_that_count
from .dropout import Dropout

# From x (batch, features) and the state to the next state
Step: TypeAlias = Callable[..., tuple[Result, ...]]


@configured
class RecurrentLayer(ArrayLayer):
    """A layer that processes a sequence step by step, with a state and the same weights.

    A subclass defines how many gates and state arrays it has, and one step, in `make_step`.
    """

    takes_mask = True
    expects_unit_inputs = True
    gates = 1  # blocks of rows in weight_ih_l0, one for each gate
    states = 1  # arrays (batch, units) in the state; the first is the output
    trains_both_biases = False

    units: int
    activation: Choice = "tanh"
    _: KW_ONLY
    use_bias: bool = True
    kernel_initializer: Choice = "glorot_uniform"
    bias_initializer: Choice = "zeros"
    kernel_regularizer: Choice = None
    bias_regularizer: Choice = None
    activity_regularizer: Choice = None
    kernel_constraint: Choice = None
    bias_constraint: Choice = None
    trainable: bool = True
    recurrent_initializer: Choice = "orthogonal"
    recurrent_regularizer: Choice = None
    recurrent_constraint: Choice = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    return_sequences: bool = False
    go_backwards: bool = False
    weight_ih_l0: Value = field(init=False)
    weight_hh_l0: Value = field(init=False)
    bias_ih_l0: Value = field(init=False)
    bias_hh_l0: Value = field(init=False)

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is None and name.endswith("activation"):
                vars(self)[name] = "linear"
        super().__post_init__()
        self.units = whole_number("units", self.units)
        check_range("dropout", self.dropout, 0.0, 1.0)
        check_range("recurrent_dropout", self.recurrent_dropout, 0.0, 1.0)

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights and biases of all gates, (gates * units, ...), as PyTorch names them.

        Where Keras has one bias, bias_ih_l0 is trained, and bias_hh_l0 is constant: 0, or what a
        file of PyTorch's holds.
        """
        rows = self.gates * self.units
        rules = self.kernel_initializer, self.kernel_regularizer, self.kernel_constraint
        self.make_parameter("weight_ih_l0", (rows, input_shape[-1]), *rules, order="F")
        rules = self.recurrent_initializer, self.recurrent_regularizer, self.recurrent_constraint
        self.make_parameter("weight_hh_l0", (rows, self.units), *rules, order="F")
        if not self.use_bias:
            return
        rules = self.bias_initializer, self.bias_regularizer, self.bias_constraint
        self.make_parameter("bias_ih_l0", (rows,), *rules)
        if self.trains_both_biases:
            self.make_parameter("bias_hh_l0", (rows,), *rules)
        else:
            self.make_buffer("bias_hh_l0", (rows,), "zeros")

    @property
    def acts_in_training(self) -> bool:
        """Whether it drops anything in training."""
        return self.dropout > 0 or self.recurrent_dropout > 0

    def make_step(self, from_x: Callable[[Operand], Result], masks: list[Operand]) -> Step:
        """Return the function that computes the next state from x and the state.

        Args:    from_x: returns x W_ih^T + b, (batch, gates * units).
                 masks: dropout masks of the state, one for all gates or one for each; [] for none.
        """
        raise NotImplementedError(f"{type(self).__name__} has no make_step(self, from_x, masks)")

    def forward(self, x: Operand, mask: Operand = None) -> Result:
        """Return the last output (batch, units), or all of them (batch, steps, units).

        Args:    x: (batch, steps, features).
                 mask: (batch, steps); steps where it is False keep the state.
        Raises:  ShapeError: the mask has another shape.
        """
        mask = None if mask is None else steps_that_count(mask, x.shape)
        step = self._step(x)
        state: Sequence[Operand] = (np.zeros((len(x), self.units), self.dtype),) * self.states
        inputs, outputs = _apart(x), []
        for t in range(x.shape[1])[:: -1 if self.go_backwards else 1]:
            following = step(inputs[t], *state)
            if mask is None:
                state = following
            else:
                counts = mask[:, t, None]
                pairs = zip(following, state, strict=True)
                state = [np.where(counts, new, old) for new, old in pairs]
            outputs.append(state[0])
        return np.stack(outputs, 1) if self.return_sequences else state[0]

    def _step(self, x: Operand) -> Step:
        bias: Operand = None
        if self.use_bias:
            bias = self.bias_ih_l0 if self.trains_both_biases else self.bias_ih_l0 + self.bias_hh_l0
        input_masks = self._masks(self.dropout, (len(x), x.shape[-1]))
        state_masks = self._masks(self.recurrent_dropout, (len(x), self.units))
        return self.make_step(affine(self.weight_ih_l0, bias, input_masks), state_masks)

    def _masks(self, rate: float, shape: tuple[int, ...]) -> list[Operand]:
        """Draw dropout masks for all steps of this batch: one, or as in Keras, one for each gate
        if the state has dropout, too.
        """
        if not self.training or not rate:
            return []
        dropping = Dropout(rate)
        count = self.gates if self.recurrent_dropout else 1
        return [dropping.forward(np.ones(shape, self.dtype)) for _ in range(count)]

    def output_mask(self, x: Operand, mask: Operand) -> Result:
        """Return the mask if the output has steps, else None.

        As in Keras it stays in the input's order, even with go_backwards.
        """
        return mask if self.return_sequences else None

    def _as_batch(self, x: Operand) -> Result:
        x = super()._as_batch(x)
        if len(x.shape) != 3 or not x.shape[1]:
            raise ShapeError(
                f"input of shape {x.shape} for {self}",
                "it reads sequences of at least one step, (batch, steps, features)",
                "return_sequences=True in the recurrent layer before it; x[:, :, None] for "
                "sequences of single numbers, x[None] for one sequence",
            )
        return x


class SimpleRNN(RecurrentLayer):
    """A layer whose output is its state: h' = activation(x W_ih^T + b + h W_hh^T).

    Parameters have PyTorch's names and shapes: weight_ih_l0 (units, features), weight_hh_l0
    (units, units), bias_ih_l0 (units,); Keras's kernels are the weights transposed.

    Args:    units: how many numbers the state has.
             activation: see nn.activations; None: linear.
             use_bias: False leaves b out.
             kernel_initializer, recurrent_initializer, bias_initializer: of W_ih, W_hh and b.
             kernel_regularizer, recurrent_regularizer, bias_regularizer: see nn.regularizers.
             activity_regularizer: applied to the output, divided by the batch size.
             kernel_constraint, recurrent_constraint, bias_constraint: see nn.constraints.
             trainable: see Dense.
             dropout, recurrent_dropout: the fraction of x and of h that is dropped in training,
             the same at each step of a sample.
             return_sequences: True returns the outputs of all steps.
             go_backwards: True processes, and returns, the steps in reversed order.
    Raises:  OptionError: units below 1, a fraction outside 0 to 1, or an unknown name.
    Example: >>> SimpleRNN(4)([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]).shape
             (1, 4)
             >>> SimpleRNN(4, return_sequences=True)([[[1.0, 2.0], [3.0, 4.0]]]).shape
             (1, 2, 4)
    """

    def make_step(self, from_x: Callable[[Operand], Result], masks: list[Operand]) -> Step:
        """Return the step."""
        from_h = affine(self.weight_hh_l0, None, masks)
        return lambda x, h: (self.activation(from_x(x) + from_h(h)),)


@configured
class LSTM(RecurrentLayer):
    """Long short-term memory: gates control what the cell c stores, forgets and outputs.

    With z = x W_ih^T + b + h W_hh^T in four blocks: i, f, o = recurrent_activation(z_i, z_f, z_o)
    and g = activation(z_g); then c' = f c + i g and h' = o activation(c'). The order of the
    blocks is i, f, g, o, as in PyTorch and Keras.

    Args:    recurrent_activation: of the gates i, f and o; None: linear.
             unit_forget_bias: True initializes f's bias to 1, so that c is kept at first.
             others: see SimpleRNN.
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

    recurrent_activation: Choice = "sigmoid"
    _: KW_ONLY
    unit_forget_bias: bool = True

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights and biases, with 1 as bias of f if unit_forget_bias."""
        super().make_parameters(input_shape)
        if self.use_bias and self.unit_forget_bias:
            bias = np.array(self.bias_ih_l0.data)
            bias[self.units : 2 * self.units] = 1.0
            self.bias_ih_l0.data = bias

    def make_step(self, from_x: Callable[[Operand], Result], masks: list[Operand]) -> Step:
        """Return the step."""
        from_h = affine(self.weight_hh_l0, None, masks)
        activation, gate = self.activation, self.recurrent_activation
        at_i, at_f, at_g, at_o = gate_slices(self.units, self.gates)

        def step(x: Operand, h: Operand, c: Operand) -> tuple[Result, ...]:
            z = from_x(x) + from_h(h)
            c = gate(z[at_f]) * c + gate(z[at_i]) * activation(z[at_g])
            return gate(z[at_o]) * activation(c), c

        return step


@configured
class GRU(RecurrentLayer):
    """Gated recurrent unit: h' = (1 - z) n + z h, where z is the fraction of h that is kept.

    r, z = recurrent_activation(x W_ih^T + b_ih + h W_hh^T + b_hh), in the blocks of r and z, and
    n = activation(x W_ih^T + b_ih + r (h W_hh^T + b_hh)) in that of n. The order of the
    blocks is r, z, n, as in PyTorch; Keras has z first.

    Args:    recurrent_activation: of the gates r and z; None: linear.
             reset_after: False applies r to h before the product, (r h) W_hh^T, with one bias.
             True, with two biases, is PyTorch's form.
             others: see SimpleRNN.
    Raises:  OptionError: see SimpleRNN.
    Example: >>> layer = GRU(4)
             >>> layer([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]).shape
             (1, 4)
             >>> layer.weight_ih_l0.shape, layer.weight_hh_l0.shape, layer.bias_hh_l0.shape
             ((12, 2), (12, 4), (12,))

    Source:  K. Cho et al., Learning phrase representations, 2014, whose form is reset_after=False.
    """

    gates = 3

    recurrent_activation: Choice = "sigmoid"
    _: KW_ONLY
    reset_after: bool = True

    @property
    def trains_both_biases(self) -> bool:  # type: ignore[override] # a plain attribute
        """Whether h has a bias of its own."""
        return self.reset_after

    def make_step(self, from_x: Callable[[Operand], Result], masks: list[Operand]) -> Step:
        """Return the step."""
        if not self.reset_after:
            return self._make_step_resetting_before(from_x, masks)
        from_h = affine(self.weight_hh_l0, self.bias_hh_l0 if self.use_bias else None, masks)
        activation, gate = self.activation, self.recurrent_activation
        at_r, at_z, at_n = gate_slices(self.units, self.gates)
        at_rz = (slice(None), slice(2 * self.units))

        def step(x: Operand, h: Operand) -> tuple[Result, ...]:
            x, state = from_x(x), from_h(h)
            rz = x[at_rz] + state[at_rz]
            n = activation(x[at_n] + gate(rz[at_r]) * state[at_n])
            return (n + gate(rz[at_z]) * (h - n),)

        return step

    def _make_step_resetting_before(
        self, from_x: Callable[[Operand], Result], masks: list[Operand]
    ) -> Step:
        split = 2 * self.units
        from_h = affine(self.weight_hh_l0[:split], None, masks[:2])
        from_reset = affine(self.weight_hh_l0[split:], None, masks[2:])
        activation, gate = self.activation, self.recurrent_activation
        at_r, at_z, at_n = gate_slices(self.units, self.gates)

        def step(x: Operand, h: Operand) -> tuple[Result, ...]:
            x = from_x(x)
            rz = x[:, :split] + from_h(h)
            n = activation(x[at_n] + from_reset(gate(rz[at_r]) * h))
            return (n + gate(rz[at_z]) * (h - n),)

        return step


_MERGES: dict[str, Callable[[Operand, Operand], Result]] = {
    "concat": lambda forwards, backwards: np.concatenate([forwards, backwards], -1),
    "sum": lambda forwards, backwards: forwards + backwards,
    "mul": lambda forwards, backwards: forwards * backwards,
    "ave": lambda forwards, backwards: (forwards + backwards) * 0.5,
}


class Bidirectional(ArrayLayer):
    """Two recurrent layers on the same sequence, one forwards and one backwards.

    Their outputs are merged, with return_sequences step by step. The names of the backward layer's
    parameters end with `_reverse`, as in PyTorch. As in Keras, masked steps give 0 here, where a
    single layer repeats the output before them.

    Args:    layer: the forward one: SimpleRNN, LSTM or GRU.
             merge_mode: "concat", "sum", "mul" or "ave" (the mean).
             backward_layer: None: a layer like the first one, with weights of its own.
    Raises:  OptionError: a layer that is not recurrent, has the wrong direction, or another
             return_sequences than the other layer; an unknown merge_mode.
    Example: >>> from nn.layers import LSTM
             >>> layer = Bidirectional(LSTM(4))
             >>> layer([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]).shape
             (1, 8)
             >>> list(layer.state_dict())[4]
             'weight_ih_l0_reverse'
    """

    expects_unit_inputs = True

    takes_mask = True

    def __init__(
        self, layer: Model, merge_mode: str = "concat", backward_layer: Model = None
    ) -> None:
        if merge_mode not in _MERGES:
            raise OptionError(
                f"merge_mode {merge_mode!r}",
                "there is none of this name",
                f"one of {', '.join(_MERGES)}",
            )
        _check(layer, go_backwards=False)
        if backward_layer is None:
            backward_layer = type(layer)(**{**layer.config(), "go_backwards": True})
        _check(backward_layer, go_backwards=True)
        if layer.return_sequences != backward_layer.return_sequences:
            raise OptionError(
                "return_sequences of one layer of Bidirectional, but not of the other",
                "the outputs of all steps do not merge with that of one",
                "the same return_sequences for both",
            )
        self.layer = layer
        self.merge_mode = merge_mode
        self.backward_layer = backward_layer

    @property
    def forward_layer(self) -> Model:
        """The layer that reads forwards, by Keras's name."""
        return self.layer

    def children(self) -> dict[str, Module]:
        """Return the parameters by PyTorch's names, then both layers."""
        forwards, backwards = self.forward_layer, self.backward_layer
        return {
            **forwards.children(),
            **{f"{name}_reverse": part for name, part in backwards.children().items()},
            "forward_layer": forwards,
            "backward_layer": backwards,
        }

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make the parameters of both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            layer.build_for(input_shape, self.dtype)

    def forward(self, x: Operand, mask: Operand = None) -> Result:
        """Return both layers' outputs, merged.

        Args:    x: (batch, steps, features).
                 mask: (batch, steps), False where a step is masked.
        """
        forwards = self.forward_layer(x, mask=mask)
        backwards = self.backward_layer(x, mask=mask)
        if not self.forward_layer.return_sequences:
            return _MERGES[self.merge_mode](forwards, backwards)
        out = _MERGES[self.merge_mode](forwards, backwards[:, ::-1])
        if mask is None:
            return out
        return np.where(steps_that_count(mask, x.shape)[..., None], out, 0.0)

    def output_mask(self, x: Operand, mask: Operand) -> Result:
        """Return the mask if the output has steps, else None."""
        return self.forward_layer.output_mask(x, mask)

    def _as_batch(self, x: Operand) -> Result:
        return self.forward_layer._as_batch(x)


def _check(layer: Model, go_backwards: bool) -> None:
    if not isinstance(layer, RecurrentLayer):
        raise OptionError(
            f"{layer!r} in Bidirectional",
            "it reads steps in no order that could be reversed",
            "a SimpleRNN, LSTM or GRU",
        )
    if layer.go_backwards != go_backwards:
        raise OptionError(
            f"{layer!r} as the {'backward' if go_backwards else 'forward'} layer of Bidirectional",
            "the two layers read in opposite directions",
            f"go_backwards={go_backwards}",
        )


def affine(weight: Operand, bias: Operand, masks: list[Operand]) -> Callable[[Operand], Result]:
    """Return the function x -> x W^T + b, all gates at once.

    Args:    bias: None: no bias.
             masks: one factor of x for each gate, or for all of them; none: x stays whole.
    """
    blocks = [block.T for block in np.split(weight, max(len(masks), 1))]

    def apply(x: Operand) -> Result:
        if masks:
            parts = [(x * mask) @ block for mask, block in zip(masks, blocks, strict=True)]
            out = np.concatenate(parts, -1)
        else:
            out = x @ blocks[0]
        return out if bias is None else out + bias

    return apply


def gate_slices(units: int, gates: int) -> list[tuple[slice, slice]]:
    """Return the indices of each gate's columns in (batch, gates * units)."""
    return [np.s_[:, gate * units : (gate + 1) * units] for gate in range(gates)]


def _apart(x: Operand) -> list[Operand]:
    """Return x at each step.

    A Value is split recursively: its cotangent is then assembled in steps * log(steps), where
    each x[:, t] would add an array of the whole size.
    """
    steps = x.shape[1]
    if steps == 1 or not isinstance(x, Value):
        return [x[:, t] for t in range(steps)]
    return _apart(x[:, : steps // 2]) + _apart(x[:, steps // 2 :])
