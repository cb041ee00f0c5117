"""Energy-based models: states of low energy are likely, and learning lowers that of the data.

- Hopfield: an associative memory, which completes partial or noisy patterns; Recall: its result
- RestrictedBoltzmannMachine: learns to sample from the distribution of its data, by contrastive
  divergence
- BoltzmannMachine: the general one, small enough to compute all probabilities exactly
"""

from .boltzmann import BoltzmannMachine, RestrictedBoltzmannMachine
from .hopfield import Hopfield, Recall

__all__ = ["BoltzmannMachine", "Hopfield", "Recall", "RestrictedBoltzmannMachine"]
