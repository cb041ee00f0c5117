"""ONNX: files that onnx.checker passes, and onnxruntime and ONNX's own reference run as we do."""

import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

import autograd_core as ac
import nn
from autograd_core import (
    FileError,
    MissingPackageError,
    OptionError,
    TraceError,
    UnsupportedError,
    watching,
)
from autograd_core.primitives import elementwise, reductions
from nn.integrations.onnx_operators import OPERATORS
from nn.interchange import export_onnx

TYPES = [np.float32, np.float64]
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
# What onnxruntime computes in float32 only: there the reference evaluator stands in
FLOAT32_ONLY = {
    *("Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Det"),
}


def run(path, arrays):
    """Return the outputs of a file that passes the full check."""
    onnx.checker.check_model(path, full_check=True)
    operators = {node.op_type for node in onnx.load(path).graph.node}
    names = [f"x{i}" for i in range(len(arrays))] if len(arrays) > 1 else ["x"]
    inputs = dict(zip(names, arrays, strict=True))
    if operators & FLOAT32_ONLY and any(array.dtype == np.float64 for array in arrays):
        return ReferenceEvaluator(path).run(None, inputs)
    return onnxruntime.InferenceSession(path).run(None, inputs)


def check(model, path, *arrays, batches=(1, 2, 5), **options):
    """Assert that the file gives what the model gives, for batches of several sizes."""
    path = str(path / "model.onnx")
    export_onnx(model, path, arrays, **options)
    for rows in batches:
        given = [np.resize(array, (rows, *array.shape[1:])) for array in arrays]
        outputs = run(path, given)
        with np.errstate(all="ignore"):
            expected = model(*(given if isinstance(model, nn.Module) else map(ac.Value, given)))
        expected = expected if isinstance(expected, list | tuple) else [expected]
        for out, value in zip(outputs, expected, strict=True):
            own = np.asarray(getattr(value, "data", value))
            assert (out.shape, out.dtype) == (own.shape, own.dtype)
            np.testing.assert_allclose(out, own, **_close(arrays))
    file = onnx.load(path)
    nodes = file.graph.node
    read = {name for node in nodes for name in node.input} | {end.name for end in file.graph.output}
    made = {name for node in nodes for name in node.output}
    assert made | {array.name for array in file.graph.initializer} <= read  # none is unused
    return file


def _close(arrays):
    tolerance = TOLERANCE[np.result_type(*arrays).name]
    return {"rtol": tolerance, "atol": tolerance}


def random(*shape, dtype=np.float64, low=-1.0, high=1.0):
    return np.random.default_rng(3).uniform(low, high, shape).astype(dtype)


# Models

MODELS = {
    "mlp": (
        lambda: [
            *(nn.Dense(8, "relu"), nn.BatchNormalization(), nn.Dropout(0.5)),
            nn.Dense(3, "softmax"),
        ],
        (6,),
    ),
    "images": (
        lambda: [
            *(nn.Conv2D(4, 3, padding="same", activation="relu"), nn.MaxPooling2D()),
            *(nn.Conv2D(3, 2, strides=2), nn.AveragePooling2D(2, 1, "same"), nn.PReLU("ones")),
            *(nn.MaxPooling2D(2, 1, "same"), nn.Conv2D(2, 2, dilation_rate=2, padding="same")),
            *(nn.Flatten(), nn.LayerNormalization(), nn.Dense(3)),
        ],
        (9, 9, 2),
    ),
    "signals": (lambda: [nn.Conv1D(3, 3, padding="causal"), nn.Reshape((4, -1))], (8, 2)),
    "mean": (lambda: [nn.GlobalAveragePooling2D()], (4, 5, 3)),
    "lstm": (lambda: [nn.LSTM(4, return_sequences=True), nn.LSTM(3), nn.Dense(2)], (6, 3)),
    "gru": (lambda: [nn.GRU(4, return_sequences=True), nn.GRU(3, reset_after=False)], (5, 3)),
    "both ways": (lambda: [nn.Bidirectional(nn.SimpleRNN(3, return_sequences=True))], (5, 2)),
    "masked": (lambda: [nn.Masking(), nn.LSTM(3)], (4, 2)),
    "bells": (lambda: [nn.RBF(3)], (4,)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("kind", MODELS)
def test_models(kind, dtype, tmp_path):
    layers, shape = MODELS[kind]
    model = nn.Sequential(layers())
    model.build(shape, dtype)
    model(random(4, *shape, dtype=dtype))  # moves the averages
    check(model.eval(), tmp_path, random(4, *shape, dtype=dtype))


@pytest.mark.parametrize("name", nn.activations.BY_NAME)
def test_activations(name, tmp_path):
    check(nn.Sequential([nn.Dense(4), nn.Activation(name)]).eval(), tmp_path, random(3, 2))


def test_words(tmp_path):
    model = nn.Sequential([nn.Embedding(9, 3), nn.GlobalAveragePooling2D()])
    model.layers[1:] = [nn.LSTM(2)]
    model.build((4,), np.float64)
    file = check(model.eval(), tmp_path, np.array([[0.0, 8.0, 3.0, 1.0]] * 2))
    assert "Gather" in {node.op_type for node in file.graph.node}


def test_a_model_in_training_is_exported_as_in_evaluation(tmp_path):
    model = nn.Sequential([nn.Dense(3), nn.Dropout(0.5), nn.BatchNormalization()], input_shape=(2,))
    x = random(4, 2, dtype=np.float32)
    export_onnx(model, tmp_path / "model.onnx", x)
    assert model.layers[1].training
    np.testing.assert_allclose(run(str(tmp_path / "model.onnx"), [x])[0], model.predict(x), 1e-5)


def test_names_and_version(tmp_path):
    model = nn.Sequential([nn.Dense(2), nn.BatchNormalization()], input_shape=(3,)).eval()
    file = check(model, tmp_path, random(4, 3, dtype=np.float32))
    names = {tensor.name for tensor in file.graph.initializer}
    assert set(model.state_dict()) <= names
    assert file.opset_import[0].version == 18
    assert [end.name for end in (*file.graph.input, *file.graph.output)] == ["x", "y"]
    assert file.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert file.graph.output[0].type.tensor_type.shape.dim[1].dim_value == 2
    between = {each.name: each.type.tensor_type.shape for each in file.graph.value_info}
    assert between.keys() == {node.output[0] for node in file.graph.node} - {"y"}
    assert between["gemm"].dim[0].dim_param == "batch"


def test_a_model_that_is_not_built_is_built_by_the_example(tmp_path):
    model = nn.Sequential([nn.Dense(2)])
    check(model, tmp_path, random(4, 3, dtype=np.float32))
    assert model.layers[0].weight.shape == (2, 3)


def test_a_scalar_network(tmp_path):
    check(nn.MLP(2, [3, 2], activation="tanh"), tmp_path, random(4, 2))


# Functions


@pytest.mark.parametrize("dtype", TYPES)
def test_a_custom_function(dtype, tmp_path):
    def function(x, y):
        distances = np.sqrt(np.sum(np.square(x[:, None] - y[:, :, None]), -1))
        return ac.softmax(distances), np.where(distances > 0.5, x, np.log1p(np.abs(x)))

    check(function, tmp_path, random(3, 4, dtype=dtype), random(3, 4, dtype=dtype))


def test_one_that_differentiates(tmp_path):
    check(ac.grad(lambda x: np.sum(ac.relu(x) * np.tanh(x))), tmp_path, random(3, 4))


def test_numbers(tmp_path):
    path = str(tmp_path / "model.onnx")
    export_onnx(lambda x, y: x * y + 1.0, path, (3.0, 4))
    assert run(path, [np.array(3.0), np.array(5.0)]) == [16.0]


def test_mixed_types(tmp_path):
    check(lambda x, y: x + y, tmp_path, random(3, 4, dtype=np.float32), random(3, 4))


def test_a_float_of_a_float32_array_is_a_float64_as_here(tmp_path):
    total = check(lambda x: x * np.max(x), tmp_path, random(4, 3, dtype=np.float32))
    assert {node.op_type for node in total.graph.node} >= {"ReduceMax", "Cast"}


def test_results_that_are_arguments_or_constants(tmp_path):
    check(lambda x: [x, np.zeros_like(x) + 1.0, x], tmp_path, random(3, 2))


# The table: one function for each primitive


def places(x):
    """Return positions as layers take them: Values of whole numbers, or integers."""
    return x if watching.tracer() else np.asarray(getattr(x, "data", x)).astype(int)


E = elementwise
X = random(4, 3)
ZEROS = np.where(X > 0.0, 0.0, X)
TABLE = ac.Value(random(5, 3))
UNARY = [
    *("negative", "square", "absolute", "exp", "exp2", "expm1", "sin", "cos", "tan", "arcsin"),
    *("arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arctanh", "sigmoid", "softplus"),
    *(
        "relu",
        "erf",
        "erfc",
        "sign",
        "deg2rad",
        "rad2deg",
        "identity",
        "reciprocal",
        "log1p",
        "floor",
    ),
    *("ceil", "tanh_slope", "sigmoid_slope"),
]
POSITIVE = ["sqrt", "log", "log2", "log10", "arccosh"]
BINARY = [
    *("add", "subtract", "multiply", "divide", "logaddexp", "greater", "greater_equal"),
    *("equal", "gate", "maximum", "minimum"),
]
CASES = {
    **{name: (getattr(E, name), X) for name in UNARY},
    **{name: (getattr(E, name), X + 2.0) for name in POSITIVE},
    **{name: (getattr(E, name), X, X[::-1].copy()) for name in BINARY},
    "zero_times": (E.zero_times, ZEROS, X),
    "ratio": (E.ratio, ZEROS, X),
    "heaviside": (E.heaviside, np.where(X > 0.5, 0.0, X), X),
    "power": (E.power, X + 2.0, X),
    "float_power": (E.float_power, X + 2.0, X),
    "where": (lambda x, y: E.where(E.greater(x, 0.0), x, y), X, X * 2.0),
    "round": (lambda x: np.round(x, 1), X),
    "astype": (lambda x: x.astype(np.float32) * 1.0, X),
    "reshape": (lambda x: x.reshape(-1, 1), X),
    "broadcast_to": (lambda x: np.broadcast_to(x[:, None], (len(x), 2, 3)), X),
    "transpose": (lambda x: np.stack([x, x]).transpose(1, -1, 0), X),
    "concatenate": (lambda x: np.concatenate([x, x], 1), X),
    "sum": (lambda x: (np.sum(x, 1, keepdims=True), np.sum(x)), X),
    "prod": (lambda x: np.prod(x, 1), X),
    "max": (lambda x: np.max(x, 1), X),
    "min": (lambda x: np.min(x, 1), X),
    "norm": (lambda x: reductions.norm(x, axis=1, keepdims=False), X),
    "logsumexp": (lambda x: ac.logsumexp(x * 300.0, 1), X),
    "cumsum": (lambda x: np.cumsum(x, 1), X),
    "softmax": (ac.softmax, X),
    "log_softmax": (ac.log_softmax, X),
    "matmul": (lambda x: x @ np.ones((3, 2)), X),
    "inner": (lambda x: (np.inner(x, random(2, 3)), np.inner(x[:, None], random(2, 3))), X),
    "einsum": (lambda x, y: np.einsum("bi,bj->bij", x, y), X, X),
    "det": (lambda x: np.linalg.det(x.reshape(-1, 2, 2)), random(4, 4)),
    "getitem": (lambda x: x[:, 1:], X),
    "getitem_at": (lambda x: TABLE[places(x)], np.array([[1.0, 4.0], [0.0, 2.0]])),
    "scatter": (lambda x: np.pad(x, ((0, 0), (1, 2))), X),
    "windows": (lambda x: ac.sliding_windows(x, 2, 1, dilation=2), random(4, 6)),
    "convolve": (lambda x: ac.convolve(x, random(2, 3, 2), 2), random(4, 5, 3)),
}  # fmt: skip


COMPOSED = {p.name for p in vars(E).values() if isinstance(p, ac.Primitive) and p.composed}


def test_every_entry_of_the_table_and_every_composed_primitive_has_a_case():
    assert set(CASES) == set(OPERATORS) | COMPOSED


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", CASES)
def test_primitives(name, dtype, tmp_path):
    function, *arrays = CASES[name]
    check(function, tmp_path, *[array.astype(dtype) for array in arrays])


def test_erf_far_from_0(tmp_path):
    check(ac.erf, tmp_path, np.linspace(-9.0, 9.0, 60).reshape(4, 15))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["softplus", "sigmoid", "log_sigmoid", "mish", "tanh"])
def test_tails_of_activations(name, dtype, tmp_path):
    x = np.array([[-900.0, -50.0, -20.0, 0.0, 20.0, 50.0, 900.0]], dtype)
    check(nn.activations.BY_NAME[name], tmp_path, x)


@pytest.mark.parametrize("f", [np.tanh, ac.sigmoid])
def test_tails_of_derivatives(f, tmp_path):
    x = np.array([[-300.0, -30.0, 0.0, 1.0, 30.0, 300.0]])
    path = str(tmp_path / "model.onnx")
    derivative = ac.grad(lambda x: np.sum(f(x)))
    export_onnx(derivative, path, x)
    np.testing.assert_allclose(run(path, [x])[0], derivative(x), rtol=1e-12)


@pytest.mark.parametrize("dtype", TYPES)
def test_logaddexp_of_infinite_numbers(dtype, tmp_path):
    x = np.array([[-np.inf, np.inf, np.inf, -np.inf, 900.0, -900.0, 1.0]], dtype)
    y = np.array([[-np.inf, np.inf, -np.inf, 1.0, -900.0, -900.0, 1.0]], dtype)
    check(np.logaddexp, tmp_path, x, y)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    "f",
    {
        "log1p": np.log1p,
        "root": lambda x: x**0.5,
        "computed exponents": lambda x: x ** (0.5 + 0 * np.clip(x, 0.0, 1.0)),
        "several exponents": lambda x: x ** np.array([2.0, 0.5, 3.0, 0.5, 1.0, 0.5, 0.5]),
        "gelu": nn.activations.gelu,
    }.values(),
)
def test_infinite_numbers_and_zeros(f, dtype, tmp_path):
    x = np.array([[-np.inf, -np.inf, np.inf, np.inf, 1e30, 0.0, np.nan], [-0.0] * 7], dtype)
    with np.errstate(all="ignore"):
        check(f, tmp_path, x)


def test_the_left_tail_of_gelu_is_0_where_it_rounds_to_0(tmp_path):
    x, path = np.array([[-9.0, -40.0, -750.0, -1e300]]), str(tmp_path / "model.onnx")
    export_onnx(nn.activations.gelu, path, x)
    np.testing.assert_array_equal(run(path, [x])[0], np.zeros((1, 4)))


def test_small_numbers_stay_exact(tmp_path):
    path = str(tmp_path / "model.onnx")
    x = np.array([[0.0, 1e-12, -1e-9, 0.5, -0.5]])
    for function in (np.expm1, np.log1p):
        export_onnx(lambda x, function=function: function(x), path, x)
        np.testing.assert_allclose(run(path, [x])[0], function(x), rtol=1e-15)


INDICES = {
    "integers": lambda x: x[:, 1, -1],
    "from the end": lambda x: x[:, ::-1, -2:],
    "with steps": lambda x: x[:, 3:0:-2, ::2],
    "new axes": lambda x: x[:, None, 1, ..., None],
    "positions": lambda x: x[:, [2, 0, -1]],
    "the first samples": lambda x: x[:1] + x,
    "nothing": lambda x: x[...],
}


@pytest.mark.parametrize("index", INDICES)
def test_indices(index, tmp_path):
    check(INDICES[index], tmp_path, random(4, 4, 3))


FIXED = {
    "a mask": lambda x: x[np.eye(4, 3, dtype=bool)],
    "pairs of positions": lambda x: x[[0, 3], [1, -1]],
    "a row": lambda x: x[2],
    "noise that is always the same": lambda x: x + np.arange(12.0).reshape(4, 3),
    "products of all samples": lambda x: (x @ x.T).reshape(-1),
    "all axes": lambda x: x.T,
}


@pytest.mark.parametrize("case", FIXED)
def test_batches_of_one_size(case, tmp_path):
    check(FIXED[case], tmp_path, X, batches=[4], dynamic_batch=False)


# What cannot be exported


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: np.linalg.inv(x[:, :2, None] + np.eye(2)), "primitive inv in ONNX\n.*opset 18"),
        (lambda x: ac.softmax(x, (0, 1)), r"softmax over axis \(0, 1\) in ONNX"),
        (
            lambda x: x + ac.fresh(lambda: np.random.default_rng().normal()),
            "random numbers in ONNX",
        ),
        (np.sort, "primitive reorder in ONNX"),
        # Primitives of the user's, under names that the table has
        (ac.Primitive("relu", lambda x: -x, lambda g, out, x: -g), "primitive relu in ONNX"),
        (ac.Primitive("sum", np.cbrt, lambda g, out, x: g), "primitive sum in ONNX"),
        (ac.Primitive("fresh", np.cbrt, lambda g, out, x: g), "primitive fresh in ONNX"),
        (ac.grad(lambda x: np.sum(x[:, ::2] ** 3)), "scatter, other than the border of np.pad"),
        (ac.grad(lambda x: np.sum(x[:, 1] ** 3)), "scatter, other than the border of np.pad"),
        (
            lambda x: ac.Value(random(5, 3))[places(x), places(x)],
            "getitem with positions along several axes",
        ),
    ],
)
def test_primitives_that_onnx_does_not_have(function, message, tmp_path):
    with pytest.raises(UnsupportedError, match=message):
        export_onnx(function, tmp_path / "model.onnx", np.abs(X) // 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: np.eye(4) @ x, "takes no batch of any size"),
        (lambda x: x * 3.0 if len(x) == 2 else x + 1.0, "takes other steps"),
        (lambda x: x - np.sum(x, 0) / len(x), "a constant that is another one"),
        (lambda x: x + np.arange(len(x))[:, None], "a constant that is another one"),
        (lambda x: x[: len(x) // 2], "getitem, which has"),
        (lambda x: x[[0] * len(x)], "getitem, which has"),
        (lambda x: x[np.eye(len(x), 3, dtype=bool)], "getitem, which has"),
        (lambda x: x[:, None][:, [0, 0], [1, 2]], "getitem, which has"),
        (lambda x: ac.sliding_windows(x, 2, 0), "windows, which has"),
        (
            lambda x: np.broadcast_to(x[0, 0], (len(x) + 1, 3)),
            r"an axis of length 3 for one batch and 13",
        ),
    ],
)
def test_batches_of_any_size_are_not_always_possible(function, message, tmp_path):
    with pytest.raises(UnsupportedError, match=message + r"(.*\n)+.*dynamic_batch=False"):
        export_onnx(function, tmp_path / "model.onnx", X)


def test_what_is_wrong_with_the_example_is_said(tmp_path):
    model = nn.Sequential([nn.Dense(2)], input_shape=(3,))
    with pytest.raises(ac.ShapeError, match="samples of shape"):
        export_onnx(model, tmp_path / "model.onnx", random(2, 5))


def test_decisions_by_numbers(tmp_path):
    with pytest.raises(TraceError, match=r"test_onnx\.py"):
        export_onnx(lambda x: x if np.sum(x) > 0 else -x, tmp_path / "model.onnx", X)


def test_a_path_that_cannot_be_written(tmp_path):
    with pytest.raises(FileError):
        export_onnx(np.tanh, tmp_path / "nowhere" / "model.onnx", X)


@pytest.mark.parametrize("name", ["model.pt", "model.h5", "model.safetensors", b"model.KERAS"])
def test_suffixes_of_other_formats_are_refused(name):
    with pytest.raises(OptionError, match=r"(?s)onnx format.*model\.onnx"):
        export_onnx(np.tanh, name, X)


def test_onnx_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPackageError, match="pip install onnx"):
        export_onnx(np.tanh, tmp_path / "model.onnx", X)
