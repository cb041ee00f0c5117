"""Pictures of networks and of their training.

With matplotlib (pip install matplotlib), which is imported when the first plot is drawn; each
function takes and returns an Axes:

- learning_curves: a metric over the epochs; gradient_flow: mean gradients, layer by layer
- decision_boundary: the class that a model predicts at each point of the plane
- confusion_matrix, misread: which classes are confused, and the samples that are
- weights_as_images: the weights of each neuron or filter
- activation_functions: with their derivatives
- loss_surface, optimizer_paths, descent_path: a loss over two weights, and the paths of optimizers

As a page for the browser, which needs nothing but the file:

- Replay, a callback, records a training; side_by_side shows several; ReplayPage: their page
"""

from .curves import activation_functions, gradient_flow, learning_curves
from .descent import descent_path, loss_surface, optimizer_paths
from .images import confusion_matrix, misread, weights_as_images
from .plane import decision_boundary
from .replay import Replay, ReplayPage, side_by_side

__all__ = [
    "Replay",
    "ReplayPage",
    "activation_functions",
    "confusion_matrix",
    "decision_boundary",
    "descent_path",
    "gradient_flow",
    "learning_curves",
    "loss_surface",
    "misread",
    "optimizer_paths",
    "side_by_side",
    "weights_as_images",
]
