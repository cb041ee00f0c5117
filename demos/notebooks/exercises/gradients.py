"""Gradients found by hand, as answers: what compare_gradients says of the first wrong one."""

import re
from collections.abc import Sequence
from typing import Any

from autograd_core import Value, compare_gradients

# What comes after tells the right number, which the learner is to find
NUMBERS = re.compile(r"; you gave .*? it is \S+$|(: you gave [^,]*), it is [^\s;]+.*$")


def mistake_in_gradients(output: Value, names: Sequence[str], answer: Any) -> str | None:
    """Return what is wrong with the first wrong gradient, from the output back; None: nothing.

    Args:    output: the Value that is differentiated, its inputs labelled.
             names: the labels for which a gradient is asked.
             answer: a dict with a number for each of them.
    """
    if not isinstance(answer, dict):
        example = ", ".join(f'"{name}": 0.0' for name in names)
        return f"the answer is a dict with a number for each name, such as {{{example}}}"
    missing = [name for name in names if name not in answer or answer[name] is ...]
    if missing:
        return f"a gradient is missing, for {' and '.join(missing)}"
    unknown = [str(name) for name in answer if name not in names]
    if unknown:
        return f"not asked for: {' and '.join(unknown)}; asked for: {', '.join(names)}"
    for judgement in compare_gradients(output, answer):
        if not judgement.is_right:
            return NUMBERS.sub(r"\1", f"{judgement.name}: {judgement.message}")
    return None
