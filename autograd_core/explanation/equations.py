"""A graph and its gradients as formulas, in which what is shared has a name.

Every node and every gradient starts as an equation of its own, in terms of its neighbours. Then
equations that are short, or that are needed once, are put where they are needed.
"""

from collections import Counter
from typing import NamedTuple

from ..backprop import paths
from ..data import shape_of
from ..graph import Node, topological_order
from .formulas import expression_term, is_elementwise, operand, pulled_term, summed_axes
from .terms import ONE, ZERO, Term, call, is_filled, plus, simplify, size, split, substitute, symbol

READABLE = 16  # symbols and numbers in an equation, beyond which a part of it gets a name


class Equation(NamedTuple):
    """What is named, and the formula that it equals."""

    left: Term
    right: Term


def equations(
    output: Node, names: dict[Node, str], targets: list[Node], weighted: bool = False
) -> list[Equation]:
    """Return the formula of the output, and of its gradient by each of the targets.

    Args:    output: the last node of the graph.
             names: see `names_of`; nodes whose label it keeps stay equations of their own.
             targets: nodes of the graph, by which to differentiate.
             weighted: whether the output is an array, weighed by weights.
    Returns: equations, each in terms of inputs and of earlier ones: first those of nodes, then
             those of gradients, that of the output being left out unless it is a target.
    """
    system: dict[Term, Term] = {}
    kept = {operand(output, names)} if output.primitive else set()
    for node in topological_order(output):
        if node.primitive is not None:
            system[operand(node, names)] = simplify(expression_term(node, names))
            if node.label:
                kept.add(operand(node, names))
    system |= _gradients(output, names, targets, weighted)
    kept |= {_gradient(output, target, names) for target in targets}
    while True:
        told = _told(system, kept)
        unnamed = _named_in_passing(told) - kept
        if not unnamed & system.keys():
            return told
        kept |= unnamed


def _named_in_passing(told: list[Equation]) -> set[Term]:
    """Return the nodes of whose gradients equations speak: a reader needs to know them."""
    return {symbol(*each.left.parts[1:]) for each in told if each.left.head == "gradient"}


def _gradient(output: Node, node: Node, names: dict[Node, str]) -> Term:
    return Term("gradient", (names[output], names[node], node.shape))


def _gradients(
    output: Node, names: dict[Node, str], targets: list[Node], weighted: bool
) -> dict[Term, Term]:
    """Return an equation for the gradient of each node between the output and the targets."""
    order, within, _ = paths(output, targets)
    weights = "weights" if "weights" not in names.values() else "given weights"
    parts: dict[Node, list[Term]] = {output: [symbol(weights, output.shape) if weighted else ONE]}
    system = {}
    for node in reversed(order):
        g = _gradient(output, node, names)
        total = simplify(plus(*parts.pop(node, [])))
        system[g] = total
        if total == ZERO:
            g = ZERO
        for i, x in enumerate(node.inputs):
            if isinstance(x, Node) and (within is None or x in within):
                part = ZERO if g == ZERO else _part(node, i, g, names)
                parts.setdefault(x, []).append(part)
    for target in targets:  # of what no derivative reaches
        system.setdefault(_gradient(output, target, names), ZERO)
    return system


def _part(node: Node, i: int, g: Term, names: dict[Node, str]) -> Term:
    """Return what the gradient g of a node adds to that of its input i."""
    operands = [operand(x, names) for x in node.inputs]
    part = pulled_term(node, i, g, operands, operand(node, names))
    shape = shape_of(node.inputs[i])
    if not is_elementwise(node, i) or not (axes := summed_axes(node.shape, shape)):
        return part
    told = {"axis": str(axes[0] if len(axes) == 1 else tuple(axes))}
    if len(shape) == len(node.shape):
        return call("sum", part, **told, keepdims="True")
    part = call("sum", part, **told)
    return (
        part
        if len(shape) == len(node.shape) - len(axes)
        else call("reshape", part, shape=str(shape))
    )


def _told(system: dict[Term, Term], kept: set[Term]) -> list[Equation]:
    """Put equations into those that need them, where they are short or needed once."""
    aliases: dict[Term, Term] = {}
    twins: dict[Term, Term] = {}
    for left, right in system.items():
        right = system[left] = simplify(substitute(right, aliases))
        twin = right if _is_short(right) else twins.setdefault(right, left)
        if left not in kept and twin != left:
            aliases[left] = twin
    uses = Counter[Term]()
    needed = set(kept)
    for left in reversed(system):
        if left in needed and left not in aliases:
            found = Counter(_symbols(system[left]))
            uses += found
            needed |= found.keys()
    told = []
    for left, right in system.items():
        if left not in needed or left in aliases:
            continue
        right = simplify(substitute(right, aliases))
        if left not in kept and uses[left] == 1 and size(right) <= READABLE:
            aliases[left] = right
        else:
            told.append(Equation(left, right))
    return told


def _is_short(term: Term) -> bool:
    return is_filled(term) or not any(split(term)[1].inner())


def _symbols(term: Term) -> list[Term]:
    if term.head in ("symbol", "gradient"):
        return [term]
    return [each for inner in term.inner() for each in _symbols(inner)]
