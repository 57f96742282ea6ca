"""Programs that do less than they should: what a learner hands in half way, which a check has to decide about too."""

from __future__ import annotations

import ast
import copy


def half_done(code: str) -> list[str]:
    """A program whose loops run never, one whose loops run once, and one that collects nothing.

    Each is there only where it differs from the program; none of a program that is not Python.

    Example:
        >>> half_done("rates.append(0.1)")
        ['pass']
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return []
    whole = ast.unparse(tree)
    spoilt = (change.visit(copy.deepcopy(tree)) for change in (_Never(), _Once(), _NothingKept()))
    return [less for less in map(ast.unparse, spoilt) if less != whole]


class _Never(ast.NodeTransformer):
    """Takes what every `for` loop goes over."""

    def visit_For(self, node: ast.For) -> ast.For:
        """The loop over nothing."""
        node.iter = ast.List([], ast.Load())
        self.generic_visit(node)
        return node


class _Once(ast.NodeTransformer):
    """Ends every `for` loop after its first round."""

    def visit_For(self, node: ast.For) -> ast.For:
        """The loop with a `break` at its end."""
        self.generic_visit(node)
        node.body = [*node.body, ast.Break()]
        return node


class _NothingKept(ast.NodeTransformer):
    """Leaves out every `append`."""

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        """`pass` for an append."""
        match node.value:
            case ast.Call(func=ast.Attribute(attr="append" | "extend")):
                return ast.Pass()
        return node
