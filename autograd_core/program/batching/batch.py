"""batch: a function of one sample, applied to many at once."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import wraps
from typing import Any

import numpy as np

from ...backprop import own, paths
from ...data import as_data, shape_of
from ...errors import OptionError, ShapeError
from ...functions.rearranging import stack
from ...graph import Node, make_leaf
from ...messages import describe
from ...primitives.indexing import getitem
from ...primitives.shapes import transpose
from ...value import Value
from ...watching import Lasting, is_live, recording, watch
from ..signature import builder, is_static
from ..tracing import drawing_again
from .trial import Trial

Place = tuple[str, Any, Any]  # a leaf of the arguments: its name, itself, its axis of samples


def batch(f: Callable[..., Any], in_axes: Any = 0) -> Callable[..., Any]:
    """Return f as a function of many samples at once, along the first axis of its results.

    f runs once, on one sample, and each of its operations is then carried out for all: a network
    of numbers becomes one of columns. Derivatives of any order may be inside or outside, `compile`
    too, and another `batch`. Primitives of one's own are applied sample by sample.

    Args:    f: function of one sample; decides by `np.where` and not by `if` of a sample's data.
             `fresh` draws once for each sample.
             in_axes: along which axis arguments hold the samples; None: all samples share them.
             One for all positional arguments, or a tuple with one for each, each of which may be
             a structure like its argument. Keyword arguments hold them along axis 0.
    Returns: function of f's arguments; the result has f's structure, with a first axis of samples.
    Raises:  ShapeError: other numbers of samples, or no such axis. OptionError: in_axes of
             another structure, or no argument holds samples. TraceError: f takes data out of the
             graph, assigns to a Value, or calls `callback`.
    Example: >>> def network(weights, x):
             ...     w, bias, out = weights
             ...     return out * np.tanh(w * x + bias)
             >>> batch(network, in_axes=(None, 0))([1.0, 0.5, 2.0], np.array([-0.5, 0.0, 1.5]))
             array([0.        , 0.92423431, 1.92805516])
    """

    @wraps(f)
    def of_samples(*args: Any, **kwargs: Any) -> Any:
        leaves: list[Any] = []
        build = builder((args, kwargs), leaves)
        places = [*_places(in_axes, args, "", in_axes), *_places(0, kwargs, "", 0)]
        numbers = [i for i, (_, _, axis) in enumerate(places) if axis is not None]
        samples = {places[i][0]: _samples_first(*places[i]) for i in numbers}
        count = _count(f, in_axes, samples)
        trial = Trial(count)
        sample = list(leaves)  # what all samples share is given as it is
        for i, x in zip(numbers, samples.values(), strict=True):
            sample[i] = trial.stand_in(x)

        def of_one(sample: list[Any]) -> tuple[list[Any], Any]:
            one_args, one_kwargs = build(sample, 0)
            results: list[Any] = []
            build_result = builder(f(*one_args, **one_kwargs), results)
            return results, build_result

        with np.errstate(all="ignore"):
            with trial.running():
                results, build_result = of_one(sample)
            outputs = trial.for_all(results)
            if trial.is_spoilt:
                given = zip(numbers, samples.values(), strict=True)
                outputs = _one_by_one(of_one, leaves, given, trial)
        handed_out = {id(leaf) for leaf in leaves}
        return build_result([own(output, handed_out) for output in outputs], 0)

    return of_samples


def _one_by_one(
    f: Callable[..., Any], leaves: list[Any], places: Iterable[Any], trial: Trial
) -> list[Any]:
    """Apply f to each sample: there a derivative knows where 0 times infinity is 0."""
    rows, places = [], list(places)
    for k in range(trial.batch_size):
        sample = list(leaves)
        for i, x in places:
            one = getitem(x, index=k)
            sample[i] = one if isinstance(one, Node) else make_leaf(Value, one)
        draws = [getitem(drawn, index=k) for drawn in trial.drawn]
        again = drawing_again(draws) if draws else nullcontext()
        with watch(Lasting()), recording(), again:
            outputs, _ = f(sample)
        made = [x for x in sample if isinstance(x, Node) and x.primitive is None]
        rows.append([_kept_or_plain(output, made) for output in outputs])
    return [stack(column) for column in zip(*rows, strict=True)]


def _kept_or_plain(output: Any, made: list[Node]) -> Any:
    """Return a result as a Value if any takes part in it beside those made of the sample."""
    if not isinstance(output, Node):
        return output
    is_live_result = paths(output, made)[2] and is_live()
    return output if is_live_result else output._data


def _places(axes: Any, structure: Any, name: str, given: Any) -> Iterator[Place]:
    """Yield all leaves with their axes of samples; `given`: the whole in_axes, for the error."""
    if isinstance(axes, tuple | list | dict):
        if not _alike(axes, structure):
            raise OptionError(
                f"in_axes={given!r}",
                f"{name or 'the arguments'}: {_described(structure)}, where in_axes has {axes!r}",
                "one axis or None for all of it, or a structure like it",
            )
    elif axes is not None and not isinstance(axes, int):
        raise OptionError(
            f"in_axes={given!r}", f"{axes!r} is no axis", "an int, None, or a structure of them"
        )
    if isinstance(structure, list | tuple | dict):
        for key in structure if isinstance(structure, dict) else range(len(structure)):
            part = f"{name}[{key!r}]" if name else f"argument {key}"
            below = axes[key] if isinstance(axes, tuple | list | dict) else axes
            yield from _places(below, structure[key], part, given)
    elif not is_static(structure):
        yield name, structure, axes


def _alike(axes: Any, structure: Any) -> bool:
    """Tell whether both are dicts with the same keys, or lists or tuples of the same length."""
    if isinstance(axes, dict) or isinstance(structure, dict):
        both = isinstance(axes, dict) and isinstance(structure, dict)
        return both and axes.keys() == structure.keys()
    return isinstance(structure, list | tuple) and len(axes) == len(structure)


def _described(structure: Any) -> str:
    if isinstance(structure, dict):
        return f"a dict of {list(structure)}"
    kind = type(structure).__name__
    return f"a {kind} of {len(structure)}" if isinstance(structure, list | tuple) else f"a {kind}"


def _samples_first(name: str, x: Any, axis: int) -> Any:
    """Return a leaf with its axis of samples as the first."""
    x = x if isinstance(x, Node) else as_data(x)
    ndim = len(shape_of(x))
    if not -ndim <= axis < ndim:
        raise ShapeError(
            f"batch with in_axes {axis} for {name}, {describe(x)}",
            "it has no such axis of samples",
            f"an array of samples, such as np.array([...]); or in_axes None for {name}, if all "
            "samples share it",
        )
    order = list(range(ndim))
    order.insert(0, order.pop(axis))
    return transpose(x, axes=tuple(order)) if axis % ndim else x


def _count(f: Callable[..., Any], in_axes: Any, samples: dict[str, Any]) -> int:
    """Return the number of samples, which are given with their names."""
    if not samples:
        raise OptionError(
            f"batch of {getattr(f, '__name__', 'a function')} with in_axes={in_axes!r}",
            "no argument holds samples, so that nothing tells how many there are",
            "in_axes=0 for an argument with samples along its first axis; or the function itself",
        )
    counts = {name: shape_of(x)[0] for name, x in samples.items()}
    first, count = next(iter(counts.items()))
    for name, other in counts.items():
        if other != count:
            raise ShapeError(
                f"batch of {first} with {count} samples and {name} with {other}",
                "each sample takes one of each",
                f"as many of each; or in_axes None for {name}, if all samples share it",
            )
    return count
