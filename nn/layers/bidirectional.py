"""Bidirectional: a sequence read in both directions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import OptionError

from .base import ArrayLayer
from .recurrent import RecurrentLayer, as_mask

_MERGES: dict[str, Callable[[Any, Any], Any]] = {
    "concat": lambda forwards, backwards: np.concatenate([forwards, backwards], -1),
    "sum": lambda forwards, backwards: forwards + backwards,
    "mul": lambda forwards, backwards: forwards * backwards,
    "ave": lambda forwards, backwards: (forwards + backwards) * 0.5,
}


class Bidirectional(ArrayLayer):
    """Two recurrent layers on the same sequence, one reading it forwards and one backwards.

    The outputs of both, with return_sequences those that belong to the same step, are merged.
    The backward layer's parameters have the ending `_reverse`, as in PyTorch. As in Keras, steps
    that a mask leaves out give 0 here, where one layer alone repeats the output before them.

    Args:    layer: the forward one: SimpleRNN, LSTM or GRU.
             merge_mode: "concat", "sum", "mul" or "ave" (the mean).
             backward_layer: None: a layer like the first one, with weights of its own.
    Raises:  OptionError: a layer that is not recurrent, reads in the wrong direction or returns
             something else than the other one; an unknown merge_mode.
    Example: >>> from nn.layers import LSTM
             >>> layer = Bidirectional(LSTM(4))
             >>> layer([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]).shape
             (1, 8)
             >>> list(layer.state_dict())[4]
             'weight_ih_l0_reverse'
    """

    takes_mask = True

    def __init__(self, layer: Any, merge_mode: str = "concat", backward_layer: Any = None) -> None:
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
        self.layer = self.forward_layer = layer
        self.merge_mode = merge_mode
        self.backward_layer = backward_layer

    def children(self) -> dict[str, Any]:
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

    def forward(self, x: Any, mask: Any = None) -> Any:
        """Return both layers' outputs, merged.

        Args:    x: (batch, steps, features).
                 mask: (batch, steps), False where a step does not count.
        """
        forwards = self.forward_layer(x, mask=mask)
        backwards = self.backward_layer(x, mask=mask)
        if not self.forward_layer.return_sequences:
            return _MERGES[self.merge_mode](forwards, backwards)
        out = _MERGES[self.merge_mode](forwards, backwards[:, ::-1])
        return out if mask is None else np.where(as_mask(mask)[..., None], out, 0.0)

    def output_mask(self, x: Any, mask: Any) -> Any:
        """Return the mask if the output has steps, else None."""
        return self.forward_layer.output_mask(x, mask)

    def _as_batch(self, x: Any) -> Any:
        return self.forward_layer._as_batch(x)


def _check(layer: Any, go_backwards: bool) -> None:
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
