"""Functions composed of primitives, with NumPy's names and signatures.

- activations: sigmoid, relu, softmax and their relatives
- rearranging: the same elements in another shape or order; joining and splitting
- statistics: sums, means, extremes, running sums, sorting, choosing
- products: dot, einsum, tensordot, kron, cross
- decompositions: norms, determinants, solvers, eigenvalues and singular values
"""
