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
- `assign_all`: other data for several Values together, which no interrupt divides
- `sigmoid`, `relu`, `leaky_relu`, `softplus`, `erf`, `erfc`, `softmax`, `log_softmax`,
  `logsumexp`: beside NumPy's own functions, which work on Values as they are (`np.tanh(value)`)
- `convolve`, `sliding_windows`: what networks for images consist of
- `draw`, `explain`, `diagnose`, `compare_gradients`: seeing gradients, the chain rule in words,
  what is wrong with them, and with those one has found by hand
- the errors, drawn as a tree in `autograd_core.errors`; `GradientWarning` for a derivative that
  is lost; for packages on top of this one, `warn_once` at each line of the user's,
  `explained_call` and `unknown_name`, which say what to write instead of a misspelt name
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .derivatives import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .errors import (
    AnomalyError,
    AutogradError,
    CallError,
    ChangedDataError,
    DataError,
    DomainError,
    FileError,
    GradientMismatch,
    IndexRangeError,
    MissingNameError,
    MissingPackageError,
    OptionError,
    RuleError,
    ShapeError,
    TraceError,
    UnknownImportError,
    UnsupportedError,
)
from .functions.activations import (
    erf,
    erfc,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
    softplus,
)
from .functions.windows import convolve, sliding_windows
from .graph import Primitive
from .messages import GradientWarning, warn_once
from .scopes import scope
from .spellings import explained_call, unknown_name
from .value import Value, assign_all
from .watching import no_grad

if TYPE_CHECKING:
    from .checks import check_gradients, detect_anomaly
    from .comparison.compare import compare_gradients
    from .diagnosis import diagnose
    from .drawing.draw import draw, draw_dot
    from .explanation.explain import explain
    from .program.batch import batch
    from .program.compile import compile
    from .program.tracing import callback, fresh

__all__ = [
    "AnomalyError",
    "AutogradError",
    "CallError",
    "ChangedDataError",
    "DataError",
    "DomainError",
    "FileError",
    "GradientMismatch",
    "GradientWarning",
    "IndexRangeError",
    "MissingNameError",
    "MissingPackageError",
    "OptionError",
    "Primitive",
    "RuleError",
    "ShapeError",
    "TraceError",
    "UnknownImportError",
    "UnsupportedError",
    "Value",
    "assign_all",
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
    "erfc",
    "explain",
    "explained_call",
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
    "unknown_name",
    "value_and_grad",
    "vjp",
    "warn_once",
]

# Where the other names are defined. They are imported on first use: it takes as long as NumPy
LATER = {
    "batch": ".program.batch",
    "callback": ".program.tracing",
    "check_gradients": ".checks",
    "compare_gradients": ".comparison.compare",
    "compile": ".program.compile",
    "detect_anomaly": ".checks",
    "diagnose": ".diagnosis",
    "draw": ".drawing.draw",
    "draw_dot": ".drawing.draw",
    "explain": ".explanation.explain",
    "fresh": ".program.tracing",
}

# What other libraries call things that are here by another name
_ELSEWHERE = {
    **{name: f"np.{name}, which takes Values" for name in ("exp", "log", "sin", "cos", "tanh")},
    **{name: f"np.{name}, which takes Values" for name in ("sqrt", "sum", "mean", "abs", "where")},
    **dict.fromkeys(["Tensor", "Variable", "tensor", "array"], "Value(...)"),
    **{
        name: f"np.{name}, which takes Values" for name in ("stack", "concatenate", "dot", "matmul")
    },
    "cat": "np.concatenate, which takes Values",
    "manual_seed": "nn.set_seed(seed)",
    "jit": "compile",
    "vmap": "batch",
    "jacrev": "jacobian",
    "jacfwd": "jacobian",
    "elementwise_grad": "grad of a function that ends in .sum()",
    "backward": "v.backward()",
    "numpy": "numpy itself, whose functions take Values",
}


def __getattr__(name: str) -> Any:
    """Import what draws, explains, compiles or checks, when it is first asked for."""
    if name not in LATER:
        raise unknown_name(__name__, name, __all__, _ELSEWHERE)
    found = globals()[name] = getattr(import_module(LATER[name], __name__), name)
    return found


def __dir__() -> list[str]:
    """List the public names, whether they are imported already or not."""
    return __all__
