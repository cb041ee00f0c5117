"""Optimizer: one step for all parameters, clipped, counted and interruptible."""

import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import KW_ONLY, field
from functools import partial
from itertools import repeat
from operator import setitem
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from autograd_core import OptionError, Value, assign_all, callback, explained_call
from autograd_core.data import Data, Operand, Params, Result, Tree

from .. import schedules
from ..configuration import Choice, Configured, check_flags, check_range, configured
from ..mistakes import warn
from ..settings import current


def _decaying(decay: float, options: Params) -> Params:
    """Return the learning rate that the option decay= of Keras 2 meant, by its name today."""
    return {"learning_rate": schedules.InverseTimeDecay(options["learning_rate"], 1, decay)}


Hold = Callable[[], None]
Slots: TypeAlias = dict[str, Operand]  # what is remembered of a parameter, by name


@configured
class Optimizer(Configured):
    """Moves parameters against their gradients. A subclass implements `update`.

    What it remembers of each parameter stands in `slots`; `iterations` counts the steps.

    Args:    learning_rate: a number, a schedule (see nn.schedules) or any function of the number
             of the step, from 0. It may be assigned between steps.
             weight_decay: each step first takes learning_rate * weight_decay of each parameter
             off. Keras leaves variables out that are named; here it holds for all.
             clipnorm: the norm that each parameter's gradient is held to; 0: not at all. The two
             biases of a GRU are two parameters here, and one in Keras.
             clipvalue: the size that each number of the gradients is held to.
             global_clipnorm: the norm that all gradients together are held to.
             gradient_accumulation_steps: k: only each k-th step updates, with the average of k
             gradients; zero them at every step all the same. Schedules count steps, as in Keras.
    Raises:  OptionError: a number out of its range, or more than one way of clipping.
    Example: >>> class Momentum(Optimizer):
             ...     def update(self, data, gradient, slots, learning_rate):
             ...         velocity = 0.9 * slots["velocity"] - learning_rate * gradient
             ...         slots["velocity"] = velocity
             ...         return data + velocity
             >>> optimizer, x = Momentum(0.1), Value(1.0)
             >>> for _ in range(2):
             ...     x.grad = None
             ...     (x * x).backward()
             ...     optimizer.step([x])
             >>> x.data, dict(optimizer.slots[x])
             (0.46, {'velocity': -0.34})
    """

    read_anew = frozenset(("learning_rate", "slots", "_ahead", "_iterations", "_now", "_traced"))

    slots: dict[Value, Slots] = field(init=False)
    rewritten = MappingProxyType({"decay": _decaying})
    slots_start = 0.0  # what slots hold until they are assigned
    _ahead = 0  # steps that a compiled function has yet to count

    learning_rate: Choice = 0.01
    _: KW_ONLY
    weight_decay: float | None = None
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None
    gradient_accumulation_steps: int | None = None

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):  # what each step counts and keeps
            object.__setattr__(self, name, value)
            return
        value = self._as_option(name, value)
        super().__setattr__(name, value)

    def _as_option(self, name: str, value: Operand) -> Operand:
        """Return an option as a Python number where it is one of NumPy's; check a learning rate."""
        is_rate = name == "learning_rate"
        is_one_number = is_rate and isinstance(value, np.ndarray) and not value.ndim
        if isinstance(value, np.generic) or is_one_number:
            value = value.item()  # times float32, NumPy's own would be float64
        if is_rate:
            is_model = callable(getattr(value, "parameters", None))
            if is_model or (isinstance(value, Iterable) and not isinstance(value, str)):
                raise OptionError(
                    f"{type(self).__name__} of a {type(value).__name__}",
                    "its first argument is the learning rate; the model is an argument of each "
                    "step",
                    f"optimizer = {type(self).__name__}(), then optimizer.step(model), or "
                    "optimizer.step(model.parameters())",
                )
            value = schedules.get(value)
            if not callable(value):
                check_range("learning_rate", value, 0)
        return value

    def __post_init__(self) -> None:
        check_flags(self)
        for name in ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm"):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), 0)
        count = self.gradient_accumulation_steps
        if count is not None and not (isinstance(count, int) and count >= 1):
            raise OptionError(
                f"gradient_accumulation_steps = {count!r}",
                "it counts steps",
                "a whole number from 1, or None",
            )
        names = ("clipnorm", "clipvalue", "global_clipnorm")
        clips = [name for name in names if getattr(self, name) is not None]
        if len(clips) > 1:
            raise OptionError(
                " and ".join(f"{name}={getattr(self, name)}" for name in clips),
                "gradients are clipped in one way, and which would come first is not said",
                " or ".join(clips),
            )
        self.iterations = 0
        self.slots = {}
        self._now: int | None = None  # the number of the update that is being made
        self._traced: dict[tuple[Value, str], Result] | None = None  # slots of a step that goes on

    def update(
        self, data: Operand, gradient: Operand, slots: Params, learning_rate: float
    ) -> Result:
        """Return a parameter's new data. This is what a subclass writes.

        Args:    data: the parameter's number (float) or array; it must not change in place.
                 gradient: of its shape, after clipping; it must not change in place either.
                 slots: what is remembered of this parameter, by name: zero, of the shape of the
                 data, until assigned.
                 learning_rate: that of this step. `self.updates` is its number, from 1.
        Returns: float or array, of the shape of the data.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update(...)")

    @property
    def iterations(self) -> int:
        """How many steps were taken; a compiled function reads it anew in every call."""
        count: int = current(lambda: self._iterations)
        return count

    @iterations.setter
    def iterations(self, count: int) -> None:
        self._iterations = count

    @property
    def updates(self) -> int:
        """How many updates were made; fewer than `iterations` where gradients accumulate."""
        count: int = self.at_step(int)
        return count

    def at_step(self, function: Callable[[int], Data]) -> Result:
        """Return function(t) of the number t of the update, from 1.

        A compiled step calls it anew every time, as `update` itself is called only once there.

        Example: >>> optimizer = Optimizer()
                 >>> optimizer.iterations = 2
                 >>> optimizer.at_step(lambda t: 0.9**t)
                 0.81
        """
        if self._now is not None:  # in a step that is not compiled
            return function(self._now)
        ahead = self._ahead
        count = self.gradient_accumulation_steps or 1
        return current(lambda: function((self._iterations + ahead) // count))

    def check_model(self, parameters: Iterable[Value]) -> None:
        """Refuse a model that has none of the parameters that earlier steps have moved.

        Raises:  OptionError: those belong to another model.
        """
        own = {id(parameter) for parameter in parameters}
        if self.slots and not any(id(parameter) in own for parameter in self.slots):
            raise OptionError(
                f"{type(self).__name__} after {self.iterations} steps of another model",
                "it counts steps, and remembers gradients, of parameters that are not in this one",
                "an optimizer of its own for each model",
            )

    def current_learning_rate(self) -> float:
        """Return the learning rate of the next step; schedules are asked with `iterations`.

        A compiled function reads it anew in every call.

        Example: >>> Optimizer(schedules.ExponentialDecay(0.1, 100, 0.5)).current_learning_rate()
                 0.1
        """
        rate: float = current(self._learning_rate_now)
        return rate

    def _learning_rate_now(self) -> float:
        rate = self.learning_rate
        if not callable(rate):
            return float(rate)
        found: Operand = rate(self._iterations)
        with suppress(TypeError, ValueError):  # it may be an array of one number
            found = float(found)
        check_range(f"the learning rate of step {self._iterations}", found, 0)
        return float(found)

    def slots_of(self, parameter: Value) -> Slots:
        """Return what is remembered of a parameter, by name; until assigned it is `slots_start`."""
        slots = self.slots.get(parameter)
        if not isinstance(slots, defaultdict):  # none yet, or a dict that was copied or loaded
            given, data = slots or {}, parameter.data
            start = partial(_filled, parameter, self.slots_start)
            slots = self.slots[parameter] = defaultdict(start)
            for name, slot in given.items():
                slots[name] = _fitted(slot, data) if np.shape(slot) == parameter.shape else slot
        return slots

    @explained_call
    def step(self, parameters: Tree, hold: Hold | None = None) -> None:
        """Move the parameters against their gradients, once.

        Parameters without a gradient stay as they are.

        Args:    parameters: a model, which then also holds them to its constraints; or Values.
                 hold: holds them to constraints otherwise.
        Raises:  OptionError: one of them is no Value, or was computed from others; earlier steps
                 have moved others only, of which it remembers gradients.
        Example: >>> from nn.optimizers import SGD
                 >>> x = Value(1.0)
                 >>> (x * 3).backward()
                 >>> SGD(learning_rate=0.1).step([x])
                 >>> x.data
                 0.7
        """
        if hold is not None and not callable(hold):
            raise OptionError(
                f"step() with {type(hold).__name__} as its second argument",
                "gradients are read from the parameters, and `hold` is a function",
                "loss.backward(), then step(parameters)",
            )
        if isinstance(parameters, Value) or callable(getattr(parameters, "__func__", None)):
            raise OptionError(
                f"step() of a {type(parameters).__name__}",
                "it takes several parameters, or a model",
                "step([v]) for one; step(model) or step(model.parameters())",
            )
        is_model = callable(getattr(parameters, "parameters", None))
        if is_model:
            hold = hold or parameters.constrain
        values = parameters.parameters() if is_model else parameters
        learning_rate = self.current_learning_rate()
        gradients = _gradients_of(values)
        if not gradients:
            warn(
                "no gradient",
                "step() with parameters of which none has a gradient",
                "the direction of the step is not known",
                "loss.backward() first, with a loss computed from these parameters",
            )
            return
        self._apply_plain(gradients, learning_rate, hold)

    def apply(
        self,
        gradients: dict[Value, Result],
        learning_rate: Operand = None,
        hold: Hold | None = None,
    ) -> None:
        """Move parameters against these gradients, once; a compiled function may do so, too.

        All of it, or, where it is interrupted before parameters change, nothing.

        Args:    gradients: of each parameter, of its shape and type.
                 learning_rate: of this step; None: `current_learning_rate()`.
                 hold: holds the parameters to their constraints. A compiled function leaves that to
                 its caller.
        Raises:  OptionError: gradients accumulate, or `hold` is given, inside a compiled function;
                 earlier steps have moved others only, of which it remembers gradients.
        Example: >>> from autograd_core import compile, gradients
                 >>> from nn.optimizers import SGD
                 >>> x, optimizer = Value(1.0), SGD(0.25)
                 >>> @compile
                 ... def step(target):
                 ...     loss = (x - target) ** 2
                 ...     optimizer.apply({x: gradients(loss, [x])[0]})
                 ...     return loss
                 >>> [step(3.0) for _ in range(3)], optimizer.iterations
                 ([4.0, 1.0, 0.25], 3)
        """
        if not gradients:
            return
        rate = self.current_learning_rate() if learning_rate is None else learning_rate
        if any(isinstance(gradient, Value) for gradient in gradients.values()):
            self._apply_compiled(gradients, rate, hold)
        else:
            self._apply_plain(gradients, rate, hold)

    def _apply_plain(self, gradients: dict[Value, Result], rate: float, hold: Hold | None) -> None:
        first = next(iter(gradients))
        if first not in self.slots and any(self.slots.values()):  # it remembers others
            self.check_model(gradients)
        before = self.slots_of(first)
        self.one_step(
            lambda: self._move(gradients, rate),
            lambda: self.slots.get(first) is not before,
            hold,
        )

    def _apply_compiled(
        self, gradients: dict[Value, Result], rate: Operand, hold: Hold | None
    ) -> None:
        if self.gradient_accumulation_steps or hold is not None:
            what = "hold" if hold is not None else "gradient_accumulation_steps"
            raise OptionError(
                f"apply() with {what} inside a compiled function",
                "its program moves the parameters in every call, and sees them only as they were",
                "gradients as results of the function, and apply() on them outside",
            )
        self._ahead = 1  # each call is counted when it is over
        try:
            self.trace(gradients, rate)
        finally:
            self._ahead = 0
        callback(self._count)

    def _count(self) -> None:
        self._iterations += 1

    def _move(self, gradients: dict[Value, Result], learning_rate: Operand) -> None:
        """Move parameters against plain gradients."""
        slots = {p: self.slots_of(p).copy() for p in gradients}
        self._now = self._iterations // (self.gradient_accumulation_steps or 1)
        with np.errstate(all="ignore"):
            if self.gradient_accumulation_steps:
                gradients = self._accumulated(gradients, slots)
            clipped = self._clipped(gradients)
            moved = [self._moved(p, g, slots[p], learning_rate) for p, g in clipped.items()]
        kept = map(setitem, repeat(self.slots), slots.keys(), slots.values())
        assign_all(list(clipped), moved, kept)

    def trace(self, gradients: dict[Value, Result], learning_rate: Operand) -> None:
        """Record how parameters are moved against these gradients, in a compiled function."""
        with np.errstate(all="ignore"):
            for parameter, gradient in self._clipped(gradients).items():
                self._trace(parameter, gradient, learning_rate)

    def one_step(
        self, take: Callable[[], Tree], is_taken: Callable[[], bool], hold: Hold | None
    ) -> Result:
        """Count a step and bring it to its end, also where it is interrupted; or undo the count.

        Args:    take: takes the step.
                 is_taken: returns whether parameters have changed, or it was interrupted before.
                 hold: holds parameters to their constraints.
        Returns: what `take` returns.
        """
        count = self._iterations
        has_ended = False

        def end() -> None:
            nonlocal has_ended
            taken = is_taken()
            self._iterations = count + taken
            if not taken or has_ended:
                return
            if found := self._traced:
                owners = [self.slots_of(parameter) for parameter, _ in found]
                deque(map(setitem, owners, [name for _, name in found], found.values()), 0)
            if hold is not None:
                hold()
            has_ended = True

        try:
            try:
                self._iterations, self._traced = count + 1, {}
                return take()
            finally:
                end()
        except BaseException:  # Ctrl-C, perhaps between the two
            end()
            raise
        finally:
            self._traced = self._now = None

    def keep(self, parameter: Value, name: str, slot: Data) -> None:
        """Put a slot where it belongs; of a step that is still going on, at its end."""
        if self._traced is None:
            self.slots_of(parameter)[name] = slot
        else:
            self._traced[parameter, name] = slot

    def _accumulated(
        self, gradients: dict[Value, Result], slots: dict[Value, Slots]
    ) -> dict[Value, Result]:
        """Add up gradients, and return their averages when it is time for an update, or none."""
        count = self.gradient_accumulation_steps or 1
        for parameter, gradient in gradients.items():
            own = slots[parameter]
            own["accumulated"] = own.get("accumulated", 0.0) + gradient
        if self.iterations % count:
            return {}
        for parameter in self.slots:
            if parameter not in slots:
                slots[parameter] = self.slots_of(parameter).copy()
        waiting = [p for p, own in slots.items() if "accumulated" in own]
        return {p: slots[p].pop("accumulated") / count for p in waiting}

    def _clipped(self, gradients: dict[Value, Result]) -> dict[Value, Result]:
        if self.clipnorm:
            return {p: clip_by_norm(g, self.clipnorm) for p, g in gradients.items()}
        if self.clipvalue:
            return {p: clip_by_value(g, self.clipvalue) for p, g in gradients.items()}
        if self.global_clipnorm:
            clipped = clip_by_global_norm(list(gradients.values()), self.global_clipnorm)
            return dict(zip(gradients, clipped, strict=True))
        return gradients

    def _moved(
        self, parameter: Value, gradient: Operand, slots: Params, learning_rate: float
    ) -> Result:
        """Return the new data of a parameter."""
        data = parameter.data
        new = self._updated(data, gradient, slots, learning_rate)
        if isinstance(data, float):
            return float(new)
        new = np.asarray(new, data.dtype)
        if new.shape != data.shape:
            parameter.data = new  # refuses it
        held = map(id, (data, gradient, *slots.values()))
        return new.copy("K") if new.base is not None or id(new) in held else new

    def _trace(self, parameter: Value, gradient: Value, learning_rate: Operand) -> None:
        """Record the update of a parameter, and of its slots."""
        slots = TracedSlots(self, parameter)
        new = self._updated(parameter, gradient, slots, learning_rate)
        slots.keep()
        parameter.data = new

    def _updated(
        self, data: Operand, gradient: Operand, slots: Any, learning_rate: Operand
    ) -> Result:
        if self.weight_decay:
            data = data - data * (learning_rate * self.weight_decay)
        try:
            return self.update(data, gradient, slots, learning_rate)
        except ArithmeticError:  # a float divided by 0, where an array has inf or NaN
            return data * math.nan


def _filled(parameter: Value, start: float) -> Result:
    data = parameter.data
    return start if isinstance(data, float) else np.full_like(data, start)


def _gradients_of(parameters: Iterable[Value]) -> dict[Value, Result]:
    """Return the gradients of those that have one, each once, and note that they were used."""
    found = {}
    stale = False
    for parameter in parameters:
        if not isinstance(parameter, Value) or parameter.primitive is not None:
            raise OptionError(
                f"a step of {parameter!r}",
                "it was computed from others" if isinstance(parameter, Value) else "it is no Value",
                "optimizer.step(model), or a list of the Values that it was computed from",
            )
        if parameter.has_grad and parameter not in found:
            found[parameter] = _fitted(parameter.grad, parameter.data)
            stale = stale or parameter.stepped > 0
    for parameter in found:
        parameter.stepped += 1
    if stale:
        warn(
            "stale gradients",
            "step() with gradients that an earlier step() has used: they were not zeroed",
            "backward() adds to the gradients that are there, so that old ones count again",
            "model.zero_grad() before each loss.backward(), and one step() after it",
        )
    return found


def _fitted(gradient: Operand, data: Operand) -> Result:
    """Return the gradient as plain numbers of the data's type, in the data's order in memory."""
    if isinstance(gradient, Value):
        gradient = gradient.data
    if isinstance(data, float):
        return float(gradient)
    if gradient.dtype == data.dtype and gradient.strides == data.strides:
        return gradient
    fitted = np.empty_like(data)  # one pass out of order now, instead of one for each operation
    fitted[...] = gradient
    return fitted


class TracedSlots:
    """The slots of a parameter while a step is compiled.

    What is read are Values that every replay takes from the slots; what was assigned is put there
    by every replay once `keep` was called.

    Args:    optimizer: whose slots they are.
             parameter: to which they belong.
    """

    def __init__(self, optimizer: Optimizer, parameter: Value) -> None:
        self._optimizer = optimizer
        self._parameter = parameter
        self._assigned: Slots = {}

    def __contains__(self, name: str) -> bool:
        if name in self._assigned or name in self._optimizer.slots.get(self._parameter, ()):
            return True
        raise OptionError(
            f"{name!r} in slots, inside a compiled function, before there is such a slot",
            "the answer would be frozen into the program, also for later calls",
            "slots[name] alone, which holds `slots_start` until it is assigned",
        )

    def __getitem__(self, name: str) -> Operand:
        if name not in self._assigned:
            read = current(lambda: self._optimizer.slots_of(self._parameter)[name])
            # Plain where the function itself answers a call, because a gradient is NaN
            self._assigned[name] = read if isinstance(read, Value) else Value(read)
        return self._assigned[name]

    def __setitem__(self, name: str, value: Operand) -> None:
        self._assigned[name] = value

    def keep(self) -> None:
        """Let every replay put what was assigned into the slots."""
        for name, value in self._assigned.items():
            callback(partial(self._optimizer.keep, self._parameter, name), value)


_LEAST = 1e-18  # below it, squares of float32 lose digits


def norm(gradient: Operand) -> Result:
    """Return the square root of the sum of squares, also where squares would overflow.

    Example: >>> norm(-2.0), norm(np.array([3.0, 4.0]))
             (2.0, 5.0)
    """
    if type(gradient) is float:
        return abs(gradient)
    if isinstance(gradient, Value):  # a program cannot look at the size first
        return _scaled_norm(gradient)
    with np.errstate(over="ignore", under="ignore"):
        size = float(np.linalg.norm(gradient))
        return size if _LEAST < size < math.inf else float(_scaled_norm(gradient))


def _scaled_norm(gradient: Operand) -> Result:
    """Return the norm as the largest size times the norm of the quotients, none above 1."""
    if 0 in gradient.shape:
        return 0.0
    largest = np.max(np.abs(gradient))
    unit = np.where((largest > 0.0) & (largest < math.inf), largest, 1.0)
    return unit * np.linalg.norm(gradient / unit)


def global_norm(gradients: Iterable[Operand]) -> Result:
    """Return the norm of all gradients together, as of one long vector.

    Example: >>> global_norm([2.0, np.array([3.0, 6.0])])
             7.0
    """
    norms = [norm(gradient) for gradient in gradients]
    if any(isinstance(size, Value) for size in norms):
        return _scaled_norm(np.stack(norms))
    return math.hypot(*norms)


def clip_by_value(gradient: Operand, limit: float) -> Result:
    """Return the gradient with each number held between -limit and limit.

    Example: >>> clip_by_value(np.array([-3.0, 0.5]), 1.0)
             array([-1. ,  0.5])
    """
    if type(gradient) is float:
        return min(max(gradient, -limit), limit)
    return np.clip(gradient, -limit, limit)


def clip_by_norm(gradient: Operand, limit: float) -> Result:
    """Return the gradient, made shorter where its norm exceeds the limit; its direction stays.

    Example: >>> clip_by_norm(np.array([3.0, 4.0]), 1.0)
             array([0.6, 0.8])
    """
    return gradient * _share(norm(gradient), limit)


def clip_by_global_norm(gradients: list[Operand], limit: float) -> list[Result]:
    """Return the gradients, all made shorter by the same factor where their norm exceeds the limit.

    If any is not finite, all become NaN, as in Keras.

    Example: >>> clip_by_global_norm([3.0, 4.0], 1.0)
             [0.6, 0.8]
    """
    size = global_norm(gradients)
    factor = _share(size, limit) + 0.0 * size  # NaN where the size is not finite
    return [gradient * factor for gradient in gradients]


def _share(size: Operand, limit: float) -> Result:
    """Return what a gradient of this size is multiplied by to be held to the limit."""
    if isinstance(size, Value):
        return np.where(size <= limit, 1.0, limit / size)
    return 1.0 if size <= limit else limit / size
