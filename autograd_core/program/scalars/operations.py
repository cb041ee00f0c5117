"""What the scalar machine can do: the kernels of the table, sums of products, sums over lanes."""

from ...graph import Primitive
from ...primitives import elementwise as table

# Each is computed by its `scalar`; sinc_derivative has none, since its order chooses a formula
KERNELS: list[Primitive] = [
    p for p in vars(table).values() if isinstance(p, Primitive) and p.scalar is not None
]
CODES: dict[Primitive | None, int] = {primitive: code for code, primitive in enumerate(KERNELS)}
PRODUCTS = (table.multiply, table.times)

SOURCE = -1  # nothing computes it
FIRST_SUM = len(KERNELS)
FIRST_ACROSS = FIRST_SUM + len(PRODUCTS)
SPREAD = FIRST_ACROSS + len(PRODUCTS)  # a number, once for each lane

# By the code of a product: that of the sum of such products, and of their sum over all lanes
SUMS: dict[int, int] = {CODES[p]: FIRST_SUM + i for i, p in enumerate(PRODUCTS)}
ACROSS: dict[int, int] = {CODES[p]: FIRST_ACROSS + i for i, p in enumerate(PRODUCTS)}
