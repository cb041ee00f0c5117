"""ArrayLayer, the base class of layers on arrays."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

import numpy as np

from autograd_core import DataError, OptionError, ShapeError, Value
from autograd_core.data import DType, Function, Operand, Result

from .. import activations, constraints, initializers, regularizers
from ..configuration import Choice, check_flags, takes, taking
from ..mistakes import warn
from ..module import Module, fitted, forward_pass
from ..storage.tensors import reserve

# How names become objects, by the last word of an option's name: kernel_initializer
_CHOICES: dict[str, Callable[[Choice], Choice]] = {
    "activation": activations.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}
_OF_PARAMETERS = ("initializer", "regularizer", "constraint")
_SIZES = (
    *("units", "filters", "kernel_size", "input_dim", "output_dim", "width"),
    *("reset_after", "unit_forget_bias"),
)
_PRESENT = ("use_bias", "center", "scale")  # of a parameter that may be left out later


class ArrayLayer(Module):
    """A layer on arrays, (batch, ...) in and (batch, ...) out.

    It makes its parameters in its first call: their sizes are then known, and they take the type
    of the data, float32 or float64.

    A subclass keeps every argument of `__init__` as an attribute of its name, makes parameters in
    `make_parameters` (if it has any) and computes in `forward`. As a dataclass, with eq=False and
    repr=False, it accepts activations, initializers, regularizers and constraints by name.

    Example: >>> class Scale(ArrayLayer):
             ...     def make_parameters(self, input_shape):
             ...         self.make_parameter("weight", input_shape, "ones")
             ...     def forward(self, x):
             ...         return x * self.weight
             >>> Scale()([[1.0, 2.0]]).data
             array([[1., 2.]])
    """

    input_shape: tuple[int, ...] | None = None  # of one sample; None before the first call
    output_shape: tuple[int, ...] | None = None
    dtype: DType = np.dtype(np.float64)
    activity_regularizer: Choice = None
    read_anew = Module.read_anew | {"input_shape", "output_shape", "_activity"}
    passes_mask = True  # whether the output has the input's steps, and so its mask
    _rules: tuple[tuple[str, Choice, Choice], ...] = ()  # parameter, regularizer, constraint
    # What the activity regularizer has found, and in which forward pass; None: a call by itself
    _activity: tuple[object, Result] = (None, 0.0)

    name: str | None = None
    _declared: tuple[int, ...] | None = None  # the option input_shape

    @classmethod
    def constructor(cls, init: Function) -> Function:
        """Add the options that each layer of Keras has beside its own: name and input_shape."""
        explained = super().constructor(init)
        has_input_dim = takes(init, "input_dim")  # of its own: Embedding
        named = inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, default=None)
        own = inspect.signature(init)

        @wraps(init)
        def construct(
            self: ArrayLayer,
            *args: Any,
            name: str | None = None,
            input_shape: Any = None,
            **options: Any,
        ) -> None:
            if "input_dim" in options and not has_input_dim:
                features = options.pop("input_dim")
                input_shape = (features,)
                warn(
                    "input_dim",
                    f"{type(self).__name__} with input_dim={features!r}",
                    "it is the option of Keras 1 and 2",
                    f"input_shape={input_shape!r}, or Input({input_shape!r}) first in Sequential",
                )
            explained(self, *args, **options)
            vars(self)["name"] = name
            if input_shape is not None and not (
                isinstance(input_shape, tuple) and None in input_shape
            ):
                self.build(input_shape)  # otherwise data decide
                self._declared = self.input_shape

        # input_shape is no option to be kept: files and copies have the parameters themselves
        construct.__signature__ = own.replace(parameters=[*own.parameters.values(), named])  # type: ignore[attr-defined]
        return construct

    def __post_init__(self) -> None:
        check_flags(self)
        for name, value in vars(self).items():
            kind = name.rpartition("_")[2]
            if kind in _CHOICES:
                vars(self)[name] = _CHOICES[kind](value)
            elif isinstance(value, np.generic):  # times float32 it would be float64
                vars(self)[name] = value.item()

    def is_fixed(self, name: str) -> bool:
        """Return whether its parameters, if it has any, were made with an option."""
        if "_rules" not in vars(self) or name == "activity_regularizer":
            return False
        kind: Any = type(self)
        is_past = name in _SIZES or (name in _PRESENT and not getattr(self, name))
        return name.endswith(_OF_PARAMETERS) or (is_past and taking(kind, name) is not None)

    def __setattr__(self, name: str, value: object) -> None:
        kind = name.rpartition("_")[2]
        if kind in _CHOICES and isinstance(value, str):
            value = _CHOICES[kind](value)
        if name in vars(self) and any(name == made for made, _, _ in self._rules):
            value = self._fitting(name, value)
        super().__setattr__(name, value)

    def _fitting(self, name: str, value: object) -> Result:
        """Return what a parameter or buffer may become: a Value of its shape, or such an array.

        Raises:  OptionError: no Value for a parameter. DataError, ShapeError: what does not fit.
        """
        own, kind = vars(self)[name], type(self).__name__
        if not isinstance(own, Value):
            return fitted(kind, name, own, value)
        if not isinstance(value, Value):
            raise self._no_parameter(name, value)
        if value.shape != own.shape:
            raise ShapeError(
                f"{name} of shape {value.shape}",
                f"this {kind} was made with shape {own.shape}",
                f"a Value of shape {own.shape}, or a new layer",
            )
        return value

    def __getstate__(self) -> dict[str, Any]:
        """Return what copies and pickles keep: not the penalty of the latest batch."""
        return {n: each for n, each in super().__getstate__().items() if n != "_activity"}

    def make_parameters(self, input_shape: tuple[int, ...]) -> None:
        """Make the parameters, given the shape of one sample."""

    def output_mask(self, x: Operand, mask: Operand) -> Result:
        """Return the output's mask (batch, steps); None if its steps are not the input's."""
        return mask if self.passes_mask else None

    def forward(self, x: Operand) -> Result:
        """Compute the output of a batch."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x)")

    def make_parameter(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: Choice,
        regularizer: Choice = None,
        constraint: Choice = None,
        order: Literal["C", "F"] = "C",
    ) -> None:
        """Make `self.<name>`, a Value drawn from an initializer.

        Args:    shape: as in PyTorch, outputs first: (units, features).
                 initializer, regularizer, constraint: names or objects; see nn.initializers,
                 nn.regularizers, nn.constraints.
                 order: in memory; "F" for a weight that is used as x @ weight.T: its gradient has
                 that order, and updates are quick where both orders agree.
        """
        reserve(shape)
        try:
            data = initializers.get(initializer)(shape, self.dtype)
        except TypeError as error:
            raise OptionError(
                f"{name} of {self} drawn from {initializer!r}",
                str(error),
                'an initializer such as "zeros", or a function of a shape and a type',
            ) from error
        vars(self).pop(name, None)  # of other sizes, where it is made anew
        setattr(self, name, Value(np.asarray(data, order=order)))
        rules = (name, regularizers.get(regularizer), constraints.get(constraint))
        self._rules = (*(r for r in self._rules if r[0] != name), rules)

    def make_buffer(self, name: str, shape: tuple[int, ...], initializer: Choice) -> None:
        """Make `self.<name>`, a plain array, which is saved but not trained."""
        self.make_parameter(name, shape, initializer)
        vars(self)[name] = getattr(self, name).data

    def __call__(self, x: Operand, **options: Any) -> Result:
        """Return the layer's output.

        Args:    x: Value or array, (batch, ...).
        Returns: Value, (batch, ...).
        Raises:  ShapeError: x is no batch, or has another number of features than the first one.
        """
        x = self._as_batch(x)
        shape = x.shape[1:]
        if self.input_shape is None:
            self.build_for(shape, x.dtype)
        elif self._rules and shape[-1:] != self.input_shape[-1:]:
            raise ShapeError(
                f"input of shape {x.shape} for {self}",
                f"its parameters were made for samples of shape {self.input_shape}",
                f"an array of shape (batch, {', '.join(map(str, self.input_shape))})",
            )
        out = self.forward(x, **options)
        if not hasattr(out, "shape"):
            raise DataError(
                f"{out!r:.60} as the output of {self}",
                "an output is an array, which an activation without return does not give",
                "a function of a Value that returns a Value of its shape",
            )
        if out.shape[1:] != self.output_shape:
            self.output_shape = out.shape[1:]
        if self.activity_regularizer is not None:
            found = self.activity_regularizer(out) / len(x)
            (earlier, total), now = self._activity, forward_pass.get()
            if now is not None and now is earlier:  # the layer is used again
                found = total + found
            self._activity = now, found
        return out

    def build_for(self, input_shape: tuple[int, ...], dtype: DType) -> None:
        """Make the parameters for samples of this shape and type."""
        self.dtype = dtype
        self.make_parameters(input_shape)
        self.input_shape = input_shape

    def _as_batch(self, x: Operand) -> Result:
        if not isinstance(x, Value):
            x = np.asarray(x)
            if x.dtype.kind not in "biuf":
                raise DataError(
                    f"input of type {x.dtype} for {self}",
                    "a layer computes with real numbers",
                    "an array of numbers, (batch, ...)",
                )
            if x.dtype.char not in "fd":
                x = x.astype(self.dtype)
        if len(x.shape) < 2:
            raise ShapeError(
                f"input of shape {x.shape} for {self}",
                "a layer takes a batch of samples, (batch, ...)",
                "x[None] for one sample, x[:, None] for samples of one number",
            )
        return x

    def own_penalty(self) -> Result:
        """Return what the regularizers of this layer add to the loss, none of frozen weights."""
        penalty = 0.0 if self.activity_regularizer is None else self._activity[1]
        for name, rule, _ in self._rules:
            if rule is not None and self.trainable:
                penalty = penalty + rule(getattr(self, name))
        return penalty

    def constrain_own(self) -> None:
        """Hold the parameters of this layer to their constraints."""
        for name, _, constraint in self._rules:
            if constraint is not None and self.trainable:
                parameter = getattr(self, name)
                parameter.data = constraint(parameter.data)


def steps_that_count(mask: Operand, shape: tuple[int, ...]) -> Result:
    """Return the mask of a batch as a bool array; a Value, inside a compiled step, as it is.

    Args:    mask: (batch, steps), True or 1 where a step counts.
             shape: of the batch, (batch, steps, ...).
    Raises:  ShapeError: the mask has another shape. DataError: it holds something else.
    """
    if not isinstance(mask, Value):
        given = np.asarray(mask)
        mask = given.astype(bool)
        if not (given == mask).all():
            raise DataError(
                f"a mask of type {given.dtype} for sequences of shape {shape}",
                "it says of each step whether it counts",
                "True and False, or 1 and 0",
            )
    if mask.shape != shape[:2]:
        raise ShapeError(
            f"a mask of shape {mask.shape} for sequences of shape {shape}",
            "it says of each step whether it counts",
            f"a mask of shape {shape[:2]}",
        )
    return mask
