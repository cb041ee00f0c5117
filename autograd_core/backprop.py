"""The backward sweep: the chain rule over the whole graph, from the output to its inputs.

rules.py applies a single rule, and undoes broadcasting.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from . import watching
from .data import Operand, Result, as_data, shape_of
from .errors import ChangedDataError, ShapeError, UnsupportedError
from .graph import Node, Primitive, ancestors, is_differentiated
from .messages import GradientWarning, describe, warn_once
from .rules import applied, fit
from .structural_zeros import careful_sweep
from .watching import FORGOTTEN, watchers
from .watching import tracer as innermost_tracer


def sweep(
    order: list[Node],
    cotangent: Operand,
    within: set[Node] | None = None,
    create_graph: bool = False,
    targets: Iterable[Node] = (),
) -> dict[Node, Result]:
    """Return the cotangent of every node that the last one of `order` depends on.

    Each node is visited once, after everything computed from it: by then its cotangent, the sum
    over all its uses, is complete, and its primitive's rules pass it on to its inputs. If a target
    or a leaf then has a cotangent that holds NaN, `careful_sweep` decides.

    Args:    order: nodes, inputs before outputs, as `topological_order` or `paths` give them.
             cotangent: that of the last node, of its shape.
             within: walk only to these nodes; None: to all.
             create_graph: record the sweep itself, so that the cotangents are nodes, which can
             be differentiated outside `no_grad`.
             targets: nodes whose cotangents are asked for, beside all leaves.
    Returns: cotangents by node, output first; a node that no derivative reaches is missing.
    Raises:  RuleError: a rule returned something that does not fit its input.
             ChangedDataError: a Value was given other data after it was used.
    """
    for watcher in watchers():
        watcher.sweeping(order)
    _refuse_changed(order)
    cotangents = {order[-1]: cotangent}
    try:
        with np.errstate(all="ignore"):
            found = _propagate(order, cotangents, within, live=create_graph)
            if targets:  # beside the leaves
                found += [
                    cotangents[x] for x in targets if x.primitive is not None and x in cotangents
                ]
            tracer = innermost_tracer()
            if hold_nan(found):
                cotangents, _ = careful_sweep(order, cotangent, within, live=create_graph)
            if tracer is not None:
                nodes = [*targets, *[x for x in cotangents if x.primitive is None]]
                tracer.derived([cotangents[node] for node in nodes if node in cotangents])
    except BaseException:
        cotangents = {}  # a sweep that failed has found none
        raise
    finally:
        for watcher in watchers():
            watcher.swept(order, cotangents)
    return cotangents


def paths(output: Node, targets: Sequence[Node]) -> tuple[list[Node], set[Node] | None, bool]:
    """Return the nodes on all paths from the targets to the output, inputs before outputs.

    Returns: the nodes, none if the output depends on no target; the same as a set, for `sweep` to
             stay within, or None if it could not leave them anyway; and whether anything older
             than the targets takes part in the output, on whichever path.
    """
    oldest = min([target.index for target in targets], default=output.index + 1)
    order, has_older = ancestors(output, oldest)
    found = set(targets)
    if not has_older and all([node.primitive is not None or node in found for node in order]):
        return order, None, False
    on_path = []
    for node in order:
        if node in found or any([isinstance(x, Node) and x in found for x in node.inputs]):
            found.add(node)
            on_path.append(node)
    return on_path, found, has_older


def _refuse_changed(order: list[Node]) -> None:
    """Refuse to differentiate what was computed from data that are no longer there."""
    for node in order:
        if node.primitive is not None:
            if node.index > watching.latest_assignment:  # as in every training step
                return
            break
    for node in order:
        if node.primitive is None:
            continue
        for x in (*node.inputs, node):
            if getattr(x, "assigned", 0) > node.index:
                given = f"the derivative of {node.primitive.name} after new data for {describe(x)}"
                raise ChangedDataError(
                    f"{given}, as by `v.data += 1`",
                    "it is computed with the numbers that the operation was recorded with",
                    "backward() before data change, or the output computed anew; v = v + 1 makes a "
                    "new Value",
                )


def _propagate(
    order: list[Node], cotangents: dict[Node, Result], within: set[Node] | None, live: bool
) -> list[Result]:
    """Fill in the cotangents, last node first.

    live: rules see nodes, otherwise their data.
    Returns: the cotangents of the leaves, and those of which a rule may drop elements: if any
             cotangent of a node holds NaN, one of these does.
    """
    get = cotangents.get
    ends = []
    for node in reversed(order):
        primitive = node.primitive
        g = get(node)
        if primitive is None or g is None:
            if g is not None:
                ends.append(g)
            continue
        arity, params = primitive.arity, node.params
        if arity == 0 or params is not None:
            ends.append(g)
            _propagate_any(primitive, node, g, cotangents, within, live)
            continue
        # One input or two, and no params, as every operator has: written out, because this is most
        # of the time of a small graph. _propagate_any does the same for any number of inputs.
        x, y = node.x, node.y
        rule_x: Any
        rule_y: Any
        rule_x, rule_y = primitive.rules if arity == 2 else (primitive.rules[0], None)
        to_x = rule_x is not None and isinstance(x, Node) and (within is None or x in within)
        to_y = rule_y is not None and isinstance(y, Node) and (within is None or y in within)
        out = node if live else node._data
        a = x if live or not isinstance(x, Node) else x._data
        b = y if live or not isinstance(y, Node) else y._data
        try:
            if arity == 2:
                dx = rule_x(g, out, a, b) if to_x else None
                dy = rule_y(g, out, a, b) if to_y else None
            elif to_x:
                dx = rule_x(g, out, a)
            else:
                ends.append(g)
        except ArithmeticError:
            _propagate_any(primitive, node, g, cotangents, within, live)
            continue
        if to_x:
            if type(dx) is not float or type(x._data) is not float:
                dx = fit(dx, x, node, 0)
            before = get(x)
            cotangents[x] = dx if before is None else before + dx
        if to_y:
            if type(dy) is not float or type(y._data) is not float:
                dy = fit(dy, y, node, 1)
            before = get(y)
            cotangents[y] = dy if before is None else before + dy
    return ends


def _propagate_any(
    primitive: Primitive,
    node: Node,
    g: Operand,
    cotangents: dict[Node, Result],
    within: set[Node] | None,
    live: bool,
) -> None:
    inputs = node.inputs
    out = node if live else node._data
    data = inputs if live else [x._data if isinstance(x, Node) else x for x in inputs]
    params = node.params or {}
    split = primitive.split
    shares = None if split is None else applied(split, g, out, data, params)
    for i, x in enumerate(inputs):
        if not isinstance(x, Node) or (within is not None and x not in within):
            continue
        rule = primitive.rule(i)
        if rule is None:
            continue
        d = applied(rule, g, out, data, params) if shares is None else shares[i]
        if type(d) is not float or type(x._data) is not float:
            d = fit(d, x, node, i)
        before = cotangents.get(x)
        cotangents[x] = d if before is None else before + d


def hold_nan(cotangents: Iterable[Result]) -> bool:
    """Tell whether any number is NaN; the sum of squares is NaN only then."""
    for g in cotangents:
        data: Any = g._data if isinstance(g, Node) else g
        if type(data) is not float:
            numbers = data if data.ndim == 1 else data.ravel("K")  # a view, also of transposed ones
            data = numbers.dot(numbers)
        if data != data:
            return True
    return False


def refuse_forgotten(*outputs: Operand) -> None:
    """Refuse to differentiate results that were all computed inside `no_grad`.

    Raises: UnsupportedError: their gradients would all be 0.
    """
    for output in outputs:
        if getattr(output, "origin", None) != FORGOTTEN:
            return
    if outputs:
        raise UnsupportedError(
            f"the derivative of what was computed inside no_grad: {describe(outputs[0])}",
            "no_grad does not record how a result is computed, so every gradient would be 0",
            "the same computation outside the block; no_grad() for what is not differentiated",
        )


def warn_of_constants(how: str, output: Operand, instead: str) -> None:
    """Warn where a function that is being differentiated makes plain numbers of a gradient."""
    if isinstance(output, Node) and is_differentiated(output):
        warn_once(
            "gradients",
            f"{how} inside a function that is being differentiated",
            "it gives plain numbers, which an outer derivative takes for constants",
            f"{instead}; or inside no_grad(), if they are to be constants",
            GradientWarning,
        )


def seed(output: Node, gradient: Operand) -> Result:
    """Return the cotangent that a sweep from `output` starts with.

    Raises: ShapeError: see `Value.backward`.
    """
    shape = output.shape
    if gradient is None:
        if isinstance(output._data, np.ndarray):
            if output._data.size != 1:
                raise ShapeError(
                    f"backward() on an output of shape {shape} without a gradient",
                    f"it has {output._data.size} numbers, and each could be differentiated",
                    "v.sum().backward(), or v.backward(weights) with weights of that shape",
                )
            return np.ones_like(output._data)
        return 1.0
    if not isinstance(gradient, Node):
        gradient = as_data(gradient)
    if shape_of(gradient) != shape:
        raise ShapeError(
            f"a gradient of shape {shape_of(gradient)} for an output of shape {shape}",
            "it weighs each number of the output",
            f"a gradient of shape {shape}",
        )
    return gradient


def own(cotangent: Operand, handed_out: set[int]) -> Result:
    """Return an array that its receiver may change: not a view, and handed out only once."""
    if isinstance(cotangent, np.ndarray):
        if cotangent.base is not None or id(cotangent) in handed_out:
            cotangent = cotangent.copy("K")  # in the order it has: a transposed one costs no more
        handed_out.add(id(cotangent))
    return cotangent
