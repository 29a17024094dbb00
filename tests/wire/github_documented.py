"""What GitHub documents and its description (as the tests have it) leaves out, as a description of our own.

https://docs.github.com/en/rest/apps/oauth-applications
"""

from __future__ import annotations

from tests.wire.contract import OpenApiContract

_TOKEN = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["access_token"],
                "properties": {"access_token": {"type": "string"}},
            }
        }
    },
}
_ERROR = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}}
_GONE = {"requestBody": _TOKEN, "responses": {"204": {}, "422": _ERROR}}

DOCUMENTED = OpenApiContract(
    {
        "openapi": "3.0.3",
        "paths": {
            "/applications/{client_id}/grant": {"delete": _GONE},
            "/applications/{client_id}/token": {"delete": _GONE},
        },
        "components": {
            "responses": {"not_found": _ERROR},
            "schemas": {
                "error": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
            },
        },
    }
)
