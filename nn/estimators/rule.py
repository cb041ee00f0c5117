"""PerceptronRule: the perceptron's loss and the end of training, for several outputs at once."""

from typing import Any

import numpy as np

from .convergence import Convergence


class PerceptronRule(Convergence):
    """What a perceptron makes small, sample by sample; each output stops learning on its own.

    The loss is max(-d z, 0) for the output z and the side d = 1 or -1, and its derivative on the
    border is -d, so that a start from zeros gets anywhere. Beside it stand l2 / 2 ||w||^2, and
    l1 ||w||_1, which is taken off after each step, so that weights become exactly 0.

    Args:    layer: the Dense layer that learns.
             weights: factors on the steps, for d = 1 and for d = -1, (outputs,) each.
             penalties: l2 and l1.
             rate: the learning rate.
             judge: function of the logs that gives each output's value, such as a score; None:
             minus its mean loss.
             tol, patience: see Convergence.
    Source:  Y. Tsuruoka, J. Tsujii and S. Ananiadou, Stochastic gradient descent training for
             L1-regularized log-linear models with cumulative penalty, 2009, figure 2.
    """

    def __init__(
        self,
        layer: Any,
        weights: tuple[Any, Any],
        penalties: tuple[float, float],
        rate: float,
        judge: Any,
        tol: float,
        patience: float,
    ) -> None:
        super().__init__(judge or self._improvement, tol, patience)
        outputs = layer.units
        self.layer = layer
        self.weights = weights
        self.l2, self.l1 = penalties
        self.rate = rate
        self.learning = np.ones(outputs, bool)
        self._losses = np.zeros(outputs)
        self._samples = 0
        self._due = np.zeros((outputs, 1))  # what l1 should have taken off so far, and has
        self._taken = np.zeros(layer.weight.shape)

    def loss(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch, summed over the outputs that still learn.

        Args:    y_true: 1 or -1, (batch, outputs).
                 y_pred: z, of the same shape.
        """
        margin = y_true * y_pred
        losses: Any = np.where(margin <= 0, -margin, 0.0)
        self._losses += losses.data.sum(axis=0)
        self._samples += len(y_true)
        positive, negative = self.weights
        factors = np.where(y_true > 0, positive, negative) * self.learning
        loss = np.sum(losses * factors.astype(y_true.dtype))
        if self.l2 or self.l1:
            weight = self.layer.weight
            squares = 0.5 * self.l2 * np.sum(np.square(weight), axis=1)
            self._losses += squares.data + self.l1 * np.abs(weight.data).sum(axis=1)
            loss = loss + np.sum(squares * self.learning.astype(y_true.dtype))
        return loss

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """Take what is due to l1 off the weights, none of which changes its sign."""
        if not self.l1:
            return
        weight = self.layer.weight.data
        self._due += self.l1 * self.rate * self.learning[:, None]
        off = np.where(weight > 0, self._due + self._taken, self._due - self._taken)
        rest = np.sign(weight) * np.maximum(np.abs(weight) - off, 0)
        self._taken += rest - weight
        self.layer.weight.data = rest.astype(weight.dtype)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Judge each output, and let those rest that no longer improve."""
        super().on_epoch_end(epoch, logs)
        self.learning &= ~self.stalled
        if not self.learning.any():
            self.model.stop_training = True

    def _improvement(self, logs: dict[str, float]) -> Any:
        mean = self._losses / self._samples
        self._losses, self._samples = np.zeros_like(mean), 0
        return -mean
