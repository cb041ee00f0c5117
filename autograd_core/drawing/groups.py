"""Groups: the scopes in which nodes were made, as a tree; and which leaves are parameters."""

from bisect import bisect
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..explanation.names import parameters_of
from ..graph import Node
from ..scopes import Scope, scopes

# Deeper ones are drawn as part of those that hold them: nobody sees a box inside of twelve others
DEEPEST = 12


class Group:
    """What was computed in the scopes of one name and owner, inside the same outer group.

    Args:    name: of the scopes.
             parent: the group around it; None for the group of everything.
             number: in the list of all groups, outer ones first.
    """

    __slots__ = ("depth", "inner", "name", "number", "parent", "thing")

    def __init__(self, name: str, parent: "Group | None", number: int, thing: Any = None) -> None:
        self.name = name
        self.parent = parent
        self.number = number
        self.thing = thing  # the module that the scopes belong to, if it still exists
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.inner: dict[tuple[str, int], Group] = {}

    @property
    def title(self) -> str:
        """The name, numbered from 1 where the outer group has several of it: Neuron 3."""
        if self.parent is None:
            return self.name
        alike = [group for group in self.parent.inner.values() if group.name == self.name]
        return self.name if len(alike) == 1 else f"{self.name} {alike.index(self) + 1}"

    def at(self, depth: int) -> "Group":
        """Return this group, or the one around it at a smaller depth."""
        group = self
        while group.depth > depth and group.parent is not None:
            group = group.parent
        return group


class Groups:
    """The groups of a graph, and the group of each node.

    Args:    order: the nodes, inputs before outputs.
             parameters: leaves to be shown as parameters, beside those of the modules.
    Example: >>> from autograd_core import Value, scope
             >>> a = Value(2.0)
             >>> with scope("square"):
             ...     b = a * a
             >>> groups = Groups([a, b])
             >>> [group.title for group in groups.all], groups.of.tolist()
             (['', 'square'], [0, 1])
    """

    def __init__(self, order: list[Node], parameters: Iterable[Node] = ()) -> None:
        self.all = [Group("", None, 0)]
        self.of: NDArray[np.int64] = np.zeros(len(order), np.int64)  # numbers of groups
        self.parameters: dict[Node, str] = dict.fromkeys(parameters, "parameter")  # with names
        indices = [node.index for node in order]
        enclosing: list[tuple[int, Group]] = []  # where each scope around ends
        for scope in scopes(0):
            first, stop = bisect(indices, scope.start), bisect(indices, scope.stop)
            if first == stop:
                continue
            while enclosing and enclosing[-1][0] <= scope.start:
                enclosing.pop()
            group = self._enter(scope, enclosing[-1][1] if enclosing else self.all[0])
            # Scopes of other threads may reach beyond the one around
            end = min(scope.stop, enclosing[-1][0]) if enclosing else scope.stop
            enclosing.append((end, group))
            self.of[first : bisect(indices, end)] = group.number
        self._find_parameters(order)

    def _enter(self, scope: Scope, outer: Group) -> Group:
        key = (scope.name, scope.owner)
        if outer.parent is not None and outer.parent.inner.get(key) is outer:
            return outer  # __call__ and forward of one module
        if outer.depth == DEEPEST:
            return outer
        if key not in outer.inner:
            outer.inner[key] = Group(scope.name, outer, len(self.all), scope.thing)
            self.all.append(outer.inner[key])
        return outer.inner[key]

    def _find_parameters(self, order: list[Node]) -> None:
        """Note the parameters of the modules, and put each into the innermost group that has it."""
        number = {node: i for i, node in enumerate(order) if node.primitive is None}
        for group in sorted(self.all, key=lambda group: group.depth):
            for parameter, name in parameters_of(group.thing).items():
                if parameter in number:
                    self.parameters[parameter] = name
                    self.of[number[parameter]] = group.number
