"""Models in files, without pickle.

- tensors: arrays and metadata in the safetensors format, written completely or not at all
- saving: a model with its weights, its architecture and the state of its training
- loading: the model again; it has no more numbers than the tensors of the file
"""
