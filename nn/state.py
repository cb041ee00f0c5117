"""State: what a part of a model knows, found among its attributes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import repeat
from operator import setitem
from typing import Any

import numpy as np

from autograd_core import DataError, OptionError, ShapeError, Value, assign_all

from .configuration import Configured


class State(Configured):
    """Finds parameters, buffers and parts among the attributes, and reads and writes them.

    Parameters are Values that were not computed from others, buffers are NumPy arrays (saved, not
    trained), parts are other States; lists, tuples and dicts are looked into. Attributes whose
    names begin with an underscore are left alone.

    `trainable = False` freezes a part with all parts inside it: training leaves its parameters as
    they are, without weight decay, penalties and constraints, and BatchNormalization computes as
    in evaluation. Assigning to a part inside it afterwards holds for that part.

    Example: >>> from nn import Dense, Sequential
             >>> model = Sequential([Dense(3), Dense(2)], input_shape=(4,))
             >>> model.layers[0].trainable = False
             >>> [parameter.shape for parameter in model.parameters()]
             [(2, 3), (2,)]
    """

    training = True
    trainable = True
    # Whether its weights start for inputs around 1; None: its output is as large as its input
    expects_unit_inputs: bool | None = False

    def children(self) -> dict[str, Any]:
        """Return what to look into, by name: here the attributes that are not private."""
        return {name: part for name, part in vars(self).items() if not name.startswith("_")}

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "trainable":
            if not isinstance(value, bool | np.bool_):
                raise OptionError(
                    f"trainable = {value!r}", "it says whether training changes it", "True or False"
                )
            for part in self.inside()[0]:
                vars(part)[name] = bool(value)
        else:
            super().__setattr__(name, value)

    def _require_trainable(self) -> None:
        """Refuse to learn by a rule of its own where this part is frozen.

        Raises: OptionError: trainable is False.
        """
        if not self.trainable:
            raise OptionError(
                f"learning of {type(self).__name__} with trainable=False",
                "its parameters stay as they are",
                "trainable = True before it learns",
            )

    def inside(self) -> tuple[list["State"], list[Value]]:
        """Return this with all its parts, and all parameters, found in one walk."""
        found = [part for _, part in _walk(self)]
        parts = [part for part in found if isinstance(part, State)]
        return parts, [part for part in found if isinstance(part, Value)]

    def modules(self) -> dict[str, "State"]:
        """Return this and all its parts by their dotted names, itself, '', first; each once."""
        return {name: part for name, part in _walk(self) if isinstance(part, State)}

    def named_parameters(self) -> dict[str, Value]:
        """Return all parameters by their dotted names, in the order of their definition.

        Example: >>> from nn.layers import Dense
                 >>> layer = Dense(2)
                 >>> layer.build((3,))
                 >>> {name: p.shape for name, p in layer.named_parameters().items()}
                 {'weight': (2, 3), 'bias': (2,)}
        """
        return {name: part for name, part in _walk(self) if isinstance(part, Value)}

    def parameters(self) -> list[Value]:
        """Return the parameters that are trained, in the order of their definition, each once.

        Those of frozen parts (trainable = False) are left out; `named_parameters` has all.

        Example: >>> a, b = State(), State()
                 >>> a.weights, a.part = {"first": Value(1.0), "second": Value(2.0)}, b
                 >>> b.weights = [Value(3.0), a.weights["first"]]
                 >>> [p.data for p in a.parameters()]
                 [1.0, 2.0, 3.0]
        """
        return trained(*self.inside())

    def zero_grad(self) -> None:
        """Reset every parameter's gradient to "not computed", so that the next one starts at 0.

        Example: >>> model = State()
                 >>> model.weight = Value(2.0)
                 >>> (model.weight * 3).backward()
                 >>> model.zero_grad()
                 >>> model.weight
                 Value(data=2.0, grad=not computed)
        """
        for parameter in self.inside()[1]:
            parameter.grad = None

    def train(self, mode: bool = True) -> "State":
        """Switch to training, where dropout drops and batches normalize themselves; as created.

        Args:    mode: False: the same as `eval()`.
        Returns: itself.
        """
        for part in self.inside()[0]:
            part.training = mode
        return self

    def eval(self) -> "State":
        """Switch to evaluation: no dropout, no noise, averages from training. Returns itself."""
        return self.train(False)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Compute as in evaluation inside this block."""
        modes = {part: part.training for part in self.inside()[0]}
        self.eval()
        try:
            yield
        finally:
            for part, mode in modes.items():
                part.training = mode

    def penalty(self) -> Any:
        """Return what the regularizers add to the loss: a Value, or 0 where there are none."""
        return sum([part.own_penalty() for part in self.inside()[0]])

    def own_penalty(self) -> Any:
        """Return what this part itself, without the parts inside it, adds to the loss."""
        return 0.0

    def constrain(self) -> None:
        """Hold every parameter to its constraint, as each step of an optimizer does."""
        hold(self.inside()[0])

    def constrain_own(self) -> None:
        """Hold the parameters of this part itself to their constraints."""

    def state_dict(self) -> dict[str, Any]:
        """Return copies of all parameters and buffers by name, as PyTorch names and shapes them.

        Returns: arrays in C order and this machine's byte order, the only ones that safetensors
                 and other writers of bytes take as they are; a single number has shape ().
        Example: >>> model = State()
                 >>> model.weight = Value([1.0, 2.0])
                 >>> model.state_dict()
                 {'weight': array([1., 2.])}
        """
        return {name: _exported(part) for name, part in _walk(self) if not isinstance(part, State)}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Take over all parameters and buffers by name; where one does not fit, change nothing.

        An interrupt, too, finds all of them changed or none.

        Args:    state: arrays by name, as `state_dict` gives them.
                 strict: False passes over names that only one side has.
        Raises:  OptionError: it is no mapping, or a name is missing, or one too many. DataError:
                 text, complex numbers, dates or objects. ShapeError: another shape.
        """
        kind = type(self).__name__
        own = {name: part for name, part in _walk(self) if not isinstance(part, State)}
        _check_names(kind, own, state, strict)
        new = {
            name: _fitted(kind, name, part, state[name])
            for name, part in own.items()
            if name in state
        }
        values = {name: data for name, data in new.items() if isinstance(own[name], Value)}
        buffers = {name: data for name, data in new.items() if name not in values}
        fill = map(setitem, [own[name] for name in buffers], repeat(...), buffers.values())
        assign_all([own[name] for name in values], values.values(), fill)


def hold(parts: list[Any]) -> None:
    """Hold the parameters of some parts to their constraints; an interrupt leaves none out."""
    try:
        for part in parts:
            part.constrain_own()
    except BaseException:
        for part in parts:
            part.constrain_own()
        raise


def _check_names(kind: str, own: Mapping[str, Any], state: Any, strict: bool) -> None:
    if not isinstance(state, Mapping):
        raise OptionError(
            f"a {type(state).__name__} as the state of {kind}",
            "parameters and buffers are known by their names",
            "dict(zip(model.state_dict(), arrays)) for arrays in the same order",
        )
    missing, unknown = [n for n in own if n not in state], [n for n in state if n not in own]
    if strict and (missing or unknown):
        raise OptionError(
            f"a state of {len(state)} names for {kind}, which has {len(own)}",
            "; ".join(
                f"{what}: {', '.join(map(str, names))}"
                for what, names in (("missing", missing), ("unknown", unknown))
                if names
            ),
            "the state of the same model, built (model.build(input_shape)); or strict=False",
        )


def _exported(part: Any) -> Any:
    """Return a copy of a parameter or buffer, in C order and this machine's byte order."""
    data = np.asarray(part.data if isinstance(part, Value) else part)
    return np.array(data, data.dtype.newbyteorder("="), order="C")


def _fitted(kind: str, name: str, part: Any, given: Any) -> Any:
    """Return what a parameter or buffer becomes: a number, or an array as it lies in memory now.

    Raises:  DataError, ShapeError: see `load_state_dict`.
    """
    own = part.data if isinstance(part, Value) else part  # in a compiled function it is refused
    try:
        array = np.asarray(given.data if isinstance(given, Value) else given)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists, tensors of a graph
        raise DataError(f"{name}, a {type(given).__name__}", str(error), "an array") from error
    if array.shape != part.shape:
        raise ShapeError(
            f"{name} of shape {array.shape}",
            f"{kind} has it with shape {part.shape}",
            "the state of a model with the same sizes",
        )
    if not np.can_cast(array.dtype, part.dtype, "same_kind"):
        raise DataError(
            f"{name} of type {array.dtype}",
            f"{kind} has it as {part.dtype}, which does not hold such data",
            f"an array of {part.dtype}",
        )
    if isinstance(own, float):
        return float(array)
    if not own.flags.writeable:
        raise DataError(
            f"{name}, a buffer that is read-only",
            "buffers get their new numbers in place",
            f"{kind}.{name} = array.copy() where the model makes it",
        )
    fitted = np.empty_like(own)
    fitted[...] = array
    return fitted


def trained(parts: list[State], parameters: list[Value]) -> list[Value]:
    """Return those parameters that belong to no part with trainable = False.

    Args:    parts, parameters: what `inside` has found.
    """
    own: list[tuple[str, Any]] = []
    for part in parts:
        if not part.trainable:
            others = {id(other) for other in parts if other is not part}
            _visit("", part, others, own)
    frozen = {id(value) for _, value in own}
    return [p for p in parameters if id(p) not in frozen] if frozen else parameters


def _walk(root: State) -> list[tuple[str, Any]]:
    """Return States, parameters and buffers with their dotted names; each once, even in cycles."""
    found: list[tuple[str, Any]] = []
    _visit("", root, set(), found)
    return found


def _visit(name: str, part: Any, seen: set[int], found: list[tuple[str, Any]]) -> None:
    if id(part) in seen:
        return
    seen.add(id(part))
    inside: Any = ()
    if isinstance(part, State):
        found.append((name, part))
        inside = part.children().items()
    elif isinstance(part, dict):
        inside = part.items()
    elif isinstance(part, list | tuple):
        inside = enumerate(part)
    elif isinstance(part, np.ndarray) or part.primitive is None:
        found.append((name, part))
    for key, each in inside:
        if isinstance(each, _LOOKED_INTO):  # asked here, since most attributes are something else
            _visit(f"{name}.{key}" if name else str(key), each, seen, found)


_LOOKED_INTO = (State, Value, np.ndarray, dict, list, tuple)
