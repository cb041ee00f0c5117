"""Differential testing at length, of programs and of trainings.

`python -m benchmarks.differential --programs 20000 --trainings 2000`
"""

import argparse
import gc
import sys
from pathlib import Path

from tests import random_trainings


def trainings(count: int, first: int) -> int:
    """Compare eager and compiled trainings, print those that differ, and return how many do."""
    wrong = chaotic = 0
    for seed in range(first, first + count):
        case, found = random_trainings.difference(seed)
        chaotic += case.is_chaotic
        if found is not None:
            wrong += 1
            print(seed, found[:300].replace("\n", " "), case.parts, flush=True)
    print(f"{count} trainings, {wrong} differ, {chaotic} make much of rounding", flush=True)
    return wrong


def programs(count: int, first: int) -> int:
    """Run programs in every way, print those that differ, and return how many do."""
    sys.path.insert(0, str(Path(random_trainings.__file__).parent))  # as pytest does
    import random_programs

    gc.collect()
    gc.freeze()  # recording looks through all objects that the collector knows
    wrong = 0
    for seed in range(first, first + count):
        case, found = random_programs.difference(seed)
        if found is not None:
            wrong += 1
            print(seed, found[:300].replace("\n", " "), case.steps, flush=True)
    print(f"{count} programs, {wrong} differ", flush=True)
    return wrong


def main() -> None:
    """Run what is asked for; the exit status tells whether anything differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.differential", description=__doc__)
    parser.add_argument("--programs", type=int, default=0, help="how many programs")
    parser.add_argument("--trainings", type=int, default=0, help="how many trainings")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    wrong = programs(arguments.programs, arguments.first)
    raise SystemExit(wrong + trainings(arguments.trainings, arguments.first) > 0)


if __name__ == "__main__":
    main()
