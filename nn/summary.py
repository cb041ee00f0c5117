"""Summary: the layers of a model as a table."""

import math
from typing import Any

import numpy as np

from .state import State


class Summary(str):
    """A text that notebooks and prompts show as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def summarize(model: State) -> Summary:
    """Return a table of a model's innermost parts: name, output shape, number of parameters.

    Example: >>> import nn
             >>> model = nn.Sequential([nn.Dense(16), nn.Dense(16), nn.Dense(10)], (784,))
             >>> summarize(model)
             Sequential
             layer      output shape    parameters
             0 Dense    (batch, 16)         12,560
             1 Dense    (batch, 16)            272
             2 Dense    (batch, 10)            170
             parameters: 13,002
    """
    rows = [("layer", "output shape", "parameters")]
    for name, part in model.modules().items():
        if len(part.modules()) == 1 and part is not model:
            rows.append((f"{name} {type(part).__name__}", _shape(part), f"{_count(part):,}"))
    widths = [max(len(row[i]) for row in rows) + 4 for i in range(2)]
    width = max(len(row[2]) for row in rows)
    lines = [f"{row[0]:{widths[0]}}{row[1]:{widths[1]}}{row[2]:>{width}}".rstrip() for row in rows]
    total = f"parameters: {_count(model):,}"
    learning = sum(math.prod(parameter.shape) for parameter in model.parameters())
    if learning != _count(model):
        total += f", of which {learning:,} are trained"
    buffers = [data for data in model.state_dict().values() if isinstance(data, np.ndarray)]
    untrained = sum(data.size for data in buffers) - _count(model)
    if untrained:
        total += f", and {untrained:,} numbers that are not trained"
    return Summary("\n".join([type(model).__name__, *lines, total]))


def _count(part: State) -> int:
    return sum(math.prod(parameter.shape) for parameter in part.named_parameters().values())


def _shape(part: Any) -> str:
    shape = getattr(part, "output_shape", None)
    return "not built yet" if shape is None else f"({', '.join(['batch', *map(str, shape)])})"
