"""The plane of two inputs: its edges, its classes, and what outputs say of them."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from autograd_core import DataError, DomainError, ShapeError
from nn import losses
from nn.losses import wants_logits
from nn.plots.plane import Plane

CORNERS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 1.0], [10.0, 1.0]])


class TestPlace:
    def test_reaches_a_tenth_beyond_the_samples(self):
        plane = Plane(CORNERS, [0, 1, 1, 0])
        np.testing.assert_allclose([plane.low, plane.high], [[-1, -0.1], [11, 1.1]])

    def test_a_column_of_equal_numbers_gets_some_room(self):
        plane = Plane([[3.0, 1.0], [3.0, 2.0]], [0, 1])
        assert (plane.low[0], plane.high[0]) == (2.0, 4.0)

    def test_the_grid_runs_row_by_row_from_the_top_left(self):
        grid = Plane(CORNERS, [0, 1, 1, 0]).grid(3)
        assert grid.shape == (9, 2)
        np.testing.assert_allclose(grid[[0, 2, 6]], [[1, 0.9], [9, 0.9], [1, 0.1]])

    @pytest.mark.parametrize(("given", "kept"), [("f4", "f4"), ("f8", "f8"), ("i8", "f8")])
    def test_the_grid_is_of_the_samples_type(self, given, kept):
        assert Plane(CORNERS.astype(given), [0, 1, 1, 0]).grid(2).dtype == np.dtype(kept)

    def test_axes_have_the_names_of_a_frame(self):
        frame = pd.DataFrame(CORNERS, columns=["height", "weight"])
        assert Plane(frame, [0, 1, 1, 0]).names == ["height", "weight"]
        assert Plane(CORNERS, [0, 1, 1, 0]).names == ["x₁", "x₂"]


class TestScores:
    def test_of_one_output_lie_around_the_middle_of_two_classes(self):
        out = np.array([[0.0], [0.5], [1.0], [0.75]])
        scores = Plane(CORNERS, [0, 1, 1, 0]).scores(out)
        np.testing.assert_allclose(scores[:, 0], [-1, 0, 1, 0.5])
        np.testing.assert_allclose(Plane(CORNERS, [-1, 1, 1, -1]).scores(out), out)
        np.testing.assert_allclose(Plane(CORNERS, [2, 6, 6, 2]).scores(4 * out + 2), scores)

    def test_one_class_alone_is_still_one_of_two(self):
        plane = Plane(CORNERS, [1, 1, 1, 1])
        assert plane.scores(np.array([[0.75]])) == 0.5
        assert plane.colours(1).tolist() == [1, 1, 1, 1]
        assert Plane(CORNERS, [5, 5, 5, 5]).scores(np.array([[5.0]])) == 0.0

    def test_logits_have_their_zero_between_the_classes(self):
        loss = partial(losses.binary_crossentropy, from_logits=True)
        out = np.array([[3.0], [-0.1], [0.1], [-2.0]])
        plane = Plane(CORNERS, [0, 1, 1, 0])
        assert plane.scores(out, loss) is out
        assert plane.right(plane.scores(out, loss)).tolist() == [False, False, True, True]
        assert not wants_logits(losses.binary_crossentropy)

    def test_several_outputs_are_scores_of_classes(self):
        out = np.eye(3)[[0, 1, 2, 0]]
        plane = Plane(CORNERS, [0, 1, 1, 0])
        assert plane.scores(out) is out
        assert plane.right(out).tolist() == [True, True, False, True]
        assert plane.colours(3).tolist() == [0, 1, 1, 0]

    @pytest.mark.parametrize("y", [[[0], [1], [1], [0]], [[1, 0], [0, 1], [0.1, 0.9], [1, 0]]])
    def test_targets_are_a_column_or_one_hot_rows(self, y):
        assert Plane(CORNERS, y).targets.tolist() == [0, 1, 1, 0]

    @pytest.mark.parametrize("y", [[0.5, 2.5, 1.5, 2.5], [1, 2, 3, 1]])
    def test_figures_have_no_right_side(self, y):
        plane = Plane(CORNERS, y)
        assert not plane.is_classes(1)
        assert plane.right(np.zeros((4, 1))) is None
        assert plane.colours(1)[:2].tolist() == [-1, {2.5: 1, 2: 0}[y[1]]]

    def test_many_whole_numbers_are_figures(self):
        assert Plane(np.zeros((40, 2)), np.arange(40)).classes is None


class TestBadInput:
    @pytest.mark.parametrize("x", [np.zeros((4, 3)), np.zeros(4), np.zeros((4, 2, 2))])
    def test_a_plane_has_two_axes(self, x):
        with pytest.raises(ShapeError, match=r"a plane has two axes[^$]*x\[:, :2\]"):
            Plane(x, np.zeros(4))

    def test_every_sample_has_one_target(self):
        with pytest.raises(ShapeError, match="x of 4 samples and y of 3"):
            Plane(CORNERS, [0, 1, 1])

    @pytest.mark.parametrize(
        "y", [np.full((4, 2), 0.7), [[2, -1]] * 4, np.zeros((4, 2, 2))], ids=["sum", "sign", "axes"]
    )
    def test_rows_that_are_not_one_hot(self, y):
        with pytest.raises(ShapeError, match="one class or one number"):
            Plane(CORNERS, y)

    @pytest.mark.parametrize("number", [np.nan, np.inf])
    def test_numbers_without_a_place(self, number):
        with pytest.raises(DomainError, match="x that holds NaN or inf"):
            Plane(np.where(CORNERS == 10, number, CORNERS), [0, 1, 1, 0])
        with pytest.raises(DomainError, match="y that holds NaN or inf"):
            Plane(CORNERS, [0, 1, number, 0])

    def test_text(self):
        with pytest.raises(DataError, match="real numbers"):
            Plane(CORNERS, ["a", "b", "b", "a"])
