"""Curves over epochs, activation functions, and gradients layer by layer."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_core import OptionError, explained_call, grad
from autograd_core.data import Array, Tree

from .. import activations
from ..callbacks import History
from ..configuration import function_of, name_of
from ..module import Module
from .axes import BLUE, COLOURS, ORANGE, Axes, axes_or_new, ink


@explained_call
def learning_curves(
    history: History | Mapping[str, Sequence[float]], figure: str = "loss", ax: Axes = None
) -> Axes:
    """Draw a metric of the training and of the validation data over the epochs.

    A dot marks the epoch of the least validation loss, after which training overfits.

    Args:    history: as `fit` returns it, or a dict of lists or arrays.
             figure: "loss", or a metric such as "accuracy".
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  OptionError: there is no such figure, or no epoch. MissingPackageError: no matplotlib.
    Example: >>> ax = learning_curves({"loss": [3.0, 2.0, 1.5], "val_loss": [3.1, 2.5, 2.6]})
             >>> [line.get_label() for line in ax.get_lines()]
             ['training', 'validation', 'least: 2.5 in epoch 2']
    """
    figures: Any = getattr(history, "history", history)
    if not len(figures.get(figure, ())):
        raise OptionError(
            f"learning curves of {figure!r}",
            f"the history has {', '.join(figures) or 'no figures'}",
            "one of these, or metrics=[...] in compile",
        )
    ax = axes_or_new(ax)
    validation = figures.get(f"val_{figure}", ())
    for numbers, colour, style, label in (
        (figures[figure], BLUE, "-", "training"),
        (validation, ORANGE, "--", "validation"),
    ):
        if len(numbers):
            epochs = np.arange(1, len(numbers) + 1)
            marker = "o" if len(numbers) == 1 else None
            ax.plot(epochs, numbers, style, color=colour, label=label, marker=marker)
    if "loss" in figure and np.isfinite(validation).any():
        best = int(np.nanargmin(validation))
        label = f"least: {validation[best]:.3g} in epoch {best + 1}"
        ax.plot(best + 1, validation[best], "o", color=ORANGE, mec=ink(ax), label=label)
    if len(validation):
        ax.legend()
    ax.set(xlabel="epoch", ylabel=figure)
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


@explained_call
def activation_functions(
    functions: Tree = ("sigmoid", "tanh", "relu"),
    low: float = -4.0,
    high: float = 4.0,
    ax: Axes = None,
) -> Axes:
    """Draw activation functions, and dashed their derivatives, which `grad` computes.

    Args:    functions: a name, a function of numbers, or a list of them; see nn.activations.
             low, high: the range.
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  OptionError: an unknown name, an empty range, or softmax, which needs a whole layer.
             MissingPackageError: no matplotlib.
    Example: >>> ax = activation_functions(["tanh", "relu"])
             >>> [text.get_text() for text in ax.get_legend().get_texts()]
             ['tanh', "tanh'", 'relu', "relu'"]
    """
    several = isinstance(functions, Iterable) and not isinstance(functions, str)
    chosen = [activations.get(each) for each in (functions if several else [functions])]
    if not low < high:
        raise OptionError(f"a curve from {low} to {high}", "it has no length", "low < high")
    for function in chosen:
        if function_of(function) in activations.OF_LAYERS:
            raise OptionError(
                f"the curve of {name_of(function)}",
                "it is no function of one number, but of all outputs of a layer",
                "sigmoid, which softmax of two outputs is",
            )
    ax = axes_or_new(ax)
    ax.axhline(0.0, color=ink(ax), linewidth=0.5, alpha=0.5)
    ax.axvline(0.0, color=ink(ax), linewidth=0.5, alpha=0.5)
    points = np.linspace(low, high, 801)
    for i, function in enumerate(chosen):
        name, colour = name_of(function), COLOURS[i % len(COLOURS)]
        slopes = grad(lambda x, function=function: np.sum(function(x)))(points)
        ax.plot(points, function(points), color=colour, label=name)
        ax.plot(points, slopes, "--", color=colour, label=f"{name}'")
    ax.set(xlabel="x", xlim=(low, high))
    ax.legend()
    return ax


@explained_call
def gradient_flow(model: Module, ax: Axes = None) -> Axes:
    """Draw the mean size of the gradients in each layer, from the input to the output.

    Bars that shrink from right to left by a constant factor show vanishing gradients; bars that
    grow, exploding gradients. The scale is logarithmic.

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


def _sizes(model: Module) -> dict[str, float | None]:
    """Return the mean |gradient| of each outermost part; None where nothing has one."""
    modules = model.modules()
    outer: list[str] = []
    for name in modules:
        if name and not any(name.startswith(f"{other}.") for other in outer):
            outer.append(name)
    found: dict[str, list[Array]] = {}
    for name, parameter in model.named_parameters().items():
        part = next((other for other in outer if name.startswith(f"{other}.")), None)
        label = name if part is None else f"{part} {type(modules[part]).__name__}"
        gradient = np.ravel(parameter.grad) if parameter.has_grad else np.empty(0)
        found.setdefault(label, []).append(np.abs(gradient))
    joined = {label: np.concatenate(parts) for label, parts in found.items()}
    return {label: float(each.mean()) if each.size else None for label, each in joined.items()}
