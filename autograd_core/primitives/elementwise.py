"""Element by element: arithmetic, powers, logarithms, trigonometry, rounding, comparison, erf.

How to read a row: `g` is the cotangent of the output, `out` the output, `x` and `y` the inputs;
the first rule gives the cotangent of x, the second that of y; None: no derivative flows. `scalar`
computes the same for floats, and is the kernel of compiled programs of scalars: Numba compiles it,
so it calls nothing but operators, `math` and NumPy.

Rules are plain products, in which 0 * inf is NaN. Where a choice has left an element out, as in
where(x > 0, log(x), 0) at x = 0, the sweep makes it 0: see structural_zeros.py. `ratio`,
`zero_times` and `power_log` hold the conventions where a derivative is a limit, or there is none.
"""

import math
import operator
from collections.abc import Callable

import numpy as np

from ..data import Array, Function, Operand, Result
from ..graph import Node, Primitive


def _ratio(x: Array, y: Array) -> Array:
    out = np.divide(x, y)
    if np.all(y):
        return out
    return np.where(np.equal(x, 0) & np.equal(y, 0), out.dtype.type(0), out)


def _zero_times(x: Array, y: Array) -> Array:
    out = np.multiply(x, y)
    return out if np.all(x) else np.where(np.equal(x, 0), out.dtype.type(0), out)


def _power_log(x: Array, y: Array, n: Array) -> Array:
    zero, out = np.equal(x, 0) & np.equal(y, y), np.power(x, y)
    pole = np.where(np.greater(y, 0), 0, np.where(np.equal(n % 2, 1), -np.inf, np.inf))
    found = np.where(np.equal(n, 0), out, np.where(zero, pole, out * np.log(x) ** n))
    return found.astype(out.dtype)


def _power_log_of_numbers(x: float, y: float, n: float) -> float:
    if n == 0.0:
        return math.pow(x, y)
    if x == 0.0 and y == y:
        return 0.0 if y > 0.0 else -math.inf if n % 2.0 == 1.0 else math.inf
    return math.pow(x, y) * math.log(x) ** n


def _power(x: Operand, y: Operand) -> Result:
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


def _sigmoid_into(x: Array, out: Array) -> None:
    np.negative(x, out)
    np.exp(out, out)
    np.add(out, 1.0, out)
    np.divide(1.0, out, out)


def _tanh_slope(x: Operand, out: Array | None = None) -> Result:
    out = np.cosh(x, out)
    array = out if isinstance(out, np.ndarray) else None
    return np.divide(1.0, np.square(out, array), array)


def _sigmoid_slope(x: Operand, out: Array | None = None) -> Result:
    out = np.cosh(x, out)
    array = out if isinstance(out, np.ndarray) else None
    return np.divide(0.5, np.add(out, 1.0, array), array)


# By exp, which takes half the time of cosh in machine code
def _tanh_slope_of_number(x: float) -> float:
    e = math.exp(-2.0 * abs(x))
    return 4.0 * e / ((1.0 + e) * (1.0 + e))


def _sigmoid_slope_of_number(x: float) -> float:
    e = math.exp(-abs(x))
    return e / ((1.0 + e) * (1.0 + e))


def _where_into(condition: Array, x: Array, y: Array, out: Array) -> None:
    np.copyto(out, y)
    np.copyto(out, x, where=np.not_equal(condition, 0))


def _mask(comparison: np.ufunc) -> Callable[[Operand, Operand], Array]:
    """Make a comparison give 0 and 1 in the type of its operands, so that it can be recorded."""

    def compare(x: Operand, y: Operand) -> Array:
        return comparison(x, y).astype((x if isinstance(x, np.ndarray) else y).dtype)

    return compare


def _where(condition: Array, x: Array, y: Array) -> Array:
    return np.where(np.not_equal(condition, 0), x, y)


def _sinc_derivative(x: Array, order: int) -> Array:
    """Differentiate sinc(x) = integral of cos(pi x t) over t from 0 to 1, `order` times.

    The n-th derivative is the integral of (pi t)^n cos(pi x t + n pi / 2): a closed form divides
    by x and cancels near 0, Gauss-Legendre quadrature does neither. Its 64 nodes resolve |x| up
    to about 30; beyond that the closed recurrence is exact.
    """
    x = np.asarray(x)
    nodes, weights = np.polynomial.legendre.leggauss(64)
    t = math.pi * (nodes + 1) / 2
    # cos(z + n pi / 2) is the real part of i^n exp(i z), exact at z = 0
    near = (1j**order * np.exp(1j * x[..., None] * t)).real @ (weights / 2 * t**order)
    with np.errstate(all="ignore"):
        # x f^(n) + n f^(n-1) = (sin(pi x) / pi)^(n), by Leibniz from x f = sin(pi x) / pi
        far = np.sinc(x)
        for n in range(1, order + 1):
            wave = math.pi ** (n - 1) * np.sin(math.pi * x + n * math.pi / 2)
            far = (wave - n * far) / x
    return np.where(np.abs(x) < 16, near, far).astype(x.dtype)


def _erf(x: Array) -> Array:
    """Return the error function of each number."""
    return _of_each(math.erf, x)


def _erfc(x: Array) -> Array:
    """Return 1 - erf(x), in which no digits cancel, of each number."""
    return _of_each(math.erfc, x)


def _of_each(function: Callable[[float], float], x: Array) -> Array:
    """Apply a function of Python's, as NumPy has none, in float64."""
    x = np.asarray(x)
    return np.fromiter(map(function, x.ravel().tolist()), x.dtype, x.size).reshape(x.shape)


# fmt: off
identity: Primitive = Primitive("identity", lambda x: x,
    lambda g, out, x: g,
    elementwise=True, linear=True,
    scalar=lambda x: x)

# Arithmetic
add: Primitive = Primitive("add", np.add,
    lambda g, out, x, y: g,
    lambda g, out, x, y: g,
    linear=True,
    scalar=operator.add)
subtract: Primitive = Primitive("subtract", np.subtract,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g,
    linear=True,
    scalar=operator.sub)
multiply: Primitive = Primitive("multiply", np.multiply,
    lambda g, out, x, y: g * y,
    lambda g, out, x, y: g * x,
    linear=True,
    scalar=operator.mul)
divide: Primitive = Primitive("divide", np.divide,
    lambda g, out, x, y: g / y,
    lambda g, out, x, y: g * -divide(out, y),
    linear=(0,),
    scalar=operator.truediv)
floor_divide: Primitive = Primitive("floor_divide", np.floor_divide, None, None,
    scalar=operator.floordiv)
mod: Primitive = Primitive("mod", np.remainder,
    lambda g, out, x, y: g,
    lambda g, out, x, y: g * -floor_divide(x, y),
    scalar=operator.mod)
power: Primitive = Primitive("power", _power,
    # 0 ** 0 is 1, with derivative 0 for the base and 0 for the exponent
    lambda g, out, x, y: g * _power_slope(x, y),
    lambda g, out, x, y: g * _power_log_or_zero(x, y),
    elementwise=True,
    # As arrays are squared, and their roots taken
    scalar=lambda x, y: x * x if y == 2.0 else math.sqrt(x) if y == 0.5 else math.pow(x, y))
# The same without the exception that its root is sqrt: at -inf it is inf, at -0.0 it is 0.0
float_power: Primitive = Primitive("float_power",
    lambda x, y: np.float_power(x, y).astype(np.result_type(x, y)),
    lambda g, out, x, y: g * _power_slope(x, y),
    lambda g, out, x, y: g * _power_log_or_zero(x, y),
    elementwise=True,
    scalar=math.pow)
# x^y log(x)^n, the derivatives of x^y by the exponent, with their limits from the right at x = 0:
# 0 for positive y, else the pole
power_log: Primitive = Primitive("power_log", _power_log,
    lambda g, out, x, y, n: g * _power_log_slope(x, y, n),
    lambda g, out, x, y, n: g * power_log(x, y, n + 1),
    None,
    elementwise=True,
    scalar=_power_log_of_numbers)
negative: Primitive = Primitive("negative", np.negative,
    lambda g, out, x: -g,
    linear=True,
    scalar=operator.neg)
reciprocal: Primitive = Primitive("reciprocal", np.reciprocal,
    lambda g, out, x: g * -divide(out, x),
    scalar=lambda x: 1.0 / x)
# x * y, and 0 where x is 0, whatever y is: as in y x^(y-1) for y = 0
zero_times: Primitive = Primitive("zero_times", _zero_times,
    lambda g, out, x, y: g * y,
    lambda g, out, x, y: zero_times(x, g),
    elementwise=True, linear=True,
    composed=lambda x, y: where(equal(x, 0.0), 0.0, x * y),
    scalar=lambda x, y: x * y if x != 0.0 else 0.0)
# x / y, and 0 where both are 0, as in the direction of a vector of length 0
ratio: Primitive = Primitive("ratio", _ratio,
    lambda g, out, x, y: g / y,
    lambda g, out, x, y: g * -divide(out, y),
    elementwise=True, linear=(0,),
    composed=lambda x, y: where(equal(x, 0.0) * equal(y, 0.0), 0.0, x / y),
    scalar=lambda x, y: x / y if x != 0.0 or y != 0.0 else 0.0)
square: Primitive = Primitive("square", np.square,
    lambda g, out, x: g * (2.0 * x),
    composed=lambda x: x * x,
    scalar=lambda x: x * x)
absolute: Primitive = Primitive("absolute", np.absolute,
    lambda g, out, x: _along(g, x, out, sign(x)),  # 0 at 0
    scalar=abs)
hypot: Primitive = Primitive("hypot", np.hypot,
    lambda g, out, x, y: _along(g, x, out, direction(x, out)),  # 0 at (0, 0)
    lambda g, out, x, y: _along(g, y, out, direction(y, out)),
    scalar=math.hypot)

# Roots, exponentials, logarithms
sqrt: Primitive = Primitive("sqrt", np.sqrt,
    lambda g, out, x: g * divide(0.5, out),
    scalar=math.sqrt)
cbrt: Primitive = Primitive("cbrt", np.cbrt,
    lambda g, out, x: g * divide(1 / 3, out * out),
    scalar=np.cbrt)
exp: Primitive = Primitive("exp", np.exp,
    lambda g, out, x: g * out,
    scalar=math.exp)
exp2: Primitive = Primitive("exp2", np.exp2,
    lambda g, out, x: g * (math.log(2) * out),
    composed=lambda x: power(2.0, x),
    scalar=np.exp2)  # Numba supports math.exp2 only since 0.63
expm1: Primitive = Primitive("expm1", np.expm1,
    lambda g, out, x: g * exp(x),
    scalar=math.expm1)
log: Primitive = Primitive("log", np.log,
    lambda g, out, x: g / x,
    scalar=math.log)
log2: Primitive = Primitive("log2", np.log2,
    lambda g, out, x: g * divide(1 / math.log(2), x),
    composed=lambda x: log(x) * (1 / math.log(2)),
    scalar=math.log2)
log10: Primitive = Primitive("log10", np.log10,
    lambda g, out, x: g * divide(1 / math.log(10), x),
    composed=lambda x: log(x) * (1 / math.log(10)),
    scalar=math.log10)
log1p: Primitive = Primitive("log1p", np.log1p,
    lambda g, out, x: g / (1 + x),
    scalar=math.log1p)
logaddexp: Primitive = Primitive("logaddexp", np.logaddexp,
    lambda g, out, x, y: g * sigmoid(x - y),  # NaN where both are the same infinity
    lambda g, out, x, y: g * sigmoid(y - x),
    scalar=np.logaddexp)
logaddexp2: Primitive = Primitive("logaddexp2", np.logaddexp2,
    lambda g, out, x, y: g * sigmoid(math.log(2) * (x - y)),
    lambda g, out, x, y: g * sigmoid(math.log(2) * (y - x)),
    scalar=np.logaddexp2)

# Trigonometry
sin: Primitive = Primitive("sin", np.sin,
    lambda g, out, x: g * cos(x),
    scalar=math.sin)
cos: Primitive = Primitive("cos", np.cos,
    lambda g, out, x: g * -sin(x),
    scalar=math.cos)
tan: Primitive = Primitive("tan", np.tan,
    lambda g, out, x: g * (1 + out * out),
    scalar=math.tan)
arcsin: Primitive = Primitive("arcsin", np.arcsin,
    lambda g, out, x: g / sqrt((1 - x) * (1 + x)),
    scalar=math.asin)
arccos: Primitive = Primitive("arccos", np.arccos,
    lambda g, out, x: -g / sqrt((1 - x) * (1 + x)),
    scalar=math.acos)
arctan: Primitive = Primitive("arctan", np.arctan,
    lambda g, out, x: g * reciprocal(1 + x * x),
    scalar=math.atan)
arctan2: Primitive = Primitive("arctan2", np.arctan2,
    # 0 at (0, 0), where the angle is not defined
    lambda g, out, x, y: g * _over_square(y, x, y),
    lambda g, out, x, y: -g * _over_square(x, x, y),
    scalar=math.atan2)
sinc: Primitive = Primitive("sinc", np.sinc,
    # sin(pi x) / (pi x), whose derivative of order n is again smooth: see sinc_derivative
    lambda g, out, x: g * sinc_derivative(x, order=1),
    elementwise=True,
    scalar=np.sinc)
sinc_derivative: Primitive = Primitive("sinc_derivative",
    lambda x, *, order: _sinc_derivative(x, order),
    lambda g, out, x, *, order: g * sinc_derivative(x, order=order + 1),
    elementwise=True)
deg2rad: Primitive = Primitive("deg2rad", np.deg2rad,
    lambda g, out, x: g * (math.pi / 180),
    linear=True,
    composed=lambda x: x * (math.pi / 180),
    scalar=math.radians)
rad2deg: Primitive = Primitive("rad2deg", np.rad2deg,
    lambda g, out, x: g * (180 / math.pi),
    linear=True,
    composed=lambda x: x * (180 / math.pi),
    scalar=math.degrees)

# Hyperbolic functions
sinh: Primitive = Primitive("sinh", np.sinh,
    lambda g, out, x: g * cosh(x),
    scalar=math.sinh)
cosh: Primitive = Primitive("cosh", np.cosh,
    lambda g, out, x: g * sinh(x),
    scalar=math.cosh)
tanh: Primitive = Primitive("tanh", np.tanh,
    lambda g, out, x: g * _slope(tanh_slope, lambda y: 1.0 - y * y, x, out),
    scalar=math.tanh)
# The derivatives of tanh and sigmoid, exact in the tails, where their values are rounded to 1
tanh_slope: Primitive = Primitive("tanh_slope", _tanh_slope,
    lambda g, out, x: g * (-2.0 * tanh(x) * out),
    elementwise=True,
    composed=lambda x: reciprocal(square(cosh(x))),
    scalar=_tanh_slope_of_number,
    into=_tanh_slope)
sigmoid_slope: Primitive = Primitive("sigmoid_slope", _sigmoid_slope,
    lambda g, out, x: g * (-tanh(0.5 * x) * out),
    elementwise=True,
    composed=lambda x: 0.5 / (cosh(x) + 1.0),
    scalar=_sigmoid_slope_of_number,
    into=_sigmoid_slope)
arcsinh: Primitive = Primitive("arcsinh", np.arcsinh,
    lambda g, out, x: g * reciprocal(hypot(1.0, x)),
    scalar=math.asinh)
arccosh: Primitive = Primitive("arccosh", np.arccosh,
    lambda g, out, x: g / (sqrt(x - 1) * sqrt(x + 1)),
    scalar=math.acosh)
arctanh: Primitive = Primitive("arctanh", np.arctanh,
    lambda g, out, x: g / ((1 - x) * (1 + x)),
    scalar=math.atanh)

# Activations, stable for inputs of any size
sigmoid: Primitive = Primitive("sigmoid", lambda x: _sigmoid(x),
    lambda g, out, x: g * _slope(sigmoid_slope, lambda y: y * (1.0 - y), x, out),
    elementwise=True,
    composed=lambda x: reciprocal(exp(-x) + 1.0),
    scalar=lambda x: 1.0 / (1.0 + math.exp(-x)),
    into=lambda x, out: _sigmoid_into(x, out))
softplus: Primitive = Primitive("softplus", lambda x: np.logaddexp(x, 0.0),
    lambda g, out, x: g * sigmoid(x),
    elementwise=True,
    scalar=lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    into=lambda x, out: np.logaddexp(x, 0.0, out))
relu: Primitive = Primitive("relu", lambda x: np.maximum(x, 0.0),
    lambda g, out, x: gate(g, x),  # 0 at 0
    elementwise=True, chooses=True,
    scalar=lambda x: x if x > 0.0 or x != x else 0.0,
    into=lambda x, out: np.maximum(x, 0.0, out=out))

# g * 1 where x > 0, else g * 0
gate: Primitive = Primitive("gate", lambda g, x: np.multiply(g, x > 0.0),
    lambda g, out, x, y: gate(g, y),
    None,
    elementwise=True, chooses=True, linear=(0,),
    composed=lambda g, x: g * greater(x, 0.0),
    scalar=lambda g, x: g * (1.0 if x > 0.0 else 0.0),
    into=lambda g, x, out: np.multiply(g, x > 0.0, out))

# The error function: 2 / sqrt(pi) times the integral of exp(-t^2) over t from 0 to x
erf: Primitive = Primitive("erf", _erf,
    lambda g, out, x: g * (2 / math.sqrt(math.pi) * exp(-square(x))),
    elementwise=True,
    scalar=math.erf)
# 1 - erf(x), exact where erf rounds to 1
erfc: Primitive = Primitive("erfc", _erfc,
    lambda g, out, x: g * (-2 / math.sqrt(math.pi) * exp(-square(x))),
    elementwise=True,
    scalar=math.erfc)

# Comparison: masks of 0 and 1. Those that users see, v > 0, give plain bools
greater: Primitive = Primitive("greater", _mask(np.greater), None, None,
    elementwise=True,
    scalar=lambda x, y: 1.0 if x > y else 0.0,
    into=lambda x, y, out: np.greater(x, y, out))
greater_equal: Primitive = Primitive("greater_equal", _mask(np.greater_equal), None, None,
    elementwise=True,
    scalar=lambda x, y: 1.0 if x >= y else 0.0,
    into=lambda x, y, out: np.greater_equal(x, y, out))
equal: Primitive = Primitive("equal", _mask(np.equal), None, None,
    elementwise=True,
    scalar=lambda x, y: 1.0 if x == y else 0.0,
    into=lambda x, y, out: np.equal(x, y, out))
where: Primitive = Primitive("where", _where,
    None,
    lambda g, out, condition, x, y: where(condition, g, 0.0),
    lambda g, out, condition, x, y: where(condition, 0.0, g),
    elementwise=True, chooses=True, linear=(1, 2),
    scalar=lambda condition, x, y: x if condition != 0.0 else y,
    into=lambda condition, x, y, out: _where_into(condition, x, y, out))
maximum: Primitive = Primitive("maximum", np.maximum,
    lambda g, out, x, y: g * share(x, y),
    lambda g, out, x, y: g * share(y, x),
    chooses=True,
    scalar=lambda x, y: x if x > y or x != x else y,
    into=lambda x, y, out: np.maximum(x, y, out=out))
minimum: Primitive = Primitive("minimum", np.minimum,
    lambda g, out, x, y: g * share(y, x),
    lambda g, out, x, y: g * share(x, y),
    chooses=True,
    scalar=lambda x, y: x if x < y or x != x else y,
    into=lambda x, y, out: np.minimum(x, y, out=out))

# Steps: derivative 0 wherever there is one
heaviside: Primitive = Primitive("heaviside", np.heaviside,
    None,
    lambda g, out, x, y: where(equal(x, 0.0), g, 0.0),  # y is the value at x = 0
    chooses=True, linear=(1,),
    composed=lambda x, y: where(equal(x, 0.0), y, 0.5 * (sign(x) + 1.0)),
    scalar=lambda x, y: 1.0 if x > 0.0 else 0.0 if x < 0.0 else y if x == 0.0 else x)
sign: Primitive = Primitive("sign", np.sign, None,
    scalar=lambda x: 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else x)
floor: Primitive = Primitive("floor", np.floor, None,
    scalar=np.floor)
ceil: Primitive = Primitive("ceil", np.ceil, None,
    scalar=np.ceil)
round: Primitive = Primitive("round", lambda x, *, decimals: np.round(x, decimals), None,
    elementwise=True,
    scalar=np.rint)  # of decimals=0; the others are a rounding between two multiplications
astype: Primitive = Primitive("astype", lambda x, *, dtype: x.astype(dtype),
    lambda g, out, x, *, dtype: g,
    elementwise=True, linear=True,
    scalar=lambda x: x,  # programs of scalars compute in float64
    into=lambda x, out, *, dtype: np.copyto(out, x, "same_kind"))  # the sweep gives g the type of x
# fmt: on


def _over_square(component: Operand, x: Operand, y: Operand) -> Result:
    """Return component / (x^2 + y^2), also where squares are no floats; 0 where both are 0."""
    if not isinstance(x, Node) and not isinstance(y, Node):
        square = x * x + y * y
        limits = np.finfo(getattr(square, "dtype", np.float64))
        if np.all((square > limits.tiny) & (square <= limits.max)):
            return component / square  # quicker than by a length, where the square is a float
    length = hypot(x, y)
    return ratio(ratio(component, length), length)


def _slope(slope: Primitive, near: Function, x: Operand, out: Operand) -> Result:
    """Return slope(x): of plain data by near(out), which is quicker, unless digits cancel there."""
    if type(x) is float:
        found = near(out)
        return found if found > 0.0625 else slope.scalar(x)  # type: ignore[misc]  # these have one
    if type(x) is not np.ndarray:
        return slope(x)
    if x.size < 10_000:  # one call on all costs less than to look
        return slope.forward(x)
    found = near(out)
    far = found < 0.0625
    if far.any():
        found[far] = slope.forward(x[far])
    return found


def direction(x: Operand, length: Operand) -> Result:
    """Return x / length: 0 where both are 0, and NaN where the length is too large for a float."""
    return ratio(x, length + (length - length))


def _along(g: Operand, x: Operand, length: Operand, unit: Operand) -> Result:
    """Return g times the direction of x, by x itself where g is a product with the length of x.

    So the derivatives of a squared length are those of x^2, also where the length is 0.
    """
    rest = without_factor(g, length)
    return g * unit if rest is None else rest * x


def without_factor(g: Operand, factor: Operand, depth: int = 8) -> Result:
    """Return g / factor, exact where that is 0, if g was computed as a product with it, or None."""
    if not (isinstance(g, Node) and isinstance(factor, Node) and g.primitive and depth):
        return None
    primitive, x, y = g.primitive, g.x, g.y
    if primitive is factor.primitive and x is factor.x and y is factor.y:
        return 1.0 if g.params == factor.params else None
    rest = without_factor(x, factor, depth - 1)
    if primitive is multiply and rest is None:
        x, y, rest = y, x, without_factor(y, factor, depth - 1)
    if primitive in (add, subtract):
        other = without_factor(y, factor, depth - 1)
        return None if rest is None or other is None else primitive(rest, other)
    if rest is None:
        return None
    if primitive is power:
        return rest * power(x, y - 1.0) if type(y) is float and y >= 1.0 else None
    if primitive is square:
        return rest * x
    if primitive is negative:
        return -rest
    return rest * y if primitive is multiply else rest / y if primitive is divide else None


def share(x: Operand, y: Operand) -> Result:
    """Return how much of the larger of x and y belongs to x: 1, 0, and 1/2 in a tie."""
    return 0.5 * (greater(x, y) + greater_equal(x, y))


def _power_log_or_zero(x: Operand, y: Operand) -> Result:
    """Return x^y log(x), and 0 where both are 0."""
    return power_log(where(equal(y, 0.0), where(x, x, 1.0), x), y, 1.0)


def _power_log_slope(x: Operand, y: Operand, n: float) -> Result:
    slope = _power_slope(x, y, n)
    return slope + where(n, n * power_log(x, y - 1.0, n - 1.0), 0.0)


def _power_slope(x: Operand, y: Operand, n: float = 0.0) -> Result:
    """Return y x^(y-1) log(x)^n, which is 0 where y is 0, as x^0 is 1 everywhere."""
    if type(y) is float and y and type(n) is float and not n:
        return y * power(x, y - 1.0)
    return zero_times(y, power_log(x, y - 1.0, n))


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):  # exp is inf where the result is below the smallest float
        return 1 / (1 + np.exp(-x))
