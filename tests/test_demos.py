"""The demos run, in a short form, and print their key figures."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from demos import digits, mnist, overfitting, xor

SHARED = Path(__file__).parents[2] / "shared" / "data"
HERE = os.environ.get("AUTOGRAD_CORE_DATA") or (SHARED if (SHARED / "mnist").is_dir() else None)


def test_digits(capsys):
    digits.main()
    out = capsys.readouterr().out
    share = float(re.search(r"([\d.]+)% of the test digits read", out)[1])
    assert share >= 100 * digits.REQUIRED_ACCURACY
    rows = re.findall(r"^ {4}\d  ((?: +(?:\d+|\.)){10})$", out, re.MULTILINE)
    counts = [[int(n.replace(".", "0")) for n in row.split()] for row in rows]
    assert sum(map(sum, counts)) == 360
    right = sum(counts[digit][digit] for digit in range(digits.DIGITS))
    assert f"{right / 360:.1%}" == f"{share}%"


def test_digits_says_so_if_it_reads_too_badly(capsys, monkeypatch):
    monkeypatch.setattr(digits, "REQUIRED_ACCURACY", 1.01)
    with pytest.raises(SystemExit, match="less than 101%"):
        digits.main()


def test_xor(capsys):
    xor.main(networks=20, steps=300, learning_rate=0.1)
    out = capsys.readouterr().out
    found = xor.study(20, steps=300, learning_rate=0.1)
    assert "300 steps of Adam at learning rate 0.1, 20 starts of each" in out
    solved = {form: xor.count_solved(guesses) for form, guesses in found.items()}
    assert min(solved.values()) > 0
    for form, count in solved.items():
        rows = [xor.PRINTED[form], xor.nearest(found[form], xor.PRINTED[form])]
        printed, ours = (" ".join(f"{guess:.3f}" for guess in row) for row in rows)
        assert re.search(rf"{form} +{count / 20:.0%} +{printed}\n +{ours}\n", out)


def test_overfitting(capsys):
    overfitting.main(seeds=1, epochs=3)
    out = capsys.readouterr().out
    for cure in overfitting.CURES:
        figures = {name: each[0] for name, each in overfitting.study([0], [cure], 3)[cure].items()}
        cells = [f"{figures[name]:.1%} ( 0.0%)" for name in ("train", "test", "gap")]
        assert figures["epochs"] == 3
        line = next(line for line in out.splitlines() if line[:20].rstrip() == cure)
        assert re.findall(r"\S+% \( 0\.0%\)", line)[:3] == cells
        assert ("smaller in" in line) == (not cure.startswith("none"))


def test_overfitting_compares_seed_by_seed(capsys):
    found = {
        cure: {"train": gap + 0.9, "test": 0 * gap + 0.9, "gap": gap, "epochs": gap}
        for cure, gap in {
            "none": np.array([0.10, 0.06]),
            "dropout": np.array([0.07, 0.07]),
            "none, fewer images": np.array([0.09, 0.09]),
            "early stopping": np.array([0.08, 0.08]),
        }.items()
    }
    overfitting.print_table(found)
    lines = {line[:20].rstrip(): line for line in capsys.readouterr().out.splitlines()}
    assert lines["none"].endswith(" 8.0% ( 2.8%)")
    assert lines["dropout"].endswith(" -1.0% ( 2.8%), smaller in 1 of 2")
    assert lines["early stopping"].endswith(" -1.0% ( 0.0%), smaller in 2 of 2")


@pytest.mark.skipif(HERE is None, reason="needs the files: set AUTOGRAD_CORE_DATA")
def test_mnist(capsys, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_CORE_DATA", str(HERE))
    accuracy = mnist.main(epochs=1)
    out = capsys.readouterr().out
    assert accuracy > 0.93
    assert "101,770" in out
    assert f"{accuracy:.2%} of the test images read" in out
    assert int(re.search(r"saved: ([\d,]+) bytes", out)[1].replace(",", "")) > 4 * 101_770
