"""Sums of many terms gathered: chains of additions become one step each, with their products.

((a b + c d) + e) + ... is one step, whose terms are added in the same order as before, so that
results are the same to the bit. Only what nothing else needs is taken in.
"""

from ...primitives import elementwise as table
from .operations import ACROSS, CODES, SPREAD, SUM
from .steps import Scalars

ADD, MULTIPLY = CODES[table.add], CODES[table.multiply]


def gather_sums(scalars: Scalars) -> None:
    """Change chains of additions into sums of products, and leave alone what they took in.

    The operands of a sum are x0, y0, x1, y1, ..., and it is x0 y0 + x1 y1 + ...
    """
    uses = use_counts(scalars)
    codes, operands = scalars.codes, scalars.operands
    # What one operation reads, and in full precision, may be taken in by it
    own = [count == 1 and not single for count, single in zip(uses, scalars.single, strict=True)]
    one = scalars.number(1.0)
    for slot, terms in _chains(scalars, uses, own).items():
        products = {term for term in terms if codes[term] == MULTIPLY and own[term]}
        if not products and len(terms) == 2:
            continue
        pairs: list[int] = []
        for term in terms:
            if term in products:
                pairs += operands[term]
            else:
                pairs += (one, term)  # one times anything is the same to the bit
        codes[slot] = SUM
        operands[slot] = tuple(pairs)
    if scalars.lanes > 1:
        _gather_across(scalars, own)
        _spare_spreading(scalars)


def use_counts(scalars: Scalars) -> list[int]:
    """Return how often each slot is read by what is needed itself; twice is added if it leaves."""
    uses = [0] * len(scalars.codes)
    for slot in scalars.kept:
        uses[slot] += 2
    operands = scalars.operands
    for i in range(len(uses) - 1, -1, -1):
        if uses[i]:
            for x in operands[i]:
                uses[x] += 1
    return uses


def _chains(scalars: Scalars, uses: list[int], own: list[bool]) -> dict[int, list[int]]:
    """Return the terms of each sum, in the order in which they are added."""
    chains: dict[int, list[int]] = {}
    operands = scalars.operands
    for i, code in enumerate(scalars.codes):
        if code != ADD or not uses[i]:
            continue
        x, y = operands[i]
        if x in chains and own[x]:
            terms = chains.pop(x)
            terms.append(y)
        elif y in chains and own[y]:
            terms = chains.pop(y)
            terms.append(x)
        else:
            terms = [x, y]
        chains[i] = terms
    return chains


def _gather_across(scalars: Scalars, own: list[bool]) -> None:
    """Let sums over lanes take in the products that they add."""
    for i, code in enumerate(scalars.codes):
        if code == ACROSS:
            term = scalars.operands[i][0]
            if scalars.codes[term] == MULTIPLY and own[term]:
                scalars.operands[i] = scalars.operands[term]


def _spare_spreading(scalars: Scalars) -> None:
    """Let sums of products read numbers themselves, where all lanes have the same."""
    codes, operands = scalars.codes, scalars.operands
    for i, code in enumerate(codes):
        if scalars.wide[i] and code == SUM:
            operands[i] = tuple([operands[x][0] if codes[x] == SPREAD else x for x in operands[i]])
