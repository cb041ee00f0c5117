"""What an operation on one sample is for many samples at once."""

from typing import Any, NamedTuple

from ...data import shape_of
from ...graph import Primitive
from ...primitives.shapes import broadcast_to, reshape


class Register(NamedTuple):
    """What a node of one sample's run is for all samples."""

    data: Any  # float, array or Value
    rank: int  # the number of one sample's axes
    has_samples: bool  # along a first axis; False: one for all samples

    def aligned(self, rank: int) -> Any:
        """Return the data such that samples broadcast with those of this rank."""
        if not self.has_samples or self.rank >= rank:
            return self.data
        count, *shape = shape_of(self.data)
        return reshape(self.data, shape=(count, *[1] * (rank - self.rank), *shape))

    def for_each(self, count: int) -> Any:
        """Return the data with an axis of samples."""
        if self.has_samples:
            return self.data
        return broadcast_to(self.data, shape=(count, *shape_of(self.data)))


class Task(NamedTuple):
    """An operation of one sample's run, to be carried out for all samples."""

    primitive: Primitive
    params: dict[str, Any]  # for one sample
    inputs: list[Register]
    batch_size: int
    one_shape: tuple[int, ...]  # of one sample's result
    dtype: Any  # of one sample's result; None of a number

    @property
    def rank(self) -> int:
        """The number of axes of one sample's result."""
        return len(self.one_shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result for all samples."""
        return (self.batch_size, *self.one_shape)

    def apply(self, *data: Any, **params: Any) -> Any:
        """Apply the primitive, with these options in place of those for one sample."""
        return self.primitive(*data, **{**self.params, **params})
