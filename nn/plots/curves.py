"""Curves: figures over the epochs, activation functions with their derivatives."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import OptionError, grad

from .. import activations
from ..configuration import name_of
from ..neurons import OF_LAYERS
from .axes import BLUE, COLOURS, ORANGE, axes_or_new, ink


def learning_curves(history: Any, figure: str = "loss", ax: Any = None) -> Any:
    """Draw a figure of the training and of the validation data over the epochs.

    A dot marks the epoch of the least validation loss: what comes after is overfitting.

    Args:    history: as `fit` returns it, or a dict of lists or arrays.
             figure: "loss", or a metric such as "accuracy".
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  OptionError: there is no such figure, or no epoch. MissingPackageError: no matplotlib.
    Example: >>> ax = learning_curves({"loss": [3.0, 2.0, 1.5], "val_loss": [3.1, 2.5, 2.6]})
             >>> [line.get_label() for line in ax.get_lines()]
             ['training', 'validation', 'least: 2.5 in epoch 2']
    """
    figures = getattr(history, "history", history)
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


def activation_functions(
    functions: Any = ("sigmoid", "tanh", "relu"),
    low: float = -4.0,
    high: float = 4.0,
    ax: Any = None,
) -> Any:
    """Draw activation functions, and dashed their derivatives, which `grad` computes.

    Args:    functions: a name, a function of numbers, or a list of them; see nn.activations.
             low, high: from where to where.
             ax: matplotlib's Axes to draw on; None: new ones.
    Returns: the Axes.
    Raises:  OptionError: an unknown name, a range that is none, or softmax, which needs a whole
             layer. MissingPackageError: no matplotlib.
    Example: >>> ax = activation_functions(["tanh", "relu"])
             >>> [text.get_text() for text in ax.get_legend().get_texts()]
             ['tanh', "tanh'", 'relu', "relu'"]
    """
    several = isinstance(functions, Iterable) and not isinstance(functions, str)
    chosen = [activations.get(each) for each in (functions if several else [functions])]
    if not low < high:
        raise OptionError(f"a curve from {low} to {high}", "it has no length", "low < high")
    for function in chosen:
        if name_of(function) in OF_LAYERS:
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
