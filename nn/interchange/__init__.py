"""Interchange: models from Keras and PyTorch, and on to ONNX.

- from_keras, keras_weights: layers and weights from a Keras model, and weights back
- from_torch, torch_weights: layers and weights from a PyTorch module, and weights back
- export_onnx: what a model computes, for other runtimes and for Netron
"""

from .keras_models import from_keras
from .keras_weights import keras_weights
from .onnx.export import export_onnx
from .torch_modules import from_torch, torch_weights

__all__ = ["export_onnx", "from_keras", "from_torch", "keras_weights", "torch_weights"]
