"""What neurons with equal parameters share: parameters, derived parameters, coefficients, functions."""

from __future__ import annotations

from ...canonical_model.expr import free_names
from ...canonical_model.model import Function
from ...solvers.plan import STEP, MatrixExponential
from .body_code import (
    Scope,
    derived_lines,
    function_names,
    node_names,
    shared_names,
    statements_code,
)
from .flow import LEVELS
from .names import string, unique
from .plan import ModelPlan
from .printer import literal, print_condition, print_cpp


def shared_struct(plan: ModelPlan) -> str:
    """The struct `Shared_<model>`: `given` by the user, the rest computed from it."""
    lines = [f"struct Shared_{plan.name}", "{", "  struct Given", "  {"]
    for item in plan.parameters:
        value = "interspike::nan" if item.value is None else literal(item.value.value)
        lines.append(f"    double {plan.fields[item.name]} = {value};")
    if not plan.parameters:
        lines.append("    double unused = 0.0;")
    lines += ["  };", "", "  Given given;", "  double h = 0.0;"]
    lines += [f"  double {plan.fields[item.name]} = 0.0;" for item in plan.derived]
    if plan.place:
        lines += [f"  double {text} = 0.0;" for text in plan.coefficients.values()]
    lines += ["", "  void compute();", "  void check() const;"]
    lines += _flow_members(plan)
    functions = plan.component.functions
    lines += [f"  {_signature(plan, item)} const;" for item in functions]
    lines += ["};", ""]
    parts = ["\n".join(lines), _compute(plan), _check(plan), *_flow_functions(plan)]
    parts += [_function(plan, item) for item in functions]
    return "\n".join(parts)


def _signature(plan: ModelPlan, item: Function, owner: str = "") -> str:
    names = _arguments(item)
    arguments = ", ".join(f"[[maybe_unused]] double {text}" for text in names.values())
    return f"double {owner}{function_names(plan)[item.name]}( {arguments} )"


def _arguments(item: Function) -> dict[str, str]:
    return unique([argument.name for argument in item.arguments], "a_")


def _function(plan: ModelPlan, item: Function) -> str:
    """A function of the component: it sees its arguments and what is fixed."""
    names = {**shared_names(plan), **_arguments(item)}
    body = statements_code(Scope(plan, names), item.body, "  ")
    head = _signature(plan, item, f"Shared_{plan.name}::")
    return "\n".join(["inline", f"{head} const", "{", *body, "  return 0.0;", "}", ""])


def _compute(plan: ModelPlan) -> str:
    names = shared_names(plan)
    lines = ["inline void", f"Shared_{plan.name}::compute()", "{"]
    for item in plan.derived:
        lines.append(f"  {plan.fields[item.name]} = {print_cpp(item.value, names)};")
    if plan.place:
        lines += coefficient_lines(plan, names, "")
    if plan.flow_fields:
        lines += _TABULATE
    return "\n".join([*lines, "}", ""])


_TABULATE = (
    "  for ( size_t level = 0; level < flows.size(); ++level )",
    "  {",
    "    tabulate( std::ldexp( h, -static_cast< int >( level ) ), flows[ level ] );",
    "  }",
)


def _flow_members(plan: ModelPlan) -> list[str]:
    """Coefficients of the exact states that the solver follows, for parts of a step."""
    if not plan.flow_fields:
        return []
    fields = ", ".join(plan.flow_fields.values())
    return [
        "",
        "  struct Flow",
        "  {",
        f"    double {fields};",
        "  };",
        "",
        "  using Flows = std::array< Flow, interspike::number_of_nodes >;",
        f"  std::array< Flows, {LEVELS} > flows;",
        "  void tabulate( const double, Flows& ) const;",
        "  const Flow* over( const int, const double, Flows& ) const;",
    ]


def _flow_functions(plan: ModelPlan) -> list[str]:
    """Fill a table for the nodes of one step; look it up, or fill one for a very short step."""
    if not plan.flow_fields:
        return []
    names = shared_names(plan)
    names |= {name: f"f.{text}" for name, text in plan.flow_fields.items()}
    names[STEP] = "part"
    return [
        "\n".join(
            [
                "inline void",
                f"Shared_{plan.name}::tabulate( const double step, Flows& table ) const",
                "{",
                "  for ( int node = 0; node < interspike::number_of_nodes; ++node )",
                "  {",
                "    Flow& f = table[ node ];",
                "    const double part = step * interspike::nodes[ node ];",
                *(
                    f"    f.{plan.flow_fields[item.name]} = {print_cpp(item.value, names)};"
                    for item in plan.flows.coefficients
                ),
                "  }",
                "}",
                "",
                f"INTERSPIKE_INLINE const Shared_{plan.name}::Flow*",
                f"Shared_{plan.name}::over( const int level, const double step, Flows& own ) const",
                "{",
                f"  if ( level < {LEVELS} )",
                "  {",
                "    return flows[ level ].data();",
                "  }",
                "  tabulate( step, own );",
                "  return own.data();",
                "}",
                "",
            ]
        )
    ]


def coefficient_lines(plan: ModelPlan, names: dict[str, str], kind: str) -> list[str]:
    """Matrix exponentials and coefficients for a step of `h`; `kind` declares locals."""
    names = {**names, **plan.coefficients}
    lines: list[str] = []
    for k, matrix in enumerate(plan.update.matrices):
        lines += _matrix(matrix, names, f"m_{k}", kind)
    for item in plan.update.coefficients:
        place = plan.coefficients[item.name]
        lines.append(f"  {kind}{place} = {print_cpp(item.value, names)};")
    return lines


def _matrix(matrix: MatrixExponential, names: dict[str, str], local: str, kind: str) -> list[str]:
    """expm(entries * h) and the elements of it that are used."""
    size = len(matrix.entries)
    lines = [f"  interspike::Matrix< {size} > {local} = {{}};"]
    for i, row in enumerate(matrix.entries):
        for j, entry in enumerate(row):
            text = print_cpp(entry, names)
            if text != "0.0":
                lines.append(f"  {local}[ {i} ][ {j} ] = ( {text} ) * h;")
    lines.append(f"  {local} = interspike::exponential< {size} >( {local} );")
    for i, chosen in enumerate(matrix.names):
        for j, name in enumerate(chosen):
            if name:
                lines.append(f"  {kind}{names[name]} = {local}[ {i} ][ {j} ];")
    return lines


def _check(plan: ModelPlan) -> str:
    """What must hold of the parameters, in the user's words."""
    names = shared_names(plan)
    lines = ["inline void", f"Shared_{plan.name}::check() const", "{"]
    for item in plan.component.checks:
        if free_names(item.test) <= names.keys():
            lines += _throw(print_condition(item.test, names), item.message or _message(plan), "  ")
    return "\n".join([*lines, "}", ""])


def state_checks(plan: ModelPlan, indent: str) -> list[str]:
    """What must hold of states that a user sets; `s` and `q` are the new values."""
    fixed = shared_names(plan).keys()
    lines: list[str] = []
    for item in plan.component.checks:
        if free_names(item.test) <= fixed:
            continue
        scope = Scope(plan, {name: _behind(text) for name, text in node_names(plan).items()})
        needed = derived_lines(scope, [item.test], f"{indent}  ")
        test = print_condition(item.test, scope.names)
        body = _throw(test, item.message or _message(plan), f"{indent}  ")
        lines += [f"{indent}{{", *needed, *body, f"{indent}}}"]
    return lines


def _behind(text: str) -> str:
    """In a setter `q` is a pointer."""
    return f"q->{text[2:]}" if text.startswith("q.") else text


def _message(plan: ModelPlan) -> str:
    return f"a condition on the values of {plan.title} does not hold"


def _throw(test: str, message: str, indent: str) -> list[str]:
    return [
        f"{indent}if ( not( {test} ) )",
        f"{indent}{{",
        f"{indent}  throw nest::BadProperty( {string(message)} );",
        f"{indent}}}",
    ]
