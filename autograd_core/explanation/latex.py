"""Formulas as LaTeX."""

import re

from .notation import ATOM, POWER, PRODUCT, Notation
from .terms import ONE, Term, holds_array, is_filled, product, shape, split

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
    """LaTeX for terms; products of arrays, element by element, are written with a ring."""

    between_matrices = r" \, "

    def numeral(self, text: str) -> str:
        """Return a number with its power of ten, if it has one."""
        text = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}.get(text, text)
        mantissa, e, exponent = text.partition("e") if text[-1].isdigit() else (text, "", "")
        return f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if e else text

    def write_number(self, term: Term) -> tuple[str, int]:
        """Write a number; one with a power of ten is a product."""
        text, own = super().write_number(term)
        return text, min(own, PRODUCT) if r"\cdot" in text else own

    def parentheses(self, text: str) -> str:
        """Return text in parentheses that grow with it."""
        return rf"\left({text}\right)"

    def write_constant(self, term: Term) -> tuple[str, int]:
        """Write a Greek letter."""
        return rf"\{term.parts[0]}", ATOM

    def write_symbol(self, term: Term) -> tuple[str, int]:
        """Write a name."""
        return latex_symbol(term.parts[0]), super().write_symbol(term)[1]

    def derivative(self, top: str, name: str) -> str:
        """Return the name of a derivative."""
        return rf"\frac{{\partial {latex_symbol(top)}}}{{\partial {latex_symbol(name)}}}"

    def factors(self, factors: list[Term]) -> str:
        """Write factors side by side; with a dot before a number, which would run together."""
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

    def quotient(self, above: list[Term], below: list[Term]) -> str:
        """Write a quotient with a line."""
        over, under = [
            self(each[0]) if len(each) == 1 else self.factors(each) for each in (above, below)
        ]
        return rf"\frac{{{over}}}{{{under}}}"

    def write_power(self, term: Term) -> tuple[str, int]:
        """Write a power; of an array, element by element."""
        base, exponent = term.parts
        if split(exponent)[0] < 0:
            return self.write_product(product(term))
        raised = self(exponent)
        if holds_array(base):
            raised = r"\circ " + self.within(exponent, POWER)
        return f"{{{self.within(base, ATOM)}}}^{{{raised}}}", POWER

    def write_call(self, term: Term) -> tuple[str, int]:
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
        if told := ", ".join([f"{key}={value}" for key, value in options if key != "keepdims"]):
            named += rf"_{{\text{{{escape_latex(told)}}}}}"
        return named + self.parentheses(inside), ATOM

    def write_compare(self, term: Term) -> tuple[str, int]:
        """Write a comparison in Iverson's brackets: 1 where it holds and 0 elsewhere."""
        comparison, x, y = term.parts
        return rf"\left[{self(x)} {_COMPARISONS[comparison]} {self(y)}\right]", ATOM

    def write_where(self, term: Term) -> tuple[str, int]:
        """Write a choice as cases."""
        condition, x, y = [self(each) for each in term.parts]
        cases = rf"{x} & \text{{if }} {condition} \\ {y} & \text{{otherwise}}"
        return rf"\begin{{cases}} {cases} \end{{cases}}", PRODUCT

    def write_transposed(self, term: Term) -> tuple[str, int]:
        """Write a matrix whose rows and columns change places."""
        return rf"{{{self.within(term.parts[0], ATOM)}}}^{{\top}}", POWER

    def write_index(self, term: Term) -> tuple[str, int]:
        """Write what is taken out of an array, as an index."""
        index = escape_latex(term.parts[1])
        return rf"{{{self.within(term.parts[0], ATOM)}}}_{{\text{{[{index}]}}}}", ATOM
