"""What the packages export: a name added or lost is a decision, made here."""

import inspect

import pytest

import autograd_core
import nn

EXPORTS = {
    autograd_core: """
        AnomalyError
        AutogradError
        ChangedDataError
        DataError
        DomainError
        GradientMismatch
        IndexRangeError
        Primitive
        RuleError
        ShapeError
        UnsupportedError
        Value
        check_gradients
        detect_anomaly
        grad
        hessian
        hvp
        jacobian
        jvp
        leaky_relu
        log_softmax
        logsumexp
        no_grad
        relu
        sigmoid
        softmax
        softplus
        value_and_grad
        vjp
    """,
    nn: """
        Layer
        MLP
        Module
        Neuron
    """,
}
NAMES = [(package, name) for package in EXPORTS for name in package.__all__]


@pytest.mark.parametrize("package", EXPORTS)
def test_contents(package):
    assert sorted(package.__all__) == EXPORTS[package].split()


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_every_name_is_documented(package, name):
    exported = getattr(package, name)
    assert exported.__module__.split(".")[0] == package.__name__
    assert inspect.getdoc(exported)
