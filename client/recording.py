"""A function of tensors as the bare list of operations that it makes: recorded once, replayed without what led to them.

Modules, transforms and autograd cost a head of a few weights more than its arithmetic does. A recording is made below
them all, so it holds what they computed, whatever the function is made of. It is good for tensors of the shapes that it
was made with; a function that decides by a tensor's content cannot be recorded and is refused.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functionalize
from torch.fx import Graph, GraphModule, Node
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.weak import WeakTensorKeyDictionary

READ = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}  # operations that look at the content
SAME = {f"aten::{name}" for name in ("alias", "cat", "detach", "expand", "permute", "view", "_unsafe_view")}
OF_SHAPE = "aten::ones_like"  # where a gradient begins; the content is not read


@dataclass(frozen=True)
class Recording:
    """Operations on what is given alone (``first``), and those that the weights' content has a part in (``then``).

    ``held`` are tensors that the function brought with it, as weights that are not trained; they are read anew each
    time that the recording is ``bound``. ``constant`` is a function of what is given alone.
    """

    first: Callable[..., tuple[Tensor, ...]]  # (weights, *given, *held)
    then: Callable[..., tuple[Tensor]]  # (*what came of ``first``)
    held: tuple[Tensor, ...]
    constant: bool

    def bound(self, weights: Tensor, given: Sequence[Tensor]) -> Callable[[], Tensor]:
        """The function of what these weights hold when it is called; all that does not depend on it is computed now.

        Weights may change in place only. Each result is a tensor of its own.
        """
        with torch.no_grad():
            known = self.first(weights, *given, *self.held)

        def replay() -> Tensor:
            with torch.no_grad():
                made = self.then(*known)[0]
                return made.clone() if self.constant else made

        return replay


def record(function: Callable[..., Tensor], weights: Tensor, given: Sequence[Tensor]) -> Recording:
    """Record ``function(weights, *given)``; TypeError where it reads a tensor's content to decide by it."""
    tape = _Tape()
    inputs = [tape.own(value.detach().clone()) for value in (weights, *given)]  # no two are the same one
    with tape:
        result = functionalize(function)(*(tape.held[slot] for slot in inputs))  # without operations in place
    views, changing, before, after = {inputs[0]}, set[_Slot](), [], []
    for line in tape.lines:
        if changing.isdisjoint(line.reads) and (line.operation.is_view or views.isdisjoint(line.reads)):
            before.append(line)  # a view of the weights changes with them
            if not views.isdisjoint(line.reads):
                views.update(line.gives)
        elif line.operation.name() != OF_SHAPE:
            after.append(line)
            changing.update(line.gives)
    wanted = tape.slot(result)
    then, known = _compiled([], after, [wanted])
    first, held = _compiled(inputs, before, known)
    return Recording(first, then, tuple(tape.held[slot] for slot in held), wanted not in changing)


@dataclass(frozen=True)
class _Slot:
    """A tensor's place in a recording; the tensor itself may be gone."""

    number: int


@dataclass(frozen=True)
class _Line:
    """One operation that was made; ``same`` is what it read, where it gives the very same."""

    operation: Any
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    result: Any
    same: _Slot | None

    @property
    def reads(self) -> set[_Slot]:
        return {value for value in tree_leaves((self.arguments, self.options)) if isinstance(value, _Slot)}

    @property
    def gives(self) -> set[_Slot]:
        return {value for value in tree_leaves(self.result) if isinstance(value, _Slot)}


class _Tape(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Every operation made inside, in order; ``held`` are the tensors that none of them made."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lines: list[_Line] = []
        self.held: dict[_Slot, Tensor] = {}
        self._slots, self._count = WeakTensorKeyDictionary(), 0  # intermediate tensors are let go, as without a tape

    def own(self, value: Tensor) -> _Slot:
        """A slot for a tensor that is kept."""
        slot: _Slot = self._new(value)
        self.held[slot] = value
        return slot

    def slot(self, value: Any) -> Any:
        """A tensor's slot; any other value itself."""
        if not isinstance(value, Tensor):
            return value
        return self._slots[value] if value in self._slots else self.own(value)

    def _new(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        self._count += 1
        self._slots[value] = _Slot(self._count)
        return self._slots[value]

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if READ & set(operation.tags):
            raise TypeError(f"{operation} reads what a tensor holds: it cannot be recorded")
        arguments, options = tree_map(self.slot, args), tree_map(self.slot, kwargs or {})
        result = operation(*args, **(kwargs or {}))
        same = self.slot(read) if (read := _same(operation, args, result)) is not None else None
        gives = self.own(result) if operation.name() == OF_SHAPE else tree_map(self._new, result)
        self.lines.append(_Line(operation, arguments, options, gives, same))
        return result


def _same(operation: Any, arguments: Any, result: Any) -> Tensor | None:
    """What an operation read, where it gives the very same: a view of the same shape, one tensor joined, times one."""
    name = operation._schema.name
    if name not in SAME and not (operation is torch.ops.aten.mul.Scalar and arguments[1] == 1):
        return None
    read = arguments[0][0] if name == "aten::cat" and len(arguments[0]) == 1 else arguments[0]
    if not isinstance(read, Tensor) or read.dtype != result.dtype:
        return None
    return read if read.shape == result.shape and read.stride() == result.stride() else None


def _compiled(
    given: Sequence[_Slot], lines: Sequence[_Line], wanted: Sequence[_Slot]
) -> tuple[Callable[..., Any], list[_Slot]]:
    """What gives the ``wanted`` from the given and from others, which are returned in their order."""
    writer = _Writer()
    for slot in given:
        writer.node(slot)
    for line in _needed(lines, wanted):
        writer.write(line)
    writer.graph.output(tuple(map(writer.node, wanted)))
    writer.graph.eliminate_dead_code()
    return GraphModule({}, writer.graph).forward, writer.inputs[len(given) :]


class _Writer:
    """Writes operations into a graph; ``inputs`` are the slots that none of them filled."""

    def __init__(self) -> None:
        self.graph, self.inputs = Graph(), list[_Slot]()
        self._nodes: dict[_Slot, Node] = {}

    def node(self, value: Any) -> Any:
        """A slot's node, an input's if nothing filled it; any other value itself."""
        if not isinstance(value, _Slot):
            return value
        if value not in self._nodes:
            self._nodes[value] = self.graph.placeholder(f"input_{len(self.inputs)}")
            self.inputs.append(value)
        return self._nodes[value]

    def write(self, line: _Line) -> None:
        """One operation; one that changes nothing is passed over."""
        if line.same is not None:
            self._nodes[line.result] = self.node(line.same)
            return
        arguments, options = tree_map(self.node, line.arguments), tree_map(self.node, line.options)
        made = self.graph.call_function(line.operation, arguments, options)
        if isinstance(line.result, _Slot):
            self._nodes[line.result] = made
            return
        for place, value in enumerate(line.result):
            if isinstance(value, _Slot):
                self._nodes[value] = self.graph.call_function(operator.getitem, (made, place))


def _needed(lines: Sequence[_Line], wanted: Iterable[_Slot]) -> list[_Line]:
    """The lines that have a part in the wanted slots."""
    needed, found = set(wanted), []
    for line in reversed(lines):
        if not needed.isdisjoint(line.gives):
            found.append(line)
            needed |= line.reads
    return found[::-1]
