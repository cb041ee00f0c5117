"""Replay: a training that was recorded, as a page to move through forwards and backwards."""

from .page import ReplayPage
from .recorder import Replay, side_by_side

__all__ = ["Replay", "ReplayPage", "side_by_side"]
