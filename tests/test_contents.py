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
        FileError
        GradientMismatch
        GradientWarning
        IndexRangeError
        MissingNameError
        MissingPackageError
        OptionError
        Primitive
        RuleError
        ShapeError
        TraceError
        UnsupportedError
        Value
        assign_all
        batch
        callback
        check_gradients
        compare_gradients
        compile
        convolve
        detect_anomaly
        diagnose
        draw
        draw_dot
        erf
        explain
        fresh
        grad
        gradients
        hessian
        hvp
        jacobian
        jvp
        leaky_relu
        log_softmax
        logsumexp
        no_grad
        relu
        scope
        sigmoid
        sliding_windows
        softmax
        softplus
        value_and_grad
        vjp
        warn_once
    """,
    nn: """
        Activation
        Adadelta
        Adagrad
        Adam
        AdamW
        Adamax
        ArrayLayer
        AveragePooling2D
        BatchNormalization
        Bidirectional
        BoltzmannMachine
        CSVLogger
        Callback
        Conv1D
        Conv2D
        Dense
        Dropout
        EarlyStopping
        Embedding
        Flatten
        GRU
        GaussianNoise
        GlobalAveragePooling2D
        History
        Hopfield
        LSTM
        LambdaCallback
        Layer
        LayerNormalization
        LearningRateScheduler
        Lion
        MLP
        Masking
        MaxPooling2D
        ModelCheckpoint
        Module
        Nadam
        Neuron
        Optimizer
        PReLU
        Perceptron
        RBF
        RMSprop
        RandomFlip
        RandomRotation
        RandomTranslation
        ReduceLROnPlateau
        Replay
        Reshape
        RestrictedBoltzmannMachine
        SGD
        Sequential
        SimpleRNN
        TerminateOnNaN
        TrainingWarning
        activations
        batches
        callbacks
        constraints
        datasets
        initializers
        layers
        learning_rate_finder
        load
        losses
        metrics
        one_hot
        optimizers
        parallel
        regularizers
        schedules
        set_seed
    """,
}


def is_public(part):
    return part.__name__.rpartition(".")[2] in nn.__all__


NAMESPACES = [part for part in vars(nn).values() if inspect.ismodule(part) and is_public(part)]
NAMES = [
    (package, name)
    for package in (*EXPORTS, *NAMESPACES)
    for name in vars(package).get("__all__", [])
    if not inspect.ismodule(getattr(package, name))
]


@pytest.mark.parametrize("package", EXPORTS)
def test_contents(package):
    assert sorted(package.__all__) == EXPORTS[package].split()


@pytest.mark.parametrize(
    ("package", "name"), NAMES, ids=[f"{package.__name__}.{name}" for package, name in NAMES]
)
def test_every_name_is_documented(package, name):
    exported = getattr(package, name)
    if name != "BY_NAME":
        assert inspect.getdoc(exported)
        assert getattr(exported, "__module__", "nn").split(".")[0] in ("autograd_core", "nn")


@pytest.mark.parametrize("package", NAMESPACES, ids=lambda package: package.__name__)
def test_every_namespace_lists_its_contents(package):
    assert package.__doc__
    assert all(hasattr(package, name) for name in package.__all__)
