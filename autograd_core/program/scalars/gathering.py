"""Sums of many terms gathered: chains of additions become one step each, with their products.

((a b + c d) + e) + ... is one step, whose terms are added in the same order as before, so that
results are the same to the bit. Only what nothing else needs is taken in. Where a step took in
numbers that were rounded to float32, it rounds them in between.
"""

import numpy as np

from ...primitives import elementwise as table
from .operations import ACROSS, CODES, ROUNDED_ACROSS, ROUNDED_SUM, SPREAD, SUM
from .steps import Scalars

ADD, MULTIPLY = CODES[table.add], CODES[table.multiply]


def gather_sums(scalars: Scalars) -> None:
    """Change chains of additions into sums of products, and leave alone what they took in.

    The operands of a sum are x0, y0, x1, y1, ..., and it is x0 y0 + x1 y1 + ...
    """
    uses = use_counts(scalars)
    codes, operands, single = scalars.codes, scalars.operands, scalars.single
    own = [count == 1 for count in uses]  # what one operation reads, which may take it in
    narrow = _narrow(scalars)
    one = scalars.number(1.0)
    for slot, (terms, is_rounded) in _chains(scalars, uses, own, narrow).items():
        products = {
            term
            for term in terms
            if codes[term] == MULTIPLY and own[term] and single[term] == is_rounded
        }
        if not products and len(terms) == 2:
            continue
        pairs: list[int] = []
        for term in terms:
            if term in products:
                pairs += operands[term]
            else:
                pairs += (one, term)  # one times anything is the same to the bit
        codes[slot] = ROUNDED_SUM if is_rounded else SUM
        single[slot] = single[slot] and not is_rounded  # it rounds its sums itself
        operands[slot] = tuple(pairs)
    if scalars.lanes > 1:
        _gather_across(scalars, own)
        _spare_spreading(scalars)


def _narrow(scalars: Scalars) -> list[bool]:
    """Return of each slot whether its numbers are certain to be numbers of float32."""
    narrow = list(scalars.single)
    for slot, constant in scalars.constants.items():
        if isinstance(constant, float):
            with np.errstate(over="ignore"):
                narrow[slot] = float(np.float32(constant)) == constant
    for slot, code in enumerate(scalars.codes):
        if code == SPREAD:
            narrow[slot] = narrow[scalars.operands[slot][0]]
    return narrow


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


def _chains(
    scalars: Scalars, uses: list[int], own: list[bool], narrow: list[bool]
) -> dict[int, tuple[list[int], bool]]:
    """Return the terms of each sum, in the order in which they are added, and how it rounds.

    True: the terms and all sums in between are numbers of float32; a chain of others is rounded
    once at most, at its end.
    """
    chains: dict[int, tuple[list[int], bool]] = {}
    operands, single = scalars.operands, scalars.single
    for i, code in enumerate(scalars.codes):
        if code != ADD or not uses[i]:
            continue
        chain, term = operands[i]
        if chain not in chains or not own[chain]:
            chain, term = term, chain
        is_rounded = single[i] and narrow[term]
        terms, all_rounded = chains.get(chain, ([], False))
        if terms and own[chain] and (not single[chain] or (all_rounded and is_rounded)):
            del chains[chain]
            terms.append(term)
            chains[i] = terms, all_rounded
        else:
            chains[i] = [*operands[i]], is_rounded and narrow[chain]
    return chains


def _gather_across(scalars: Scalars, own: list[bool]) -> None:
    """Let sums over lanes take in the products that they add."""
    for i, code in enumerate(scalars.codes):
        if code == ACROSS:
            term = scalars.operands[i][0]
            if scalars.codes[term] == MULTIPLY and own[term]:
                scalars.operands[i] = scalars.operands[term]
                scalars.codes[i] = ROUNDED_ACROSS if scalars.single[term] else ACROSS


def _spare_spreading(scalars: Scalars) -> None:
    """Let sums of products read numbers themselves, where all lanes have the same."""
    codes, operands = scalars.codes, scalars.operands
    for i, code in enumerate(codes):
        if scalars.wide[i] and code in (SUM, ROUNDED_SUM):
            operands[i] = tuple([operands[x][0] if codes[x] == SPREAD else x for x in operands[i]])
