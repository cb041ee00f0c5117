r"""Reads the LaTeX of formulas of numbers, and evaluates it: an oracle that shares no code with
what wrote it.

It knows \frac, \sqrt, powers, products by \, or \cdot, functions, Iverson's brackets and cases;
a derivative \frac{\partial L}{\partial x} is a name.
"""

import re

import numpy as np

TOKEN = re.compile(
    r"\s*(\\begin\{cases\}|\\end\{cases\}|\\text\{\w+ ?\}|\\[A-Za-z]+|\\.|\d+\.?\d*|.)"
)
PARTIAL = re.compile(
    r"\\frac\{\\partial ((?:[^{}]|\{[^{}]*\})+)\}\{\\partial ((?:[^{}]|\{[^{}]*\})+)\}"
)
NAMED = {"sigma": lambda x: 1 / (1 + np.exp(-x)), "lfloor": np.floor, "lceil": np.ceil}
OTHERS = {
    "relu": lambda x: max(x, 0.0),
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "mod": np.mod,
    "max": max,
    "min": min,
}


def equations(latex):
    """Return the lines of an aligned block as pairs: what is named, and the formula."""
    body = latex.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    return [tuple(line.split(" &= ")) for line in body.split(" \\\\\n")]


def evaluate(latex, inputs):
    """Return the value of everything that an aligned block names, given that of its inputs."""
    values = dict(inputs)
    for name, formula in equations(latex):
        values[name] = Reader(formula, values).read()
    return values


class Reader:
    def __init__(self, text, values):
        self.values = {f"@{i}": value for i, value in enumerate(values.values())}
        numbers = {name: i for i, name in enumerate(values)}
        text = PARTIAL.sub(lambda found: f"@{numbers[found[0]]};", text)
        for name in sorted(numbers, key=len, reverse=True):
            if name[0] != "\\" or "partial" not in name:
                text = re.sub(rf"(?<![A-Za-z\\@]){re.escape(name)}", f"@{numbers[name]};", text)
        self.tokens = [token for token in TOKEN.findall(text) if token.strip()]
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def next(self, expected=None):
        token = self.tokens[self.at]
        assert expected in (None, token), f"{expected} expected, not {token}, in {self.tokens}"
        self.at += 1
        return token

    def read(self):
        result = self.sum()
        assert self.peek() is None, self.tokens[self.at :]
        return result

    def sum(self):
        total = 0.0
        sign = 1
        if self.peek() == "-":
            self.next()
            sign = -1
        total = sign * self.product()
        while self.peek() in ("+", "-"):
            sign = 1 if self.next() == "+" else -1
            total = total + sign * self.product()
        return total

    def product(self):
        result = self.power()
        while self.peek() in (r"\,", r"\cdot"):
            self.next()
            result = result * self.power()
        return result

    def power(self):
        base = self.base()
        if self.peek() == "^":
            self.next()
            base = np.float64(base) ** self.group()
        return base

    def group(self):
        self.next("{")
        inside = self.sum()
        self.next("}")
        return inside

    def bracketed(self):
        self.next(r"\left")
        left = self.next()
        arguments = [self.sum()]
        if left == "[":
            comparison = self.next()
            other = self.sum()
            x = arguments[0]
            holds = {">": x > other, r"\ge": x >= other, "=": x == other, r"\ne": x != other}
            holds |= {"<": x < other, r"\le": x <= other}
            arguments = [float(holds[comparison])]
        while self.peek() == ",":
            self.next()
            arguments.append(self.sum())
        self.next(r"\right")
        right = self.next()
        closing = {"(": ")", "[": "]", "|": "|", r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}
        assert right == closing[left]
        if left in ("|", r"\lfloor", r"\lceil"):
            return [{"|": abs, r"\lfloor": np.floor, r"\lceil": np.ceil}[left](*arguments)]
        return arguments

    def base(self):
        token = self.peek()
        if token == "{":
            return self.group()
        if token == r"\left":
            [inside] = self.bracketed()
            return inside
        self.next()
        if token[0].isdigit():
            return float(token)
        if token == "@":
            return self.values["@" + self.name()]
        if token == r"\frac":
            return np.float64(self.group()) / self.group()
        if token == r"\sqrt":
            if self.peek() != "[":
                return np.sqrt(self.group())
            [self.next(each) for each in "[3]"]
            return np.cbrt(self.group())
        if token == r"\begin{cases}":
            return self.cases()
        if token == r"\pi":
            return np.pi
        assert token[0] == "\\", f"{token} in {self.tokens}"
        return self.function(token[1:])

    def name(self):
        number = self.next()
        self.next(";")
        return number

    def function(self, name):
        if name == "operatorname":
            self.next("{")
            name = ""
            while self.peek() != "}":
                name += self.next()
            self.next("}")
        if self.peek() == "_":
            self.next()
            name += str(int(self.group()))
        f = NAMED.get(name) or OTHERS.get(name) or getattr(np, name)
        return f(*self.bracketed())

    def cases(self):
        x = self.sum()
        self.next("&")
        self.next(r"\text{if }")
        condition = self.sum()
        self.next("\\\\")
        y = self.sum()
        self.next("&")
        self.next(r"\text{otherwise}")
        self.next(r"\end{cases}")
        return x if condition else y
