"""What the scalar machine can do: the kernels of the table, sums of products, sums over lanes."""

from ...graph import Primitive
from ...primitives import elementwise as table

# Each is computed by its `scalar`; sinc_derivative has none, since its order chooses a formula
KERNELS: list[Primitive] = [
    p for p in vars(table).values() if isinstance(p, Primitive) and p.scalar is not None
]
CODES: dict[Primitive | None, int] = {primitive: code for code, primitive in enumerate(KERNELS)}

SOURCE = -1  # nothing computes it
SUM = len(KERNELS)  # of products
ACROSS = SUM + 1  # a sum of products over all lanes
SPREAD = SUM + 2  # a number, once for each lane
