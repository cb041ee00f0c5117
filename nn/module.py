"""Module: whatever has parameters, computes with them and learns."""

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial, wraps
from itertools import repeat
from operator import setitem
from types import FunctionType, MappingProxyType
from typing import Any, NoReturn, Self

import numpy as np

from autograd_core import (
    DataError,
    OptionError,
    ShapeError,
    UnsupportedError,
    Value,
    assign_all,
    explained_call,
    no_grad,
    scope,
)
from autograd_core.data import Array, Data, DType, DTypeLike, Function, Operand, Result, Shape, Tree

from . import losses, optimizers, training
from .callbacks import (
    Callback,
    CallbackList,
    EarlyStopping,
    History,
    Monitor,
    Progress,
    ReduceLROnPlateau,
    TerminateOnNaN,
    as_list,
)
from .configuration import Choice, Configured, check_choices, check_range, takes
from .data import (
    ClassWeight,
    as_array,
    as_batches,
    as_parts,
    batches,
    check_classes,
    class_weights,
    first_of,
    split_off,
    times,
    whole_number,
)
from .drawing import Description, Summary, describe, is_discarded, summarize
from .metrics import chosen
from .mistakes import check_finite, check_mode, warn
from .optimizers.base import Optimizer
from .packages import progress_bar, tqdm
from .randomness import drawing_from
from .storage.saving import load_weights, save, save_weights
from .training import CompiledStep, EpochMetrics, Metrics, SingleProcess, hold, plain

EVALUATED_AT_ONCE = 256  # samples: matters for speed and memory only


# The outermost call of a Module that is carried out now: an object of its own, or None
forward_pass: ContextVar[object] = ContextVar("forward_pass", default=None)


def _as_scope(method: Function) -> Function:
    takes_training = takes(method, "training")

    @wraps(method)
    def call(self: Module, *args: Operand, **options: Any) -> Result:
        if "training" in options and not takes_training:
            with self.in_mode(options.pop("training")):
                return call(self, *args, **options)
        if self._left_in_training:
            self._left_in_training = False
            check_mode(self)
        is_outermost = forward_pass.get() is None
        if is_outermost:
            forward_pass.set(object())
        try:
            with scope(type(self).__name__, self):
                return method(self, *args, **options)
        finally:
            if is_outermost:
                forward_pass.set(None)

    return call


# Options of Keras's compile that are written otherwise here
_COMPILE: dict[str, Function | str] = {
    "jit_compile": lambda given, _: {"jit": given is True},
    "run_eagerly": lambda given, options: {"jit": options["jit"] and not given},
    "loss_weights": "a loss of your own, which adds weighted parts",
    "weighted_metrics": "metrics=[...], which weigh all samples alike; metric(y_true, y_pred, "
    "sample_weight) of nn.metrics for a weighted one",
}
_FIT = {
    "jit": "model.compile(..., jit=True)",
    "workers": "nothing: NumPy's own threads are used",
    "use_multiprocessing": "nothing here; nn.parallel trains on several processes",
    "learning_rate": "model.compile(nn.Adam(learning_rate=...), ...)",
    "optimizer": "model.compile(optimizer=...)",
}


def _without_call(self: "Module", *_args: Operand, **_options: Any) -> NoReturn:
    """Refuse the call of a Module whose class does not say what it computes."""
    kind = type(self).__name__
    raise UnsupportedError(
        f"a call of {kind}",
        f"{kind} has no __call__, in which a Module computes",
        "def __call__(self, x) instead of forward"
        if hasattr(self, "forward")
        else "def __call__(self, x) in the class",
    )


class Module(Configured):
    """A part of a model, or a whole one, which finds its parameters among its attributes.

    A subclass assigns attributes in `__init__` and computes in `__call__`. Parameters are Values
    that were not computed from others, buffers are NumPy arrays (saved, not trained), parts are
    other Modules; lists, tuples and dicts are looked into. Attributes whose names begin with an
    underscore are left alone.

    `trainable = False` freezes a part with all parts inside it: training leaves its parameters as
    they are, without weight decay, penalties and constraints, and BatchNormalization computes as
    in evaluation. Assigning to a part inside it afterwards holds for that part.

    Raises:  OptionError: numbers, or a Value computed from others, assigned where a parameter is.
    Example: >>> from autograd_core import Value
             >>> class Line(Module):
             ...     def __init__(self):
             ...         self.slope, self.offset = Value(2.0), Value(1.0)
             ...     def __call__(self, x):
             ...         return self.slope * x + self.offset
             >>> line = Line()
             >>> line(3.0).backward()
             >>> [p.grad for p in line.parameters()]
             [3.0, 1.0]
    """

    # What a compiled step does not depend on, or reads anew
    read_anew = frozenset(
        (
            *("history", "jit", "metrics", "stop_training"),
            *("_compiled", "_generator", "_left_in_training", "_ranks"),
        )
    )

    any_attribute = True

    history: History
    training = True
    trainable = True
    # Whether its weights start for inputs around 1; None: its output is as large as its input
    expects_unit_inputs: bool | None = False
    takes_mask = False  # whether __call__ has the argument `mask`: which steps of sequences count
    optimizer: Choice = None
    loss: Choice = None
    metrics: Metrics = MappingProxyType({})  # functions of (targets, predictions), by name
    jit = False
    stop_training = False
    _left_in_training = False  # by fit, with no call of train() or eval() since
    _compiled: CompiledStep | None = None
    _ranks: Any = SingleProcess()  # those that learn together: see nn.parallel
    _generator: np.random.Generator | None = None  # a loaded model's own, to continue to the bit
    __call__: Function = _without_call

    def __init_subclass__(cls, **options: Any) -> None:
        """Make each call a scope, so that pictures of the graph can show it as one group."""
        super().__init_subclass__(**options)
        name = "forward" if hasattr(cls, "forward") else "__call__"  # which calls forward, if any
        if name in vars(cls):
            setattr(cls, name, _as_scope(vars(cls)[name]))

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("training", "trainable", "metrics", "loss", "optimizer"):
            if isinstance(vars(self).get(name), Value) and not name.startswith("_"):
                self._check_remains_parameter(name, value)
            super().__setattr__(name, value)
            return
        if name in ("training", "trainable") and not isinstance(value, bool | np.bool_):
            raise OptionError(
                f"{name} = {value!r}",
                "it decides if training changes it"
                if name == "trainable"
                else "it decides if it computes as in training",
                "True or False",
            )
        if name == "trainable":
            for part in self.inside()[0]:
                vars(part)[name] = bool(value)
            return
        if name == "metrics" and not isinstance(value, Mapping):
            value = chosen(value, self.loss)
        elif name == "loss" and isinstance(value, str):
            value = losses.get(value)
        elif name == "optimizer" and isinstance(value, str):
            value = optimizers.get(value)
        super().__setattr__(name, value)

    def _check_remains_parameter(self, name: str, value: object) -> None:
        """Refuse numbers and results where a parameter is, which would then no longer be one."""
        if vars(self)[name].primitive is not None:
            return
        is_computed = isinstance(value, Value) and value.primitive is not None
        if is_computed or isinstance(value, _NUMBERS) or _is_list_of_numbers(value):
            raise self._no_parameter(name, value)

    def _no_parameter(self, name: str, value: object) -> OptionError:
        is_computed = isinstance(value, Value)
        what = "a Value computed from others" if is_computed else f"a {type(value).__name__}"
        return OptionError(
            f"{what} assigned to the parameter {name!r} of {type(self).__name__}",
            "it would take the parameter's place, and be neither trained nor saved as one",
            f".{name}.data = ... (or .{name}.data -= ...) for new numbers; "
            f".{name} = Value(...) for another parameter",
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what copies and pickles keep: all but the compiled step."""
        return {name: value for name, value in vars(self).items() if name != "_compiled"}

    # What it consists of

    def children(self) -> dict[str, Any]:
        """Return what to look into, by name: here the attributes that are not private."""
        return {
            name: part
            for name, part in vars(self).items()
            if type(part) not in _PLAIN and not name.startswith("_")
        }

    def inside(self) -> tuple[list["Module"], list[Value]]:
        """Return this with all its parts, and all parameters, found in one walk."""
        found = [part for _, part in _walk(self)]
        parts = [part for part in found if isinstance(part, Module)]
        return parts, [part for part in found if isinstance(part, Value)]

    def modules(self) -> dict[str, "Module"]:
        """Return this and all its parts by their dotted names, itself, '', first; each once."""
        return {name: part for name, part in _walk(self) if isinstance(part, Module)}

    def named_parameters(self) -> dict[str, Value]:
        """Return all parameters by their dotted names, in the order of their definition.

        Example: >>> from nn.layers import Dense
                 >>> layer = Dense(2)
                 >>> layer.build((3,))
                 >>> {name: p.shape for name, p in layer.named_parameters().items()}
                 {'weight': (2, 3), 'bias': (2,)}
        """
        return {name: part for name, part in _walk(self) if isinstance(part, Value)}

    def parameters(self) -> list[Value]:
        """Return the parameters that are trained, in the order of their definition, each once.

        Those of frozen parts (trainable = False) are left out; `named_parameters` has all.

        Example: >>> a, b = Module(), Module()
                 >>> a.weights, a.part = {"first": Value(1.0), "second": Value(2.0)}, b
                 >>> b.weights = [Value(3.0), a.weights["first"]]
                 >>> [p.data for p in a.parameters()]
                 [1.0, 2.0, 3.0]
        """
        return self.trained(*self.inside())

    def trained(self, parts: list["Module"], parameters: list[Value]) -> list[Value]:
        """Return those of the parameters that belong to no part with trainable = False.

        Args:    parts, parameters: what `inside` has found.
        """
        own: list[tuple[str, Value]] = []
        for part in parts:
            if not part.trainable:
                others = {id(other) for other in parts if other is not part}
                _visit("", part, others, own)
        frozen = {id(value) for _, value in own}
        return [p for p in parameters if id(p) not in frozen] if frozen else parameters

    def zero_grad(self) -> None:
        """Reset every parameter's gradient to "not computed", so that the next one starts at 0.

        Example: >>> model = Module()
                 >>> model.weight = Value(2.0)
                 >>> (model.weight * 3).backward()
                 >>> model.zero_grad()
                 >>> model.weight
                 Value(data=2.0, grad=not computed)
        """
        for parameter in self.inside()[1]:
            parameter.grad = None

    def train(self, mode: bool = True) -> Self:
        """Switch to training, where dropout drops and batches normalize themselves; as created.

        Args:    mode: False: the same as `eval()`.
        Returns: itself.
        """
        for part in self.inside()[0]:
            part.training = mode
        self._left_in_training = False
        return self

    def eval(self) -> Self:
        """Switch to evaluation: no dropout, no noise, averages from training. Returns itself."""
        return self.train(False)

    def evaluating(self) -> AbstractContextManager[None]:
        """Compute as in evaluation inside a block."""
        return self.in_mode(False)

    @contextmanager
    def in_mode(self, training: bool) -> Iterator[None]:
        """Compute as in training or evaluation inside a block: what model(x, training=...) does."""
        modes = {part: part.training for part in self.inside()[0]}
        left_in_training = self._left_in_training
        self.train(training)
        try:
            yield
        finally:
            for part, mode in modes.items():
                part.training = mode
            self._left_in_training = left_in_training

    @property
    def acts_in_training(self) -> bool:
        """Whether this part itself, without the parts inside it, computes otherwise in training."""
        return False

    def penalty(self) -> Result:
        """Return what the regularizers add to the loss: a Value, or 0 where there are none.

        Those of activities add what they found in the latest call of the whole model, once for
        each time that it used the layer.
        """
        return sum([part.own_penalty() for part in self.inside()[0]])

    def own_penalty(self) -> Result:
        """Return what this part itself, without the parts inside it, adds to the loss."""
        return 0.0

    def constrain(self) -> None:
        """Hold every parameter to its constraint, as each step of an optimizer does."""
        hold(self.inside()[0])

    def constrain_own(self) -> None:
        """Hold the parameters of this part itself to their constraints."""

    # Its parameters and buffers, as files hold them

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters and buffers by name, as PyTorch names and shapes them.

        Returns: arrays in C order and this machine's byte order, the only ones that safetensors
                 and other writers of bytes take as they are; a single number has shape ().
        Example: >>> model = Module()
                 >>> model.weight = Value([1.0, 2.0])
                 >>> model.state_dict()
                 {'weight': array([1., 2.])}
        """
        return {name: _exported(part) for name, part in _walk(self) if not isinstance(part, Module)}

    def load_state_dict(self, state: Mapping[str, Operand], strict: bool = True) -> None:
        """Take over all parameters and buffers by name; where one does not fit, change nothing.

        An interrupt, too, finds all of them changed or none.

        Args:    state: arrays by name, as `state_dict` gives them.
                 strict: False passes over names that only one side has.
        Raises:  OptionError: it is no mapping, or a name is missing, or one too many. DataError:
                 text, complex numbers, dates or objects. ShapeError: another shape.
        """
        kind = type(self).__name__
        own = {name: part for name, part in _walk(self) if not isinstance(part, Module)}
        _check_names(kind, own, state, strict)
        new = {
            name: fitted(kind, name, part, state[name])
            for name, part in own.items()
            if name in state
        }
        values = {name: data for name, data in new.items() if isinstance(own[name], Value)}
        buffers = {name: data for name, data in new.items() if name not in values}
        fill = map(setitem, [own[name] for name in buffers], repeat(...), buffers.values())
        assign_all([own[name] for name in values], values.values(), fill)

    def save(self, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
        """Write weights, architecture and the state of training to one safetensors file.

        The tensors are those of `state_dict()`, so that PyTorch reads the file as it is. It is
        written beside its place first, and moved there when it is complete.

        Args:    path: of the file, "model.safetensors"; `nn.load(path)` reads it.
                 include_optimizer: False leaves out what training needs to continue.
        Raises:  OptionError: a part that cannot be described, such as a lambda. OSError: the file
                 cannot be written.
        """
        save(self, path, include_optimizer)

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write the tensors of `state_dict()` to a safetensors file, for `load_weights`.

        Raises:  OptionError: the name of another format. FileError: it cannot be written.
        """
        save_weights(self, path)

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Take over the weights of a safetensors file: one of ours, or one of PyTorch's.

        Args:    path: of a file with the tensors of `state_dict()` by name.
        Raises:  FileError: it is missing, damaged or of another kind. OptionError, ShapeError: its
                 tensors are not those of this model, which then stays as it was.
        """
        load_weights(self, path)

    # How it is built and shown

    def build(self, input_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> None:
        """Make all parameters, by computing one sample of zeros; data that come later do it, too.

        Args:    input_shape: of one sample, without the batch: (features,).
                 dtype: of the parameters, float32 or float64. Where data come first, they decide.
        Raises:  OptionError: no tuple of whole numbers from 1.
        Example: >>> from nn.layers import Dense
                 >>> layer = Dense(10)
                 >>> layer.build((784,))
                 >>> layer.weight.shape
                 (10, 784)
        """
        shape = checked_shape("input_shape", input_shape)
        # Only shapes matter of what a sample of zeros gives: a mask may leave nothing to average
        with self.evaluating(), no_grad(), np.errstate(all="ignore"):
            self(np.zeros((1, *shape), dtype))

    def count_params(self) -> int:
        """Return how many numbers its parameters have, frozen ones too."""
        return sum(math.prod(parameter.shape) for parameter in self.inside()[1])

    def summary(self) -> Summary:
        """Return a table of the layers: name, output shape, number of parameters.

        As a statement by itself, model.summary(), it prints the table.

        Example: >>> from nn import Dense, Sequential
                 >>> print(Sequential([Dense(2), Dense(1)], input_shape=(3,)).summary())
                 Sequential
                 layer      output shape    parameters
                 0 Dense    (batch, 2)               8
                 1 Dense    (batch, 1)               3
                 parameters: 11
        """
        found = summarize(self)
        if is_discarded(sys._getframe(1)):
            tqdm.write(found)
        return found

    def _drawing_(self, x: Operand = None) -> Description:
        """Return what autograd_core.draw shows of the model."""
        return describe(self, x)

    def output_mask(self, x: Operand, mask: Operand) -> Result:
        """Return the mask (batch, steps) that goes with the output; here the input's, or None."""
        return mask

    # How it learns

    @partial(explained_call, rewritten=_COMPILE)
    def compile(
        self,
        optimizer: str | Optimizer = "rmsprop",
        loss: str | Function | None = None,
        metrics: Iterable[str | Function] | None = None,
        jit: bool = False,
    ) -> None:
        """Choose the optimizer, the loss and the metrics.

        Args:    optimizer: a name, such as "adam", or an object; see nn.optimizers.
                 loss: a name or function (y_true, y_pred, sample_weight); see nn.losses. One of
                 (y_true, y_pred) may return a loss for each sample.
                 Options: functools.partial(nn.losses.huber, delta=2.0).
                 metrics: names or functions (y_true, y_pred); see nn.metrics. Where the loss has
                 from_logits=True they take the outputs for logits, too.
                 jit: compile the step of `fit` and `train_on_batch`: the same numbers, sooner. No
                 gradients are kept. Where an attribute of the model, a layer, the loss or the
                 optimizer has changed, the next step is recorded anew.
        Raises:  OptionError: no such name, or a metric named as another figure. With jit, training
                 raises TraceError if a layer or loss takes data out of the graph.
        """
        chosen_loss = losses.get(loss)
        chosen_metrics = chosen(metrics, chosen_loss)
        self.optimizer = optimizers.get(optimizer)
        self.loss, self.metrics = chosen_loss, chosen_metrics
        self.jit = jit
        self._compiled = None

    @partial(explained_call, rewritten=_FIT)
    def fit(
        self,
        x: Operand,
        y: Operand = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Callback | Iterable[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Tree = None,
        shuffle: bool = True,
        class_weight: ClassWeight | None = None,
        sample_weight: Operand = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Iterable[int] = 1,
    ) -> History:
        """Learn from data, epoch by epoch; Ctrl-C ends it after the current batch.

        Args:    x, y: arrays, lists or frames of samples and targets; or only x, an iterable of
                 batches (x, y) or (x, y, sample_weight).
                 batch_size: samples in each step: all of them for batch descent, 1 for stochastic;
                 None: 32. Of an iterable each batch is a step, in its order.
                 epochs: the number of the last epoch.
                 verbose: 0: silent; 1: a line for each epoch, and a bar for the running one; 2: the
                 lines; "auto": the bar, too, in terminals and notebooks.
                 callbacks: see nn.callbacks; several, one or None.
                 validation_split: share of the samples, the last ones, to validate with.
                 validation_data: (x, y) or (x, y, sample_weight), or an iterable of batches.
                 shuffle: see the samples of arrays in a new order in each epoch.
                 class_weight: weights of the classes in the loss, {0: 1.0, 1: 5.0}, [1.0, 5.0] or
                 "balanced"; of sequences (samples, steps), the weights of each step.
                 sample_weight: weights of the samples, (samples,).
                 initial_epoch: the number of epochs that have been learnt before.
                 steps_per_epoch: batches in each epoch, which goes on where the last one has ended;
                 None: all. With it the batches may be an iterator without end.
                 validation_steps: batches to validate with, the first ones; None: all.
                 validation_batch_size: of arrays; None: 256.
                 validation_freq: validate after every k-th epoch, or after those of a list, from 1.
        Returns: the History, whose `history` dict has lists for loss, each metric, val_loss, ...
        Raises:  OptionError: the model was not compiled, or an option out of range.
        Example: >>> import nn
                 >>> nn.set_seed(0)
                 >>> model = nn.Sequential([nn.Dense(1)])
                 >>> model.compile(nn.SGD(0.1), loss="mse")
                 >>> x, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
                 >>> history = model.fit(x, y, epochs=200, verbose=0)
                 >>> round(model.layers[0].weight.data.item(), 2)
                 2.0
        """
        self._check_compiled()
        parameters = self.inside()[1]
        self.optimizer.check_model(parameters)
        check_range("validation_split", validation_split, 0.0, 1.0)
        _check_epochs(epochs, initial_epoch)
        check_choices(shuffle=(shuffle, (True, False)), verbose=(verbose, ("auto", 0, 1, 2)))
        dtype = _dtype_of(parameters)
        if y is not None:
            x, y = as_array(x), as_array(y)
        if validation_split:
            if validation_data is not None:
                raise OptionError(
                    f"validation_split={validation_split} beside validation_data",
                    "the model is validated with one or the other",
                    "validation_data, which leaves all of x and y for training; or the split",
                )
            x, y, sample_weight, validation_data = split_off(x, y, sample_weight, validation_split)
        if class_weight is not None:
            sample_weight = self._weighed_classes(y, class_weight, sample_weight)
        callbacks = as_list(callbacks)
        if y is not None and not any(isinstance(each, TerminateOnNaN) for each in callbacks):
            check_finite(x, y, sample_weight)
        data = as_batches(x, y, sample_weight, batch_size, shuffle, dtype, steps=steps_per_epoch)
        held_out = self._held_out(
            validation_data, y, dtype, validation_batch_size, validation_steps, validation_freq
        )
        for each in callbacks:
            if isinstance(each, EarlyStopping | ReduceLROnPlateau):
                each.check_validated(held_out is not None)
            if isinstance(each, Monitor):
                each.is_validated = held_out is not None
        length = len(data) if isinstance(data, Sized) else None
        self.history = History()
        progress = Progress(length, verbose)
        listening = CallbackList([*callbacks, self.history, progress], self)
        self.stop_training = False
        validates = _after_epochs(validation_freq)
        run = range(initial_epoch, epochs)
        training.learn(self, data, held_out, listening, run, validates)
        self._left_in_training = self.training
        return self.history

    def _held_out(
        self,
        given: Tree,
        y: Operand,
        dtype: DType | None,
        batch_size: int | None,
        steps: int | None,
        freq: Operand,
    ) -> Iterable[Tree] | None:
        """Return the batches to validate with; None where there are none.

        Raises:  OptionError: an option of validation that would have no effect.
        """
        parts = as_parts(given)
        if parts is None:
            is_used = {"batch_size": False, "steps": given is not None, "freq": given is not None}
            options = {"batch_size": batch_size, "steps": steps, "freq": freq}
            for name, option in options.items():
                if not is_used[name] and option not in (None, 1):
                    raise OptionError(
                        f"validation_{name}={option!r}",
                        "it would have no effect: there are no arrays to validate with",
                        "validation_data=(x, y), or validation_split=0.2",
                    )
            return None if given is None else first_of(given, steps)
        check_finite(*parts)
        size = EVALUATED_AT_ONCE if batch_size is None else batch_size
        if y is not None:
            check_classes(as_array(y), as_array(parts[1]), self.loss)
        return first_of(as_batches(*parts, size, False, dtype), steps)

    def train_on_batch(
        self, x: Operand, y: Operand, sample_weight: Operand = None
    ) -> dict[str, float]:
        """Take one step on one batch.

        Returns: the loss, and the metrics of this batch before the step, by name.
        Raises:  OptionError: the model was not compiled.
        """
        self._check_compiled()
        parameters = self.inside()[1]
        self.optimizer.check_model(parameters)
        dtype = _dtype_of(parameters)
        weight = None if sample_weight is None else as_array(sample_weight, dtype)
        x, y = as_array(x, dtype), as_array(y, dtype)
        metrics = EpochMetrics(self.metrics)
        self.train()
        with self._drawing():
            metrics.add(*training.step(self, x, y, weight))
        return metrics.logs()

    def test_on_batch(
        self, x: Operand, y: Operand, sample_weight: Operand = None
    ) -> dict[str, float]:
        """Return the loss and the metrics of one batch by name, without learning."""
        figures: dict[str, float] = self.evaluate(
            x, y, max(len(x), 1), sample_weight=sample_weight, return_dict=True
        )
        return figures

    @explained_call
    def evaluate(
        self,
        x: Operand,
        y: Operand = None,
        batch_size: int | None = None,
        verbose: str | int = 0,
        sample_weight: Operand = None,
        return_dict: bool = False,
        steps: int | None = None,
        callbacks: Callback | Iterable[Callback] | None = None,
    ) -> Tree:
        """Measure the loss and the metrics, without learning.

        Args:    x, y, sample_weight: as in `fit`.
                 batch_size: of arrays; matters for speed and memory only. None: 256.
                 verbose: 0: silent; else a progress bar.
                 return_dict: return the figures by name.
                 steps: batches to measure, the first ones; None: all.
                 callbacks: see nn.callbacks: on_test_begin and the like.
        Returns: the loss; [loss, *metrics] if there are metrics; or a dict.
        Raises:  OptionError: the model was not compiled.
        """
        self._check_compiled()
        if y is not None:
            x, y = as_array(x), as_array(y)
            check_finite(x, y, sample_weight)
        dtype = _dtype_of(self.inside()[1])
        if steps is not None and isinstance(x, Iterator):
            x = list(first_of(x, steps))
        data = as_batches(
            x, y, sample_weight, batch_size, False, dtype, EVALUATED_AT_ONCE, "evaluate"
        )
        listening = CallbackList(as_list(callbacks), self)
        logs = training.measure(self, first_of(data, steps), listening, verbose)
        if return_dict:
            return logs
        return list(logs.values()) if self.metrics else logs["loss"]

    @explained_call
    def predict(
        self,
        x: Operand,
        batch_size: int | None = None,
        verbose: str | int = 0,
        steps: int | None = None,
        callbacks: Callback | Iterable[Callback] | None = None,
    ) -> Array:
        """Return the outputs for samples, computed as in evaluation.

        Args:    x: array, list or frame, (samples, ...).
                 batch_size: matters for speed and memory only; None: 256.
                 verbose: 0: silent; else a progress bar.
                 steps: batches to compute, the first ones; None: all.
                 callbacks: see nn.callbacks: on_predict_begin and the like.
        Returns: array, (samples, ...).
        """
        x = as_array(x, _dtype_of(self.inside()[1]))
        check_finite(x)
        size = EVALUATED_AT_ONCE if batch_size is None else batch_size
        data = first_of(batches(x, batch_size=size), steps)
        listening = CallbackList(as_list(callbacks), self)
        listening("on_predict_begin", {})
        found = []
        with self.evaluating(), no_grad():
            for i, part in enumerate(progress_bar(data, verbose)):
                listening("on_predict_batch_begin", i, {})
                found.append(plain(self(part)))
                listening("on_predict_batch_end", i, {"outputs": found[-1]})
        listening("on_predict_end", {})
        return np.concatenate(found)

    def predict_on_batch(self, x: Operand) -> Array:
        """Return the outputs for one batch, computed as in evaluation."""
        return self.predict(x, max(len(x), 1))

    def predict_classes(self, x: Operand, batch_size: int | None = None) -> Array:
        """Return the most likely class of each sample: whole numbers, (samples,).

        Where the output is one number, class 1 begins at 1/2, or at 0 if it is a logit (the model
        was compiled with a loss of from_logits=True) or a score of a hinge loss.
        """
        out = self.predict(x, batch_size)
        if out.ndim > 1 and out.shape[-1] > 1:
            return out.argmax(axis=-1)
        return (out.reshape(len(out), -1)[:, 0] > losses.decides_at(self.loss)).astype(int)

    def _check_compiled(self) -> None:
        if self.loss is None:
            raise OptionError(
                f"training or evaluation of {type(self).__name__}",
                "it has no loss to make small: it was not compiled with one",
                'model.compile(optimizer="adam", loss="mse")',
            )
        if not callable(self.loss):
            raise OptionError(
                f"loss = {self.loss!r}",
                "it is neither a name nor a function",
                '"mse", or a function (y_true, y_pred)',
            )
        if not isinstance(self.optimizer, optimizers.Optimizer):
            raise OptionError(
                f"optimizer = {self.optimizer!r}",
                "it is neither a name nor an optimizer",
                '"adam", or an object of nn.optimizers',
            )

    def _weighed_classes(
        self, y: Operand, class_weight: ClassWeight, sample_weight: Operand
    ) -> Array:
        """Return the weights of samples times those of their classes."""
        if y is None:
            raise OptionError(
                "class_weight for an iterable of batches",
                "each batch brings the weights of its own samples",
                "batches (x, y, sample_weight)",
            )
        return times(class_weights(as_array(y), class_weight, self.loss), sample_weight)

    def _require_trainable(self) -> None:
        """Refuse to learn by a rule of its own where this part is frozen.

        Raises: OptionError: trainable is False.
        """
        if not self.trainable:
            raise OptionError(
                f"learning of {type(self).__name__} with trainable=False",
                "its parameters stay as they are",
                "trainable = True before it learns",
            )

    def _drawing(self) -> AbstractContextManager[None]:
        return nullcontext() if self._generator is None else drawing_from(self._generator)


def _dtype_of(parameters: list[Value]) -> DType | None:
    """Return the type of the parameters; None while there are none, or for plain numbers."""
    return next((parameter.dtype for parameter in parameters if parameter.shape), None)


def _walk(root: Module) -> list[tuple[str, Any]]:
    """Return Modules, parameters and buffers with their dotted names; each once, even in cycles."""
    found: list[tuple[str, Any]] = []
    _visit("", root, set(), found)
    return found


def _visit(name: str, part: Any, seen: set[int], found: list[tuple[str, Any]]) -> None:
    if id(part) in seen:
        return
    seen.add(id(part))
    inside: Any = ()
    if isinstance(part, Module):
        found.append((name, part))
        inside = part.children().items()
    elif isinstance(part, dict):
        inside = part.items()
    elif isinstance(part, list | tuple):
        inside = enumerate(part)
    elif isinstance(part, np.ndarray) or part.primitive is None:
        found.append((name, part))
    for key, each in inside:
        if type(each) not in _PLAIN and isinstance(each, _LOOKED_INTO):
            _visit(f"{name}.{key}" if name else str(key), each, seen, found)


_NUMBERS = (int, float, np.generic, np.ndarray)
_LOOKED_INTO = (Module, Value, np.ndarray, dict, list, tuple)
# Types of most attributes: passed over quickly
_PLAIN = {int, float, str, bool, type(None), FunctionType}


def _is_list_of_numbers(value: object) -> bool:
    return isinstance(value, list | tuple) and not any(isinstance(e, Value) for e in value)


def _check_names(kind: str, own: Mapping[str, Any], state: object, strict: bool) -> None:
    if not isinstance(state, Mapping):
        raise OptionError(
            f"a {type(state).__name__} as the state of {kind}",
            "parameters and buffers are known by their names",
            "dict(zip(model.state_dict(), arrays)) for arrays in the same order",
        )
    missing, unknown = [n for n in own if n not in state], [n for n in state if n not in own]
    if strict and (missing or unknown):
        raise OptionError(
            f"a state of {len(state)} names for {kind}, which has {len(own)}",
            "; ".join(
                f"{what}: {', '.join(map(str, names))}"
                for what, names in (("missing", missing), ("unknown", unknown))
                if names
            ),
            "the state of the same model, built (model.build(input_shape)); or strict=False",
        )


def _exported(part: Operand) -> Array:
    """Return a copy of a parameter or buffer, in C order and this machine's byte order."""
    data = np.asarray(part.data if isinstance(part, Value) else part)
    return np.array(data, data.dtype.newbyteorder("="), order="C")


def _after_epochs(given: Operand) -> Callable[[int], bool]:
    """Return whether a model is validated after an epoch, by its number from 0.

    Args:    given: each so many epochs, or the numbers of some from 1.
    Raises:  OptionError: neither a count nor a list of numbers.
    """
    if isinstance(given, Iterable) and not isinstance(given, str):
        chosen_epochs = {whole_number("validation_freq", each) for each in given}
        return lambda epoch: epoch + 1 in chosen_epochs
    count = whole_number("validation_freq", given)
    return lambda epoch: (epoch + 1) % count == 0


def checked_shape(name: str, given: Operand) -> Shape:
    """Return the shape of one sample as a tuple.

    Raises: OptionError: no tuple or list of whole numbers from 1.
    """
    is_tuple = isinstance(given, tuple | list)
    if not is_tuple or not all(isinstance(n, int | np.integer) and n > 0 for n in given):
        raise OptionError(
            f"{name} = {given!r}",
            "it has the length of each axis of one sample, without the batch",
            "(features,) or (steps, features); None where lengths vary: data make the parameters",
        )
    return tuple(given)


def fitted(kind: str, name: str, part: Operand, given: Operand) -> Data:
    """Return what a parameter or buffer becomes: a number, or an array as it lies in memory now.

    Raises:  DataError, ShapeError: see `load_state_dict`.
    """
    own = part.data if isinstance(part, Value) else part  # in a compiled function it is refused
    try:
        array = np.asarray(given.data if isinstance(given, Value) else given)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists, tensors of a graph
        raise DataError(f"{name}, a {type(given).__name__}", str(error), "an array") from error
    if not np.can_cast(array.dtype, part.dtype, "same_kind"):
        raise DataError(
            f"{name} of type {array.dtype}",
            f"{kind} has it as {part.dtype}, which does not hold such data",
            f"an array of {part.dtype}",
        )
    if array.shape != part.shape:
        raise ShapeError(
            f"{name} of shape {array.shape}",
            f"{kind} has it with shape {part.shape}",
            f"an array of shape {part.shape}: the state of a model with the same sizes",
        )
    if isinstance(own, float):
        return float(array)
    if not own.flags.writeable:
        raise DataError(
            f"{name}, a buffer that is read-only",
            "buffers get their new numbers in place",
            f"{kind}.{name} = array.copy() where the model makes it",
        )
    found = np.empty_like(own)
    found[...] = array
    return found


def _check_epochs(epochs: Any, initial_epoch: Any) -> None:
    """Refuse what counts no epochs, and warn if none is left to learn.

    Raises:  OptionError: one of them is no whole number from 0.
    """
    for name, count in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        check_range(name, count, 0)
        if not isinstance(count, int | np.integer):
            raise OptionError(f"{name}={count!r}", "it counts epochs", f"{name}={int(count)}")
    if 0 < epochs <= initial_epoch:
        warn(
            "no epoch",
            f"epochs={epochs} with initial_epoch={initial_epoch}",
            "epochs is the number of the last epoch, so that none is left to learn",
            f"epochs={initial_epoch + epochs} for {epochs} more",
        )
