"""How a switch gets into a syntax tree."""

import ast
from collections.abc import Callable

# Puts the switch of that number into the syntax tree.
Change = Callable[[int], None]


def switch(name: str, number: int, *arguments: ast.expr) -> ast.Call:
    """`__switches__.name(number, …)`."""
    function = ast.Attribute(ast.Name("__switches__", ast.Load()), name, ast.Load())
    return ast.Call(function, [ast.Constant(number), *arguments], [])


def forced(condition: ast.expr, *, to: bool, number: int) -> ast.BoolOp:
    """The condition; with the switch on it is always `to`.

    The condition comes first: the places that a test runs are those where it makes a difference to it.
    """
    if to:
        return ast.BoolOp(ast.Or(), [condition, ast.UnaryOp(ast.Not(), switch("is_off", number))])
    return ast.BoolOp(ast.And(), [condition, switch("is_off", number)])
