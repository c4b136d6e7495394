"""A model of NESTML as one canonical component.

Codes: N035, N044 two handlers of one port, N046 priorities, N047, N049 a port that is none, N063 and N064
remarks on what NESTML 9 does otherwise or what is never integrated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...canonical_model import model
from ...canonical_model.diagnostics import Level, Log, error
from ...canonical_model.query import nested
from . import symbols as kinds
from . import syntax
from .bodies import always_returns
from .collect import Collector
from .declarations import Declarations, Parts, value_kind
from .equations import Equations
from .expressions import Expressions
from .statements import Statements
from .symbols import Names, Place, Symbol
from .types import T_VOID, Type

_DECLARING = ("parameters", "internals", "state")


def lower(tree: syntax.ModelSyntax, file: str, log: Log) -> model.Component:
    """The component that a model means. Everything that is wrong goes to `log`."""
    return _Lowering(tree, file, log).component()


@dataclass(slots=True)
class _Lowering:
    tree: syntax.ModelSyntax
    file: str
    log: Log
    names: Names = field(init=False)
    expressions: Expressions = field(init=False)
    parts: Parts = field(init=False)
    declarations: Declarations = field(init=False)
    equations: Equations = field(init=False)
    has_output: bool = False
    condition_numbers: dict[int, int] = field(init=False)  # by the identity of the block
    handled_ports: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        conditions = [b for b in self.tree.blocks if b.header.word == "onCondition"]
        self.condition_numbers = {id(block): number for number, block in enumerate(conditions)}
        self.names = Names(self.file, self.log)
        self.names.locals_seen = self.tree.names
        self.expressions = Expressions(self.names)
        self.parts = Parts()
        lenient = self.tree.keyword != "model"
        self.declarations = Declarations(self.names, self.expressions, self.parts, lenient)
        self.equations = Equations(self.names, self.expressions, self.declarations, self.parts)

    def component(self) -> model.Component:
        """Names first, then declarations, equations and programs."""
        Collector(self.names, self.expressions).collect(self.tree)
        if "weight" in self.names.symbols or "weight" in self.tree.names:
            self.names.payload = "event_weight"
        synapse = self.is_synapse()
        blocks = self.tree.blocks
        self.has_output = any(block.header.word == "output" for block in blocks)
        for block in blocks:
            self.comments(block)
            if block.header.word in _DECLARING:
                self.declaring(block)
            elif block.header.word == "input":
                for commented in block.items:
                    with self.log.gather():
                        self.declarations.port(commented, synapse)
            elif block.header.word == "output":
                self.output(block)
        self.declarations.statics_of_states()
        for block in blocks:
            self.dynamics(block)
        functions = [block for block in blocks if block.header.word == "function"]
        self.names.voids = {b.header.name: b for b in functions if self.is_void(b)}
        for block in blocks:
            self.programs(block)
        self.never_called()
        self.priorities(blocks, synapse)
        self.never_integrated()
        return self.assembled(synapse)

    def is_synapse(self) -> bool:
        """By the name, an older keyword, or a port that hears the postsynaptic neuron."""
        if self.tree.keyword == "synapse" or self.tree.name.endswith("synapse"):
            return True
        ports = [s.name for s in self.names.symbols.values() if s.kind == kinds.SPIKE]
        return self.tree.keyword == "model" and any("post" in name.lower() for name in ports)

    def comments(self, block: syntax.Block) -> None:
        """Comments that belong to no item."""
        key = f"comments:{self.label(block)}"
        loose = [text for item in block.items for text in item.loose]
        for suffix, texts in (("", block.comments), (":after", block.after), (":loose", loose)):
            if texts:
                self.parts.extras[key + suffix] = "\n".join(texts)

    def label(self, block: syntax.Block) -> str:
        """What a block is called in the keys of comments."""
        header = block.header
        if header.word == "onReceive" and header.variable is not None:
            return f"onReceive:{header.variable.name}"
        if header.word == "onCondition":
            return f"onCondition:{self.condition_numbers[id(block)]}"
        return f"function:{header.name}" if header.word == "function" else header.word

    def declaring(self, block: syntax.Block) -> None:
        """Parameters, internals or state."""
        for commented in block.items:
            if isinstance(commented.item, syntax.Declaration):
                with self.log.gather():
                    self.declarations.declaration(commented, block.header.word)

    def output(self, block: syntax.Block) -> None:
        """The one output port."""
        for commented in block.items:
            item = commented.item
            if not isinstance(item, syntax.Output):
                continue
            span = self.names.span(item.at)
            if item.continuous:
                message = "a continuous output has no meaning for a simulation and is left out"
                self.log.add("N039", Level.DROPPED, message, span)
                continue
            if item.attributes:
                message = "attributes of the output are left out since 8.3 (an older form)"
                self.names.once("attributes", "N090", Level.NOTE, message, span, "")
            self.parts.event_outputs.append(model.EventPort(name="spike", span=span))
            if commented.description:
                self.parts.extras["comments:port:spike"] = commented.description

    def dynamics(self, block: syntax.Block) -> None:
        """Equations, and inlines of older forms in other blocks. Delta kernels first: others use them."""
        for delta in (True, False):
            for commented in block.items:
                item = commented.item
                if block.header.word == "equations" or isinstance(item, syntax.KernelLine):
                    wanted = isinstance(item, syntax.KernelLine) == delta
                elif isinstance(item, syntax.Declaration):
                    symbol = self.names.symbols.get(item.variables[0].name)
                    wanted = not delta and symbol is not None and symbol.kind == kinds.INLINE
                else:
                    wanted = False
                if wanted:
                    with self.log.gather():
                        self.equations.item(commented)

    # --- programs

    def statements(self, block: syntax.Block) -> Statements:
        """What lowers the program of a block."""
        label = self.label(block)
        return Statements(self.names, self.expressions, label, self.parts.extras, self.has_output)

    def programs(self, block: syntax.Block) -> None:
        """update, handlers and functions."""
        header = block.header
        with self.log.gather():
            if header.word == "update":
                body = self.statements(block).body(block.statements, Place(kinds.UPDATE))
                self.parts.update.extend(body)
            elif header.word == "onCondition" and header.test is not None:
                self.on_condition(block, header.test)
            elif header.word == "onReceive" and header.variable is not None:
                self.on_receive(block, header.variable)
            elif header.word == "function":
                self.function(block)

    def on_condition(self, block: syntax.Block, test: syntax.Expr) -> None:
        """A block that runs where its condition holds."""
        place = Place(kinds.CONDITION)
        span = self.names.span(block.header.at)
        found = None
        with self.log.gather():
            found = self.expressions.test(test, place, "the condition")
        body = self.statements(block).body(block.statements, place)
        if found is not None:
            self.parts.on_conditions.append(model.OnCondition(test=found, body=body, span=span))

    def on_receive(self, block: syntax.Block, variable: syntax.Variable) -> None:
        """A handler of spikes, one for each element of a vector port. Raises ModelError N044, N049."""
        span = self.names.span(variable.at)
        symbol = self.names.symbols.get(variable.name)
        if symbol is None or symbol.kind != kinds.SPIKE:
            ports = [s.name for s in self.names.symbols.values() if s.kind == kinds.SPIKE]
            what = kinds.one(symbol.kind) if symbol is not None else "not declared"
            message = f"'{variable.name}' receives no spikes: it is {what}"
            raise error("N049", message, span, hint=self.names.near(variable.name, ports))
        if not symbol.type.kind:
            return
        for port, element in self.handled(variable, symbol):
            if port in self.handled_ports:
                message = f"'{port}' has two handlers"
                hint = "join them; NESTML 9 loses one without a word"
                raise error("N044", message, span, hint=hint)
            self.handled_ports.add(port)
            place = Place(kinds.RECEIVE, port, element=element)
            body = self.statements(block).body(block.statements, place)
            priority = self.priority(block.header)
            self.parts.on_events.append(
                model.OnEvent(
                    port=port, body=body, priority=priority, span=self.names.span(block.header.at)
                )
            )

    def handled(
        self, variable: syntax.Variable, symbol: Symbol
    ) -> Iterable[tuple[str, int | None]]:
        """The ports that a handler is for."""
        if symbol.size is None or variable.index is not None:
            place = Place(kinds.RECEIVE)
            return [(self.expressions.port(variable, symbol, place), None)]
        return [(self.names.element(symbol.name, i), i) for i in range(symbol.size)]

    def priority(self, header: syntax.BlockHeader) -> int:
        """The priority that a handler names, 0 if none. Raises ModelError N046."""
        for name, value, at in header.keys:
            if name != "priority":
                message = f"a handler has no property '{name}'"
                raise error("N046", message, self.names.span(at), hint="there is 'priority'")
            found = self.expressions.constant(value, Place(kinds.RECEIVE))
            if found is None or found != int(found) or abs(found) > 2**31:
                raise error("N046", "a priority is an integer", self.names.span(at))
            return int(found)
        return 0

    def function(self, block: syntax.Block) -> None:
        """A function of the model. Raises ModelError N031, N047."""
        header = block.header
        symbol = self.names.functions.get(header.name)
        if symbol is None or symbol.at != header.at or not symbol.type.kind or self.is_void(block):
            return
        place = Place(kinds.IN_FUNCTION, result=symbol.type, function=header.name)
        arguments = []
        for argument, kind in zip(header.arguments, symbol.arguments, strict=True):
            span = self.names.span(argument.at)
            if argument.name in place.locals or argument.name in kinds.PREDEFINED:
                message = f"the argument '{argument.name}' is given twice or has a fixed meaning"
                raise error("N031", message, span)
            place.locals[argument.name] = Symbol(argument.name, kinds.ARGUMENT, kind, argument.at)
            arguments.append(self.argument(header.name, argument.name, kind))
        body = self.statements(block).body(block.statements, place)
        span = self.names.span(header.at)
        if not always_returns(body) and body:
            message = f"'{header.name}' may end without returning a value"
            raise error("N047", message, span, hint="every path ends in 'return'")
        if symbol.type.unit is not None:
            self.parts.extras[f"unit:{symbol.target}()"] = symbol.type.unit.symbol
        self.parts.functions.append(
            model.Function(
                name=symbol.target, arguments=tuple(arguments), dimension=symbol.type.dimension,
                kind=value_kind(symbol.type), body=body,
                description=self.parts.extras.pop(f"comments:function:{header.name}", ""), span=span,
            )
        )  # fmt: skip

    def is_void(self, block: syntax.Block) -> bool:
        """True for a function without a value: it stands where it is called."""
        symbol = self.names.functions.get(block.header.name)
        return symbol is not None and symbol.at == block.header.at and symbol.type == T_VOID

    def never_called(self) -> None:
        """Functions without a value that nothing calls are checked and left out."""
        for name, block in self.names.voids.items():
            if name in self.names.inlined:
                continue
            place = Place(kinds.UPDATE, prefix=name)
            symbol = self.names.functions[name]
            for argument, kind in zip(block.header.arguments, symbol.arguments, strict=True):
                local = Symbol(argument.name, kinds.LOCAL, kind, argument.at)
                place.locals[argument.name] = local
            Statements(self.names, self.expressions, f"function:{name}", {}, self.has_output).body(
                block.statements, place
            )
            message = f"the function '{name}' is never called and left out"
            span = self.names.span(block.header.at)
            self.log.add("N037", Level.NOTE, message, span)

    def argument(self, function: str, name: str, kind: Type) -> model.Argument:
        """One argument, its unit kept as written."""
        if kind.unit is not None:
            self.parts.extras[f"unit:{function}():{name}"] = kind.unit.symbol
        return model.Argument(name=name, dimension=kind.dimension, kind=value_kind(kind))

    # --- what concerns the whole

    def priorities(self, blocks: tuple[syntax.Block, ...], synapse: bool) -> None:
        """Priorities are given to all handlers or none, and differ."""
        handlers = [block.header for block in blocks if block.header.word == "onReceive"]
        given = [header for header in handlers if header.keys]
        if not given:
            return
        first = self.names.span(given[0].at)
        if len(given) < len(handlers):
            message = "some handlers have a priority, some have none"
            self.log.add("N046", Level.ERROR, message, first, hint="give one to each, or to none")
        numbers = [handler.priority for handler in self.parts.on_events]
        ports = {handler.port for handler in self.parts.on_events}
        if len(set(numbers)) < len(numbers) and len(ports) == len(handlers):
            message = "two handlers have the same priority"
            self.log.add("N046", Level.ERROR, message, first)
        if len({len(str(number)) for number in numbers}) > 1 or (synapse and len(numbers) > 1):
            otherwise = (
                "compares them as texts" if not synapse else "takes them the other way round"
            )
            message = f"the handler of larger priority runs first; NESTML 9 {otherwise}"
            self.log.add("N063", Level.NOTE, message, first)

    def never_integrated(self) -> None:
        """Equations that no statement integrates have no effect."""
        if not self.parts.odes:
            return
        bodies = [self.parts.update, *(h.body for h in self.parts.on_events)]
        bodies += [c.body for c in self.parts.on_conditions]
        found = [s for b in bodies for s in nested(tuple(b)) if isinstance(s, model.Integrate)]
        if any(not item.variables for item in found):
            return
        named = {name for item in found for name in item.variables}
        for ode in self.parts.odes:
            base = ode.variable.split("__d")[0]
            if ode.variable not in named and base not in named:
                message = f"the equation of '{ode.variable}' is never integrated"
                hint = "call integrate_odes() in 'update'"
                self.log.add("N064", Level.WARNING, message, ode.span, hint=hint)

    def assembled(self, synapse: bool) -> model.Component:
        """The component."""
        parts, tree = self.parts, self.tree
        parts.extras["nestml:kind"] = "synapse" if synapse else "neuron"
        if tree.comments:
            parts.extras["comments:model"] = "\n".join(tree.comments)
        return model.Component(
            name=tree.name, description=tree.description, parameters=tuple(parts.parameters),
            derived_parameters=tuple(parts.derived_parameters), state_variables=tuple(parts.states),
            derived_variables=tuple(parts.derived_variables), odes=tuple(parts.odes),
            on_conditions=tuple(parts.on_conditions), on_events=tuple(parts.on_events),
            update=tuple(parts.update), kernels=tuple(parts.kernels),
            functions=tuple(parts.functions), checks=tuple(parts.checks),
            event_inputs=tuple(parts.event_inputs), event_outputs=tuple(parts.event_outputs[:1]),
            analog_inputs=tuple(parts.analog_inputs), exposures=tuple(parts.exposures),
            texts=parts.texts, extras=parts.extras, span=self.names.span(tree.at),
        )  # fmt: skip
