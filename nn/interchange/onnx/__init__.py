"""ONNX: the program of a model as a file that other runtimes execute and Netron draws."""

from .export import export_onnx

__all__ = ["export_onnx"]
