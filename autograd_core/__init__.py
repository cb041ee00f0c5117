"""Reverse-mode automatic differentiation on NumPy, made to be understood.

- `Value`: a number, or an array of numbers, that remembers how it was computed
- `Primitive`: an operation with its derivative rules; make your own
- `grad`, `value_and_grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`: derivatives as functions,
  of any order
- `gradients` with respect to Values that a number was computed from
- `compile`: a function recorded once and replayed without a graph; in it `fresh` draws random
  numbers in every call, and `callback` shows numbers to plain code; `batch`: a function of one
  sample over all of them
- `no_grad`, `detect_anomaly`, `check_gradients`, `scope`: control, checks, names for groups
- `sigmoid`, `relu`, `leaky_relu`, `softplus`, `erf`, `softmax`, `log_softmax`, `logsumexp`: beside
  NumPy's own functions, which work on Values as they are (`np.tanh(value)`)
- `convolve`, `sliding_windows`: what networks for images consist of
- `draw`, `explain`, `diagnose`, `compare_gradients`: seeing gradients, the chain rule in words,
  what is wrong with them, and with those one has found by hand
- the errors, drawn as a tree in `autograd_core.errors`
"""

from .anomaly import detect_anomaly
from .derivatives import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .drawing.draw import draw, draw_dot
from .errors import (
    AnomalyError,
    AutogradError,
    ChangedDataError,
    DataError,
    DomainError,
    FileError,
    GradientMismatch,
    IndexRangeError,
    MissingPackageError,
    OptionError,
    RuleError,
    ShapeError,
    TraceError,
    UnsupportedError,
)
from .explanation.comparison.compare import compare_gradients
from .explanation.diagnosis.diagnose import diagnose
from .explanation.explain import explain
from .functions.activations import (
    erf,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
    softplus,
)
from .functions.windows import convolve, sliding_windows
from .gradcheck import check_gradients
from .graph import Primitive
from .program.batching.batch import batch
from .program.compile import compile
from .program.tracing import callback, fresh
from .scopes import scope
from .value import Value
from .watching import no_grad

__all__ = [
    "AnomalyError",
    "AutogradError",
    "ChangedDataError",
    "DataError",
    "DomainError",
    "FileError",
    "GradientMismatch",
    "IndexRangeError",
    "MissingPackageError",
    "OptionError",
    "Primitive",
    "RuleError",
    "ShapeError",
    "TraceError",
    "UnsupportedError",
    "Value",
    "batch",
    "callback",
    "check_gradients",
    "compare_gradients",
    "compile",
    "convolve",
    "detect_anomaly",
    "diagnose",
    "draw",
    "draw_dot",
    "erf",
    "explain",
    "fresh",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "no_grad",
    "relu",
    "scope",
    "sigmoid",
    "sliding_windows",
    "softmax",
    "softplus",
    "value_and_grad",
    "vjp",
]
