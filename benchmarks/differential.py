"""Differential testing at length: `python -m benchmarks.differential --trainings 2000`."""

import argparse

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


def main() -> None:
    """Run what is asked for; the exit status tells whether anything differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.differential", description=__doc__)
    parser.add_argument("--trainings", type=int, default=0, help="how many trainings")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    raise SystemExit(trainings(arguments.trainings, arguments.first) > 0)


if __name__ == "__main__":
    main()
