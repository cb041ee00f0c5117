"""What joins nn to other libraries.

- keras, torch, onnx: models and weights from and to them; `nn.interchange` is the public name
- estimator, mlp, perceptron, wrapped: scikit-learn's estimators; `nn.estimators`
- ranks, mpi: training on several processes; `nn.parallel`
"""
