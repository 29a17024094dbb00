"""The Inspector's command line against the fixture: lists, and one of each thing that a list names."""

# ruff: noqa: T201  # what is printed is for who started it

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ERAS = ("legacy", "modern")
"""How it speaks: with the handshake of the revisions up to 2025-11-25, and without, as since 2026-07-28."""


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    arguments: tuple[str, ...]
    holds: Callable[[dict[str, Any]], bool]
    """Whether its answer is as it should be."""


def _named(kind: str, field: str, *names: str) -> Callable[[dict[str, Any]], bool]:
    return lambda answer: set(names) <= {each[field] for each in answer[kind]}


CALLS = (
    Call("tools/list", (), _named("tools", "name", "search", "fetch", "list", "test_simple_text")),
    Call(
        "tools/call",
        ("--tool-name", "test_simple_text"),
        lambda answer: "simple text response" in answer["content"][0]["text"] and not answer.get("isError"),
    ),
    Call(
        "tools/call",
        ("--tool-name", "search", "--tool-arg", "query=weir"),
        lambda answer: "guides/weir.md" in json.dumps(answer["structuredContent"]["results"][0]),
    ),
    Call(
        "tools/call",
        ("--tool-name", "fetch", "--tool-arg", "path=guides/weir.md"),
        lambda answer: "raises the water of the millrace" in answer["structuredContent"]["text"],
    ),
    Call("resources/list", (), _named("resources", "uri", "test://static-text", "test://static-binary")),
    Call("resources/templates/list", (), lambda answer: len(answer["resourceTemplates"]) > 0),
    Call(
        "resources/read",
        ("--uri", "test://static-text"),
        lambda answer: answer["contents"][0]["text"] == "This is the content of the static text resource.",
    ),
    Call("resources/read", ("--uri", "test://static-binary"), lambda answer: bool(answer["contents"][0]["blob"])),
    Call("prompts/list", (), _named("prompts", "name", "test_simple_prompt", "test_prompt_with_arguments")),
    Call(
        "prompts/get",
        ("--prompt-name", "test_prompt_with_arguments", "--prompt-args", "arg1=wheel", "arg2=weir"),
        lambda answer: "arg1='wheel', arg2='weir'" in answer["messages"][0]["content"]["text"],
    ),
)


def inspect(program: list[str], url: str, key: str, *, environment: Mapping[str, str], folder: Path) -> list[str]:
    """Make each call in each era; says what is wrong, in sentences."""
    wrong: list[str] = []
    settings = {**environment, "HOME": str(folder), "MCP_CATALOG_PATH": str(folder / "catalog.json")}
    for era in ERAS:
        for call in CALLS:
            what = f"{call.method} {' '.join(call.arguments)}".strip()
            command = [*program, "--cli", url, "--transport", "http", "--protocol-era", era, "--format", "json"]
            command += ["--header", f"Authorization: Bearer {key}", "--quiet", "--method", call.method, *call.arguments]
            done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120, check=False)
            problem = _problem(call, done)
            print(f"  {'✗' if problem else '✓'} {era}: {what}")
            if problem:
                wrong.append(f"The Inspector ({era}), {what}: {problem}")
    return wrong


def _problem(call: Call, done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        return f"it ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-600:]}"
    try:
        answer = json.loads(done.stdout)
        answer = answer.get("result", answer)
        held = call.holds(answer)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return f"{type(error).__name__} {error} in {done.stdout.strip()[-600:]}"
    return "" if held else f"unexpected answer {json.dumps(answer)[:600]}"
