"""Formulas as text, which is Python but for ^ and X^T, and as LaTeX."""

import re
from collections.abc import Callable

from .terms import (
    ONE,
    Term,
    holds_array,
    is_filled,
    is_whole,
    negated,
    number,
    product,
    shape,
    split,
)

# Precedence: what binds less tightly than its surroundings gets parentheses
LOOSE, SUM, MATMUL, PRODUCT, POWER, ATOM = range(6)

PLAIN = re.compile(r"[^\W\d]\w*(\[\w+(, ?\w+)*\]|\.\w+)*")  # names such as x1, w[0], layer.bias


def short(x: float, digits: int = 6) -> str:
    """Return a number as text, with at most that many significant digits.

    Example: >>> short(2.0), short(1 / 3), short(float("nan"))
             ('2', '0.333333', 'nan')
    """
    text = f"{x:.{digits}g}"
    return "0" if text == "-0" else text


def fraction(term: Term) -> tuple[int, list[Term], list[Term]]:
    """Return a product as sign, numerator and denominator; 0.5 / x as 1 / (2 * x)."""
    sign, above, below = 1, list[Term](), list[Term]()
    for i, factor in enumerate(term.parts):
        if i == 0 and split(factor)[0] < 0:
            sign, factor = -1, negated(factor)
            if factor == ONE and len(term.parts) > 1:
                continue
        if factor.head == "power" and split(factor.parts[1])[0] < 0:
            base, exponent = factor.parts[0], negated(factor.parts[1])
            below.append(base if exponent == ONE else base**exponent)
        else:
            above.append(factor)
    first = above[0].parts[0] if above and above[0].head == "number" else 0.0
    if first and (below or (first < 1 and len(short(first)) > 6)):
        inverse = number(1 / first)
        if is_whole(inverse) and inverse != ONE:
            above.pop(0)
            below.insert(0, inverse)
    return sign, above or [ONE], below


class Notation:
    """Terms as text; `Latex` overrides what LaTeX writes otherwise.

    Each `_write_...` method writes terms with that head, and returns the text and its precedence.
    """

    between_matrices = " @ "
    parentheses = "({})"
    transposed = "{}^T"

    def __init__(self, digits: int = 6) -> None:
        self.digits = digits

    def __call__(self, term: Term) -> str:
        """Return a term in this notation."""
        return self.within(term, LOOSE)

    def within(self, term: Term, tightness: int) -> str:
        """Return a term, in parentheses if it binds less tightly than its surroundings."""
        writer: Callable[[Term], tuple[str, int]] = getattr(self, f"_write_{term.head}")
        text, own = writer(term)
        return text if own >= tightness else self.parentheses.format(text)

    def _write_number(self, term: Term) -> tuple[str, int]:
        """Write a number; a negative one binds like a sum."""
        text = self._numeral(short(term.parts[0], self.digits))
        return text, SUM if text.startswith("-") else ATOM

    def _numeral(self, text: str) -> str:
        return text

    def _write_constant(self, term: Term) -> tuple[str, int]:
        return term.parts[0], ATOM

    def _write_symbol(self, term: Term) -> tuple[str, int]:
        """Write a name; one that could be read as a formula gets parentheses."""
        name = term.parts[0]
        return name, ATOM if PLAIN.fullmatch(name) else LOOSE

    def _write_gradient(self, term: Term) -> tuple[str, int]:
        top, name, _ = term.parts
        return self.derivative(top, name), ATOM

    def derivative(self, top: str, name: str) -> str:
        """Return the name of a derivative."""
        return f"d{self._named(top)}/d{self._named(name)}"

    def _named(self, name: str) -> str:
        return name if PLAIN.fullmatch(name) else f"({name})"

    def _write_sum(self, term: Term) -> tuple[str, int]:
        """Write a sum, with minus signs where terms begin with one."""
        text = self.within(term.parts[0], SUM)
        for each in term.parts[1:]:
            if split(each)[0] < 0:
                text += f" - {self.within(negated(each), MATMUL)}"
            else:
                text += f" + {self.within(each, MATMUL)}"
        return text, SUM

    def _write_product(self, term: Term) -> tuple[str, int]:
        """Write a product, with what has a negative exponent below a line."""
        sign, above, below = fraction(term)
        text = self._quotient(above, below) if below else self._factors(above)
        return (f"-{text}", SUM) if sign < 0 else (text, PRODUCT)

    def _factors(self, factors: list[Term]) -> str:
        pieces = [self.within(each, PRODUCT if i == 0 else POWER) for i, each in enumerate(factors)]
        return " * ".join(pieces)

    def _quotient(self, above: list[Term], below: list[Term]) -> str:
        divisor = self.within(below[0], POWER) if len(below) == 1 else f"({self._factors(below)})"
        return f"{self._factors(above)} / {divisor}"

    def _write_power(self, term: Term) -> tuple[str, int]:
        """Write a power; a negative exponent makes a quotient."""
        base, exponent = term.parts
        if split(exponent)[0] < 0:
            return self._write_product(product(term))
        return self._raised(base, exponent), POWER

    def _raised(self, base: Term, exponent: Term) -> str:
        return f"{self.within(base, ATOM)}^{self.within(exponent, ATOM)}"

    def _write_call(self, term: Term) -> tuple[str, int]:
        name, arguments, options = term.parts
        parts = [self.within(each, LOOSE) for each in arguments]
        parts += [f"{key}={value}" for key, value in options]
        return f"{name}({', '.join(parts)})", ATOM

    def _write_compare(self, term: Term) -> tuple[str, int]:
        """Write a comparison, which counts 1 where it holds and 0 elsewhere."""
        comparison, x, y = term.parts
        return f"({self.within(x, SUM)} {comparison} {self.within(y, SUM)})", ATOM

    def _write_where(self, term: Term) -> tuple[str, int]:
        condition, x, y = [self.within(each, SUM) for each in term.parts]
        return f"({x} if {condition} else {y})", ATOM

    def _write_matmul(self, term: Term) -> tuple[str, int]:
        x, y = term.parts
        left = self.within(x, MATMUL if x.head == "matmul" else POWER)
        return left + self.between_matrices + self.within(y, POWER), MATMUL

    def _write_transposed(self, term: Term) -> tuple[str, int]:
        return self.transposed.format(self.within(term.parts[0], ATOM)), POWER

    def _write_index(self, term: Term) -> tuple[str, int]:
        return f"{self.within(term.parts[0], ATOM)}[{term.parts[1]}]", ATOM


# Operations that move numbers, as phrases
PHRASES = {
    "put_back": "{} put back at {index}, 0 elsewhere",
    "spread": "{} spread over shape {shape}",
    "broadcast_to": "{} spread over shape {shape}",
    "reshape": "{} reshaped to {shape}",
    "transpose": "{} with its axes in the order {axes}",
}


def in_words(term: Term) -> str:
    """Return a whole formula as text; an operation that moves numbers is a phrase."""
    write = Notation()
    if term.head == "call" and term.parts[0] in PHRASES:
        name, arguments, options = term.parts
        return PHRASES[name].format(write.within(arguments[0], POWER), **dict(options))
    if term.head == "call" and term.parts[0] == "sum" and term.parts[2]:
        _, arguments, options = term.parts
        axis = dict(options).get("axis", "all")
        several = "axis" if axis.lstrip("-").isdigit() else "axes"
        return f"{write.within(arguments[0], POWER)} summed over {several} {axis.strip('(,)')}"
    return write(term)


_INDEXED = re.compile(r"([A-Za-z])(?:_?(\d*)|\[(\d+)\])")
GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau"
    "|upsilon|phi|chi|psi|omega"
)
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{character: "\\" + character for character in "{}$&#%_"},
}
_OPERATOR = re.compile("(arc)?(sin|cos|tan)|(sin|cos|tan)h|exp|log|max|min|det")
_COMPARISONS = {">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne", "<": "<", "<=": r"\le"}
_AROUND = {
    "abs": (r"\left|", r"\right|"),
    "sqrt": (r"\sqrt{", "}"),
    "cbrt": (r"\sqrt[3]{", "}"),
    "floor": (r"\left\lfloor ", r" \right\rfloor"),
    "ceil": (r"\left\lceil ", r" \right\rceil"),
}
_FUNCTIONS = {"sigmoid": r"\sigma", "log2": r"\log_{2}", "log10": r"\log_{10}"}


def escape_latex(text: str) -> str:
    r"""Return text in which nothing is a LaTeX command.

    Example: >>> print(escape_latex("50% of w_1"))
             50\% of w\_1
    """
    return "".join([_ESCAPES.get(character, character) for character in text])


def latex_symbol(name: str) -> str:
    r"""Return a name as LaTeX: one letter as it is, x1 and w[0] with an index, others upright.

    Example: >>> print(latex_symbol("w[1]"), latex_symbol("alpha"), latex_symbol("loss"))
             w_{1} \alpha \mathrm{loss}
    """
    if name.isascii() and (indexed := _INDEXED.fullmatch(name)):
        letter, digits, number = indexed.groups()
        index = digits or number
        return f"{letter}_{{{index}}}" if index else letter
    word, _, index = name.partition("_")
    if GREEK.fullmatch(word) and (index.isdigit() or not _):
        return f"\\{word}_{{{index}}}" if index else f"\\{word}"
    kind = "mathrm" if name.isascii() and name.isalnum() else "text"
    return f"\\{kind}{{{escape_latex(name)}}}"


class Latex(Notation):
    """Terms as LaTeX; products of arrays element by element are written with a ring."""

    between_matrices = r" \, "
    parentheses = r"\left({}\right)"
    transposed = r"{{{}}}^{{\top}}"

    def _numeral(self, text: str) -> str:
        """Return a number with its power of ten, if it has one."""
        text = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}.get(text, text)
        mantissa, e, exponent = text.partition("e") if text[-1].isdigit() else (text, "", "")
        return f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if e else text

    def _write_number(self, term: Term) -> tuple[str, int]:
        """Write a number; one with a power of ten is a product."""
        text, own = super()._write_number(term)
        return text, min(own, PRODUCT) if r"\cdot" in text else own

    def _write_constant(self, term: Term) -> tuple[str, int]:
        return rf"\{term.parts[0]}", ATOM

    def _write_symbol(self, term: Term) -> tuple[str, int]:
        return latex_symbol(term.parts[0]), super()._write_symbol(term)[1]

    def derivative(self, top: str, name: str) -> str:
        """Return the name of a derivative."""
        return rf"\frac{{\partial {latex_symbol(top)}}}{{\partial {latex_symbol(name)}}}"

    def _factors(self, factors: list[Term]) -> str:
        """Write factors side by side, with a dot before a number, which would run together."""
        text = ""
        for i, each in enumerate(factors):
            piece = self.within(each, PRODUCT if i == 0 else POWER)
            if i and piece.lstrip("{")[0].isdigit():
                text += r" \cdot "
            elif i:
                both = holds_array(each) and any(map(holds_array, factors[:i]))
                text += r" \odot " if both else r" \, "
            text += piece
        return text

    def _quotient(self, above: list[Term], below: list[Term]) -> str:
        over, under = [
            self(each[0]) if len(each) == 1 else self._factors(each) for each in (above, below)
        ]
        return rf"\frac{{{over}}}{{{under}}}"

    def _raised(self, base: Term, exponent: Term) -> str:
        """Write a power; of an array, element by element."""
        above = r"\circ " + self.within(exponent, POWER) if holds_array(base) else self(exponent)
        return f"{{{self.within(base, ATOM)}}}^{{{above}}}"

    def _write_call(self, term: Term) -> tuple[str, int]:
        """Write a function of its arguments, its options as indices."""
        name, arguments, options = term.parts
        inside = ", ".join([self(each) for each in arguments])
        if name in _AROUND:
            left, right = _AROUND[name]
            return f"{left}{inside}{right}", ATOM
        if is_filled(term):
            lengths = r" \times ".join(map(str, shape(term) or ()))
            filled = rf"\mathbf{{1}}_{{{lengths}}}"
            return (filled if arguments[0] == ONE else rf"{inside} \, {filled}"), PRODUCT
        named = _FUNCTIONS.get(name) or (
            f"\\{name}" if _OPERATOR.fullmatch(name) else rf"\operatorname{{{escape_latex(name)}}}"
        )
        if shown := ", ".join([f"{key}={value}" for key, value in options if key != "keepdims"]):
            named += rf"_{{\text{{{escape_latex(shown)}}}}}"
        return named + self.parentheses.format(inside), ATOM

    def _write_compare(self, term: Term) -> tuple[str, int]:
        """Write a comparison in Iverson's brackets: 1 where it holds and 0 elsewhere."""
        comparison, x, y = term.parts
        return rf"\left[{self(x)} {_COMPARISONS[comparison]} {self(y)}\right]", ATOM

    def _write_where(self, term: Term) -> tuple[str, int]:
        condition, x, y = [self(each) for each in term.parts]
        cases = rf"{x} & \text{{if }} {condition} \\ {y} & \text{{otherwise}}"
        return rf"\begin{{cases}} {cases} \end{{cases}}", PRODUCT

    def _write_index(self, term: Term) -> tuple[str, int]:
        index = escape_latex(term.parts[1])
        return rf"{{{self.within(term.parts[0], ATOM)}}}_{{\text{{[{index}]}}}}", ATOM
