"""Gradient flow: how large the gradients are, layer by layer."""

import math
from typing import Any

import numpy as np

from autograd_core import OptionError

from ..state import State
from .axes import BLUE, axes_or_new, ink


def gradient_flow(model: State, ax: Any = None) -> Any:
    """Draw the mean size of the gradients in each layer, from the input to the output.

    Bars that shrink from right to left by the same factor are gradients that vanish on their way
    back; bars that grow, gradients that explode. The scale is logarithmic.

    Args:    model: after loss.backward().
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  OptionError: nothing has a gradient. MissingPackageError: no matplotlib.
    Example: >>> import nn
             >>> model = nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(1)], input_shape=(2,))
             >>> model(np.ones((3, 2))).sum().backward()
             >>> ax = gradient_flow(model)
             >>> [label.get_text() for label in ax.get_xticklabels()]
             ['0 Dense', '1 Dense']
    """
    sizes = _sizes(model)
    if all(size is None for size in sizes.values()):
        raise OptionError(
            f"the gradient flow of {type(model).__name__}",
            "none of its parameters has a gradient",
            "loss.backward() first",
        )
    ax = axes_or_new(ax)
    heights = [size if size and math.isfinite(size) else math.nan for size in sizes.values()]
    places = range(len(sizes))
    ax.bar(places, heights, color=BLUE, width=0.7)
    if not np.isnan(heights).all():
        ax.set_yscale("log")
        ax.set_ylim(np.nanmin(heights) / 4, np.nanmax(heights) * 3)
    for place, size in enumerate(sizes.values()):
        text = "none" if size is None else f"{size:.1e}" if size else "0"
        height = heights[place] if math.isfinite(heights[place]) else ax.get_ylim()[0]
        ax.text(place, height, text, ha="center", va="bottom", color=ink(ax), fontsize="small")
    ax.set_xticks(places, list(sizes), rotation=30 if len(sizes) > 5 else 0)
    ax.set(xlabel="layer, from the input to the output", ylabel="mean size of the gradient")
    return ax


def _sizes(model: State) -> dict[str, float | None]:
    """Return the mean |gradient| of each outermost part; None where nothing has one."""
    modules = model.modules()
    outer: list[str] = []
    for name in modules:
        if name and not any(name.startswith(f"{other}.") for other in outer):
            outer.append(name)
    found: dict[str, list[Any]] = {}
    for name, parameter in model.named_parameters().items():
        part = next((other for other in outer if name.startswith(f"{other}.")), None)
        label = name if part is None else f"{part} {type(modules[part]).__name__}"
        gradient = np.ravel(parameter.grad) if parameter.has_grad else np.empty(0)
        found.setdefault(label, []).append(np.abs(gradient))
    joined = {label: np.concatenate(parts) for label, parts in found.items()}
    return {label: float(each.mean()) if each.size else None for label, each in joined.items()}
