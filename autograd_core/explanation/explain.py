"""explain: the chain rule with numbers and formulas, from the output back to its inputs."""

import math
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from ..backprop import paths, seed, sweep
from ..data import Data, Operand, Result, Tree, shape_of, shorten
from ..derivatives import zeros
from ..errors import DataError, OptionError, ShapeError
from ..graph import Node, plain, topological_order
from ..primitives.shapes import summed_axes
from ..spellings import explained_call
from ..value import Value
from .formulas import (
    Edge,
    Equation,
    contribution,
    derivative_formula,
    equations,
    expression,
    local_derivative,
)
from .names import name_of_use, names_of
from .notation import Latex, Notation, short

FEW = 20  # inputs whose sums are listed if `wrt` is not given
LARGEST = 10_000  # nodes of a graph that is written as formulas
WIDEST = 44  # characters of a column
MANY = 6  # contributions to a gradient that are listed, largest first

HEADS = ("node", "input", "derivative", "number", "incoming", "contribution", "sum so far")
NUMBERS = frozenset(HEADS[3:6])
COMPARISON = re.compile(" (>|>=|==|<|<=|!=) ")


class Row(NamedTuple):
    """One line of the table: what a node adds to the gradient of one of its inputs."""

    number: int
    node: str
    expression: str
    value: Data
    input: str
    derivative: str  # as a formula
    local: Data | None  # as a number or an array; None if the derivative is not a factor
    incoming: Data
    contribution: Data
    total: Data


class PathSum(NamedTuple):
    """The gradient of a value as a sum of contributions: one for each use of the value."""

    name: str
    gradient: Data
    parts: list[tuple[str, Data]]
    is_output: bool


class Explanation:
    """What `explain` returns: it prints as a table, and notebooks show it as one.

    `rows` are the lines of the table, output first; `sums` list, for each value in question, the
    contributions to its gradient.
    """

    def __init__(
        self, output: Node, targets: list[Node] | None, gradient: Operand, limit: int | None
    ) -> None:
        order = topological_order(output)
        self.output = output
        self.targets = [x for x in order if x.primitive is None] if targets is None else targets
        self.names = names_of(order)
        self.name = self.names[output]
        self.weighted = gradient is not None
        within = None
        if targets is not None:
            order, within, _ = paths(output, targets)
        start = seed(output, plain(gradient))
        self.gradients = sweep(order, start, within) if order else {}
        self.rows: list[Row] = []
        self.sums: list[PathSum] = []
        # In backward order, as far as a gradient passes
        edges = [
            Edge(node, i)
            for node in reversed(order)
            for i, x in enumerate(node.inputs)
            if isinstance(x, Node) and (within is None or x in within)
        ]
        self.count = len(edges)
        listed = self.targets[:FEW] if targets is None else targets
        self.unlisted = len(self.targets) - len(listed)
        self._fill(edges, listed, self.count if limit is None else limit)

    def _fill(self, edges: list[Edge], listed: list[Node], limit: int) -> None:
        """Compute the rows that are shown, and the sums of the listed nodes."""
        left_out = range(limit - limit // 2, self.count - limit // 2)
        inputs = {edge.node for number, edge in enumerate(edges) if number not in left_out}
        parts: dict[Node, list[tuple[str, Data]]] = {node: [] for node in listed}
        totals: dict[Node, Result] = {}
        for number, edge in enumerate(edges):
            x = edge.node
            if x not in inputs and x not in parts:
                continue
            part = zeros(x)
            if edge.user in self.gradients:
                part = contribution(*edge, self.gradients[edge.user], self._gradient(x))
            with np.errstate(all="ignore"):
                totals[x] = totals[x] + part if x in totals else part
            if x in parts:
                parts[x].append((name_of_use(*edge, self.names), part))
            if number not in left_out:
                self.rows.append(self._row(number, edge, part, totals[x]))
        for node in listed:
            name = self.names[node]
            self.sums.append(PathSum(name, self._gradient(node), parts[node], node is self.output))

    def _gradient(self, node: Node) -> Data:
        return self.gradients.get(node, zeros(node))

    def _row(self, number: int, edge: Edge, part: Result, total: Result) -> Row:
        node = edge.user
        derivative, local = derivative_formula(*edge, self.names), local_derivative(*edge)
        if local is not None and (axes := summed_axes(node.shape, edge.node.shape)):
            derivative += f", summed over {'axes' if axes[1:] else 'axis'} {str(axes)[1:-1]}"
        return Row(
            number,
            self.names[node],
            expression(node, self.names),
            node._data,
            self.names[edge.node],
            derivative,
            local,
            self._gradient(node),
            part,
            total,
        )

    def equations(self) -> list[Equation]:
        """Return the output and its gradients as formulas, in which shared parts have names.

        Raises:  OptionError: the graph has more than 10,000 nodes.
        """
        if len(self.names) > LARGEST:
            raise OptionError(
                f"formulas of {self.name}, computed from {len(self.names)} nodes",
                f"formulas are written for at most {LARGEST} nodes: more cannot be read",
                "explain(part) of a part of the graph",
            )
        return equations(self.output, self.names, self.targets, self.weighted)

    def latex(self, digits: int = 6, limit: int = 100) -> str:
        r"""Return the recorded expression and its derivative by each input as LaTeX.

        What is used more than once has a name: d, and the gradient by d. [x > 0] is 1 where it
        holds and 0 elsewhere; a ring marks operations on arrays element by element.

        Args:    digits: significant digits of the numbers.
                 limit: number of lines; beyond it, those in the middle are left out.
        Returns: an `aligned` block, for a formula in a notebook (IPython.display.Math) or a page.
        Raises:  OptionError: the graph has more than 10,000 nodes.
        Example: >>> from autograd_core import Value
                 >>> x = Value(3.0, label="x")
                 >>> print(explain(x * x + 1).latex())
                 \begin{aligned}
                 t_{2} &= {x}^{2} + 1 \\
                 \frac{\partial t_{2}}{\partial x} &= 2 \, x
                 \end{aligned}
        """
        write = Latex(digits)
        lines = [f"{write(each.left)} &= {write(each.right)}" for each in self.equations()]
        if len(lines) > limit:
            left_out = rf"& \vdots \quad \text{{({len(lines) - limit} lines left out)}}"
            head = limit - limit // 2
            lines = [*lines[:head], left_out, *lines[len(lines) - limit // 2 :]]
        body = " \\\\\n".join(lines)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def __str__(self) -> str:
        lines = self._lines()
        cells = [line for line in lines if line]
        widths = [max(map(len, column)) for column in zip(HEADS, *cells, strict=True)]
        sides = [">" if head in NUMBERS else "<" for head in HEADS]
        layout = "  ".join([f"{{:{side}{n}}}" for side, n in zip(sides, widths, strict=True)])
        text = [self._title(), ""]
        if cells:
            rows = [layout.format(*line) if line else self._left_out() for line in (HEADS, *lines)]
            text += [*map(str.rstrip, rows), ""]
        return "\n".join([*text, *self._notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the table for notebooks; labels are never markup."""

        def row(cells: Iterable[str], tag: str, option: str = "") -> str:
            styled = [
                f"<{tag}{option} {_style(head)}>{escape(cell)}</{tag}>"
                for head, cell in zip(HEADS, cells, strict=True)
            ]
            return f"<tr>{''.join(styled)}</tr>"

        gap = f'<tr><td colspan="{len(HEADS)}" {_style("")}>{escape(self._left_out())}</td></tr>'
        body = "".join([row(line, "td") if line else gap for line in self._lines()])
        notes = "".join([f"<li>{escape(note)}</li>" for note in self._notes()])
        heads = row(HEADS, "th", ' scope="col"')
        return (
            '<div style="overflow-x: auto"><table style="border-collapse: collapse">'
            f"<caption {_style('')}><b>{escape(self._title())}</b></caption>"
            f'<thead style="border-bottom: 1px solid">{heads}</thead>'
            f"<tbody>{body}</tbody></table></div><ul>{notes}</ul>"
        )

    def _title(self) -> str:
        return f"The gradient of {self.name} = {_brief(self.output._data)}, from the output back"

    def _lines(self) -> list[list[str] | None]:
        """Return the cells of each line; None where lines are left out."""
        lines: list[list[str] | None] = []
        number, node = 0, ""
        for row in self.rows:
            if row.number != number:
                lines.append(None)
                node = ""
            lines.append(self._cells(row, row.node == node))
            number, node = row.number + 1, row.node
        return lines if number == self.count else [*lines, None]

    def _cells(self, row: Row, repeats: bool) -> list[str]:
        made = f"{row.node} = {shorten(row.expression, WIDEST)} = {_brief(row.value)}"
        return [
            "" if repeats else made,
            shorten(row.input, WIDEST),
            shorten(row.derivative, WIDEST),
            "" if row.local is None else _brief(_single(row.local)),
            _brief(row.incoming),
            _brief(row.contribution),
            f"{Notation().derivative(self.name, row.input)} = {_brief(row.total)}",
        ]

    def _left_out(self) -> str:
        return (
            f"... {self.count - len(self.rows)} of {self.count} lines left out: "
            "wrt= shows the paths to one value, limit=None all"
        )

    def _notes(self) -> list[str]:
        """Return the sums, and what is needed to read the formulas."""
        notes = [_sum_text(self.name, each) for each in self.sums]
        if self.unlisted:
            notes.append(f"... and {self.unlisted} more inputs: wrt= shows any value")
        if any(row.local is None for row in self.rows):
            notes.append("G: the incoming gradient, where the derivative is not a factor")
        if any(COMPARISON.search(row.derivative) for row in self.rows):
            notes.append("(x > y): 1 where it holds, 0 elsewhere")
        return notes


@explained_call
def explain(
    output: Value,
    wrt: Value | str | Sequence[Value | str] | None = None,
    gradient: Operand = None,
    limit: int | None = 60,
) -> Explanation:
    """Show the chain rule at work: a table from the output back to what it was computed from.

    Each line is one step of the backward pass: contribution = incoming gradient * derivative. The
    gradient of a value is the sum of its contributions. No `.grad` is changed.

    Args:    output: a Value; an array needs `gradient`.
             wrt: a Value of its graph, its name, or a list of them: only the paths to these are
             shown, and the gradient of each as the sum of its contributions. None: all inputs.
             gradient: weights of the elements of an output that is an array.
             limit: number of lines; beyond it, those in the middle are left out. None: all lines.
    Returns: an Explanation: print it, or let a notebook show it; `.latex()` gives formulas.
    Raises:  DataError: the output is not a Value.
             ShapeError: the output is an array without `gradient`, or of another shape.
             OptionError: wrt is not in the output's graph; a limit below 1.
    Example: >>> from autograd_core import Value
             >>> a = Value(2.0, label="a")
             >>> b, c = a * 3, a * a
             >>> b.label, c.label = "b", "c"
             >>> d = b * c
             >>> d.label = "d"
             >>> print(explain(d, wrt=a))
             The gradient of d = 24, from the output back
             <BLANKLINE>
             node            input  derivative  number  incoming  contribution  sum so far
             d = b * c = 24  b      c                4         1             4  dd/db = 4
                             c      b                6         1             6  dd/dc = 6
             c = a * a = 4   a      a                2         6            12  dd/da = 12
                             a      a                2         6            12  dd/da = 24
             b = a * 3 = 6   a      3                3         4            12  dd/da = 36
             <BLANKLINE>
             dd/da = 36 = 12 through c (input 1) + 12 through c (input 2) + 12 through b
    """
    if not isinstance(output, Node):
        raise DataError(
            f"explain of {shorten(repr(output))}",
            "only a Value records how it was computed",
            "explain(v) of a Value v that was computed from Values",
        )
    if gradient is None and output.shape and np.size(output._data) != 1:
        raise ShapeError(
            f"explain of an output of shape {output.shape} without a gradient",
            f"it has {np.size(output._data)} numbers, and each could be differentiated",
            "explain(v.sum()), or explain(v, gradient=weights) with weights of that shape",
        )
    if limit is not None and not (isinstance(limit, int) and limit > 0):
        raise OptionError(
            f"limit = {limit}", "a table has lines", "a whole number from 1, or None for all lines"
        )
    targets = None if wrt is None else _targets(wrt, names_of(topological_order(output)))
    return Explanation(output, targets, gradient, limit)


def _targets(wrt: Tree, names: dict[Node, str]) -> list[Node]:
    """Return the nodes that `wrt` names, in its order."""
    named = {name: node for node, name in names.items()}
    targets = []
    for each in wrt if isinstance(wrt, list | tuple) else [wrt]:
        node = named.get(each) if isinstance(each, str) else each
        if not isinstance(node, Node) or node not in names:
            known = shorten(", ".join(named), 200)
            what = getattr(each, "label", None) or shorten(repr(each))
            raise OptionError(
                f"wrt = {what}",
                "the output was not computed from it",
                f"a Value of its graph, or a name: {known}",
            )
        targets.append(node)
    return list(dict.fromkeys(targets))


def _brief(data: Data) -> str:
    """Return a number as text; of an array its shape and norm.

    Example: >>> _brief(0.5), _brief(np.array([3.0, 4.0]))
             ('0.5', '(2,) norm 5')
    """
    return short(data) if isinstance(data, float) else f"{shape_of(data)} norm {_norm(data)}"


def _single(data: Data) -> Result:
    """Return the number that all elements of an array are equal to; other data as they are."""
    first = np.ravel(data)[:1]
    return float(first[0]) if first.size and np.all(data == first) else data


def _norm(data: Data) -> str:
    with np.errstate(all="ignore"):
        return short(float(np.sqrt(np.sum(np.square(data, dtype=np.float64)))), 4)


def _sum_text(top: str, each: PathSum) -> str:
    """Return a line such as dL/da = 12 = 4 through b + 8 through c."""
    text = f"{Notation().derivative(top, each.name)} = {_brief(each.gradient)}"
    parts = each.parts
    if each.is_output:
        return f"{text}, where the backward pass begins"
    if len(parts) == 1:
        return f"{text}, through {parts[0][0]}"
    if shape_of(each.gradient):
        norms = [f"norm {_norm(part)} through {use}" for use, part in parts[:MANY]]
        if len(parts) > MANY:
            norms.append(f"{len(parts) - MANY} more")
        return f"{text}, the sum of {', '.join(norms)}"
    pieces = [(float(part), use) for use, part in parts]
    if len(parts) > MANY:
        largest = sorted(range(len(pieces)), key=lambda i: -abs(pieces[i][0]))
        others = math.fsum([pieces[i][0] for i in largest[MANY:]])
        listed = [pieces[i] for i in sorted(largest[:MANY])]
        pieces = [*listed, (others, f"{len(pieces) - MANY} others")]
    text += f" = {short(pieces[0][0])} through {pieces[0][1]}"
    for part, use in pieces[1:]:
        text += f" {'-' if part < 0 else '+'} {short(abs(part))} through {use}"
    return text


def _style(head: str) -> str:
    side = "right" if head in NUMBERS else "left"
    return f'style="text-align: {side}; white-space: nowrap; padding: 0.1em 0.7em"'
