"""Documents to import, made up: a weather API of OpenAPI 3.0, as YAML, and a shop for pets of 3.1."""

from __future__ import annotations

import json
from typing import Any

WEATHER = """\
openapi: 3.0.3
info: {title: Weather of the world, version: "2", description: What the sky does.}
externalDocs: {url: https://docs.weather.example/}
servers:
  - url: https://{region}.weather.example/{base}
    variables:
      region: {default: eu, enum: [eu, us]}
      base: {default: v2}
security:
  - token: []
paths:
  /cities/{city}/weather:
    parameters:
      - {name: city, in: path, required: true, schema: {type: string}}
    get:
      operationId: get_current-weather
      summary: Current weather
      description: What the weather is in a city now.
      parameters:
        - name: units
          in: query
          description: Of temperatures.
          schema: {type: string, enum: [metric, imperial], nullable: true}
        - name: days
          in: query
          required: true
          schema: {type: integer, minimum: 0, exclusiveMinimum: true, example: 3}
        - {name: fields, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - {name: X-Client, in: header, schema: {type: string, enum: [millrace]}}
        - {name: X-Trace, in: header, schema: {type: string}}
        - {name: visit, in: cookie, schema: {type: string}}
      responses: {"200": {description: The weather.}}
  /reports:
    post:
      summary: Report the weather
      requestBody: {$ref: "#/components/requestBodies/Report"}
      responses: {"201": {description: Kept.}}
    options: {responses: {}}
  /reports/{id}/photo:
    put:
      operationId: putPhoto
      deprecated: true
      parameters:
        - {$ref: "#/components/parameters/Id"}
      requestBody: {content: {image/png: {schema: {type: string, format: binary}}}}
      responses: {}
    delete:
      operationId: deletePhoto
      security: []
      parameters:
        - {$ref: "#/components/parameters/Id"}
      responses: {}
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
  parameters:
    Id: {name: id, in: path, required: true, schema: {type: integer}}
  requestBodies:
    Report:
      required: true
      content:
        application/json: {schema: {$ref: "#/components/schemas/Report"}}
  schemas:
    Report:
      type: object
      required: [id, city, sky]
      xml: {name: report}
      properties:
        id: {type: integer, readOnly: true}
        city: {type: string, example: Oslo}
        sky: {$ref: "#/components/schemas/Sky"}
        replies: {type: array, items: {$ref: "#/components/schemas/Report"}}
    Sky: {type: string, enum: [clear, cloudy]}
"""


def document(paths: Any = None, version: str = "3.1.0", **more: Any) -> dict[str, Any]:
    about = {"info": {"title": "Pets", "version": "1"}, "servers": [{"url": "https://api.pets.example/v1"}]}
    return {"openapi": version, **about, "paths": paths or {}, **more}


def text(paths: Any = None, **more: Any) -> str:
    return json.dumps(document(paths, **more))


def many(count: int, summary: str = "A pet") -> str:
    """Operations with a body each that shares its schema with the others."""
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}
    pet = {"type": "object", "properties": {f"field{number}": {"type": "string"} for number in range(5)}}
    paths = {
        f"/pets{number}/{{id}}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "post": {"operationId": f"pet{number}", "summary": summary, "requestBody": body},
        }
        for number in range(count)
    }
    return text(paths, components={"schemas": {"Pet": pet}})


def secured(**schemes: Any) -> str:
    """One operation that needs all of the schemes."""
    paths = {"/pets": {"get": {"operationId": "listPets", "security": [{name: ["read"] for name in schemes}]}}}
    return text(paths, components={"securitySchemes": schemes})
