"""Module: whatever has parameters, and finds them among its attributes."""

from collections.abc import Iterator

from autograd_core import Value


class Module:
    """A part of a model, which finds its parameters among its attributes.

    A subclass only assigns attributes. Its parameters are the Values among them that were not
    computed from others, those of its Modules, and those in lists, tuples and dicts of either.

    Example: >>> class Line(Module):
             ...     def __init__(self):
             ...         self.slope, self.offset = Value(2.0), Value(1.0)
             ...     def __call__(self, x):
             ...         return self.slope * x + self.offset
             >>> line = Line()
             >>> line(3.0).backward()
             >>> [p.grad for p in line.parameters()]
             [3.0, 1.0]
    """

    def parameters(self) -> list[Value]:
        """Return the parameters in the order of their definition, a shared one once.

        Example: >>> a, b = Module(), Module()
                 >>> a.weights, a.part = {"first": Value(1.0), "second": Value(2.0)}, b
                 >>> b.weights = [Value(3.0), a.weights["first"]]
                 >>> [p.data for p in a.parameters()]
                 [1.0, 2.0, 3.0]
        """
        return list(_parameters(self, set()))

    def zero_grad(self) -> None:
        """Reset every parameter's gradient to "not computed", so that the next one starts at 0.

        Example: >>> model = Module()
                 >>> model.weight = Value(2.0)
                 >>> (model.weight * 3).backward()
                 >>> model.zero_grad()
                 >>> model.weight
                 Value(data=2.0, grad=not computed)
        """
        for parameter in self.parameters():
            parameter.grad = None


def _parameters(part: object, seen: set[int]) -> Iterator[Value]:
    """Yield the parameters in `part`; `seen` ends the walk where parts refer to each other."""
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, Value):
        if not part.inputs:
            yield part
    elif isinstance(part, Module):
        yield from _parameters(vars(part), seen)
    elif isinstance(part, dict):
        for each in part.values():
            yield from _parameters(each, seen)
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _parameters(each, seen)
