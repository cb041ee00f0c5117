"""Networks from Keras and PyTorch, and to ONNX.

- from_keras, keras_weights: layers and weights from a Keras model, and weights back
- from_torch, torch_weights: layers and weights from a PyTorch module, and weights back
- export_onnx: what a model computes, for other runtimes and for Netron
"""

from .integrations.keras import from_keras, keras_weights
from .integrations.onnx import export_onnx
from .integrations.torch import from_torch, torch_weights

__all__ = ["export_onnx", "from_keras", "from_torch", "keras_weights", "torch_weights"]
