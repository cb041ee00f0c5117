"""What may import what, read from the import statements of both packages."""

import ast
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import autograd_core
import nn
from autograd_core import data


@cache
def modules():
    """Return the syntax tree of each module of both packages, by dotted name."""
    found = {}
    for package in (autograd_core, nn):
        root = Path(package.__file__).parent
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(name, tree):
    """Yield (module, imported name or None) for each import in a module, with absolute names."""
    is_package = any(other.startswith(f"{name}.") for other in modules())
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            source = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield (inner, None) if inner in modules() else (source, alias.name)


@cache
def all_imports():
    """Return all imports: the module, what it imports from, and the name, or None."""
    return [
        (name, source, imported)
        for name, tree in modules().items()
        for source, imported in imports(name, tree)
    ]


def imports_of_ours():
    return [(name, source) for name, source, _ in all_imports() if source in modules()]


def test_no_modules_import_each_other_in_a_circle():
    sorter = TopologicalSorter()
    for name, source in imports_of_ours():
        sorter.add(name, source)
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_the_engine_does_not_import_what_compiles_draws_explains_or_checks():
    def part(module):
        return module.split(".")[1:2]

    annexes = [part(module) for module in autograd_core.LATER.values()]
    assert ["drawing"] in annexes
    backward = [
        f"{name} imports {source}"
        for name, source in imports_of_ours()
        if name.startswith("autograd_core.")
        if part(name) not in annexes and part(source) in annexes
    ]
    assert backward == []


def top(tree):
    """Return the statements of a module itself, and those that are for the type checker only."""
    asides = [node for node in tree.body if isinstance(node, ast.If)]
    for_checker = [node for node in asides if ast.unparse(node.test) == "TYPE_CHECKING"]
    return [*tree.body, *(inner for node in for_checker for inner in node.body)]


def test_imports_stand_at_the_top_of_modules():
    nested = [
        f"{name}, line {node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in top(tree)
    ]
    assert nested == []


def test_nn_imports_public_names_and_types_of_autograd_core_only():
    types = [name for name in vars(data) if name[0].isupper()]
    public = {"autograd_core": [None, *autograd_core.__all__], "autograd_core.data": types}
    private = [
        f"{name} imports {imported} from {source}"
        for name, source, imported in all_imports()
        if name.split(".")[0] == "nn" and source.split(".")[0] == "autograd_core"
        if imported not in public.get(source, [])
    ]
    assert private == []


@pytest.mark.parametrize(
    ("package", "needs"), [("autograd_core", {"graphviz"}), ("nn", {"safetensors", "tqdm"})]
)
def test_what_is_installed_along_is_enough(package, needs):
    allowed = {"numpy", "autograd_core", "nn"} | needs | sys.stdlib_module_names
    foreign = [
        f"{name} imports {source}"
        for name, source, _ in all_imports()
        if name.split(".")[0] == package and source.split(".")[0] not in allowed
    ]
    assert foreign == []
