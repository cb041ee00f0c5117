"""Element by element: arithmetic, powers, logarithms, trigonometry, rounding, comparison.

How to read a row: `g` is the cotangent of the output, `out` the output, `x` and `y` the inputs;
the first rule gives the cotangent of x, the second that of y; None: no derivative flows. `scalar`
computes the same for floats, and is the kernel of compiled programs of scalars: Numba compiles it,
so it calls nothing but operators, `math` and NumPy.

`times(g, d)` is the chain rule where d can be infinite: g * d, and 0 where g is 0, so that a
singularity behind a mask stays silent: where(x > 0, log(x), 0) has derivative 0 at x = 0.
"""

import math
import operator
from typing import Any

import numpy as np

from ..graph import Primitive
from . import special


def _times(g: Any, d: Any) -> Any:
    """Multiply, with 0 where g is 0 even if d is infinite or NaN."""
    product = np.multiply(g, d)
    if math.isfinite(np.vdot(product, product)):  # one pass; an overflow only takes the long way
        return product
    return np.where(np.equal(g, 0), product.dtype.type(0), product)


def _times_into(x: Any, y: Any, out: Any) -> None:
    np.multiply(x, y, out)
    if not math.isfinite(np.vdot(out, out)):
        np.copyto(out, 0.0, where=np.equal(x, 0))


def _power(x: Any, y: Any) -> Any:
    """Return x**y, by the operator, which is quick for whole exponents; for 0.5 the root.

    NumPy takes the root where the exponent is one number, so that -inf gives NaN and -0.0 itself;
    here it is taken for each exponent of 0.5, so that numbers alone and in arrays agree.
    """
    if not isinstance(y, np.ndarray):
        return np.sqrt(x) if y == 0.5 else x**y
    out, is_root = x**y, y == 0.5
    if is_root.any():
        np.copyto(out, np.sqrt(x), "same_kind", is_root)
    return out


def _power_into(x: Any, y: Any, out: Any) -> None:
    if isinstance(y, float) and y == 2.0:  # as the operator does
        np.square(x, out)
    else:
        out[...] = _power(x, y)


def _sigmoid_into(x: Any, out: Any) -> None:
    np.negative(x, out)
    np.exp(out, out)
    np.add(out, 1.0, out)
    np.divide(1.0, out, out)


def _tanh_slope_into(x: Any, out: Any) -> None:
    np.cosh(x, out)
    np.square(out, out)
    np.divide(1.0, out, out)


def _sigmoid_slope_into(x: Any, out: Any) -> None:
    np.multiply(x, 0.5, out)
    _tanh_slope_into(out, out)
    np.multiply(out, 0.25, out)


def _where_into(condition: Any, x: Any, y: Any, out: Any) -> None:
    np.copyto(out, y)
    np.copyto(out, x, where=np.not_equal(condition, 0))


def _mask(comparison: Any) -> Any:
    """Make a comparison give 0 and 1 in the type of its operands, so that it can be recorded."""

    def compare(x: Any, y: Any) -> Any:
        return comparison(x, y).astype((x if isinstance(x, np.ndarray) else y).dtype)

    return compare


def _where(condition: Any, x: Any, y: Any) -> Any:
    return np.where(np.not_equal(condition, 0), x, y)


# fmt: off
times: Primitive = Primitive("times", _times,
    lambda g, out, x, y: times(g, y),
    lambda g, out, x, y: times(x, g),
    scalar=lambda g, d: g * d if g else 0.0,
    into=lambda x, y, out: _times_into(x, y, out))

identity: Primitive = Primitive("identity", lambda x: x,
    lambda g, out, x: g,
    scalar=lambda x: x)

# Arithmetic
add: Primitive = Primitive("add", np.add,
    lambda g, out, x, y: g,
    lambda g, out, x, y: g,
    scalar=operator.add)
subtract: Primitive = Primitive("subtract", np.subtract,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g,
    scalar=operator.sub)
multiply: Primitive = Primitive("multiply", np.multiply,
    # times, written out for floats: half the operations of a scalar network are products
    lambda g, out, x, y: (g * y if g else 0.0) if type(g) is float else times.binary(g, y),
    lambda g, out, x, y: (g * x if g else 0.0) if type(g) is float else times.binary(g, x),
    scalar=operator.mul)
divide: Primitive = Primitive("divide", np.divide,
    lambda g, out, x, y: times(g, reciprocal(y)),
    lambda g, out, x, y: times(g, -divide(out, y)),
    scalar=operator.truediv)
floor_divide: Primitive = Primitive("floor_divide", np.floor_divide, None, None,
    scalar=operator.floordiv)
mod: Primitive = Primitive("mod", np.remainder,
    lambda g, out, x, y: g,
    lambda g, out, x, y: times(g, -floor_divide(x, y)),
    scalar=operator.mod)
power: Primitive = Primitive("power", _power,
    # 0 ** 0 is 1, with derivative 0 for the base and 0 for the exponent
    lambda g, out, x, y: times(g, times(y, power(x, y - 1))),
    lambda g, out, x, y: times(g, times(out, log(where(x, x, equal(y, 0))))),
    # As arrays are squared, and their roots taken
    scalar=lambda x, y: x * x if y == 2.0 else math.sqrt(x) if y == 0.5 else math.pow(x, y),
    into=lambda x, y, out: _power_into(x, y, out))
negative: Primitive = Primitive("negative", np.negative,
    lambda g, out, x: -g,
    scalar=operator.neg)
reciprocal: Primitive = Primitive("reciprocal", np.reciprocal,
    lambda g, out, x: times(g, -divide(out, x)),
    scalar=lambda x: 1.0 / x)
square: Primitive = Primitive("square", np.square,
    lambda g, out, x: times(g, 2 * x),
    scalar=lambda x: x * x)
absolute: Primitive = Primitive("absolute", np.absolute,
    lambda g, out, x: g * sign(x),  # 0 at 0
    scalar=abs)
hypot: Primitive = Primitive("hypot", np.hypot,
    lambda g, out, x, y: times(x, times(g, reciprocal(out))),  # 0 at (0, 0)
    lambda g, out, x, y: times(y, times(g, reciprocal(out))),
    scalar=math.hypot)

# Roots, exponentials, logarithms
sqrt: Primitive = Primitive("sqrt", np.sqrt,
    lambda g, out, x: times(g, divide(0.5, out)),
    scalar=math.sqrt)
cbrt: Primitive = Primitive("cbrt", np.cbrt,
    lambda g, out, x: times(g, divide(1 / 3, out * out)),
    scalar=np.cbrt)
exp: Primitive = Primitive("exp", np.exp,
    lambda g, out, x: times(g, out),
    scalar=math.exp)
exp2: Primitive = Primitive("exp2", np.exp2,
    lambda g, out, x: times(g, math.log(2) * out),
    scalar=np.exp2)  # Numba knows math.exp2 only since 0.63
expm1: Primitive = Primitive("expm1", np.expm1,
    lambda g, out, x: times(g, exp(x)),
    scalar=math.expm1)
log: Primitive = Primitive("log", np.log,
    lambda g, out, x: times(g, reciprocal(x)),
    scalar=math.log)
log2: Primitive = Primitive("log2", np.log2,
    lambda g, out, x: times(g, divide(1 / math.log(2), x)),
    scalar=math.log2)
log10: Primitive = Primitive("log10", np.log10,
    lambda g, out, x: times(g, divide(1 / math.log(10), x)),
    scalar=math.log10)
log1p: Primitive = Primitive("log1p", np.log1p,
    lambda g, out, x: times(g, reciprocal(1 + x)),
    scalar=math.log1p)
logaddexp: Primitive = Primitive("logaddexp", np.logaddexp,
    lambda g, out, x, y: times(g, sigmoid(x - y)),
    lambda g, out, x, y: times(g, sigmoid(y - x)),
    scalar=np.logaddexp)
logaddexp2: Primitive = Primitive("logaddexp2", np.logaddexp2,
    lambda g, out, x, y: times(g, sigmoid(math.log(2) * (x - y))),
    lambda g, out, x, y: times(g, sigmoid(math.log(2) * (y - x))),
    scalar=np.logaddexp2)

# Trigonometry
sin: Primitive = Primitive("sin", np.sin,
    lambda g, out, x: times(g, cos(x)),
    scalar=math.sin)
cos: Primitive = Primitive("cos", np.cos,
    lambda g, out, x: times(g, -sin(x)),
    scalar=math.cos)
tan: Primitive = Primitive("tan", np.tan,
    lambda g, out, x: times(g, 1 + out * out),
    scalar=math.tan)
arcsin: Primitive = Primitive("arcsin", np.arcsin,
    lambda g, out, x: times(g, reciprocal(sqrt((1 - x) * (1 + x)))),
    scalar=math.asin)
arccos: Primitive = Primitive("arccos", np.arccos,
    lambda g, out, x: times(g, -reciprocal(sqrt((1 - x) * (1 + x)))),
    scalar=math.acos)
arctan: Primitive = Primitive("arctan", np.arctan,
    lambda g, out, x: g * reciprocal(1 + x * x),
    scalar=math.atan)
arctan2: Primitive = Primitive("arctan2", np.arctan2,
    # 0 at (0, 0), where the angle is not defined
    lambda g, out, x, y: times(y, times(g, reciprocal(x * x + y * y))),
    lambda g, out, x, y: times(x, times(g, -reciprocal(x * x + y * y))),
    scalar=math.atan2)
sinc: Primitive = Primitive("sinc", np.sinc,
    # sin(pi x) / (pi x), whose derivative of order n is again smooth: see sinc_derivative
    lambda g, out, x: g * sinc_derivative(x, order=1),
    scalar=np.sinc)
sinc_derivative: Primitive = Primitive("sinc_derivative",
    lambda x, *, order: special.sinc_derivative(x, order),
    lambda g, out, x, *, order: g * sinc_derivative(x, order=order + 1))
deg2rad: Primitive = Primitive("deg2rad", np.deg2rad,
    lambda g, out, x: g * (math.pi / 180),
    scalar=math.radians)
rad2deg: Primitive = Primitive("rad2deg", np.rad2deg,
    lambda g, out, x: g * (180 / math.pi),
    scalar=math.degrees)

# Hyperbolic functions
sinh: Primitive = Primitive("sinh", np.sinh,
    lambda g, out, x: times(g, cosh(x)),
    scalar=math.sinh)
cosh: Primitive = Primitive("cosh", np.cosh,
    lambda g, out, x: times(g, sinh(x)),
    scalar=math.cosh)
tanh: Primitive = Primitive("tanh", np.tanh,
    lambda g, out, x: g * _slope(tanh_slope, x),
    scalar=math.tanh)
# The derivatives of tanh and sigmoid, exact in the tails, where their values are rounded to 1
tanh_slope: Primitive = Primitive("tanh_slope", lambda x: 1.0 / np.square(np.cosh(x)),
    lambda g, out, x: g * (-2.0 * tanh(x) * out),
    scalar=lambda x: 1.0 / math.cosh(x) ** 2,
    into=lambda x, out: _tanh_slope_into(x, out))
sigmoid_slope: Primitive = Primitive("sigmoid_slope", lambda x: 0.25 / np.square(np.cosh(0.5 * x)),
    lambda g, out, x: g * (-tanh(0.5 * x) * out),
    scalar=lambda x: 0.25 / math.cosh(0.5 * x) ** 2,
    into=lambda x, out: _sigmoid_slope_into(x, out))
arcsinh: Primitive = Primitive("arcsinh", np.arcsinh,
    lambda g, out, x: g * reciprocal(hypot(1.0, x)),
    scalar=math.asinh)
arccosh: Primitive = Primitive("arccosh", np.arccosh,
    lambda g, out, x: times(g, reciprocal(sqrt(x - 1) * sqrt(x + 1))),
    scalar=math.acosh)
arctanh: Primitive = Primitive("arctanh", np.arctanh,
    lambda g, out, x: times(g, reciprocal((1 - x) * (1 + x))),
    scalar=math.atanh)

# Activations, stable for inputs of any size
sigmoid: Primitive = Primitive("sigmoid", lambda x: _sigmoid(x),
    lambda g, out, x: g * _slope(sigmoid_slope, x),
    scalar=lambda x: 1.0 / (1.0 + math.exp(-x)),
    into=lambda x, out: _sigmoid_into(x, out))
softplus: Primitive = Primitive("softplus", lambda x: np.logaddexp(x, 0.0),
    lambda g, out, x: g * sigmoid(x),
    scalar=lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    into=lambda x, out: np.logaddexp(x, 0.0, out))
relu: Primitive = Primitive("relu", lambda x: np.maximum(x, 0.0),
    lambda g, out, x: gate(g, x),  # 0 at 0
    scalar=lambda x: x if x > 0.0 or x != x else 0.0,
    into=lambda x, out: np.maximum(x, 0.0, out=out))

gate: Primitive = Primitive("gate", lambda g, x: _times(x > 0.0, g),  # g where x > 0, elsewhere 0
    lambda g, out, x, y: gate(g, y),
    None,
    scalar=lambda g, x: g if x > 0.0 else 0.0,
    into=lambda g, x, out: _times_into(x > 0.0, g, out))

# The error function: 2 / sqrt(pi) times the integral of exp(-t^2) over t from 0 to x
erf: Primitive = Primitive("erf", special.erf,
    lambda g, out, x: g * (2 / math.sqrt(math.pi) * exp(-square(x))),
    scalar=math.erf)

# Comparison: masks of 0 and 1. Those that users see, v > 0, give plain bools
greater: Primitive = Primitive("greater", _mask(np.greater), None, None,
    scalar=lambda x, y: 1.0 if x > y else 0.0,
    into=lambda x, y, out: np.greater(x, y, out))
greater_equal: Primitive = Primitive("greater_equal", _mask(np.greater_equal), None, None,
    scalar=lambda x, y: 1.0 if x >= y else 0.0,
    into=lambda x, y, out: np.greater_equal(x, y, out))
equal: Primitive = Primitive("equal", _mask(np.equal), None, None,
    scalar=lambda x, y: 1.0 if x == y else 0.0,
    into=lambda x, y, out: np.equal(x, y, out))
where: Primitive = Primitive("where", _where,
    None,
    lambda g, out, condition, x, y: where(condition, g, 0.0),
    lambda g, out, condition, x, y: where(condition, 0.0, g),
    scalar=lambda condition, x, y: x if condition != 0.0 else y,
    into=lambda condition, x, y, out: _where_into(condition, x, y, out))
maximum: Primitive = Primitive("maximum", np.maximum,
    lambda g, out, x, y: times(share(x, y), g),
    lambda g, out, x, y: times(share(y, x), g),
    scalar=lambda x, y: x if x > y or x != x else y,
    into=lambda x, y, out: np.maximum(x, y, out=out))
minimum: Primitive = Primitive("minimum", np.minimum,
    lambda g, out, x, y: times(share(y, x), g),
    lambda g, out, x, y: times(share(x, y), g),
    scalar=lambda x, y: x if x < y or x != x else y,
    into=lambda x, y, out: np.minimum(x, y, out=out))

# Steps: derivative 0 wherever there is one
sign: Primitive = Primitive("sign", np.sign, None,
    scalar=lambda x: 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else x)
floor: Primitive = Primitive("floor", np.floor, None,
    scalar=np.floor)
ceil: Primitive = Primitive("ceil", np.ceil, None,
    scalar=np.ceil)
round: Primitive = Primitive("round", lambda x, *, decimals: np.round(x, decimals), None,
    scalar=np.rint)  # of decimals=0; the others are a rounding between two multiplications
astype: Primitive = Primitive("astype", lambda x, *, dtype: x.astype(dtype),
    lambda g, out, x, *, dtype: g,
    scalar=lambda x: x,  # programs of scalars compute in float64
    into=lambda x, out, *, dtype: np.copyto(out, x, "same_kind"))  # the sweep gives g the type of x
# fmt: on


def _slope(slope: Primitive, x: Any) -> Any:
    """Return slope(x), of a float without the overhead of a call: networks of numbers need it."""
    return slope.scalar(x) if type(x) is float and slope.scalar else slope(x)


def share(x: Any, y: Any) -> Any:
    """Return how much of the larger of x and y belongs to x: 1, 0, and 1/2 in a tie."""
    return 0.5 * (greater(x, y) + greater_equal(x, y))


def _sigmoid(x: Any) -> Any:
    with np.errstate(over="ignore"):  # exp is inf where the result is below the smallest float
        return 1 / (1 + np.exp(-x))
