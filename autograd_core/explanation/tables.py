"""How an explanation looks: as a table of text, and as one for notebooks."""

import math
import re
from html import escape
from typing import Any, NamedTuple

import numpy as np

from ..data import Data, shape_of, shorten
from .notation import PLAIN, short

WIDEST = 44  # characters of a column
MANY = 6  # ways whose parts of a gradient are listed, largest first

HEADS = ("node", "input", "derivative", "number", "incoming", "contribution", "sum so far")
NUMBERS = frozenset(HEADS[3:6])
COMPARISON = re.compile(" (>|>=|==|<|<=|!=) ")


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
    for part, through in pieces[1:]:
        sign = "-" if part < 0 else "+"
        text += f" {sign} {short(abs(part))} through {through}"
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
