"""``/openapi.json``: what the HTTP server answers, made from the methods and the models of their params."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nearnet.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

__all__ = ["Described", "openapi"]

Described = tuple[Any, bool, bool]
"""Of a method: the model of its params (None: any), whether it needs the admin token, whether a GET answers too."""

_ERROR = {
    "type": "object",
    "required": ["name", "cause", "code", "message"],
    "properties": {
        "name": {"type": "string", "enum": ["REQUEST_VALIDATION_ERROR", "HANDLER_ERROR", "INTERNAL_ERROR"]},
        "cause": {
            "type": "object",
            "required": ["name", "info"],
            "properties": {"name": {"type": "string"}, "info": {"type": "object"}},
        },
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "data": {},
    },
}

_REFUSED = {
    "description": "Refused, or failed: the HTTP status says which way, the object why",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}

_PLAIN = {
    "/metrics": ("Metrics in Prometheus' text format", "text/plain"),
    "/ws/events": ("A websocket that tells every event as one JSON object", "application/json"),
    "/openapi.json": ("This description", "application/json"),
    "/": ("The dashboard", "text/html"),
}


def openapi(methods: Mapping[str, Described], debug: tuple[str, ...]) -> dict[str, Any]:
    """An OpenAPI 3.0.3 document: ``POST /`` with every method, the GETs, and the debug pages of these names."""
    paths: dict[str, Any] = {path: {"get": _get(text, kind)} for path, (text, kind) in _PLAIN.items()}
    paths["/"]["post"] = _post(methods)
    for name, (params, _, get) in methods.items():
        if get:
            described = _get(f"The result of {name}", "application/json")
            paths[f"/{name}"] = {"get": {**described, "parameters": _query(params)}}
    for name in debug:
        paths[f"/debug/api/{name}"] = {"get": _get(f"The debug page {name}", "application/json")}
    schemas: dict[str, Any] = {"Error": _ERROR}
    for name, (params, admin, _) in methods.items():
        schemas[name] = _request(name, params, admin)
    return {
        "openapi": "3.0.3",
        "info": {"title": "nearnet", "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"admin": {"type": "http", "scheme": "bearer"}},
        },
    }


def _get(text: str, kind: str) -> dict[str, Any]:
    told = {"description": text, "content": {kind: {"schema": {}}}}
    return {"summary": text, "responses": {"200": told, "default": _REFUSED}}


def _query(params: type[BaseModel] | None) -> list[dict[str, Any]]:
    if params is None:
        return []
    schema = params.model_json_schema()
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": field}
        for name, field in schema.get("properties", {}).items()
    ]


def _request(name: str, params: type[BaseModel] | None, admin: bool) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Needs the admin token." if admin else "",
        "required": ["jsonrpc", "method", "id"],
        "additionalProperties": False,
        "properties": {
            "jsonrpc": {"type": "string", "enum": ["2.0"]},
            "method": {"type": "string", "enum": [name]},
            "params": {} if params is None else params.model_json_schema(),
            "id": {},
        },
    }


def _post(methods: Mapping[str, Described]) -> dict[str, Any]:
    result = {"type": "object", "required": ["jsonrpc", "result", "id"]}
    failed = {
        "type": "object",
        "required": ["jsonrpc", "error", "id"],
        "properties": {"error": {"$ref": "#/components/schemas/Error"}},
    }
    requests = [{"$ref": f"#/components/schemas/{name}"} for name in methods]
    answers = {
        "200": ("An answer, or an error of the method", {"oneOf": [result, failed]}),
        "400": ("No such method, or a wrong request", failed),
        "401": ("An admin method without the token", failed),
        "403": ("A Host or an Origin that is not served", failed),
        "408": ("The time of a call is over", failed),
        "413": ("A body that is too large", failed),
        "415": ("A body that is not application/json, or compressed", failed),
        "429": ("Too many calls at once, or too much that nobody reads", failed),
        "500": ("A fault of the node", failed),
    }
    return {
        "summary": "JSON-RPC 2.0; a batch is a parse error",
        "security": [{}, {"admin": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"oneOf": requests}}}},
        "responses": {
            status: {"description": text, "content": {"application/json": {"schema": schema}}}
            for status, (text, schema) in answers.items()
        },
    }
