"""Plots with matplotlib, an extra (pip install matplotlib): each takes and returns an Axes.

- learning_curves: a figure over the epochs; gradient_flow: mean gradients, layer by layer
- decision_boundary: which class a model sees where in the plane
- confusion_matrix, misread: which class is taken for which, and the samples of which this is true
- weights_as_images: what each neuron or filter looks for
- activation_functions: with their derivatives
- loss_surface, optimizer_paths, descent_path: a loss over two weights, and the ways down

`from nn import plots`; matplotlib itself is imported when the first plot is drawn.
"""

from .boundary import decision_boundary
from .confusion import confusion_matrix
from .curves import activation_functions, learning_curves
from .descent import descent_path, loss_surface, optimizer_paths
from .gradients import gradient_flow
from .images import misread, weights_as_images

__all__ = [
    "activation_functions",
    "confusion_matrix",
    "decision_boundary",
    "descent_path",
    "gradient_flow",
    "learning_curves",
    "loss_surface",
    "misread",
    "optimizer_paths",
    "weights_as_images",
]
