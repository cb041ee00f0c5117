"""Plots: each draws the numbers it is given, on the Axes it is given, and returns them."""

import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import nn
from autograd_core import MissingPackageError, OptionError, ShapeError, Value
from autograd_core.drawing.dot import color
from nn import SGD, Adam, Dense, Sequential, plots
from nn.plots.axes import BLUE, COLOURS, ORANGE, around_zero
from tests.eyesight import least_difference

X, Y = nn.datasets.moons(40, noise=0.1, seed=0)
HISTORY = {
    "loss": [4.0, 2.0, 1.0, 0.5],
    "val_loss": [4.5, 3.0, 2.5, 3.5],
    "accuracy": [0.5, 0.6, 0.7, 0.8],
}


@pytest.fixture(autouse=True)
def _figures_are_not_shown():
    mpl.use("Agg")
    yield
    plt.close("all")


def bowl(a, b):
    return a**2 + 3 * b**2


def texts(parts):
    return [part.get_text() for part in parts]


def small_model():
    model = Sequential([Dense(4, "tanh"), Dense(1, "sigmoid")], input_shape=(2,))
    model.compile("sgd", loss="binary_crossentropy")
    return model


def with_gradient():
    model = small_model()
    model(X).sum().backward()
    return model


PLOTS = {
    "learning_curves": lambda **ax: plots.learning_curves(HISTORY, **ax),
    "activation_functions": plots.activation_functions,
    "decision_boundary": lambda **ax: plots.decision_boundary(small_model(), X, Y, **ax),
    "weights_as_images": lambda **ax: plots.weights_as_images(np.eye(4), **ax),
    "misread": lambda **ax: plots.misread(np.zeros((2, 9)), [0, 1], [1, 1], **ax),
    "confusion_matrix": lambda **ax: plots.confusion_matrix([0, 1], [1, 1], **ax),
    "loss_surface": lambda **ax: plots.loss_surface(bowl, **ax),
    "optimizer_paths": lambda **ax: plots.optimizer_paths(bowl, "sgd", (1, 1), **ax),
    "gradient_flow": lambda **ax: plots.gradient_flow(with_gradient(), **ax),
}


class TestEvery:
    def test_is_here(self):
        pages = ["Replay", "ReplayPage", "side_by_side"]
        assert sorted([*PLOTS, "descent_path", *pages]) == sorted(plots.__all__)

    @pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
    def test_draws_on_the_axes_it_is_given_and_returns_them(self, plot):
        left, right = plt.subplots(1, 2)[1]
        assert plot(ax=left) is left
        assert left.has_data()
        assert not right.has_data()

    @pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
    def test_makes_axes_where_there_are_none(self, plot):
        ax = plot()
        assert isinstance(ax, mpl.axes.Axes)
        ax.figure.canvas.draw()

    @pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
    @pytest.mark.parametrize("style", ["default", "dark_background"])
    def test_is_readable_on_light_and_on_dark_ground(self, plot, style):
        with plt.style.context(style):
            ax = plot()
            ax.figure.canvas.draw()
            ground = np.mean(mpl.colors.to_rgb(ax.get_facecolor()))
            words = [*ax.texts, ax.title, ax.xaxis.label, *ax.get_xticklabels()]
            for word in words:
                assert abs(np.mean(mpl.colors.to_rgb(word.get_color())) - ground) > 0.5

    @pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
    def test_says_what_to_install(self, plot, monkeypatch):
        for name in ("matplotlib.pyplot", "matplotlib.colors"):
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingPackageError, match="pip install matplotlib"):
            plot()

    def test_matplotlib_waits_until_it_is_needed(self):
        code = "import sys, nn.plots; print('matplotlib' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        assert done.stdout.strip() == b"False"

    def test_colours_differ_for_all_eyes(self):
        assert least_difference(COLOURS) > 20


class TestLearningCurves:
    def test_draw_training_and_validation(self):
        ax = plots.learning_curves(HISTORY)
        training, validation, best = ax.get_lines()
        np.testing.assert_array_equal(training.get_xydata()[:, 1], HISTORY["loss"])
        np.testing.assert_array_equal(validation.get_xdata(), [1, 2, 3, 4])
        assert best.get_xydata().tolist() == [[3, 2.5]]
        assert texts(ax.get_legend().get_texts()) == [
            "training",
            "validation",
            "least: 2.5 in epoch 3",
        ]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")

    def test_of_another_figure_without_validation(self):
        ax = plots.learning_curves(HISTORY, "accuracy")
        [line] = ax.get_lines()
        assert line.get_ydata().tolist() == HISTORY["accuracy"]
        assert ax.get_legend() is None

    def test_take_what_fit_returns(self):
        history = small_model().fit(X, Y, epochs=3, verbose=0)
        [line] = plots.learning_curves(history).get_lines()
        assert line.get_ydata().tolist() == history.history["loss"]

    def test_take_arrays(self):
        history = {"loss": np.array([3.0, 2.0]), "val_loss": np.array([3.5, 2.5])}
        training, validation, best = plots.learning_curves(history).get_lines()
        assert training.get_ydata().tolist() == [3, 2]
        assert validation.get_ydata().tolist() == [3.5, 2.5]
        assert best.get_xydata().tolist() == [[2, 2.5]]
        with pytest.raises(OptionError, match="the history has loss"):
            plots.learning_curves({"loss": np.array([])})

    def test_one_epoch_is_a_dot(self):
        [line] = plots.learning_curves({"loss": [1.0]}).get_lines()
        assert line.get_marker() == "o"

    def test_validation_losses_that_are_nan(self):
        nan = float("nan")
        ax = plots.learning_curves({"loss": [1, 2], "val_loss": [nan, nan]})
        assert len(ax.get_lines()) == 2
        ax = plots.learning_curves({"loss": [1, 2], "val_loss": [nan, 2.0]})
        assert ax.get_lines()[2].get_xydata().tolist() == [[2, 2]]

    def test_unknown_figure(self):
        with pytest.raises(OptionError, match="the history has loss, val_loss, accuracy"):
            plots.learning_curves(HISTORY, "auc")
        with pytest.raises(OptionError, match="no figures"):
            plots.learning_curves({})


class TestActivationFunctions:
    def test_derivatives_are_those_of_grad(self):
        ax = plots.activation_functions("tanh", low=-2, high=2)
        _, _, curve, slope = ax.get_lines()
        x = curve.get_xdata()
        assert (x[0], x[-1]) == (-2, 2)
        np.testing.assert_allclose(curve.get_ydata(), np.tanh(x), rtol=1e-12)
        np.testing.assert_allclose(slope.get_ydata(), 1 - np.tanh(x) ** 2, atol=1e-12)
        assert slope.get_linestyle() == "--"
        assert slope.get_color() == curve.get_color()

    def test_of_every_function_of_one_number(self):
        names = [n for n in nn.activations.BY_NAME if n not in ("softmax", "log_softmax")]
        ax = plots.activation_functions(names)
        assert len(ax.get_lines()) == 2 + 2 * len(names)

    def test_of_ones_own(self):
        def cube(x):
            return x**3

        ax = plots.activation_functions([cube])
        assert texts(ax.get_legend().get_texts()) == ["cube", "cube'"]
        slope = ax.get_lines()[3]
        np.testing.assert_allclose(slope.get_ydata(), 3 * slope.get_xdata() ** 2, atol=1e-12)

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    def test_not_of_a_whole_layer(self, name):
        with pytest.raises(OptionError, match=f"the curve of {name}"):
            plots.activation_functions(["relu", name])

    def test_bad_options(self):
        with pytest.raises(OptionError, match="low < high"):
            plots.activation_functions("relu", low=1, high=1)
        with pytest.raises(OptionError, match="there is none of this name"):
            plots.activation_functions("rely")


class TestDecisionBoundary:
    def test_lies_where_the_model_changes_its_mind(self):
        x, y = np.array([[0.0, 0.0], [4.0, 2.0]]), [0, 1]
        ax = plots.decision_boundary(lambda x: x[:, 0] / 4 - 0.125, x, y)  # 1/2 at x = 2.5
        [line] = [c for c in ax.collections if isinstance(c, mpl.contour.ContourSet)]
        np.testing.assert_allclose(line.get_paths()[0].vertices[:, 0], 2.5, atol=1e-9)
        assert ax.get_xlim() == (-0.4, 4.4)
        assert ax.get_ylim() == (-0.2, 2.2)

    def test_samples_have_the_colour_of_their_class_and_a_ring_where_wrong(self):
        x, y = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), [0, 1, 1, 1]
        ax = plots.decision_boundary(lambda x: x[:, 0], x, y)
        ring, first, second = [c for c in ax.collections if c.get_label() != "_nolegend_"][-3:]
        assert ring.get_offsets().tolist() == [[0, 1]]
        assert first.get_offsets().tolist() == [[0, 0]]
        assert len(second.get_offsets()) == 3
        assert mpl.colors.to_hex(first.get_facecolor()[0]) == BLUE
        assert mpl.colors.to_hex(second.get_facecolor()[0]) == ORANGE
        assert texts(ax.get_legend().get_texts()) == ["wrong side", "class 0", "class 1"]

    def test_the_picture_shows_the_outputs(self):
        model = small_model()
        image = plots.decision_boundary(model, X, Y).images[0].get_array()
        plane = nn.plots.plane.Plane(X, Y)
        expected = 2 * model.predict(plane.grid(200))[:, 0] - 1
        np.testing.assert_allclose(image.ravel(), expected, rtol=1e-6)

    def test_of_several_classes(self):
        x = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]])
        ax = plots.decision_boundary(lambda p: -((p[:, None] - x) ** 2).sum(-1), x, [0, 1, 2])
        image = ax.images[0].get_array()
        assert image.shape == (200, 200, 3)
        left, right = image[-20, 20], image[-20, -20]
        assert left[2] > left[0]  # blue
        assert right[0] > right[2]  # orange
        assert len(texts(ax.get_legend().get_texts())) == 3

    def test_of_figures(self):
        ax = plots.decision_boundary(lambda x: x[:, 0], X, 3 * X[:, 0])
        assert ax.get_legend() is None
        shade = ax.collections[-1].get_array()
        assert (shade.min(), shade.max()) == (-1, 1)

    def test_a_model_that_sees_one_class_has_no_boundary(self):
        ax = plots.decision_boundary(lambda x: np.ones(len(x)), X, Y)
        assert not [c for c in ax.collections if isinstance(c, mpl.contour.ContourSet)]

    def test_one_class_alone(self):
        ax = plots.decision_boundary(lambda x: np.ones(len(x)), X, np.ones(40))
        assert texts(ax.get_legend().get_texts()) == ["class 1"]

    def test_more_columns(self):
        with pytest.raises(ShapeError, match="a plane has two axes"):
            plots.decision_boundary(small_model(), np.zeros((3, 4)), [0, 1, 1])


class TestWeightsAsImages:
    def test_are_tiles_with_ground_between(self):
        weights = np.arange(12.0).reshape(3, 4)
        ax = plots.weights_as_images(weights)
        mosaic = ax.images[0].get_array().filled(np.nan)
        assert mosaic.shape == (5, 5)
        np.testing.assert_array_equal(mosaic[:2, :2], [[0, 1], [2, 3]])
        np.testing.assert_array_equal(mosaic[:2, 3:], [[4, 5], [6, 7]])
        np.testing.assert_array_equal(mosaic[3:, :2], [[8, 9], [10, 11]])
        assert np.isnan(mosaic[2]).all()
        assert np.isnan(mosaic[:, 2]).all()
        assert np.isnan(mosaic[3:, 3:]).all()
        assert ax.images[0].get_clim() == (-11, 11)
        assert ax.get_title() == "3 of 2 by 2 weights"

    def test_of_a_model_its_first_weights(self):
        model = Sequential([nn.Conv2D(3, 5), nn.Flatten(), Dense(2)], input_shape=(8, 8, 2))
        assert plots.weights_as_images(model).get_title() == "6 of 5 by 5 weights"
        assert plots.weights_as_images(model.layers[0].weight).get_title().startswith("6 of 5")

    def test_of_a_shape_and_of_many(self):
        ax = plots.weights_as_images(Value(np.ones((100, 6))), shape=(2, 3))
        assert ax.get_title() == "64 of 2 by 3 weights, the first 64 of 100"
        assert plots.weights_as_images(np.zeros((2, 3, 4))).images[0].get_clim() == (-1, 1)

    @pytest.mark.parametrize(
        ("shape", "given"),
        [((5, 7), None), ((5, 6), (2, 2)), ((5,), None), ((1, 2, 3, 4, 5), None)],
    )
    def test_no_pictures(self, shape, given):
        with pytest.raises(ShapeError, match="its rows do not fill a picture"):
            plots.weights_as_images(np.zeros(shape), given)

    def test_a_model_without_weights(self):
        with pytest.raises(OptionError, match="Sequential as images"):
            plots.weights_as_images(Sequential([Dense(2)]))


class TestMisread:
    @pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (16,)])
    def test_shows_what_was_taken_for_what(self, shape):
        images = np.arange(48.0).reshape(3, *shape)
        ax = plots.misread(images, [4, 1, 7], np.eye(10)[[9, 1, 1]])
        assert texts(ax.texts) == ["4 as 9", "7 as 1"]
        assert ax.get_title() == "2 of 3 misread"
        mosaic = ax.images[0].get_array()
        np.testing.assert_array_equal(mosaic[:4, :4].ravel(), np.arange(16))
        np.testing.assert_array_equal(mosaic[:4, -4:].ravel(), np.arange(32, 48))

    def test_names_and_the_first_of_many(self):
        ax = plots.misread(np.zeros((9, 4)), [0] * 9, [[1]] * 9, names=["cat", "dog"], most=4)
        assert texts(ax.texts) == ["cat as dog"] * 4
        assert ax.get_title() == "9 of 9 misread, the first 4"

    def test_none(self):
        ax = plots.misread(np.zeros((2, 4)), [0, 1], [0, 1])
        assert ax.get_title() == "0 of 2 misread"
        assert not ax.images

    def test_bad_input(self):
        with pytest.raises(ShapeError, match="3 images, 2 labels and 2 predictions"):
            plots.misread(np.zeros((3, 4)), [0, 1], [0, 1])
        with pytest.raises(ShapeError, match="images of shape"):
            plots.misread(np.zeros((2, 5)), [0, 1], [0, 1])
        with pytest.raises(ShapeError, match="a sample has one class"):
            plots.misread(np.zeros((2, 4)), np.zeros((2, 2, 2)), [0, 1])


class TestConfusionMatrix:
    def test_counts(self):
        ax = plots.confusion_matrix([0, 0, 1, 2, 2, 2], np.eye(3)[[0, 1, 1, 2, 2, 0]])
        assert texts(ax.texts) == ["1", "1", "0", "0", "1", "0", "1", "0", "2"]
        share = ax.images[0].get_array() ** 2
        np.testing.assert_allclose(share, [[0.5, 0.5, 0], [0, 1, 0], [1 / 3, 0, 2 / 3]])
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")

    def test_names(self):
        ax = plots.confusion_matrix([0, 1], [0, 0], names=["cat", "horse", "dog"])
        assert texts(ax.get_yticklabels()) == ["cat", "horse", "dog"]
        assert len(ax.texts) == 9

    def test_bad_input(self):
        with pytest.raises(OptionError, match="of 1 classes"):
            plots.confusion_matrix([0, 1], [0, 0], names=["cat"])
        with pytest.raises(ShapeError, match="labels of shape"):
            plots.confusion_matrix([0, 1], [0])


class TestDescent:
    def test_path_of_gradient_descent(self):
        path = plots.descent_path(bowl, SGD(0.1), (2.0, 1.0), steps=3)
        expected = [[2 * 0.8**k, 0.4**k] for k in range(4)]
        np.testing.assert_allclose(path, expected)

    def test_an_optimizer_stays_as_it_is(self):
        optimizer = Adam(0.1)
        first = plots.descent_path(bowl, optimizer, (2.0, 1.0))
        np.testing.assert_array_equal(first, plots.descent_path(bowl, optimizer, (2.0, 1.0)))
        assert optimizer.iterations == 0
        assert not optimizer.slots

    def test_surface_has_the_loss_as_its_height(self):
        ax = plots.loss_surface(bowl, across=(-1, 1), up=(-2, 2))
        filled = ax.collections[0]
        assert filled.levels[0] == pytest.approx(0, abs=0.01)
        assert filled.levels[-1] == 13
        assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 1), (-2, 2))
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("w₁", "w₂")

    def test_surface_of_a_loss_over_data(self):
        x = np.array([0.0, 1.0, 2.0])
        ax = plots.loss_surface(lambda a, b: np.mean((Value(a) * x + b - 2 * x) ** 2))
        assert ax.get_xlim() == (-3, 3)

    def test_path_lies_inside_with_its_ends_marked(self):
        path = plots.descent_path(bowl, SGD(0.1), (2.0, 1.0))
        ax = plots.loss_surface(bowl, path.tolist())
        way, start, end = ax.get_lines()
        np.testing.assert_array_equal(way.get_xydata(), path)
        assert start.get_xydata().tolist() == [[2, 1]]
        np.testing.assert_array_equal(end.get_xydata(), path[-1:])
        assert ax.get_xlim()[0] < path[:, 0].min() < path[:, 0].max() < ax.get_xlim()[1]

    def test_a_way_that_diverges_leaves_the_picture(self):
        ways = {"good": SGD(0.1), "wild": SGD(2.0)}
        ax = plots.optimizer_paths(bowl, ways, (2.0, 1.0))
        assert np.abs([*ax.get_xlim(), *ax.get_ylim()]).max() < 4
        assert texts(ax.get_legend().get_texts()) == ["good", "wild"]

    def test_optimizers_differ_in_colour_line_and_marker(self):
        ax = plots.optimizer_paths(bowl, ["sgd", Adam(0.1), "rmsprop"], (2.0, 1.0))
        ways = ax.get_lines()[::3]
        for look in ("get_color", "get_linestyle", "get_marker"):
            assert len({getattr(way, look)() for way in ways}) == 3
        labels = texts(ax.get_legend().get_texts())
        assert labels == ["SGD()", "Adam(learning_rate=0.1)", "RMSprop()"]

    def test_a_flat_loss_and_a_loss_with_holes(self):
        plots.loss_surface(lambda a, b: 1.0)
        ax = plots.loss_surface(lambda a, b: np.log(a) + b)
        assert ax.collections[0].levels[-1] == pytest.approx(np.log(3) + 3)
        path = [[1.0, 1.0], [1.0, 1.0]]  # that stands still
        assert plots.loss_surface(bowl, path).get_xlim() == (0, 2)

    @pytest.mark.parametrize("start", [1.0, (1.0,), (1.0, 2.0, 3.0)])
    def test_start_that_is_no_pair(self, start):
        with pytest.raises(ShapeError, match="two weights"):
            plots.descent_path(bowl, "sgd", start)

    @pytest.mark.parametrize("path", [[1.0, 2.0], np.zeros((3, 3)), np.zeros((0, 2))])
    def test_no_path(self, path):
        with pytest.raises(ShapeError, match="a path of shape"):
            plots.loss_surface(bowl, path)

    def test_bad_options(self):
        with pytest.raises(OptionError, match="steps=0"):
            plots.descent_path(bowl, "sgd", (1, 1), steps=0)
        with pytest.raises(OptionError, match="they fill no range"):
            plots.loss_surface(bowl, across=(1, -1))
        with pytest.raises(ShapeError, match=r"a loss of shape \(2,\)"):
            plots.loss_surface(lambda a, b: np.array([a, b]))


class TestGradientFlow:
    def test_is_the_mean_size_of_each_layers_gradients(self):
        model = with_gradient()
        ax = plots.gradient_flow(model)
        heights = [bar.get_height() for bar in ax.patches]
        means = [
            np.mean(np.concatenate([np.abs(p.grad).ravel() for p in layer.parameters()]))
            for layer in model.layers
        ]
        np.testing.assert_allclose(heights, means, rtol=1e-6)
        assert ax.get_yscale() == "log"
        assert texts(ax.get_xticklabels()) == ["0 Dense", "1 Dense"]

    def test_of_a_scalar_network_and_of_ones_own(self):
        model = nn.MLP(2, [3, 1])
        model([1.0, 2.0]).backward()
        assert texts(plots.gradient_flow(model).get_xticklabels()) == [
            "layers.0 Layer",
            "layers.1 Layer",
        ]

        class Line(nn.Module):
            def __init__(self):
                self.slope, self.layers = Value(2.0), [Dense(1) for _ in range(6)]

            def __call__(self, x):
                for layer in self.layers:
                    x = layer(x)
                return self.slope * x

        line = Line()
        line(np.ones((2, 1))).sum().backward()
        labels = texts(plots.gradient_flow(line).get_xticklabels())
        assert labels == ["slope", *(f"layers.{i} Dense" for i in range(6))]

    def test_gradients_that_are_zero_or_missing(self):
        model = with_gradient()
        for parameter in model.layers[0].parameters():
            parameter.grad = np.zeros(parameter.shape)
        model.layers[1].weight.grad = model.layers[1].bias.grad = None
        ax = plots.gradient_flow(model)
        assert texts(ax.texts) == ["0", "none"]
        assert np.isnan([bar.get_height() for bar in ax.patches]).all()

    def test_before_backward(self):
        with pytest.raises(OptionError, match="none of its parameters has a gradient"):
            plots.gradient_flow(small_model())


def test_signs_have_the_colours_that_they_have_in_pictures():
    below, above = around_zero(plots.activation_functions())([0.0, 1.0])
    for here, there in ((below, color(-1.0, 1.0)), (above, color(1.0, 1.0))):
        red, _, blue, _ = mpl.colors.to_rgba(there)
        assert (here[0] > here[2]) == (red > blue)
