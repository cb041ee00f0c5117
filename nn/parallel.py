"""Data-parallel training over MPI: several processes, on one or more machines, train one model.

    mpiexec -n 4 python train.py

runs the same program four times; each of the four is a rank, and in

    with nn.parallel.Ranks() as ranks:
        history = ranks.fit(model, x, y, batch_size=100)  # 25 samples of each batch on each rank
        if ranks.is_first:
            model.save("model.safetensors")

all of them have the same weights after every step: those of one process with the same batches.
It needs mpi4py and an MPI library: `pip install mpi4py mpich` installs both, and mpiexec. Ranks on
one machine share its cores: OPENBLAS_NUM_THREADS=1 lets NumPy use one for each, and more ranks
than cores are slow, since waiting ranks keep a core busy.

- Ranks: all processes
- RankError: another rank has stopped
"""

from .integrations.mpi import RankError
from .integrations.ranks import Ranks

__all__ = ["RankError", "Ranks"]
