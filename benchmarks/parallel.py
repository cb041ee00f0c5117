"""Data-parallel training: two ranks on two cores, and what follows from them for 1,024 nodes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from math import log2
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeAlias

import numpy as np

from .markdown import table
from .parallel_ranks import BATCHES, LARGE, number_of_parameters
from .timing import Times

MPIEXEC = Path(sys.executable).with_name("mpiexec")
# name: ranks, what they measure, BLAS threads of each
TURNS = {
    "alone": (1, "whole", 1),
    "alone, two threads": (1, "whole", 2),
    "half": (1, "half", 1),
    "two": (2, "whole", 1),
    "allreduce": (2, "allreduce", 1),
    "buckets": (2, "buckets", 1),
    "overlap": (2, "overlap", 1),
}
ROUNDS = 5
NODES = (2, 8, 64, 1024)
SMALL = 3  # messages of a number or two in a step: the sizes agree, the rate, whether to stop

Measured: TypeAlias = dict[str, dict[str, Times]]


class Link(NamedTuple):
    """What it costs to send n bytes from node to node: latency + n * per_byte seconds."""

    latency: float
    per_byte: float

    def ring(self, nodes: int, size: float) -> float:
        """Return the seconds of Allreduce on a ring: 2 (p - 1) exchanges of n / p bytes."""
        return 2 * (nodes - 1) * (self.latency + size / nodes * self.per_byte)

    def tree(self, nodes: int, size: float) -> float:
        """Return the seconds of Allreduce by recursive doubling: log2 p exchanges of n bytes."""
        return log2(nodes) * (self.latency + size * self.per_byte)

    def step(self, nodes: int, size: float, is_ring: bool) -> float:
        """Return the seconds that a step spends with messages, the small ones on the tree."""
        large = self.ring(nodes, size) if is_ring else self.tree(nodes, size)
        return large + SMALL * self.tree(nodes, 8)


# Assumed, from data sheets and common measurements, not measured here
ETHERNET = Link(30e-6, 8 / 10e9)
INFINIBAND = Link(2e-6, 8 / 200e9)


def report() -> str:
    """Measure everything and return it as Markdown."""
    measured = _measure()
    points = {int(size): times.median for size, times in measured["allreduce"].items()}
    link = fitted(points)
    links = {"as here": link, "10 Gbit/s, 30 µs": ETHERNET, "200 Gbit/s, 2 µs": INFINIBAND}
    alone = measured["overlap"]
    added = Times(*(sum(pair) for pair in zip(alone["compute"], alone["send"], strict=True)))
    overlap = [_cell(each) for each in (alone["compute"], alone["send"], added, alone["both"])]
    step_header = ["network, samples a step", *STEP_COLUMNS]
    parts = [
        "Milliseconds a step, median (fastest); one BLAS thread a rank:",
        table(step_header, _step_rows(measured, link)),
        f"Allreduce between two ranks, microseconds; the line is {link.latency * 1e6:.1f} µs + n /"
        f" {1e-9 / link.per_byte:.2f} GB/s:",
        table(["bytes", "measured", "line", "line divided by measured"], _line_rows(points, link)),
        f"Averaging all gradients of {LARGE}, packed and unpacked, by the size of the buckets:",
        table(["bytes", "ms"], _bucket_rows(measured["buckets"])),
        f"Would it help to send while the backward pass of {LARGE} goes on? Milliseconds:",
        table(["forward and backward", "Allreduce", "the sum", "both begun at once"], [overlap]),
        "The same share of the batch on every node; efficiency is computing divided by the step:",
        table(["network", "link", "Allreduce", *map("{:,}".format, NODES)], _far(measured, links)),
    ]
    return "\n\n".join(parts)


STEP_COLUMNS = (
    "one rank",
    "one rank, two threads",
    "two ranks",
    "faster by",
    "predicted",
    "predicted divided by measured",
)


def _measure() -> Measured:
    """Let all take turns, and return their times by what they have measured."""
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in TURNS}
    for _ in range(ROUNDS):
        for name, (ranks, part, threads) in TURNS.items():
            turns[name].append(_turn(ranks, part, threads))
    return {
        name: {
            key: Times(median(turn[key] for turn in found), min(turn[key] for turn in found))
            for key in found[0]
        }
        for name, found in turns.items()
    }


def _turn(ranks: int, part: str, threads: int) -> dict[str, float]:
    command = [MPIEXEC, "-n", str(ranks), sys.executable, "-m", "benchmarks.parallel_ranks", part]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(threads)}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=300
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def fitted(points: dict[int, float]) -> Link:
    """Return the link whose line lies closest to measured seconds by bytes, relatively.

    Example: >>> fitted({0: 1.0, 10: 2.0, 20: 3.0})
             Link(latency=1.0, per_byte=0.1)
    """
    sizes, seconds = np.array(list(points), float), np.array(list(points.values()))
    relative = np.column_stack([1 / seconds, sizes / seconds])
    latency, per_byte = np.linalg.lstsq(relative, np.ones(len(sizes)))[0]
    return Link(max(float(latency), 0.0), float(per_byte))


def _cell(times: Times) -> str:
    return f"{times.median * 1e3:.2f} ({times.fastest * 1e3:.2f})"


def _bytes(network: str) -> int:
    return 4 * number_of_parameters(network)


def _step_rows(measured: Measured, link: Link) -> Iterator[list[str]]:
    for network, batch in BATCHES.items():
        one, threads, two = (measured[n][network] for n in ("alone", "alone, two threads", "two"))
        expected = measured["half"][network].median + link.step(2, _bytes(network), is_ring=False)
        yield [
            f"{network}, {batch}",
            *map(_cell, (one, threads, two)),
            f"{one.median / two.median:.2f}",
            f"{expected * 1e3:.2f}",
            f"{expected / two.median:.2f}",
        ]


def _line_rows(points: dict[int, float], link: Link) -> Iterator[list[str]]:
    for size, seconds in points.items():
        line = link.tree(2, size)
        yield [f"{size:,}", f"{seconds * 1e6:,.1f}", f"{line * 1e6:,.1f}", f"{line / seconds:.2f}"]


def _bucket_rows(times: dict[str, Times]) -> Iterator[list[str]]:
    for size, each in times.items():
        yield [f"{int(size):,}", _cell(each)]


def _far(measured: Measured, links: dict[str, Link]) -> Iterator[list[str]]:
    """Yield for each network, link and algorithm how much of a step is left for computing."""
    for network in BATCHES:
        computing = measured["half"][network].median
        for name, link in links.items():
            for algorithm, is_ring in {"ring": True, "tree": False}.items():
                spent = [link.step(nodes, _bytes(network), is_ring) for nodes in NODES]
                shares = [f"{computing / (computing + each):.1%}" for each in spent]
                yield [network, name, algorithm, *shares]
