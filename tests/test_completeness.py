"""Primitives x what computes with them: the documented table is true, and gaps are decisions."""

import importlib
import re
from pathlib import Path

import pytest
from cases import CASES, POINTWISE
from scalar_programs import program_of

from autograd_core.diagnosis import sizes, zeros
from autograd_core.drawing import page
from autograd_core.explanation import formulas
from autograd_core.program.lowering import lowered

HOOKS = Path(__file__).resolve().parents[1] / "docs" / "hooks"
ELEMENTWISE = {row[0].primitive for row in POINTWISE}
# What does not work for elementwise primitives, by column
GAPS = {
    "numbers": {"sinc_derivative"},
    "page": {"sinc", "sinc_derivative", "astype"},
    "ONNX": {
        *("arctan2", "cbrt", "floor_divide", "hypot", "logaddexp2", "mod", "power_log"),
        *("sinc", "sinc_derivative"),
    },
    "batch": set(),
}


@pytest.fixture(scope="module")
def hook():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HOOKS)
        yield importlib.import_module("primitives")


@pytest.mark.parametrize("column", GAPS)
def test_every_elementwise_primitive_works_everywhere_but_for_known_gaps(hook, column):
    found = {p.name for p in ELEMENTWISE if hook.works(p)[column] in (hook.NO, "one by one")}
    assert found == GAPS[column]


def test_programs_of_numbers_have_what_the_table_says(hook):
    cases = {case.primitive: case for case in CASES}
    for primitive in hook.primitives():
        case = cases[primitive]
        is_lowered = lowered(program_of(case, *case.moving)) is not None
        assert is_lowered == (hook.works(primitive)["numbers"] == hook.YES), primitive


def test_only_products_of_windows_with_windows_are_batched_one_by_one(hook):
    slow = {p.name for p in hook.primitives() if hook.works(p)["batch"] == "one by one"}
    assert slow == {"match_windows"}


def test_the_table_has_a_row_for_each_primitive(hook):
    rows = hook.table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [p.name for p in hook.primitives()]
    assert hook.MARK in (HOOKS.parent / "reference" / "primitives.md").read_text(encoding="utf-8")


def test_what_formulas_findings_and_the_page_know_by_name_are_primitives(hook):
    script = Path(page.__file__).with_name("page_numbers.js").read_text(encoding="utf-8")
    kernels = re.search(r"const kernels = \{(.*?)\n\};", script, re.DOTALL)[1]
    names = {
        *re.findall(r"^  (\w+)[:,]", kernels, re.MULTILINE),
        *(*formulas.SYNTAX, *formulas.OF_A_NUMBER_ITSELF),
        *(*zeros.CUTS, *zeros.SATURATED_FROM, *sizes.FIXES),
    }
    assert "power_log" in names
    assert names - {p.name for p in hook.primitives()} == set()
