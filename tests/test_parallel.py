"""nn.parallel: several ranks learn what one process learns, and stop together."""

import os
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_core import MissingPackageError, OptionError
from nn.parallel import Ranks
from tests import parallel_programs as programs

ROOT = Path(__file__).parents[1]
MPIEXEC = Path(sys.executable).with_name("mpiexec")
SHARED = ROOT.parent / "shared" / "data"
MNIST = os.environ.get("AUTOGRAD_CORE_DATA") or (SHARED if (SHARED / "mnist").is_dir() else None)
SECONDS = 60  # more than any of them takes on a busy machine


def run(command, seconds=SECONDS, **environment):
    """Return how a command ended and all that it has printed."""
    done = subprocess.run(
        [str(each) for each in command],
        cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    return done.returncode, done.stdout


def program(names, folder):
    return [sys.executable, "-m", "tests.parallel_programs", names, folder]


def ranks(count, names, folder):
    """Run programs on some ranks; return how they ended, and what they have printed."""
    return run([MPIEXEC, "-n", count, *program(names, folder)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which two, three and one ranks have run the programs that succeed."""
    folder = tmp_path_factory.mktemp("parallel")
    names = "learning,streams,interrupted,resuming"
    for count, wanted in ((2, f"saving,{names},refusals"), (3, names), (1, names)):
        code, out = ranks(count, wanted, folder)
        assert code == 0, out
        (folder / f"out-{count}").write_text(out)
    return folder


def results(folder, name, count):
    return pickle.loads((folder / f"{name}-{count}").read_bytes())


@pytest.fixture(scope="module")
def alone():
    """What one process without MPI learns."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nn.TrainingWarning)
        for key, case in programs.all_cases():
            nn.set_seed(3)
            found[key] = programs.learn(case, key[1], lambda model, *a, **o: model.fit(*a, **o))
    return found


@pytest.mark.parametrize(
    ("count", "key"), [(n, key) for n in (1, 2, 3) for key, _ in programs.all_cases(n)], ids=str
)
def test_ranks_learn_what_one_process_learns(folder, alone, count, key):
    within = {"rtol": 2e-5, "atol": 2e-6} if key[0] == "float32" else {"rtol": 0, "atol": 1e-12}
    history, state, drawn = alone[key]
    for found in results(folder, "learning", count):
        assert list(found[key][0]) == list(history)
        for name, figures in history.items():
            np.testing.assert_allclose(found[key][0][name], figures, **within)
        for name, array in state.items():
            np.testing.assert_allclose(found[key][1][name], array, **within)
            assert found[key][1][name].dtype == array.dtype
        if count > 1:  # all that one process draws for the model: weights, shuffles
            assert found[key][2] == drawn


@pytest.mark.parametrize("count", [2, 3])
def test_all_ranks_end_with_the_same_bits(folder, count):
    first, *others = results(folder, "learning", count)
    for key, _ in programs.all_cases(count):
        for other in others:
            assert other[key][0] == first[key][0]
            for name, array in first[key][1].items():
                np.testing.assert_array_equal(other[key][1][name], array)


def test_cases_hold_what_they_promise(alone):
    assert len(alone["early stopping", False][0]["loss"]) == 3
    assert len(alone["stopped in the middle", False][0]["loss"]) == 2
    assert alone["rates of epochs", False][0]["learning_rate"] == pytest.approx(
        [0.1, 0.05, 0.1 / 3, 0.025]
    )
    reached = [batch.max() > 1.0 for batch in np.split(programs.X[:, 0], 10)]
    assert any(reached)
    assert not all(reached)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_evaluate_measures_over_all_ranks(folder, count):
    for found in results(folder, "learning", count):
        np.testing.assert_allclose(found["evaluate"], found["evaluate alone"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("count", [2, 3])
def test_running_averages_are_means_over_ranks(folder, count):
    nn.set_seed(5)
    model = programs.normalized()
    model.fit(programs.X[:48], programs.ROWS[:48], batch_size=12, epochs=2, verbose=0)
    for found in results(folder, "learning", count):
        state = found["normalized", 0]
        np.testing.assert_allclose(state["0.running_mean"], model.layers[0].running_mean)
        # the variance within shares is smaller than that of the batch
        assert (state["0.running_var"] < model.layers[0].running_var).all()


def test_dropout_is_repeatable_and_leaves_ranks_equal(folder):
    first, second = results(folder, "learning", 2)
    for name, array in first["dropping", 0].items():
        np.testing.assert_array_equal(first["dropping", 1][name], array)
        np.testing.assert_array_equal(second["dropping", 0][name], array)


@pytest.mark.parametrize("count", [2, 3])
def test_each_rank_and_epoch_draws_other_numbers(folder, count):
    drawn = [[n for n in each if n is not None] for each in results(folder, "streams", count)]
    assert [len(each) for each in drawn] == [3] * count
    assert len({number for each in drawn for number in each}) == 3 * count


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_checkpoint_resumes_on_any_number_of_ranks(folder, count):
    assert sorted(path.name for path in folder.glob("*.safetensors")) == [
        "1.safetensors",
        "2.safetensors",
    ]
    nn.set_seed(7)
    model = programs.classifier()
    model.fit(programs.X, programs.CLASSES, batch_size=11, epochs=4, verbose=0)
    for state, iterations in results(folder, "resuming", count):
        assert iterations == model.optimizer.iterations == 20
        for name, array in model.state_dict().items():
            np.testing.assert_allclose(state[name], array, rtol=0, atol=1e-12)


def test_one_rank_speaks_for_all(folder):
    out = (folder / "out-2").read_text()
    assert out.count("epoch 1  loss") == out.count("epoch 2  loss") == 1
    assert out.count("1 batches [") == 1  # the bar of evaluate
    assert out.count("no gradient reaches") <= 1


REFUSED = {
    "epochs": ["options: {'epochs': 1", "on rank 0, but {'epochs': 2", "on rank 1", "set_seed"],
    "batch size": ["'batch_size': 10", "'batch_size': 11"],
    "optimizer": ["optimizer: Adam() on rank 0, but SGD() on rank 1"],
    "sum": ["reduction='sum' on several ranks", 'reduction="mean"'],
    "units": ["model: Sequential(layers=[Dense(units=8)", "Dense(units=9)"],
    "sizes": ["parameters and buffers: ", "'unused': ((8,), 'float64')", "((9,), 'float64')"],
    "samples": ["batch 0 of the data: float64(32, 6), checksum "],
    "order": ["batch 0 of the data: float64(32, 6), checksum "],
    "batches": ["batch 2 of the data: float64(1, 6), ", "on rank 0, but no batch on rank 1"],
    "evaluate": ["batch 0 of the data: float64(5, 6), ", "but float64(6, 6)"],
    "validation": ["'validation_data': 'tuple'} on rank 0, but {} on rank 1"],
    "activation": ["Dense(units=8, activation=relu)", "Dense(units=8, activation=tanh)"],
    "bucket sizes": ["bucket_size: 300 on rank 0, but 301 on rank 1"],
    "another call": ["doing: fit on rank 0, but evaluate on rank 1"],
    "not compiled": ["it was not compiled"],
    "outside": ["outside its block", "with nn.parallel.Ranks() as ranks"],
    "bucket": ["bucket_size = 0"],
    "a later batch": ["batch 4 of the data: float64(10, 6), checksum "],
    "a later row": ["all samples of the data: float64(50, 6), checksum "],
    "a loss": ["the loss of the first sample: ", "compute something else"],
    "a loss with options": ["huber {'delta': 1.0} on rank 0, but huber {'delta': 2.0} on rank 1"],
    "a schedule": ["checksum of the weights after epoch 0: "],
    "an error of all": ["class numbers of shape (1, 7)"],
}


@pytest.mark.parametrize("count", [2, 3])
def test_ctrl_c_on_one_rank_stops_all_after_the_same_batch(folder, count):
    first, *others = results(folder, "interrupted", count)
    assert first[0] == 8
    for iterations, history, state in others:
        assert (iterations, history) == first[:2]
        for name, array in first[2].items():
            np.testing.assert_array_equal(state[name], array)


@pytest.mark.parametrize("name", REFUSED)
def test_every_rank_refuses_what_is_unequal(folder, name):
    for found in results(folder, "refusals", 2):
        for part in REFUSED[name]:
            assert part in found[name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("failing", ["rank 1 of 2 failed, and stops", "ArithmeticError: the fourth batch is too"]),
        ("failing_callback", ["rank 0 of 2 failed, and stops all", "OSError: the disk is full"]),
        ("leaving", ["rank 1 of 2 failed, and stops all others", "SystemExit: no data here"]),
        ("leaving_quietly", ["rank 0 of 2 failed, and stops all others", "SystemExit"]),
        ("parting", ["doing: fit on rank 0, but the end of the block on rank 1"]),
        ("killed", ["BAD TERMINATION"]),
        ("catching", ["rank 1 has stopped: ArithmeticError: the fourth batch", "the same calls"]),
        ("catching_everywhere", ["rank 0 has caught RankError", "rank 1 has stopped: Arith"]),
        ("interrupted_twice", ["KeyboardInterrupt", "rank 1 of 2 failed, and stops all"]),
        ("changing", ["changes model.optimizer.momentum", "rank 0 has stopped: OptionError: a c"]),
        ("growing", ["rank 0 of 2", "rank 1"]),
        ("outside", ["ArithmeticError: no data here", "rank 1 has stopped: the program has ended"]),
    ],
)
def test_a_rank_that_fails_stops_the_others(tmp_path, name, said):
    code, out = ranks(2, name, tmp_path)
    assert code != 0
    assert all(part in out for part in said), out
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_is_not_there_is_an_error(tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("no-such-host.invalid\n")
    code, out = run([MPIEXEC, "-f", hosts, "-n", 2, *program("learning", tmp_path)])
    assert code != 0
    assert out
    code, out = run([MPIEXEC, "-f", tmp_path / "none", "-n", 2, *program("learning", tmp_path)])
    assert code != 0
    assert "unable to open host file" in out


def test_ranks_of_another_mpiexec_are_not_left_alone(tmp_path):
    code, out = run(program("learning", tmp_path), OMPI_COMM_WORLD_SIZE="2")
    assert code != 0
    assert "OptionError: mpiexec that has started 2 processes, each of which finds itself" in out


def test_without_a_library_the_error_says_how_to_get_one(tmp_path):
    code, out = run(program("learning", tmp_path), MPI4PY_LIBMPI=str(tmp_path / "libmpi.so"))
    assert code != 0
    assert "mpi4py without an MPI library" in out
    assert "pip install mpich" in out


def test_without_mpi4py_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", None)
    with pytest.raises(MissingPackageError, match="pip install mpi4py mpich"):
        Ranks()


def test_one_process_needs_no_mpiexec():
    with Ranks() as ranks:
        assert (ranks.rank, ranks.size, ranks.is_first) == (0, 1, True)
        assert repr(ranks) == "Ranks: 0 of 1"
        with pytest.raises(ZeroDivisionError):  # one that nobody waits for fails as always
            ranks.fit(programs.classifier(), programs.X, programs.CLASSES, batch_size=1 // 0)
    with pytest.raises(OptionError, match="outside its block"):
        ranks.evaluate(programs.classifier(), programs.X, programs.CLASSES)


@pytest.mark.skipif(MNIST is None, reason="needs the files: set AUTOGRAD_CORE_DATA")
def test_the_demo_runs_on_two_ranks():
    command = [MPIEXEC, "-n", 2, sys.executable, "-m", "demos.mnist", "1", "--parallel"]
    code, out = run(command, AUTOGRAD_CORE_DATA=str(MNIST))
    assert code == 0, out
    assert out.count("epoch 1  loss") == out.count("loaded again: ") == 1
    assert float(re.search(r"([\d.]+)% of the test images read", out)[1]) > 93
