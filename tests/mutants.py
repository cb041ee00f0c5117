"""Mutants of the table: each rule, kernel and expansion changed in one place, and who notices.

Run by hand, from the root: python tests/mutants.py [module ...], such as elementwise or expansion.
A mutant is a module with one operator, number, operand or argument changed. It is killed where a
case of tests/cases.py that reaches it has another value, type or derivative, against finite
differences with random cotangents, where a kernel or expansion differs from `forward`, or where one
of the tests in SUITES fails that call the changed function. What survives is listed with its line,
but for mutants that compute the same: those are in equivalent_mutants.txt, under their reason.
`--again FILE` tries only the mutants that an earlier report lists. Lines of equivalent_mutants.txt
that are no mutant any more are reported, too.
"""

import argparse
import ast
import copy
import gc
import importlib
import inspect
import itertools
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import numpy as np
import pytest
from cases import CASES
from facts import false_facts
from scalar_programs import executor_of

from autograd_core import Primitive, Value, check_gradients, vjp
from autograd_core.primitives import elementwise
from autograd_core.program import expansion
from autograd_core.program.machine_code import OPTIONS, has_numba

MODULES = {
    **dict.fromkeys(["elementwise", "indexing", "shapes", "reductions", "linear_algebra",
                     "decompositions", "convolution"], "autograd_core.primitives"),
    "backprop": "autograd_core",
    "structural_zeros": "autograd_core",
    **dict.fromkeys([f"functions.{name}" for name in [
                         "activations", "compositions", "decompositions", "products",
                         "rearranging", "statistics", "windows"]], "autograd_core"),
    "expansion": "autograd_core.program",
    "passes": "autograd_core.program",
}  # fmt: skip
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 2.5, -3.3, 20.0, -40.0, 1000.0, -1000.0, np.inf,
           -np.inf, np.nan]  # fmt: skip
OTHER = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
COMMUTATIVE = frozenset(
    ["multiply", "add", "equal", "not_equal", "maximum", "minimum", "vdot", "logaddexp", "hypot",
     "max", "min", "fmin", "result_type"]
)  # fmt: skip
NAMES = {
    "sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh", "greater": "greater_equal",
    "greater_equal": "greater", "maximum": "minimum", "minimum": "maximum", "reciprocal": "square",
    "square": "reciprocal", "exp": "expm1", "sqrt": "square", "log": "exp", "scatter": "getitem",
    "sign": "absolute", "logical_and": "logical_or",
}  # fmt: skip


def of_operation(node: ast.BinOp) -> Iterator[ast.AST]:
    """Yield another operator, the operands exchanged, and each alone."""
    if type(node.op) in OTHER:
        yield ast.BinOp(node.left, OTHER[type(node.op)](), node.right)
    is_ordered = isinstance(node.op, ast.Sub | ast.Div | ast.Pow | ast.MatMult)
    if is_ordered and ast.unparse(node.left) != ast.unparse(node.right):
        yield ast.BinOp(node.right, node.op, node.left)
    yield node.left
    yield node.right


def of_sign(node: ast.UnaryOp) -> Iterator[ast.AST]:
    """Yield the operand."""
    if isinstance(node.op, ast.USub | ast.Not):
        yield node.operand


def of_comparison(node: ast.Compare) -> Iterator[ast.AST]:
    """Yield the opposite, or the same with or without equality; always, and never."""
    if type(node.ops[0]) in OTHER:
        others = [OTHER[type(node.ops[0])](), *node.ops[1:]]
        yield ast.Compare(node.left, others, node.comparators)
        yield ast.Constant(True)
        yield ast.Constant(False)


def of_condition(node: ast.BoolOp) -> Iterator[ast.AST]:
    """Yield `or` for `and`, and each part alone."""
    yield ast.BoolOp(OTHER[type(node.op)](), node.values)
    yield from node.values


def of_choice(node: ast.IfExp) -> Iterator[ast.AST]:
    """Yield the choices exchanged, and each alone."""
    yield ast.IfExp(node.test, node.orelse, node.body)
    yield node.body
    yield node.orelse


def of_constant(node: ast.Constant) -> Iterator[ast.AST]:
    """Yield another number, or the other of True and False."""
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(-node.value if node.value else -1)


def of_call(node: ast.Call) -> Iterator[ast.AST]:
    """Yield the last two arguments exchanged."""
    name = ast.unparse(node.func).rpartition(".")[2]
    applied = ast.unparse(node.args[0]).rpartition(".")[2] if name == "apply" else name
    if len(node.args) < 2 or node.keywords or applied in COMMUTATIVE:
        return
    if ast.unparse(node.args[-1]) != ast.unparse(node.args[-2]):
        yield ast.Call(node.func, [*node.args[:-2], node.args[-1], node.args[-2]], [])


def of_name(node: ast.Name) -> Iterator[ast.AST]:
    """Yield another function."""
    if node.id in NAMES and isinstance(node.ctx, ast.Load):
        yield ast.Name(NAMES[node.id], node.ctx)


def of_attribute(node: ast.Attribute) -> Iterator[ast.AST]:
    """Yield another function of NumPy or math."""
    if node.attr in NAMES:
        yield ast.Attribute(node.value, NAMES[node.attr], node.ctx)


VARIANTS: dict[type, Callable[[Any], Iterator[ast.AST]]] = {
    ast.BinOp: of_operation,
    ast.UnaryOp: of_sign,
    ast.Compare: of_comparison,
    ast.BoolOp: of_condition,
    ast.IfExp: of_choice,
    ast.Constant: of_constant,
    ast.Call: of_call,
    ast.Name: of_name,
    ast.Attribute: of_attribute,
}


class Replaced(ast.NodeTransformer):
    """A copy of a tree in which one node is another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(copy.copy(node))

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
            elif isinstance(value, list):
                changed = [self.visit(x) if isinstance(x, ast.AST) else x for x in value]
                setattr(node, name, changed)
        return node


class Module:
    """A module of the table, its rows and which of them each definition reaches."""

    def __init__(self, name: str) -> None:
        self.module: Any = importlib.import_module(f"{MODULES[name]}.{name}")
        self.short = name
        self.tree = ast.parse(inspect.getsource(self.module))
        self.before = dict(vars(self.module))
        self.in_table = MODULES[name] == "autograd_core.primitives"
        self.names = {}
        for statement in self.tree.body:
            target = getattr(statement, "target", None) or (getattr(statement, "targets", [0]))[0]
            self.names[statement] = getattr(target, "id", getattr(statement, "name", ""))
        for made in [s for s in self.tree.body if isinstance(s, ast.ClassDef)]:
            for method in [s for s in made.body if isinstance(s, ast.FunctionDef)]:
                self.names[method] = f"{made.name}.{method.name}"

    def mutants(self) -> Iterator[tuple[ast.stmt, ast.AST, str, Callable[[], Any]]]:
        """Yield a statement, the node that is changed, how it reads, and what compiles it."""
        for statement in self.names:
            if not isinstance(statement, ast.FunctionDef | ast.AnnAssign):
                continue
            if isinstance(statement, ast.AnnAssign) and "Alias" in ast.unparse(statement):
                continue
            skipped = set()
            around = {part: n for n in ast.walk(statement) for part in ast.iter_child_nodes(n)}
            for part in [n for n in ast.walk(statement) if isinstance(n, ast.arguments)]:
                names = [*part.posonlyargs, *part.args][-len(part.defaults) :]
                pairs = list(zip(names, part.defaults, strict=False))
                pairs += zip(part.kwonlyargs, part.kw_defaults, strict=True)
                around |= {value: ast.keyword(name.arg, value) for name, value in pairs if value}
            for node in ast.walk(statement):  # types and texts of errors compute nothing
                if isinstance(node, ast.Raise) or getattr(node, "arg", "") == "strict":
                    skipped |= set(ast.walk(node))
                for part in ("annotation", "returns"):
                    if isinstance(getattr(node, part, None), ast.AST):
                        skipped |= set(ast.walk(getattr(node, part)))
            for node in ast.walk(statement):
                if node in skipped:
                    continue
                for new in VARIANTS.get(type(node), lambda _: ())(node):
                    shown = around[node] if isinstance(node, ast.Constant | ast.Name) else node
                    changed = ast.unparse(Replaced(node, new).visit(shown))
                    text = f"{ast.unparse(shown)} -> {changed}"
                    yield statement, node, text, partial(self.compiled, node, new)

    def compiled(self, old: ast.AST, new: ast.AST) -> Any:
        """Return the code of this module with one node replaced."""
        tree = ast.fix_missing_locations(Replaced(old, new).visit(self.tree))
        return compile(tree, self.module.__file__, "exec")

    def function_of(self, node: ast.AST, statement: ast.stmt) -> int:
        """Return the line where the innermost function around a node begins, 0 if there is none."""
        inner = [
            min([n.lineno for n in (function, *getattr(function, "decorator_list", []))])
            for function in ast.walk(statement)
            if isinstance(function, ast.FunctionDef | ast.Lambda) and node in ast.walk(function)
        ]
        return inner[-1] if inner else 0

    def entered(self, run: Callable[[], object]) -> set[int]:
        """Return the lines where the functions of this module begin that are called."""
        lines: set[int] = set()

        def called(frame: Any, event: str, _: Any) -> None:
            if frame.f_code.co_filename == self.module.__file__:
                lines.add(frame.f_code.co_firstlineno)

        self.forget()
        sys.settrace(called)
        try:
            run()
        finally:
            sys.settrace(None)
        return lines

    def reached(self, statement: ast.stmt) -> set[str]:
        """Return the names of all definitions that use one, itself included."""
        users = {self.names[statement]}
        while True:
            more = {
                name
                for other, name in self.names.items()
                if name not in users
                and any(isinstance(n, ast.Name) and n.id in users for n in ast.walk(other))
                and not (isinstance(other, ast.AnnAssign) and name in self.rows(users))
            }
            helpers = {n for n in more if not isinstance(self.before.get(n), Primitive)}
            if not helpers:
                return users | more
            users |= helpers

    def forget(self) -> None:
        """Empty the caches of functions."""
        for function in self.before.values():
            getattr(function, "cache_clear", lambda: None)()

    def rows(self, names: set[str]) -> list[Primitive]:
        return [self.before[n] for n in names if isinstance(self.before.get(n), Primitive)]


EXPANDED = (*expansion.EXPANSIONS, *expansion.MOVING, elementwise.astype, elementwise.round)
FUNCTION = ("__code__", "__defaults__", "__kwdefaults__")
PARTS = [part for part in Primitive.__slots__ if part not in ("name", "arity")]


def same(x: Any, y: Any, atol: float = 1e-12) -> bool:
    x, y = np.asarray(x), np.asarray(y)
    return x.shape == y.shape and np.allclose(x, y, 1e-9, atol, equal_nan=True)


def special_points(primitive: Primitive) -> Any:
    return np.array(list(itertools.product(SPECIAL, repeat=len(primitive.rules)))).T


def derivatives(case: Any) -> Any:
    """Return the value and the vector-Jacobian products of a case, twice over."""
    rng = np.random.default_rng(0)
    out, pull = vjp(case, *case.moving)
    g = rng.normal(size=np.shape(out)) if np.shape(out) else float(rng.normal())
    return [out, *pull(g)]


def faults(primitive: Primitive, known: dict[str, Any]) -> Iterator[str]:
    """Yield what a test would see; nothing where the primitive works."""
    if false_facts(primitive):
        yield "a fact"
    for case in (c for c in CASES if c.primitive is primitive):
        found = derivatives(case)
        if not all(map(same, found, known[case.name])):
            yield "a derivative"
        narrow = [x if type(x) is float else Value(x.astype(np.float32)) for x in case.moving]
        if not all(type(x) is float for x in narrow):
            out = case(*narrow)
            if out.dtype != known[f"{case.name} type"]:
                yield "a type"
        check_gradients(case, *case.moving, order=2)
        if primitive.into is not None and np.shape(found[0]):
            out = np.full(np.shape(found[0]), np.nan)
            primitive.into(*case.inputs, out, **case.params)
            if not same(out, found[0]):
                yield "a kernel for arrays"
    if primitive.scalar is not None:
        if not same(scalars(primitive), known[f"{primitive.name} special"], 0.0):
            yield "a kernel for numbers"
        for part in (slopes, second_slopes, masked_slopes):
            if not same(part(primitive), known[f"{primitive.name} {part.__name__}"], 0.0):
                yield "a convention"


def scalars(primitive: Primitive) -> Any:
    """Return what a kernel gives at special points, as arrays have it where it raises."""
    params = {"decimals": 0} if primitive.name == "round" else {}
    params |= {"dtype": np.dtype(float)} if primitive.name == "astype" else {}
    points = special_points(primitive)
    forward = np.broadcast_to(primitive.forward(*points, **params), points.shape[1])
    found = []
    for point, expected in zip(points.T.tolist(), forward, strict=True):
        try:
            found.append(float(primitive.scalar(*point)))  # type: ignore[misc]
        except (ArithmeticError, ValueError, TypeError):  # or a complex number
            found.append(expected)
    return np.array([forward, found])


def faults_of_machine_code(primitive: Primitive) -> Iterator[str]:
    """Yield whether a kernel as Numba compiles it, which never raises, differs from `forward`."""
    if has_numba() and isinstance(primitive.scalar, FunctionType):
        kernel = importlib.import_module("numba").njit(**OPTIONS)(primitive.scalar)
        forward, _ = scalars(primitive)
        found = [kernel(*point) for point in special_points(primitive).T.tolist()]
        if not same(found, forward, 0.0):
            yield "machine code"


def slopes(primitive: Primitive) -> Any:
    params = {"decimals": 0} if primitive.name == "round" else {}
    params |= {"dtype": np.dtype(float)} if primitive.name == "astype" else {}
    points = special_points(primitive)
    _, pull = vjp(lambda *x: primitive(*x, **params), *points)
    return np.array(pull(np.linspace(0.5, 2.0, points.shape[1])))


def second_slopes(primitive: Primitive) -> Any:
    params = {"decimals": 0} if primitive.name == "round" else {}
    params |= {"dtype": np.dtype(float)} if primitive.name == "astype" else {}
    points = special_points(primitive)
    weights = np.linspace(0.5, 2.0, points.shape[1])

    def first(*x: Any) -> Any:
        _, pull = vjp(lambda *x: primitive(*x, **params), *x)
        return sum(np.sin(d) for d in pull(weights))

    _, pull = vjp(first, *points)
    return np.array(pull(weights))


def masked_slopes(primitive: Primitive) -> Any:
    """Return slopes by way of 1 / x, half of which a mask leaves out."""
    params = {"decimals": 0} if primitive.name == "round" else {}
    params |= {"dtype": np.dtype(float)} if primitive.name == "astype" else {}
    points = special_points(primitive)
    mask = np.arange(points.shape[1]) % 2 == 0

    def masked(*x: Any) -> Any:
        return np.where(mask, primitive(*[1.0 / each for each in x], **params), 0.0)

    _, pull = vjp(masked, *points)
    return np.array(pull(np.linspace(0.5, 2.0, points.shape[1])))


def expanded(case: Any) -> Any:
    """Return the value of a case, computed one number at a time."""
    return executor_of(case, *case.moving, compiled=False)(list(case.moving))[0]


def made_by(old: CodeType, new: CodeType) -> list[tuple[Any, str, Any]]:
    """Return the functions that one of this code has made, with what a mutant makes of theirs."""
    inner = [[c for c in code.co_consts if isinstance(c, CodeType)] for code in (old, new)]
    if len(inner[0]) != len(inner[1]):
        return []
    become = dict(zip(*inner, strict=True))
    made = [f for f in gc.get_objects() if type(f) is FunctionType and f.__code__ in become]
    return [(f, "__code__", become[f.__code__]) for f in made]


def changes(module: Module, statement: ast.stmt, code: Any) -> list[tuple[Any, str, Any]]:
    """Return what the mutant sets: an object, the name of its attribute, and what it becomes."""
    space = {k: v for k, v in module.before.items() if k.startswith("__")}
    exec(code, space)
    name = module.names[statement]
    primitives = {k: v for k, v in module.before.items() if isinstance(v, Primitive)}
    inside = [node for node in ast.walk(statement) if isinstance(node, ast.FunctionDef)]
    if "." in name:
        owner, method = name.split(".")
        old, new = (vars(found[owner])[method] for found in (module.before, space))
        old, new = (getattr(f, "fget", f) for f in (old, new))
        return [(old, part, getattr(new, part)) for part in FUNCTION]
    itself = []  # which other modules may have imported
    if isinstance(statement, ast.FunctionDef):
        old, new = inspect.unwrap(module.before[name]), inspect.unwrap(space[name])
        itself = [(old, part, getattr(new, part)) for part in FUNCTION]
        if len(inside) > 1:
            itself += made_by(old.__code__, new.__code__)
    if inside == [statement]:
        return itself
    if not module.in_table and isinstance(statement, ast.AnnAssign):
        return [(module.module, name, space[name])]
    made = {n: space[n] for n in primitives}
    space.update(primitives)
    if module.short == "expansion":
        return [(module.module, "EXPANSIONS", space["EXPANSIONS"])]
    reached = module.rows(module.reached(statement)) if inside else [module.before[name]]
    return itself + [
        (primitive, part, getattr(made[n], part))
        for n, primitive in primitives.items()
        if primitive in reached
        for part in PARTS
    ]


class Trials:
    """What may notice mutants of one module: cases, and tests, each with what it calls."""

    def __init__(self, name: str, known: dict[str, Any], selected: Callable[[str], bool]) -> None:
        self.module, self.known, self.selected = Module(name), known, selected
        self.cases = [
            (case, self.module.entered(lambda case=case: self.run(case)))
            for case in CASES
            if name != "expansion" or case.primitive in EXPANDED
        ]
        self.failed = False

    def run(self, case: Any) -> Any:
        return expanded(case) if self.module.short == "expansion" else derivatives(case)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed |= report.failed

    def pytest_runtestloop(self, session: Any) -> bool:
        """Run the tests of this session once, then each mutant against those that call it."""
        called = [
            (item, self.module.entered(lambda item=item: self.passes(item)))
            for item in session.items
        ]
        name = self.module.short
        tried = lived = equivalent = 0
        place = Path(__file__).with_name("equivalent_mutants.txt")
        listed = {x for x in place.read_text().splitlines() if x.startswith(f"{name} ")}
        outdated = set(listed)
        for statement, node, text, compiled in self.module.mutants():
            full = f"{name} {self.module.names[statement]}: {text}"
            outdated.discard(full)
            if not self.selected(full):
                continue
            tried += 1
            line = self.module.function_of(node, statement)
            tests = [item for item, lines in called if not line or line in lines]
            if self.killed(statement, line, compiled(), tests):
                continue
            if full in listed:
                equivalent += 1
            else:
                lived += 1
                at = getattr(node, "lineno", statement.lineno)
                report(f"{name}:{at} {self.module.names[statement]}: {text}")
        report(f"{name}: {tried} tried, {equivalent} equivalent, live and not listed: {lived}")
        for full in sorted(outdated):
            report(f"listed as equivalent, but no mutant: {full}")
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for primitive in self.module.rows(set(self.module.before)):
                for fault in faults(primitive, self.known):
                    report(f"{primitive.name} shows {fault} without any mutant")
        return True

    def fails(self, item: Any) -> bool:
        """Run a test; tell whether it fails."""
        self.failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return self.failed

    def passes(self, item: Any) -> None:
        if self.fails(item):
            report(f"{item.nodeid} fails without any mutant")

    def killed(self, statement: ast.stmt, line: int, code: Any, tests: list[Any]) -> str:
        """Return what noticed the mutant; "" for one that lives."""
        signal.setitimer(signal.ITIMER_VIRTUAL, 60)  # seconds of processor time
        old: list[tuple[Any, str, Any]] = []
        try:
            for owner, name, new in changes(self.module, statement, code):
                old.append((owner, name, getattr(owner, name, None)))
                setattr(owner, name, new)
            self.module.forget()
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = self.fault(statement, line)
            return found or next((item.name for item in tests if self.fails(item)), "")
        except Exception as error:  # noqa: BLE001
            return type(error).__name__
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            for owner, name, value in old:
                setattr(owner, name, value)
            self.module.forget()

    def fault(self, statement: ast.stmt, line: int) -> str:
        """Return what a case shows; "" where none differs from before."""
        cases = [case for case, lines in self.cases if not line or line in lines]
        if self.module.short == "expansion":
            known = ((c, expanded(c), self.known[c.name][0]) for c in cases)
            differ = (c.name for c, x, y in known if type(x) is not type(y) or not same(x, y))
            return next(differ, "")
        if not self.module.in_table:
            return ""
        rows = self.module.rows(self.module.reached(statement))
        rows += [case.primitive for case in cases if line]
        rows = list(dict.fromkeys(rows))
        found = next((f for p in rows for f in faults(p, self.known)), "")
        return found or next((f for p in rows for f in faults_of_machine_code(p)), "")


# Tests of extremes, options and errors, which cases and special points leave out: pytest's own
# arguments for each module
SUITES = {
    "elementwise": ["tests/test_special_values.py", "tests/test_structural_zeros.py",
                    "tests/test_primitives.py", "tests/test_tails.py", "-k",
                    "and_arrays_agree or operators or beside or buffers or squares or "
                    "squared_lengths or a_length or a_product or composed or 0_times or into or "
                    "angle or (LeftOut and (eager or second_order)) or "
                    "(OverAllFloats and (tanh or sigmoid or erf)) or slopes_of_each or "
                    "(agree and (sinc or erf)) or TestSinc"],
    "shapes": ["tests/test_views.py", "tests/test_primitives.py", "tests/test_convolution.py", "-k",
               "views or one_by_one or TestSlidingWindows"],
    "indexing": ["tests/test_indices.py"],
    "convolution": ["tests/test_convolution.py", "-k", "TestConvolve and not TestConvolution"],
    "expansion": ["tests/test_scalar_kernels.py", "-k",
                  "keeps_infinite or without_elements or of_nothing or change_their_type"],
    "reductions": [*[f"tests/test_products_at_extremes.py::{name}" for name in [
                       "TestProductsOfExtremes",
                       "test_running_products_have_every_gradient_that_is_representable",
                       "test_products_along_an_axis_are_those_of_each_vector",
                       "test_the_gradient_of_a_reduction_of_nothing_has_the_shape_of_nothing"]],
                   *[f"tests/test_structural_zeros.py::{name}" for name in [
                       "test_a_row_that_is_left_out_takes_nothing_from_the_others",
                       "test_a_cotangent_that_is_a_multiple_of_a_length_has_derivatives_at_"
                       "length_0",
                       "test_squared_lengths_have_the_second_derivatives_of_squares",
                       "TestLogsumexpOfNothing", "test_logsumexp_by_rows_of_which_some_are_left_"
                       "out"]],
                   "tests/test_scalar_kernels.py::test_a_reduction_keeps_infinite_numbers_apart_as_"
                   "numpy_does",
                   "tests/test_primitives.py::TestTiesShareEqually",
                   "tests/test_primitives.py::test_large_inputs_overflow_nowhere"],
    "backprop": [*[f"tests/test_{name}.py" for name in [
                       "graph", "derivatives", "changed_data", "anomaly", "value", "errors"]],
                 "tests/test_structural_zeros.py::TestCompiledPrograms",
                 "-k", "not Jax and not Orders and not Threads and not descent and not penalty and "
                       "not jvp_is_linear"],
    "structural_zeros": ["tests/test_structural_zeros.py", "-k",
                         "not compiled and not Compiled and not batches and not samples"],
    "passes": ["tests/test_passes.py"],
    **{f"functions.{name}": [
           "tests/test_numpy_functions.py", "tests/test_linear_algebra.py", "tests/test_indices.py",
           "-k", "not jax_s and not TestOperators and not Linearity and not Broadcasting"]
       for name in ["compositions", "decompositions", "products", "rearranging", "statistics"]},
    "functions.activations": ["tests/test_activations.py", "tests/test_primitives.py", "-k",
                              "not AgainstKeras"],
    "functions.windows": ["tests/test_convolution.py", "-k",
                          "TestSlidingWindows or (TestConvolve and not TestConvolution)"],
    "linear_algebra": ["tests/test_products_at_extremes.py", "tests/test_errors.py",
                       "tests/test_structural_zeros.py", "tests/test_linear_algebra.py",
                       "-k", "extremes or beside_others or misaligned or matrix or smallest or "
                       "(LeftOut and (eager or second_order))"],
    "decompositions": ["tests/test_equal_eigenvalues.py", "tests/test_structural_zeros.py",
                       "-k", "equal or Equal or Zero or determined or svd or "
                       "(LeftOut and (eager or second_order))"],
}  # fmt: skip


def known_results() -> dict[str, Any]:
    """Return what the table gives as it is."""
    known: dict[str, Any] = {}
    for case in CASES:
        known[case.name] = derivatives(case)
        narrow = [x if type(x) is float else Value(x.astype(np.float32)) for x in case.moving]
        known[f"{case.name} type"] = getattr(case(*narrow), "dtype", None)
        if case.primitive.scalar is not None:
            name = case.primitive.name
            known[f"{name} special"] = scalars(case.primitive)
            known[f"{name} slopes"] = slopes(case.primitive)
            known[f"{name} second_slopes"] = second_slopes(case.primitive)
            known[f"{name} masked_slopes"] = masked_slopes(case.primitive)
    return known


def report(line: str) -> None:
    sys.__stdout__.write(f"{line}\n")  # type: ignore[union-attr]  # pytest captures the other
    sys.__stdout__.flush()  # type: ignore[union-attr]


def timed_out(*_: Any) -> None:
    raise TimeoutError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(MODULES))
    parser.add_argument("--again", type=Path, help="an earlier report: only the mutants in it")
    given = parser.parse_args()
    listed = given.again.read_text().splitlines() if given.again else []
    again = {re.sub(r":\d+ ", " ", line, count=1) for line in listed}
    signal.signal(signal.SIGVTALRM, timed_out)
    for case in CASES:  # a kernel that writes into its inputs fails, and changes no other trial
        for x in case.inputs:
            if isinstance(x, np.ndarray):
                x.setflags(write=False)
    with np.errstate(all="ignore"):
        known = known_results()
    for name in given.modules:
        trials = Trials(name, known, lambda text: not again or text in again)
        options = ["-p", "no:cacheprovider", "-p", "no:terminal", "--capture=sys"]
        pytest.main([*options, *SUITES[name]], plugins=[trials])


if __name__ == "__main__":
    sys.exit(main())
