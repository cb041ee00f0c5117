"""explain: the chain rule with numbers and formulas, from the output back to what it depends on."""

import math
import re
from collections import deque
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

import numpy as np

from ..backprop import paths, seed, sweep
from ..data import Data, shape_of, shorten
from ..errors import DataError, OptionError, ShapeError
from ..graph import Node, topological_order
from ..trace import plain, zeros
from .formulas import (
    Equation,
    contribution,
    derivative_formula,
    equations,
    expression,
    local_derivative,
    summed_axes,
)
from .names import names_of, through
from .notation import PLAIN, Latex, short

FEW = 20  # inputs whose sums are listed where nobody asks for certain ones
LARGEST = 10_000  # nodes of a graph whose formula is written


class _Edge(NamedTuple):
    """A node, and the number of one of its inputs."""

    node: Node
    i: int

    @property
    def input(self) -> Node:
        node: Node = self.node.inputs[self.i]
        return node


class Row(NamedTuple):
    """One line of the table: how much of a node's gradient goes to one of its inputs."""

    number: int
    node: str
    expression: str
    value: Data
    input: str
    derivative: str  # as a formula
    local: Any  # as a number, or an array of them; None where it is no factor
    incoming: Any
    contribution: Any
    total: Any


class PathSum(NamedTuple):
    """What a value's gradient is made of: one part for each node that it comes through."""

    name: str
    gradient: Any
    parts: list[tuple[str, Data]]
    is_output: bool


class Table(NamedTuple):
    """An explanation as it is shown."""

    top: str  # the output's name
    value: Data
    rows: list[Row]
    sums: list[PathSum]
    total: int  # of all rows, with those that are left out
    unlisted: int  # inputs without a sum


class Explanation:
    """What `explain` found: printed, it is a table; a notebook shows it as one.

    `rows` are the lines of the table, output first; `sums` tell, for each value in question, what
    reaches it through each of the nodes computed from it.
    """

    def __init__(
        self, output: Node, targets: list[Node], asked: bool, gradient: Any, limit: int | None
    ) -> None:
        self.output = output
        self.targets = targets
        self.names = names_of(topological_order(output))
        self.name = self.names[output]
        self.weighted = gradient is not None
        self._order, self._within = (
            paths(output, targets)[:2] if asked else (list(self.names), None)
        )
        start = seed(output, plain(gradient))
        self.gradients = sweep(self._order, start, self._within) if self._order else {}
        self.rows: list[Row] = []
        self.sums: list[PathSum] = []
        self.count = sum(1 for _ in self._edges())
        self.unlisted = 0 if asked else max(0, len(targets) - FEW)
        self._fill(targets if asked else targets[:FEW], self.count if limit is None else limit)
        self.table = Table(self.name, output._data, self.rows, self.sums, self.count, self.unlisted)

    def _edges(self) -> Iterator[_Edge]:
        """Yield each way along which a gradient is passed on, in backward order."""
        for node in reversed(self._order):
            for i, x in enumerate(node.inputs):
                if isinstance(x, Node) and (self._within is None or x in self._within):
                    yield _Edge(node, i)

    def _fill(self, listed: list[Node], limit: int) -> None:
        """Compute the rows that are shown, and the sums of the listed nodes."""
        first = limit - limit // 2
        last = deque(
            (number for number in range(first, self.count)), maxlen=min(limit // 2, self.count)
        )
        shown = {*range(min(first, self.count)), *last}
        inputs = {edge.input for number, edge in enumerate(self._edges()) if number in shown}
        parts: dict[Node, list[tuple[str, Data]]] = {node: [] for node in listed}
        totals: dict[Node, Any] = {}
        for number, edge in enumerate(self._edges()):
            x = edge.input
            if x not in inputs and x not in parts:
                continue
            incoming = self.gradients.get(edge.node)
            part = zeros(x)
            if incoming is not None:
                part = contribution(edge.node, edge.i, incoming, self._gradient(x))
            with np.errstate(all="ignore"):
                totals[x] = totals[x] + part if x in totals else part
            if x in parts:
                parts[x].append((through(*edge, self.names), part))
            if number in shown:
                self.rows.append(self._row(number, edge, incoming, part, totals[x]))
        for node in listed:
            name = self.names[node]
            self.sums.append(PathSum(name, self._gradient(node), parts[node], node is self.output))

    def _gradient(self, node: Node) -> Any:
        return self.gradients.get(node, zeros(node))

    def _row(self, number: int, edge: _Edge, incoming: Any, part: Any, total: Any) -> Row:
        node, i = edge
        derivative, local = derivative_formula(node, i, self.names), local_derivative(node, i)
        if local is not None and (axes := summed_axes(node.shape, edge.input.shape)):
            derivative += f", summed over {'axes' if axes[1:] else 'axis'} {str(axes)[1:-1]}"
        return Row(
            number,
            self.names[node],
            expression(node, self.names),
            node._data,
            self.names[edge.input],
            derivative,
            local,
            zeros(node) if incoming is None else incoming,
            part,
            total,
        )

    def equations(self) -> list[Equation]:
        """Return the output and its gradients as formulas, in which what is shared has a name.

        Raises:  OptionError: the graph has more than 10,000 nodes.
        """
        if len(self.names) > LARGEST:
            raise OptionError(
                f"formulas of {self.name}, computed from {len(self.names)} nodes",
                f"nobody reads more than a page, and from {LARGEST} nodes comes a book",
                "explain(part) of a part of the graph",
            )
        return equations(self.output, self.names, self.targets, self.weighted)

    def latex(self, digits: int = 6, limit: int = 100) -> str:
        r"""Return the recorded expression and its derivative by each input as LaTeX.

        What is needed more than once has a name: d, and the gradient by d. [x > 0] is 1 where it
        holds and 0 elsewhere; a ring marks what happens to arrays element by element.

        Args:    digits: significant digits of the numbers.
                 limit: how many lines are written; beyond, those in the middle are left out.
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
        told = self.equations()
        lines = [f"{write(each.left)} &= {write(each.right)}" for each in told]
        if len(lines) > limit:
            left_out = rf"& \vdots \quad \text{{({len(lines) - limit} lines left out)}}"
            head = limit - limit // 2
            lines = [*lines[:head], left_out, *lines[len(lines) - limit // 2 :]]
        body = " \\\\\n".join(lines)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def __str__(self) -> str:
        return as_text(self.table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.table)


def explain(
    output: Any, wrt: Any = None, gradient: Any = None, limit: int | None = 60
) -> Explanation:
    """Show the chain rule at work: a table from the output back to what it was computed from.

    Each line passes a gradient on: contribution = incoming gradient * derivative, and what
    reaches a value along several ways adds up. Nothing is changed; `.grad` stays as it is.

    Args:    output: a Value; an array needs `gradient`.
             wrt: a Value of its graph, or its name, or a list of them: only the ways to these are
             shown, and each one's gradient is taken apart by the nodes that it comes through.
             gradient: weights for each element of an output that is an array.
             limit: how many lines are shown; beyond, those in the middle are left out; None: all.
    Returns: an Explanation: print it, or let a notebook show it; `.latex()` gives formulas.
    Raises:  DataError: the output is no Value.
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
            "it does not know how it was computed: it is no Value",
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
    order = topological_order(output)
    if wrt is None:
        return Explanation(
            output, [node for node in order if node.primitive is None], False, gradient, limit
        )
    targets = _targets(wrt, names_of(order))
    return Explanation(output, targets, True, gradient, limit)


def _targets(wrt: Any, names: dict[Node, str]) -> list[Node]:
    """Return the nodes that `wrt` speaks of, in its order."""
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


WIDEST = 44  # characters of a column
MANY = 6  # ways whose parts of a gradient are listed, largest first

HEADS = ("node", "input", "derivative", "number", "incoming", "contribution", "sum so far")
NUMBERS = frozenset(HEADS[3:6])
COMPARISON = re.compile(" (>|>=|==|<|<=|!=) ")


def account(data: Any) -> str:
    """Return a number as text; of an array its shape and norm.

    Example: >>> account(0.5), account(np.array([3.0, 4.0]))
             ('0.5', '(2,) norm 5')
    """
    if isinstance(data, float):
        return short(data)
    return f"{shape_of(data)} norm {_size(data)}"


def _told_once(data: Any) -> str:
    """Return an account of data, an array of one number over and over as that number."""
    first = np.ravel(data)[:1]
    return account(float(first[0]) if first.size and np.all(data == first) else data)


def _size(data: Any) -> str:
    with np.errstate(all="ignore"):
        return short(float(np.sqrt(np.sum(np.square(data, dtype=np.float64)))), 4)


def derivative_name(top: str, name: str) -> str:
    """Return how the gradient of one by the other is called, such as dL/da."""
    top, name = [x if PLAIN.fullmatch(x) else f"({x})" for x in (top, name)]
    return f"d{top}/d{name}"


def path_sum_text(top: str, each: PathSum) -> str:
    """Return a sentence such as dL/da = 12 = 4 through b + 8 through c."""
    name = derivative_name(top, each.name)
    text = f"{name} = {account(each.gradient)}"
    parts = each.parts
    if each.is_output:
        return f"{text}, where the way back begins"
    if len(parts) == 1:
        return f"{text}, through {parts[0][0]}"
    if shape_of(each.gradient):
        told = [f"norm {_size(part)} through {through}" for through, part in parts[:MANY]]
        if len(parts) > MANY:
            told.append(f"{len(parts) - MANY} more")
        return f"{text}, the sum of {', '.join(told)}"
    pieces = [(float(part), through) for through, part in parts]
    if len(parts) > MANY:
        largest = sorted(range(len(pieces)), key=lambda i: -abs(pieces[i][0]))
        others = math.fsum([pieces[i][0] for i in largest[MANY:]])
        listed = [pieces[i] for i in sorted(largest[:MANY])]
        pieces = [*listed, (others, f"{len(pieces) - MANY} others")]
    text += f" = {short(pieces[0][0])} through {pieces[0][1]}"
    for part, way in pieces[1:]:
        sign = "-" if part < 0 else "+"
        text += f" {sign} {short(abs(part))} through {way}"
    return text


def _cells(row: Row, top: str, repeats: bool) -> list[str]:
    made = f"{row.node} = {shorten(row.expression, WIDEST)} = {account(row.value)}"
    total = f"{derivative_name(top, row.input)} = {account(row.total)}"
    return [
        "" if repeats else made,
        shorten(row.input, WIDEST),
        shorten(row.derivative, WIDEST),
        "" if row.local is None else _told_once(row.local),
        account(row.incoming),
        account(row.contribution),
        total,
    ]


def _lines(table: Table) -> list[list[str] | None]:
    """Return the cells of each line; None where lines are left out."""
    lines: list[list[str] | None] = []
    number, node = 0, ""
    for row in table.rows:
        if row.number != number:
            lines.append(None)
            node = ""
        lines.append(_cells(row, table.top, row.node == node))
        number, node = row.number + 1, row.node
    return lines if number == table.total else [*lines, None]


def _left_out(table: Table) -> str:
    return (
        f"... {table.total - len(table.rows)} of {table.total} lines left out: "
        "wrt= shows the ways to one value, limit=None all"
    )


def _title(table: Table) -> str:
    return f"The gradient of {table.top} = {account(table.value)}, from the output back"


def _notes(table: Table) -> list[str]:
    """Return the sums, and what a reader needs to know about the formulas."""
    notes = [path_sum_text(table.top, each) for each in table.sums]
    if table.unlisted:
        notes.append(f"... and {table.unlisted} inputs more: wrt= tells of any value")
    if any(row.local is None for row in table.rows):
        notes.append("G: the incoming gradient, where the derivative is no factor")
    if any(COMPARISON.search(row.derivative) for row in table.rows):
        notes.append("(x > y): 1 where it holds, 0 elsewhere")
    return notes


def as_text(table: Table) -> str:
    """Return an explanation as a table of text."""
    lines = _lines(table)
    cells = [line for line in lines if line]
    widths = [max(map(len, column)) for column in zip(HEADS, *cells, strict=True)]

    def laid_out(line: Any) -> str:
        padded = [
            cell.rjust(width) if head in NUMBERS else cell.ljust(width)
            for head, cell, width in zip(HEADS, line, widths, strict=True)
        ]
        return "  ".join(padded).rstrip()

    text = [_title(table), ""]
    if cells:
        text += [laid_out(HEADS)]
        text += [laid_out(line) if line else _left_out(table) for line in lines] + [""]
    return "\n".join([*text, *_notes(table)])


def as_html(table: Table) -> str:
    """Return an explanation as a table for notebooks; labels are never markup."""
    rows = [_html_row(line) if line else _html_gap(_left_out(table)) for line in _lines(table)]
    heads = "".join([f'<th scope="col" {_style(head)}>{head}</th>' for head in HEADS])
    notes = "".join([f"<li>{escape(note)}</li>" for note in _notes(table)])
    return (
        '<div style="overflow-x: auto"><table style="border-collapse: collapse">'
        f"<caption {_style('')}><b>{escape(_title(table))}</b></caption>"
        f'<thead style="border-bottom: 1px solid"><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div><ul>{notes}</ul>"
    )


def _style(head: str) -> str:
    side = "right" if head in NUMBERS else "left"
    return f'style="text-align: {side}; white-space: nowrap; padding: 0.1em 0.7em"'


def _html_row(line: list[str]) -> str:
    cells = [
        f"<td {_style(head)}>{escape(cell)}</td>" for head, cell in zip(HEADS, line, strict=True)
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _html_gap(text: str) -> str:
    return f'<tr><td colspan="{len(HEADS)}" {_style("")}>{escape(text)}</td></tr>'
