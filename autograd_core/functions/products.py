"""Products of vectors, matrices and arrays with more axes, with NumPy's names and signatures."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data import Operand, Result, shape_of
from ..errors import ShapeError, UnsupportedError
from ..graph import as_operand, as_operands
from ..messages import counted, describe
from ..primitives import linear_algebra, shapes
from ..primitives.elementwise import multiply
from ..primitives.indexing import getitem
from .rearranging import axis_number, axis_numbers, permuting, ravel

moveaxis = permuting(np.moveaxis)
# Names of axes. The module `string` has them, too, and takes a tenth of this package's import
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def matmul(x1: Operand, x2: Operand) -> Result:
    """Return the matrix product x1 @ x2; axes before the last two count a stack of matrices."""
    return linear_algebra.matmul(x1, x2)


def dot(a: Operand, b: Operand) -> Result:
    """Return the sum over the last axis of a and the last but one of b (or its only one).

    Args:    a, b: of shapes (..., n) and (n,) or (..., n, k); or one of them a number.
    Returns: the product, with the other axes of a, then those of b.
    Raises:  ShapeError: the two axes differ in length.
    """
    a, b = as_operands(a, b)
    if not shape_of(a) or not shape_of(b):
        return multiply(a, b)
    if len(shape_of(b)) <= 2:
        return linear_algebra.matmul(a, b)
    return tensordot(a, b, axes=(-1, -2))


def vdot(a: Operand, b: Operand) -> Result:
    """Return the sum of the products of corresponding elements, both ravelled."""
    return linear_algebra.matmul(*map(ravel, as_operands(a, b)))


def inner(a: Operand, b: Operand) -> Result:
    """Return the sum over the last axes of both; other axes, those of a first, remain."""
    a, b = as_operands(a, b)
    of_a, of_b = shape_of(a), shape_of(b)
    if not of_a or not of_b:
        return multiply(a, b)
    if of_a[-1:] == of_b[1:]:
        return linear_algebra.inner(a, b)
    if len(of_b) == 1:
        return linear_algebra.matmul(a, b)
    return tensordot(a, b, axes=(-1, -1))


def outer(a: Operand, b: Operand) -> Result:
    """Return the matrix of all products of an element of a, its row, and one of b, its column."""
    a, b = map(ravel, as_operands(a, b))
    return multiply(getitem(a, index=(slice(None), None)), b)


def tensordot(a: Operand, b: Operand, axes: int | Sequence[Any] = 2) -> Result:
    """Return the sum of products over pairs of axes of a and b.

    Args:    a, b: arrays.
             axes: how many of the last axes of a meet the first of b; or two lists, the axes of
             a and those of b that they meet.
    Returns: the product, with the other axes of a, then those of b.
    Raises:  ShapeError: axes that meet differ in number or length.
    Example: >>> tensordot(np.ones((2, 3, 4)), np.ones((4, 3)), axes=([1, 2], [1, 0]))
             array([12., 12.])
    """
    a, b = as_operands(a, b)
    of_a, of_b = shape_of(a), shape_of(b)
    if isinstance(axes, int):
        axes = [*range(-axes, 0)], [*range(axes)]
    summed_a = axis_numbers(axes[0], len(of_a), "tensordot")
    summed_b = axis_numbers(axes[1], len(of_b), "tensordot")
    if [of_a[i] for i in summed_a] != [of_b[j] for j in summed_b]:
        raise ShapeError(
            f"tensordot of shapes {of_a} and {of_b} over axes {summed_a} and {summed_b}",
            "axes that are summed together must be equal in number and length",
            "axes=([axes of a], [axes of b])",
        )
    first = list(LETTERS[: len(of_a)])
    second = list(LETTERS[len(of_a) : len(of_a) + len(of_b)])
    for i, j in zip(summed_a, summed_b, strict=True):
        second[j] = first[i]
    output = [c for c in first if c not in second] + [c for c in second if c not in first]
    subscripts = f"{''.join(first)},{''.join(second)}->{''.join(output)}"
    return linear_algebra.einsum(a, b, subscripts=subscripts)


def einsum(subscripts: str, *operands: Operand, optimize: bool | str = True) -> Result:
    """Return the sum of products that the subscripts describe, in Einstein's notation.

    One letter names each axis. Axes with the same letter run together; letters that are missing
    after the arrow are summed over. `...` stands for all axes not named.

    Args:    subscripts: such as "ij,jk->ik"; without "->", letters that occur once remain, in
             alphabetical order.
             operands: one array or number for each term.
             optimize: how to find the order of the products, as in NumPy; False: none is sought,
             which is quicker for small arrays.
    Returns: an array with one axis for each letter after the arrow.
    Raises:  ShapeError: the subscripts do not fit the operands. UnsupportedError: operands and
             lists of axes in turn.
    Example: >>> einsum("ii->i", [[1, 2], [3, 4]]), einsum("...i,...i", [3, 4], [3, 4])
             (array([1., 4.]), 25.0)
    """
    if not isinstance(subscripts, str):
        raise UnsupportedError(
            "einsum with operands and lists of axes in turn",
            "axes are named by letters here",
            'einsum("ij,jk->ik", x, y)',
        )
    given = as_operands(*operands)
    terms, output = _spell_out(subscripts, [len(shape_of(x)) for x in given])
    pairs = [_diagonal(x, term) for x, term in zip(given, terms, strict=True)]
    pairs = _drop_ones(pairs, subscripts)
    uses = Counter("".join(term for _, term in pairs) + output)
    pairs = [_sum_alone(x, term, uses) for x, term in pairs]
    clean = f"{','.join(term for _, term in pairs)}->{output}"
    return linear_algebra.einsum(*[x for x, _ in pairs], subscripts=clean, optimize=optimize)


def _spell_out(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """Return the terms and the output, with letters instead of `...` and of what is implied."""
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise _misfit(
            subscripts, f"it has {counted(len(terms), 'term')} for {counted(len(ndims), 'operand')}"
        )
    free = [c for c in LETTERS if c not in subscripts]
    longest = 0
    for i, (term, ndim) in enumerate(zip(terms, ndims, strict=True)):
        more = ndim - len(term.replace("...", "", 1))
        if more < 0 or (more and "..." not in term):
            raise _misfit(subscripts, f"{term!r} does not name the {ndim} axes of operand {i}")
        terms[i] = term.replace("...", "".join(free[:more][::-1]), 1)
        longest = max(longest, more)
    rest = "".join(free[:longest][::-1])
    letters = Counter("".join(terms))
    if not arrow:
        output = rest + "".join(sorted(c for c in letters if letters[c] == 1 and c not in rest))
    elif longest and "..." not in output:
        raise _misfit(subscripts, "the output has no '...' for the axes that the terms do not name")
    output = output.replace("...", rest, 1)
    if not all(c in LETTERS for c in letters):
        raise _misfit(subscripts, "axes are named by the letters a to z and A to Z")
    if len(set(output)) < len(output) or not letters.keys() >= set(output):
        raise _misfit(subscripts, "the output names axes of the operands, each once")
    return terms, output


def _misfit(subscripts: str, why: str) -> ShapeError:
    instead = 'one letter for each axis, as in "ij,jk->ik"; "..." for those not named'
    return ShapeError(f"einsum {subscripts!r}", why, instead)


def _diagonal(x: Operand, term: str) -> tuple[Operand, str]:
    """Let axes with the same letter run together."""
    for letter in [c for c, times in Counter(term).items() if times > 1]:
        axes = [i for i, c in enumerate(term) if c == letter]
        if len({shape_of(x)[i] for i in axes}) > 1:
            raise ShapeError(
                f"einsum with a term {term!r} of {describe(x)}",
                f"axes {axes}, which have the same letter, differ in length",
                "different letters",
            )
        x = run_together(x, axes)
        term = term.replace(letter, "") + letter
    return x, term


def run_together(x: Operand, axes: Sequence[int]) -> Result:
    """Return the diagonal over several axes of the same length n, as the last axis.

    With the axes ravelled into one, its elements are 1 + n + n**2 + ... apart.
    """
    shape = shape_of(x)
    rest = [i for i in range(len(shape)) if i not in axes]
    n = shape[axes[0]]
    x = shapes.transpose(x, axes=(*rest, *axes))
    x = shapes.reshape(x, shape=(*[shape[i] for i in rest], n ** len(axes)))
    step = sum(n**power for power in range(len(axes)))
    return getitem(x, index=(..., slice(None, None, step)))


def _drop_ones(pairs: list[tuple[Operand, str]], subscripts: str) -> list[tuple[Operand, str]]:
    """Drop axes of length 1 that are repeated to the length in another operand."""
    sizes: dict[str, int] = {}
    for x, term in pairs:
        for letter, n in zip(term, shape_of(x), strict=True):
            known = sizes.get(letter, 1)
            if 1 not in (known, n) and known != n:
                name = f"index {letter}" if letter in subscripts else "an axis of '...'"
                raise _misfit(subscripts, f"{name} is {known} long in one operand, {n} in another")
            sizes[letter] = n if known == 1 else known
    out = []
    for x, term in pairs:
        kept = [i for i, n in enumerate(shape_of(x)) if n == sizes[term[i]]]
        if len(kept) < len(term):
            x = shapes.reshape(x, shape=tuple(shape_of(x)[i] for i in kept))
        out.append((x, "".join(term[i] for i in kept)))
    return out


def _sum_alone(x: Operand, term: str, uses: Counter[str]) -> tuple[Operand, str]:
    """Sum over the axes whose letter occurs nowhere else."""
    alone = tuple(i for i, c in enumerate(term) if uses[c] == 1)
    if not alone:
        return x, term
    return shapes.sum(x, axis=alone, keepdims=False), "".join(c for c in term if uses[c] > 1)


def kron(a: Operand, b: Operand) -> Result:
    """Return the Kronecker product: b once for each element of a, multiplied with it.

    Example: >>> kron([1, 10], [1, 2, 3])
             array([ 1.,  2.,  3., 10., 20., 30.])
    """
    a, b = as_operands(a, b)
    ndim = max(len(shape_of(a)), len(shape_of(b)))
    of_a = (1,) * (ndim - len(shape_of(a))) + shape_of(a)
    of_b = (1,) * (ndim - len(shape_of(b))) + shape_of(b)
    a = shapes.reshape(a, shape=tuple(n for m in of_a for n in (m, 1)))
    b = shapes.reshape(b, shape=tuple(n for m in of_b for n in (1, m)))
    shape = tuple(m * n for m, n in zip(of_a, of_b, strict=True))
    return shapes.reshape(multiply(a, b), shape=shape)


def cross(
    a: Operand,
    b: Operand,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Result:
    """Return the vectors perpendicular to those of a and b, as long as the area they span.

    Args:    a, b: vectors of three components each; their other axes broadcast.
             axisa, axisb, axisc: the axis of the components in a, in b and in the result.
             axis: the same for all three.
    Raises:  ShapeError: vectors do not have three components.
    Example: >>> cross([1, 0, 0], [0, 1, 0])
             array([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = as_operands(a, b)
    a, b = _vectors(a, axisa), _vectors(b, axisb)
    out = _next_component(a * _next_component(b) - _next_component(a) * b)
    axis_number(axisc, len(shape_of(out)), "cross")
    return moveaxis(out, -1, axisc)


def _vectors(x: Operand, axis: int) -> Result:
    along = axis_number(axis, len(shape_of(x)), "cross")
    if shape_of(x)[along] != 3:
        raise ShapeError(
            f"cross with vectors of {shape_of(x)[along]} components",
            "only in three dimensions is one direction perpendicular to two",
            "vectors of 3 components; in the plane, a[0] * b[1] - a[1] * b[0]",
        )
    return moveaxis(x, along, -1)


def _next_component(x: Operand) -> Result:
    first, others = getitem(x, index=(..., slice(1))), getitem(x, index=(..., slice(1, None)))
    return shapes.concatenate(others, first, axis=-1)


def trace(a: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Result:
    """Return the sum along a diagonal of two axes, `offset` elements to the right of the main one.

    Raises: IndexRangeError: there are no such axes.
    """
    a = as_operand(a)
    axes = axis_numbers((axis1, axis2), len(shape_of(a)), "trace")
    rows, columns = shape_of(a)[axes[0]], shape_of(a)[axes[1]]
    starts = max(-offset, 0), max(offset, 0)
    n = max(min(rows - starts[0], columns - starts[1]), 0)
    index = [slice(None)] * len(shape_of(a))
    for axis, start in zip(axes, starts, strict=True):
        index[axis] = slice(start, start + n)
    diagonal = run_together(getitem(a, index=tuple(index)), axes)
    return shapes.sum(diagonal, axis=len(shape_of(diagonal)) - 1, keepdims=False)
