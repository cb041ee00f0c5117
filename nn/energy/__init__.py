"""Energy-based models: states of low energy are likely, and learning lowers that of the data.

- Hopfield: a memory that is asked with a part, and answers with the whole
- Recall: how it came to rest
- RestrictedBoltzmannMachine: learns to draw samples like its data, by contrastive divergence
- BoltzmannMachine: the general one, small enough to compute all its probabilities
"""

from .boltzmann import BoltzmannMachine
from .hopfield import Hopfield, Recall
from .restricted import RestrictedBoltzmannMachine

__all__ = ["BoltzmannMachine", "Hopfield", "Recall", "RestrictedBoltzmannMachine"]
