"""Formulas as trees, and their simplification.

A `Term` has a head and parts:

    number      (float,)                      symbol    (name, shape)
    constant    (name,)                       gradient  (name of the output, name, shape)
    sum         terms                         compare   (operator, left, right): 1 or 0
    product     factors                       where     (condition, then, otherwise)
    power       (base, exponent)              matmul    (left, right)
    call        (name, arguments, options)    transposed, index (term, text of the index)

A difference is a sum with a factor -1, a quotient a product with an exponent -1.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

OPPOSITE = {">": "<=", ">=": "<", "==": "!=", "!=": "==", "<": ">=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class Term:
    """A formula; its head says what its parts mean, see the module."""

    head: str
    parts: tuple[Any, ...]

    # As they are: `simplify` shortens the result

    def __add__(self, other: "Term") -> "Term":
        return plus(self, other)

    def __sub__(self, other: "Term") -> "Term":
        return plus(self, -other)

    def __mul__(self, other: "Term") -> "Term":
        return product(self, other)

    def __truediv__(self, other: "Term") -> "Term":
        return product(self, other**MINUS_ONE)

    def __pow__(self, exponent: "Term | float") -> "Term":
        return Term("power", (self, exponent if isinstance(exponent, Term) else number(exponent)))

    def __neg__(self) -> "Term":
        return product(MINUS_ONE, self)

    def inner(self) -> Iterator["Term"]:
        """Yield the terms that this one is made of."""
        for part in self.parts:
            if isinstance(part, Term):
                yield part
            elif isinstance(part, tuple):
                yield from (term for term in part if isinstance(term, Term))

    def rebuilt(self, change: Callable[["Term"], "Term"]) -> "Term":
        """Return the same with `change` applied to each term inside."""
        return Term(self.head, tuple([_changed(part, change) for part in self.parts]))


def _changed(part: object, change: Callable[[Term], Term]) -> object:
    if isinstance(part, Term):
        return change(part)
    if isinstance(part, tuple):
        return tuple([_changed(each, change) for each in part])
    return part


def number(x: float) -> Term:
    """Return a number as a term; a known constant by its name."""
    return CONSTANTS.get(x) or Term("number", (float(x),))


def symbol(name: str, shape: tuple[int, ...] = ()) -> Term:
    """Return the name of a value as a term."""
    return Term("symbol", (name, shape))


def call(name: str, *arguments: Term, **options: str) -> Term:
    """Return a function of terms; options are text."""
    return Term("call", (name, arguments, tuple(options.items())))


def plus(*terms: Term) -> Term:
    """Return a sum of any number of terms."""
    return Term("sum", terms)


def product(*factors: Term) -> Term:
    """Return a product of any number of factors."""
    return Term("product", factors)


def _literal(x: float) -> Term:
    return Term("number", (float(x),))


ZERO, ONE, MINUS_ONE = _literal(0), _literal(1), _literal(-1)
_PI = Term("constant", ("pi",))
# Numbers in rules that have a name
CONSTANTS = {
    math.pi: _PI,
    math.pi / 180: _PI / _literal(180),
    180 / math.pi: _literal(180) / _PI,
    math.log(2): call("log", _literal(2)),
    1 / math.log(2): call("log", _literal(2)) ** MINUS_ONE,
    1 / math.log(10): call("log", _literal(10)) ** MINUS_ONE,
    2 / math.sqrt(math.pi): _literal(2) / call("sqrt", _PI),
}


def negated(term: Term) -> Term:
    """Return a term with the opposite sign, where it begins with a negative number."""
    coefficient, rest = split(term)
    return _scaled(-coefficient, rest)


def truth(condition: Term) -> Term:
    """Return a condition as a comparison."""
    return condition if condition.head == "compare" else Term("compare", ("!=", condition, ZERO))


def opposite(condition: Term) -> Term:
    """Return the opposite of a condition as a comparison."""
    comparison, x, y = truth(condition).parts
    return Term("compare", (OPPOSITE[comparison], x, y))


def size(term: Term) -> int:
    """Return the number of symbols and numbers in a term."""
    inner = list(term.inner())
    return sum(size(each) for each in inner) if inner else 1


def shape(term: Term) -> tuple[int, ...] | None:
    """Return the shape of a term's value; None if it is not known."""
    if term.head in ("symbol", "gradient"):
        return term.parts[-1]
    if is_filled(term):
        return tuple(map(int, re.findall(r"\d+", term.parts[2][0][1])))
    if term.head == "call" and term.parts[0] == "array":
        return tuple([int(n.parts[0]) for n in term.parts[1]])
    if term.head not in ("number", "constant", "sum", "product", "power", "compare"):
        return None
    shapes = [shape(each) for each in term.inner()]
    known = [each for each in shapes if each is not None]
    return np.broadcast_shapes(*known) if len(known) == len(shapes) else None


def is_filled(term: Term) -> bool:
    """Return whether all elements of a term are one number."""
    return (
        term.head == "call"
        and term.parts[0] in ("broadcast_to", "spread")
        and term.parts[1][0].head == "number"
    )


def holds_array(term: Term) -> bool:
    """Return whether a term contains arrays."""
    return bool(shape(term)) or any(map(holds_array, term.inner()))


def substitute(term: Term, values: dict[Term, Term]) -> Term:
    """Return the term with some of its symbols replaced by other terms."""
    if term.head in ("symbol", "gradient"):
        return values.get(term, term)
    return term.rebuilt(lambda each: substitute(each, values))


def simplify(term: Term) -> Term:
    """Return an equal term that is easier to read: without 1 *, + 0, --, x * x.

    Terms that differ at isolated points only count as equal, such as x / x and 1.
    """
    term = term.rebuilt(simplify)
    shorter = SIMPLER.get(term.head)
    return shorter(term) if shorter else term


def _is_number(term: Term) -> bool:
    return term.head == "number"


def is_whole(term: Term) -> bool:
    """Return whether a term is a whole number."""
    return term.head == "number" and math.isfinite(term.parts[0]) and term.parts[0] % 1 == 0


def split(term: Term) -> tuple[float, Term]:
    """Return the coefficient of a term, and the rest."""
    if _is_number(term):
        return term.parts[0], ONE
    if term.head == "product" and _is_number(term.parts[0]):
        rest = term.parts[1:]
        return term.parts[0].parts[0], rest[0] if len(rest) == 1 else product(*rest)
    return 1.0, term


def _scaled(coefficient: float, term: Term) -> Term:
    if coefficient == 0 or term == ZERO:
        return ZERO
    if term == ONE:
        return _literal(coefficient)
    if coefficient == 1:
        return term
    factors = term.parts if term.head == "product" else (term,)
    return product(_literal(coefficient), *factors)


def _unfilled(terms: tuple[Term, ...]) -> list[Term]:
    """Return terms with a number instead of an array of it, if another term has its shape."""
    shapes = [shape(each) for each in terms if not is_filled(each)]
    return [
        each.parts[1][0] if is_filled(each) and shape(each) in shapes else each for each in terms
    ]


def _simpler_sum(term: Term) -> Term:
    collected: dict[Term, float] = {}
    for each in _unfilled(term.parts):
        sign, rest = split(each)
        if rest.head == "sum" and abs(sign) == 1:
            pieces = [(sign * c, t) for c, t in map(split, rest.parts)]
        else:
            pieces = [(sign, rest)]
        for coefficient, rest in pieces:
            collected[rest] = collected.get(rest, 0.0) + coefficient
    terms = [_scaled(c, rest) for rest, c in collected.items() if c != 0]
    if not terms:
        return ZERO
    added = [i for i, each in enumerate(terms) if split(each)[0] >= 0]
    if added:  # begin with what is added: 1 - x, not -x + 1
        terms.insert(0, terms.pop(added[0]))
    return terms[0] if len(terms) == 1 else plus(*terms)


def _simpler_product(term: Term) -> Term:
    coefficient = 1.0
    exponents: dict[Term, float] = {}
    flat = [f.parts if f.head == "product" else (f,) for f in term.parts]
    for each in _unfilled(tuple(chain.from_iterable(flat))):
        if _is_number(each):
            coefficient *= each.parts[0]
        elif each.head == "power" and _is_number(each.parts[1]):
            base, exponent = each.parts
            exponents[base] = exponents.get(base, 0.0) + exponent.parts[0]
        else:
            exponents[each] = exponents.get(each, 0.0) + 1.0
    powers = [_simpler_power(base ** _literal(n)) for base, n in exponents.items()]
    factors = [each for each in powers if each != ONE]
    if not factors:
        return _literal(coefficient)
    return _scaled(coefficient, factors[0] if len(factors) == 1 else product(*factors))


def _simpler_power(term: Term) -> Term:
    base, exponent = term.parts
    if exponent == ONE:
        return base
    if exponent == ZERO or base == ONE:
        return ONE
    if _is_number(base) and _is_number(exponent):
        try:
            return _literal(math.pow(base.parts[0], exponent.parts[0]))
        except (ArithmeticError, ValueError):
            return term
    if is_whole(exponent):
        if base.head == "power" and is_whole(base.parts[1]):
            both = _literal(base.parts[1].parts[0] * exponent.parts[0])
            return _simpler_power(base.parts[0] ** both)
        if base.head == "product":
            return _simpler_product(product(*[_simpler_power(x**exponent) for x in base.parts]))
    return term


def _simpler_where(term: Term) -> Term:
    condition, x, y = term.parts
    if _is_number(condition):
        return x if condition.parts[0] else y
    if condition == x or x == y:  # where(x, x, y): a rule avoids x = 0
        return x
    if y == ZERO:
        return _simpler_product(x * truth(condition))
    if x == ZERO:
        return _simpler_product(y * opposite(condition))
    return term


SIMPLER: dict[str, Callable[[Term], Term]] = {
    "sum": _simpler_sum,
    "product": _simpler_product,
    "power": _simpler_power,
    "where": _simpler_where,
}
