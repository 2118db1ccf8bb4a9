"""What the configuration allows at a path, in words: for the sentence about a wrong value."""

from typing import Any

from msgspec import inspect


def allowed_at(root: type, steps: list[str | int]) -> str:
    """Say what may stand at a path; '' if nothing helpful can be said.

    Args:
        root: the struct of the whole configuration.
        steps: keys and places, from the top.
    """
    kind: Any = inspect.type_info(root)
    for step in steps:
        kind = _inside(kind, step)
        if kind is None:
            return ""
    return _words(kind)


def _inside(kind: Any, step: str | int) -> Any:  # noqa: ANN401 - msgspec's own types, one per kind
    match kind:
        case inspect.StructType(fields=fields):
            return next((f.type for f in fields if f.encode_name == step), None)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return item
        case inspect.DictType(value_type=value):
            return value
        case inspect.UnionType(types=types):
            inner = [t for t in types if not isinstance(t, inspect.NoneType)]
            return _inside(inner[0], step) if inner else None
        case _:
            return None


def _words(kind: Any) -> str:  # noqa: ANN401 - as above
    match kind:
        case inspect.IntType() | inspect.FloatType():
            return _range(kind)
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(str(value) for value in values)
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType(pattern=str(pattern)):
            return f"text like {pattern}"
        case inspect.UnionType(types=types):
            inner = [t for t in types if not isinstance(t, inspect.NoneType)]
            return _words(inner[0]) if len(inner) == 1 else ""
        case inspect.StructType(fields=fields):
            return "the keys " + ", ".join(f.encode_name for f in fields)
        case _:
            return ""


def _range(kind: Any) -> str:  # noqa: ANN401 - as above
    low = kind.ge if kind.ge is not None else kind.gt
    high = kind.le if kind.le is not None else kind.lt
    if low is None and high is None:
        return "a whole number" if isinstance(kind, inspect.IntType) else "a number"
    if high is None:
        return f"{low} or more" if kind.ge is not None else f"more than {low}"
    if low is None:
        return f"{high} or less"
    return f"{low} to {high}" if kind.gt is None else f"more than {low}, up to {high}"
