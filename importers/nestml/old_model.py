"""Older forms that concern a model as a whole, brought into the shape of today's models before it is lowered.

Until 7.x a model was opened by `neuron` or `synapse`. In such models internals may change (counters of
refractoriness before 6.0), the state may hold inlines that serve initial values (3.x), a kernel may be
`delta(t, tau)` (3.x), and a synapse delivers spikes without saying so (5.x to 7.x).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...canonical_model.diagnostics import Level, Log, Span
from . import syntax
from .collect import walk
from .tokens import At


def modernise(tree: syntax.ModelSyntax, file: str, log: Log) -> syntax.ModelSyntax:
    """A model of the form of 9; each kind of change is noted once (N090)."""
    if tree.keyword == "model":
        return tree
    remarks: dict[str, At] = {}
    blocks = _changing_internals(tree.blocks, remarks)
    blocks = _inlines_of_initial_values(blocks, remarks)
    blocks = tuple(replace(b, items=tuple(_delta(i, remarks) for i in b.items)) for b in blocks)
    blocks = _output(blocks, tree.at, remarks)
    for message, at in remarks.items():
        log.add("N090", Level.NOTE, f"{message} (an older form, read as such)", Span(file, *at))
    return replace(tree, blocks=blocks)


def _statements(statements: Iterable[syntax.Statement]) -> Iterator[syntax.Statement]:
    waiting = list(statements)
    while waiting:
        statement = waiting.pop()
        yield statement
        waiting.extend(statement.body)


def _declared(item: syntax.Commented) -> tuple[str, ...]:
    """The names that a line of parameters, internals or state declares."""
    if not isinstance(item.item, syntax.Declaration):
        return ()
    return tuple(variable.name for variable in item.item.variables)


def _changing_internals(
    blocks: tuple[syntax.Block, ...], remarks: dict[str, At]
) -> tuple[syntax.Block, ...]:
    """Internals that are assigned to become state."""
    assigned = {
        statement.line.target.name
        for block in blocks
        for statement in _statements(block.statements)
        if isinstance(statement.line, syntax.Assignment)
    }
    found: list[syntax.Block] = []
    moved: list[syntax.Commented] = []
    for block in blocks:
        if block.header.word == "internals":
            going = [item for item in block.items if assigned & set(_declared(item))]
            moved += going
            block = replace(block, items=tuple(i for i in block.items if i not in going))
        found.append(block)
    if not moved:
        return blocks
    first = moved[0].item
    remarks["internals that change are state since 6.0"] = first.at
    return _joined(found, "state", tuple(moved), first.at)


def _joined(
    blocks: list[syntax.Block], word: str, items: tuple[syntax.Commented, ...], at: At
) -> tuple[syntax.Block, ...]:
    """Lines at the end of the first block of a kind, or in one of their own before all others."""
    for index, block in enumerate(blocks):
        if block.header.word == word:
            blocks[index] = replace(block, items=block.items + items)
            return tuple(blocks)
    return (syntax.Block(syntax.BlockHeader(word, at), items), *blocks)


def _inlines_of_initial_values(
    blocks: tuple[syntax.Block, ...], remarks: dict[str, At]
) -> tuple[syntax.Block, ...]:
    """Inlines of the state that nothing but initial values reads become internals."""
    inlines = {
        name
        for block in blocks
        if block.header.word == "state"
        for item in block.items
        if isinstance(item.item, syntax.Declaration) and item.item.inline
        for name in _declared(item)
    }
    here = {name for block in blocks if block.header.word == "state" for name in _read(block)}
    elsewhere = {name for block in blocks if block.header.word != "state" for name in _read(block)}
    wanted = inlines & here - elsewhere
    if not wanted:
        return blocks
    found: list[syntax.Block] = []
    moved: list[syntax.Commented] = []
    for block in blocks:
        if block.header.word == "state":
            moved += [item for item in block.items if wanted & set(_declared(item))]
            block = replace(block, items=tuple(i for i in block.items if i not in moved))
        found.append(block)
    plain = tuple(replace(item, item=replace(item.item, inline=False)) for item in moved)  # type: ignore[arg-type]
    remarks["expressions for initial values are internals since 4.0"] = moved[0].item.at
    return _joined(found, "internals", plain, moved[0].item.at)


def _read(block: syntax.Block) -> Iterator[str]:
    """The names that a block reads."""
    for expr in _expressions(block):
        for node in walk(expr):
            if isinstance(node, syntax.Variable):
                yield node.name


def _expressions(block: syntax.Block) -> Iterator[syntax.Expr]:
    if block.header.test is not None:
        yield block.header.test
    for commented in block.items:
        item = commented.item
        if isinstance(item, syntax.Declaration):
            yield from (part for part in (item.value, item.guard) if part is not None)
        elif isinstance(item, syntax.Equation):
            yield item.value
        elif isinstance(item, syntax.KernelLine):
            yield from (equation.value for equation in item.equations)
    for statement in _statements(block.statements):
        match statement.line:
            case syntax.Assignment(_, _, value, _):
                yield value
            case syntax.Declaration(value=value) | syntax.ReturnLine(value=value):
                yield from (value,) if value is not None else ()
            case syntax.CallStatement(call, _):
                yield call
            case syntax.Header(test=test):
                yield from (test,) if test is not None else ()
            case syntax.ForHeader(_, start, stop, by, _):
                yield from (start, stop, by)


def _delta(commented: syntax.Commented, remarks: dict[str, At]) -> syntax.Commented:
    """A kernel `delta(t, tau)` is `delta(t)`: its second argument never had a meaning."""
    item = commented.item
    if not isinstance(item, syntax.KernelLine):
        return commented
    equations = []
    for equation in item.equations:
        value = equation.value
        if isinstance(value, syntax.Apply) and value.name == "delta" and len(value.args) == 2:
            remarks["'delta(t, tau)' is 'delta(t)' since 4.0"] = value.at
            equation = replace(equation, value=replace(value, args=value.args[:1]))
        equations.append(equation)
    return replace(commented, item=replace(item, equations=tuple(equations)))


def _output(
    blocks: tuple[syntax.Block, ...], at: At, remarks: dict[str, At]
) -> tuple[syntax.Block, ...]:
    """An output for what sends spikes without one."""
    sends = [
        statement.line.at
        for block in blocks
        for statement in _statements(block.statements)
        if isinstance(statement.line, syntax.CallStatement)
        and statement.line.call.name == "emit_spike"
    ]
    if not sends or any(block.header.word == "output" for block in blocks):
        return blocks
    remarks["a model that sends spikes has an output block since 8.0"] = min(sends)
    line = syntax.Commented(syntax.Output(False, (), at))
    return (*blocks, syntax.Block(syntax.BlockHeader("output", at), (line,)))
