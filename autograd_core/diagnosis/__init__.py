"""diagnose: why a gradient is zero, NaN, huge or missing, and why a network does not learn.

- examination: one backward sweep, the layers of a graph, and the findings that are returned
- zeros: zero and missing gradients, saturated and dead units
- sizes: NaN and inf, vanishing and exploding gradients, learning rates
- formulas: softmax twice, a reversed loss, units that stay equal
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..errors import OptionError
from ..explanation.names import parameters_of
from ..graph import Node, as_operand, plain
from ..messages import account, listed
from . import formulas, sizes, zeros
from .examination import Diagnosis, Examination, Finding, Layers, norm

# What is looked for where all numbers are finite, causes before their consequences
CAUSES: tuple[Callable[[Examination], list[Finding]], ...] = (
    zeros.unused,
    formulas.broadcast,
    formulas.one_class,
    formulas.twice,
    formulas.sign,
    formulas.normalized_away,
    formulas.identical,
    zeros.saturated,
    zeros.dead_relus,
    zeros.cut_off,
    sizes.by_layer,
    sizes.accumulated,
    formulas.removed_bias,
)


def diagnose(
    output_or_model: object,
    model: object = None,
    *,
    learning_rate: float | None = None,
    optimizer: object = None,
) -> Diagnosis:
    """Find out why gradients are zero, NaN, huge or missing, and what to write instead.

    No `.grad` and no parameter is changed. Source lines are known of what was computed inside
    `detect_anomaly()`.

    Args:    output_or_model: the loss, or another Value; or, after backward(), a model, of which
             only parameters and their gradients are examined.
             model: a Module, which gives parameters names and layers; or the Values in question:
             one, a list of them, or a dict with their names.
             learning_rate: examine whether a step of gradient descent is too large or too small.
             optimizer: the same, for its own step; by default that of a compiled model.
             In a training loop one call after the step, diagnose(loss, model, optimizer=optimizer),
             examines the loop, too: the loss is then computed anew with the new parameters.
    Returns: the findings, each with cause, place and fix, the one to fix first first. It prints,
             is a list in notebooks, and is empty, and so false, if there is nothing to report.
    Raises:  DataError: the output is not a number or array. OptionError: a learning rate without
             parameters, below 0, or together with an optimizer.
    Example: >>> from autograd_core import Value
             >>> w, x = Value(-3.0, label="w"), Value(2.0, label="x")
             >>> print(diagnose((w * x).relu()))
             1. the gradient of w and x is 0: every path to the output is cut at relu, whose \
derivative is 0 where its input is not positive
               where: relu of -6
               write: leaky_relu or softplus; or inputs, weights and a bias that make it positive
             >>> diagnose((w * x).tanh(), w)[0].cause
             'tanh is saturated: at -6 its derivative is 2.5e-05'
             >>> diagnose(w * x)
             nothing to report
    """
    if hasattr(output_or_model, "named_parameters"):
        return _of_parameters(output_or_model, _rule(output_or_model, learning_rate, optimizer))
    parameters, module = _named(model)
    rule = _rule(module, learning_rate, optimizer)
    if rule is not None and not parameters:
        raise OptionError(
            "diagnose with a learning rate, and without parameters",
            "it applies to parameters, and a graph alone does not distinguish them from data",
            "diagnose(loss, model, learning_rate=0.1), or a list of Values instead of the model",
        )
    output = as_operand(output_or_model)
    if not isinstance(output, Node) or (output.primitive is None and output not in parameters):
        return Diagnosis([zeros.untracked(output)])
    return Diagnosis(_of_graph(Examination(output, parameters, module), rule))


def _of_graph(e: Examination, rule: object) -> list[Finding]:
    found = sizes.forward(e) or sizes.backward(e)
    if found:
        return found  # whatever is computed from a NaN is NaN
    found = [finding for cause in CAUSES for finding in cause(e)]
    found += _of_loop(e.parameters, e.model, rule)
    if rule is not None:
        gradients = {p: e.cotangents[p] for p in e.parameters if p in e.cotangents}
        found += sizes.steps(e.trained(), gradients, rule, e)
    return found


def _of_parameters(model: object, rule: object) -> Diagnosis:
    """Return the findings about the gradients that the parameters of a model hold."""
    parameters, _ = _named(model)
    gradients = {p: plain(p._gradient) for p in parameters if p._gradient is not None}
    for holds, kind in ((plain, ""), (gradients.get, "the gradient of ")):
        for p, name in parameters.items():
            if not math.isfinite(norm(0.0 if holds(p) is None else holds(p))):
                cause = f"{kind}{name} holds numbers that are not finite"
                fix = "diagnose(loss, model), which names the operation behind them"
                return Diagnosis([Finding("not finite", cause, account(holds(p)), fix)])
    missing = [name for p, name in parameters.items() if p not in gradients]
    found = []
    if missing:
        names = listed(missing) if gradients else f"every parameter of {type(model).__name__}"
        cause = f"the gradient of {names} is missing: no backward() has reached it"
        fix = "loss.backward() before; diagnose(loss, model) finds why it does not get there"
        place = f"{len(missing)} of {len(parameters)} parameters"
        found.append(Finding("missing", cause, place, fix))
    layers = Layers([], model)
    layer_of = {p: layers.layer_of_leaf(p) for p in parameters}
    by_layer: dict[str, list[float]] = {}
    for p, g in gradients.items():
        by_layer.setdefault(layer_of[p], []).append(norm(g))
    zero = [layer for layer, norms in by_layer.items() if not any(norms)]
    if zero:
        cause = (
            f"the gradient of {listed(zero)} is 0: paths to the loss are cut, or it is at a minimum"
        )
        fix = "diagnose(loss, model), which finds which, and where"
        found.append(Finding("cut", cause, f"{len(zero)} of {len(by_layer)} layers", fix))
    found += sizes.compared(by_layer)
    found += _of_loop(parameters, model, rule)
    if rule is not None and gradients:
        found += sizes.steps(layer_of, gradients, rule, None)
    return Diagnosis(found)


def _of_loop(parameters: dict[Node, str], model: Any, rule: object) -> list[Finding]:
    """Return what the parameters show of the training loop that they are in, after its step."""
    found = []
    parameters = {p: name for p, name in parameters.items() if p.primitive is None}
    again = {p: name for p, name in parameters.items() if p.stepped > 1}
    if again:
        count = max(p.stepped for p in again)
        cause = (
            f"the gradient of {listed(list(again.values()))} has served {count} steps of an "
            "optimizer, and was not zeroed between them: each backward() adds to what is there"
        )
        place = f"{len(again)} of {len(parameters)} parameters"
        found.append(Finding("accumulated", cause, place, sizes.ZERO))
    trained = set(model.parameters() if hasattr(model, "parameters") else parameters)
    moved = {*getattr(rule, "slots", ()), *(p for p in parameters if p.stepped)}
    left = {
        p: name
        for p, name in parameters.items()
        if p in trained and p not in moved and p._gradient is not None
        if np.any(plain(p._gradient))
    }
    if moved.intersection(parameters) and left:
        cause = (
            f"the optimizer lacks {listed(list(left.values()))}: its steps have moved other "
            "parameters only"
        )
        place = f"{len(left)} of {len(parameters)} parameters"
        fix = "optimizer.step(model), or all parameters: model.parameters()"
        found.append(Finding("not trained", cause, place, fix))
    return found


def _named(model: object) -> tuple[dict[Node, str], object]:
    """Return parameters with their names, and the module that they belong to, if it is one."""
    if model is None:
        return {}, None
    if hasattr(model, "named_parameters"):
        return {p: p.label or name for p, name in parameters_of(model).items()}, model
    if isinstance(model, Node):
        model = [model]
    if isinstance(model, Mapping):
        pairs = list(model.items())
    elif isinstance(model, Iterable):
        pairs = [(getattr(p, "label", None) or f"parameter {i}", p) for i, p in enumerate(model)]
    else:
        pairs = [("", model)]
    for _, p in pairs:
        if not isinstance(p, Node):
            raise OptionError(
                f"a model that holds {type(p).__name__}",
                "gradients belong to Values",
                "a Module, a Value, a list of Values, or a dict of Values by name",
            )
    return {p: str(name) for name, p in pairs}, None


def _rule(model: object, learning_rate: float | None, optimizer: object) -> object:
    """Return the optimizer or learning rate to examine, or None."""
    if learning_rate is not None and optimizer is not None:
        raise OptionError(
            f"learning_rate={learning_rate} and optimizer={optimizer}",
            "an optimizer has a learning rate of its own",
            "one of them",
        )
    if learning_rate is not None:
        if not learning_rate >= 0:
            raise OptionError(
                f"learning_rate={learning_rate}",
                "it would increase the loss",
                "a number from 0, such as 0.1",
            )
        return float(learning_rate)
    if optimizer is not None and not hasattr(optimizer, "step"):
        raise OptionError(
            f"optimizer={optimizer!r}",
            "a step is taken with optimizer.step(parameters)",
            "an optimizer such as nn.SGD(0.1), or learning_rate=0.1",
        )
    return optimizer if optimizer is not None else getattr(model, "optimizer", None)
