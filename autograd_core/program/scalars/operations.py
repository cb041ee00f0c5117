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
ROUNDED_SUM = SUM + 1  # of products, where each product and each sum is rounded to float32
ACROSS = SUM + 2  # a sum of products over all lanes
ROUNDED_ACROSS = SUM + 3  # of products that are rounded to float32
SPREAD = SUM + 4  # a number, once for each lane
