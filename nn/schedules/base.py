"""Schedule: what all have in common."""

from dataclasses import dataclass

from ..configuration import Configured, check_range


class Schedule(Configured):
    """A learning rate for each step: schedule(step)."""

    def __call__(self, step: float) -> float:
        """Return the learning rate of a step, from 0."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__(self, step)")


@dataclass(eq=False, repr=False)
class Decay(Schedule):
    """What the decays share: where they start, and how many steps they take."""

    initial_learning_rate: float
    decay_steps: float

    def __post_init__(self) -> None:
        check_range("decay_steps", self.decay_steps, 1)
