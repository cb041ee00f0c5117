"""One training step of a dense ReLU network, written for each engine the way its users write it.

Each function takes the starting parameters [weights, bias, weights, bias, ...], the samples and
their labels, and returns the step: forward, softmax cross-entropy, backward and an update by
gradient descent. A step returns the loss as a number. Each peer is imported by its own function,
so that a process holds one.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_core import compile, log_softmax, value_and_grad

from .timing import THREADS

Array: TypeAlias = NDArray[Any]
Step: TypeAlias = Callable[[], float]

LEARNING_RATE = 0.01


def _scores(parameters: Any, x: Any, relu: Callable[[Any], Any]) -> Any:
    """Return the outputs of the network, before the softmax."""
    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weights, bias in hidden:
        x = relu(x @ weights + bias)
    return x @ last[0] + last[1]


def _one_hot(parameters: list[Array], labels: Array) -> Array:
    return np.eye(len(parameters[-1]), dtype=parameters[-1].dtype)[labels]


def _descent(loss_and_gradients: Callable[[Any], Any], parameters: list[Array]) -> Step:
    """Return the step that moves NumPy parameters against their gradients."""

    def step() -> float:
        value, gradients = loss_and_gradients(parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= LEARNING_RATE * gradient
        return float(value)

    return step


def autograd_core(parameters: list[Array], x: Array, labels: Array) -> Step:
    """Return a step of the library measured here."""
    weights = _one_hot(parameters, labels) / -len(x)  # picks the labels, and takes the mean

    def loss(parameters: list[Any]) -> Any:
        scores = _scores(parameters, x, lambda v: v.relu())
        return (log_softmax(scores, axis=1) * weights).sum()

    return _descent(value_and_grad(loss), parameters)


def compiled_update(parameters: list[Array], x: Array, labels: Array) -> Any:
    """Return `update(parameters, x, weights)`, compiled, and these weights of the samples."""

    def loss(parameters: list[Any], x: Array, weights: Array) -> Any:
        scores = _scores(parameters, x, lambda v: v.relu())
        return (log_softmax(scores, axis=1) * weights).sum()

    def update(parameters: list[Any], x: Array, weights: Array) -> Any:
        value, gradients = value_and_grad(loss)(parameters, x, weights)
        pairs = zip(parameters, gradients, strict=True)
        return value, [p - LEARNING_RATE * gradient for p, gradient in pairs]

    return compile(update), _one_hot(parameters, labels) / -len(x)


def autograd_core_compiled(parameters: list[Array], x: Array, labels: Array) -> Step:
    """Return a step of the same, compiled as one function."""
    compiled, weights = compiled_update(parameters, x, labels)
    state = parameters

    def step() -> float:
        nonlocal state
        value, state = compiled(state, x, weights)
        return float(value)

    return step


def numpy_by_hand(parameters: list[Array], x: Array, labels: Array) -> Step:
    """Return a step in plain NumPy, its derivatives written by hand and arrays reused."""
    weights, biases = parameters[::2], parameters[1::2]
    rows = np.arange(len(x))
    ones = np.ones(len(x), x.dtype)  # ones @ g sums over the batch faster than g.sum(axis=0)

    def step() -> float:
        layers = [x]
        for w, b in zip(weights, biases, strict=True):
            z = layers[-1] @ w
            z += b
            layers.append(np.maximum(z, 0.0, out=z) if w is not weights[-1] else z)
        g = layers.pop()
        g -= g.max(axis=1, keepdims=True)
        chosen = g[rows, labels]
        np.exp(g, out=g)
        total = g.sum(axis=1, keepdims=True)
        g /= total
        g[rows, labels] -= 1.0
        g /= len(x)
        for w, b, layer in zip(weights[::-1], biases[::-1], layers[::-1], strict=True):
            step_w = layer.T @ g
            step_w *= LEARNING_RATE
            step_b = ones @ g
            step_b *= LEARNING_RATE
            if layer is not x:
                g = g @ w.T
                g *= layer > 0.0
            w -= step_w
            b -= step_b
        return float(np.log(total).sum() - chosen.sum()) / len(x)

    return step


def pytorch(parameters: list[Array], x: Array, labels: Array) -> Step:
    """Return a step in eager PyTorch: Linear modules and the SGD optimizer."""
    torch = import_module("torch")
    torch.set_num_threads(THREADS)
    modules: list[Any] = []
    for weights, bias in zip(parameters[::2], parameters[1::2], strict=True):
        linear = torch.nn.Linear(*weights.shape)
        linear.weight.data = torch.from_numpy(weights.T.copy())
        linear.bias.data = torch.from_numpy(bias)
        modules += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    samples, targets = torch.from_numpy(x), torch.from_numpy(labels)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(samples), targets)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def pytorch_by_hand(parameters: list[Array], x: Array, labels: Array) -> Step:
    """Return a step in PyTorch at its quickest: addmm, and parameters updated by hand."""
    torch = import_module("torch")
    torch.set_num_threads(THREADS)
    tensors = [torch.from_numpy(p).requires_grad_() for p in parameters]
    samples, targets = torch.from_numpy(x), torch.from_numpy(labels)
    *hidden, last = zip(tensors[::2], tensors[1::2], strict=True)

    def step() -> float:
        h = samples
        for w, b in hidden:
            h = torch.addmm(b, h, w).relu()
        scores = torch.addmm(last[1], h, last[0])
        loss = torch.nn.functional.cross_entropy(scores, targets)
        loss.backward()
        with torch.no_grad():
            for tensor in tensors:
                tensor.sub_(tensor.grad, alpha=LEARNING_RATE)
                tensor.grad = None
        return float(loss.item())

    return step


def jax_jit(parameters: list[Array], x: Array, labels: Array) -> Step:
    """Return a step in JAX, compiled as one function."""
    jax = import_module("jax")

    def loss(parameters: Any, samples: Any, labels: Any) -> Any:
        log_softmax = jax.nn.log_softmax(_scores(parameters, samples, jax.nn.relu))
        return -log_softmax[jax.numpy.arange(len(labels)), labels].mean()

    def update(parameters: Any, samples: Any, labels: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(parameters, samples, labels)
        pairs = zip(parameters, gradients, strict=True)
        return value, [p - LEARNING_RATE * gradient for p, gradient in pairs]

    compiled = jax.jit(update)
    state, samples, targets = jax.device_put((parameters, x, labels))

    def step() -> float:
        nonlocal state
        value, state = compiled(state, samples, targets)
        return float(value)

    return step


def hips_autograd(parameters: list[Array], x: Array, labels: Array) -> Step:
    """Return a step in HIPS autograd."""
    anp = import_module("autograd.numpy")
    logsumexp = import_module("autograd.scipy.special").logsumexp
    targets = _one_hot(parameters, labels)

    def loss(parameters: Any) -> Any:
        scores = _scores(parameters, x, lambda v: anp.maximum(v, 0.0))
        return anp.mean(logsumexp(scores, axis=1) - anp.sum(targets * scores, axis=1))

    return _descent(import_module("autograd").value_and_grad(loss), parameters)


def mygrad(parameters: list[Array], x: Array, labels: Array) -> Step:
    """Return a step in MyGrad."""
    relu = import_module("mygrad.nnet.activations").relu
    softmax_crossentropy = import_module("mygrad.nnet.losses").softmax_crossentropy
    tensors = [import_module("mygrad").tensor(p) for p in parameters]

    def step() -> float:
        loss = softmax_crossentropy(_scores(tensors, x, relu), labels)
        loss.backward()
        for tensor in tensors:
            tensor.data -= LEARNING_RATE * tensor.grad
        return float(loss.item())

    return step
