"""Callbacks: what may look at training and step in.

- Callback: the base of one's own
- History: the figures of each epoch, as `fit` returns them
- EarlyStopping, ModelCheckpoint, ReduceLROnPlateau: watch one figure
- LearningRateScheduler, TerminateOnNaN, CSVLogger, LambdaCallback: act at each epoch or batch
"""

from .base import Callback, CallbackList, History
from .monitoring import EarlyStopping, ModelCheckpoint, Monitor, ReduceLROnPlateau
from .recording import (
    CSVLogger,
    LambdaCallback,
    LearningRateScheduler,
    Progress,
    TerminateOnNaN,
)

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Monitor",
    "Progress",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
