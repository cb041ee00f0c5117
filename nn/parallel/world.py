"""MPI: all processes that mpiexec has started, and the check that they know of each other."""

import os
from typing import Any

import numpy as np

from autograd_core import MissingPackageError, OptionError

from ..optional import optional

# Where the launchers of MPICH, of its relatives and of Open MPI say how many they have started
_STARTED = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")


def world() -> Any:
    """Return the communicator of all ranks.

    Raises:  MissingPackageError: mpi4py is not installed, or finds no MPI library.
             OptionError: mpiexec belongs to another MPI library, so that every rank is alone.
    """
    try:
        found = optional("mpi4py.MPI", "mpi4py mpich").COMM_WORLD
    except RuntimeError as error:  # mpi4py's word for a library that cannot be loaded
        raise MissingPackageError(
            "mpi4py without an MPI library", str(error), "pip install mpich"
        ) from error
    started = max(int(os.environ.get(name, "1")) for name in _STARTED)
    if found.size == 1 and started > 1:
        raise OptionError(
            f"mpiexec that has started {started} processes, each of which finds itself alone",
            "it belongs to another MPI library than the one that mpi4py has loaded",
            "the mpiexec that pip has installed beside python (pip install mpich)",
        )
    return found


def summed(world: Any, numbers: Any) -> Any:
    """Return the sum of all ranks' arrays, in place of this one's."""
    mpi = optional("mpi4py.MPI", "mpi4py mpich")
    world.Allreduce(mpi.IN_PLACE, numbers, mpi.SUM)
    return numbers


def is_common(world: Any, number: int) -> bool:
    """Return whether all ranks have the same number."""
    mpi = optional("mpi4py.MPI", "mpi4py mpich")
    bounds = np.array([number, -number])
    world.Allreduce(mpi.IN_PLACE, bounds, mpi.MAX)
    return bool(bounds[0] == -bounds[1])


def require_same(world: Any, what: dict[str, Any]) -> None:
    """Refuse to go on where the ranks differ in something that they must have in common.

    Args:    what: anything that can be compared, by name.
    Raises:  OptionError: on every rank, with the first thing that differs.
    """
    every = world.allgather(what)
    for name, own in every[0].items():
        for rank, other in enumerate(every):
            if other.get(name) != own:  # it has another name where ranks are at another point
                raise OptionError(
                    f"{name}: {own} on rank 0, but {other.get(name)} on rank {rank}",
                    "all ranks learn one model from one set of data, each from its own share",
                    "the same program, files and seed on every rank: nn.set_seed(0) before weights"
                    " and data are drawn",
                )
