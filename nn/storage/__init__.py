"""Models in files, without pickle.

- tensors: arrays and what is said about them, in the safetensors format, whole or not at all
- description: objects as JSON holds them, and made again from that
- limit: how many numbers a model in a file may have: those of its tensors
- saving: a model with its weights, architecture and state of training
- loading: the way back
"""
