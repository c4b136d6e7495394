"""Long chains of one precedence: read without recursion, and kept shallow for every stage behind.

`a + b - c + ...` of more than `LONG` operators becomes a tree of halves: the value is the same up to
rounding, and no later pass has to go thousands of levels deep.
"""

from __future__ import annotations

from ...canonical_model.expr import Binary, Expr

FAMILIES = {
    "+": "sum", "-": "sum", "*": "product", "/": "product", "and": "and", "or": "or",
}  # fmt: skip
MAX_CHAIN = 4_000  # operators of one chain
LONG = 128  # left as written up to here: more than halves of SHORT leave, or a second reading would differ
SHORT = 64
_OPPOSITE = {"+": "-", "-": "+", "*": "/", "/": "*"}


def balanced(expr: Expr) -> Expr:
    """The expression with a long chain at its root in halves; any other expression as it is.

    >>> from ...canonical_model.expr import Name
    >>> balanced(Name("x"))
    Name(id='x')
    """
    family = FAMILIES.get(expr.op) if isinstance(expr, Binary) else None
    if family is None:
        return expr
    parts: list[tuple[str, Expr, Binary]] = []
    node: Expr = expr
    while isinstance(node, Binary) and FAMILIES.get(node.op) == family:
        parts.append((node.op, node.right, node))
        node = node.left
    if len(parts) < LONG:
        return expr
    parts.reverse()
    return _halves(node, parts)


def _halves(first: Expr, parts: list[tuple[str, Expr, Binary]]) -> Expr:
    """`first op part op part ...` as a tree."""
    if len(parts) < SHORT:
        total = first
        for op, part, node in parts:
            total = Binary(op, total, part, node.span)
        return total
    middle = len(parts) // 2
    op, head, node = parts[middle]
    rest = parts[middle + 1 :]
    if op in ("-", "/"):  # a - b + c is a - (b - c)
        rest = [(_OPPOSITE[other], part, inner) for other, part, inner in rest]
    return Binary(op, _halves(first, parts[:middle]), _halves(head, rest), node.span)
