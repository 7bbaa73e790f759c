"""What is wrong with a config, in words: a line for each field, with what was expected and what was given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from nearnet.config.models import MessageRates
from nearnet.wire.message_kinds import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["all_wrong", "section_of", "unknown_fields", "without_unknown"]


def section_of(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """Return the model of a field that is itself an object of the config."""
    field = model.model_fields.get(name)
    kind = None if field is None or get_origin(field.annotation) else field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def unknown_fields(model: type[BaseModel], data: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Return the paths in `data` that the config has no field for."""
    for name, value in data.items():
        section = section_of(model, name) or _optional_section(model, name)
        if name not in model.model_fields:
            yield f"{prefix}{name}"
        elif section is not None and isinstance(value, dict):
            yield from unknown_fields(section, value, f"{prefix}{name}.")
        elif model is MessageRates and isinstance(value, dict):
            yield from (f"{prefix}{name}.{kind}" for kind in value if kind not in KEYS)


def without_unknown(model: type[BaseModel], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of `data` without the fields that `unknown_fields` finds."""
    kept = {}
    for name, value in data.items():
        section = section_of(model, name) or _optional_section(model, name)
        if name not in model.model_fields:
            continue
        if section is not None and isinstance(value, dict):
            kept[name] = without_unknown(section, value)
        elif model is MessageRates and isinstance(value, dict):
            kept[name] = {kind: rate for kind, rate in value.items() if kind in KEYS}
        else:
            kept[name] = value
    return kept


def _optional_section(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """Return the model of a field that is an object of the config or null."""
    field = model.model_fields.get(name)
    if field is None or get_origin(field.annotation) is not UnionType:
        return None
    kinds = get_args(field.annotation)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def all_wrong(
    model: type[BaseModel], data: object, error: ValidationError | None, validate: Callable[[Any], object]
) -> list[str]:
    """Return a line for each unknown and each wrong field, then the wrong combinations of the fields that are right.

    `error` is what the validation of `data` raised, if anything; `validate` does it again, for what is left of it.
    """
    unknown = list(unknown_fields(model, data)) if isinstance(data, Mapping) else []
    lines = dict.fromkeys(_unknown_in_words(model, path) for path in unknown)
    if error is None:
        return list(lines)
    wrong: list[str] = []
    for one in error.errors(include_url=False):
        path = ".".join(map(str, one["loc"]))
        if not path:
            lines.update(dict.fromkeys(one["msg"].removeprefix("Value error, ").splitlines()))
        elif path not in wrong:
            wrong.append(path)
            lines[f"{path}: expected {_expected(one)}, got {_given(one['input'])}"] = None
    if wrong and isinstance(data, dict):
        rest = data
        for path in wrong:
            rest = _without(rest, path.split("."))
        lines.update(dict.fromkeys(_wrong_combinations(rest, wrong, validate)))
    return list(lines)


def _unknown_in_words(model: type[BaseModel], path: str) -> str:
    """Return the line for an unknown field, with the known one that is spelled most like it."""
    *parents, name = path.split(".")
    section: type[BaseModel] | None = model
    for parent in parents:
        section = None if section is None else section_of(section, parent) or _optional_section(section, parent)
    known = () if section is None else tuple(section.model_fields)
    like = get_close_matches(name, known, 1)
    return f"unknown field {path}{f'; did you mean {like[0]}?' if like else ': remove it'}"


def _wrong_combinations(data: dict[str, Any], wrong: Sequence[str], validate: Callable[[Any], object]) -> Iterator[str]:
    """What the rest of the fields breaks; a rule that names a field known as wrong already says nothing."""
    names = [path.split(".")[-1] for path in wrong]
    try:
        validate(data)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            lines = one["msg"].removeprefix("Value error, ").splitlines()
            yield from (line for line in lines if not any(name in line for name in names))


def _without(data: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """Return a copy without what is at `path`; a wrong entry of a list takes the whole list."""
    name, *rest = path
    below = data.get(name)
    if rest and isinstance(below, dict):
        return {**data, name: _without(below, rest)}
    return {key: value for key, value in data.items() if key != name}


def _expected(error: Any) -> str:
    bounds = error.get("ctx", {})
    words = {
        "int_type": "a whole number",
        "int_parsing_size": "a smaller whole number",
        "float_type": "a number",
        "finite_number": "a number",
        "bool_type": "true or false",
        "string_type": "a text",
        "string_too_short": "a text that is not empty",
        "list_type": "a list",
        "tuple_type": "a list",
        "dict_type": "an object",
        "model_type": "an object",
        "model_attributes_type": "an object",
        "missing": "a value",
        "greater_than_equal": f"at least {bounds.get('ge')}",
        "less_than_equal": f"at most {bounds.get('le')}",
        "less_than": f"less than {bounds.get('lt')}",
        "literal_error": f"one of {bounds.get('expected')}",
    }
    kind = error["type"]
    if kind == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    return words.get(kind, str(error["msg"]))


def _given(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
