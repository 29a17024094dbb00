"""The forge stands by itself, and can be run by hand."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import requests

from tests.wire.objects import git
from tests.wire.repos import GitRepo, blob_id

HERE = Path(__file__).parent
ALLOWED = {"__future__", "cryptography", "openapi_schema_validator", "pytest", "tests"} | set(sys.stdlib_module_names)


def test_it_imports_nothing_of_the_applications() -> None:
    for file in HERE.rglob("*.py"):
        if file.name.startswith(("test_", "conftest")):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.partition(".")[0] in ALLOWED, f"{file.name} imports {name}"
                assert not name.startswith("tests") or name.startswith("tests.wire"), f"{file.name} imports {name}"


def test_it_serves_a_repository_by_hand(git_repo: GitRepo) -> None:
    git_repo.commit({"a.md": "one"})
    command = [sys.executable, "-m", "tests.wire", "--repo", str(git_repo.path), "--files", "3", "--private"]
    environment = {**os.environ, "CONTRACTS_DIR": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1], env=environment) as process:
        try:
            assert process.stdout
            said = dict(process.stdout.readline().split() for _ in range(2))
            tree = f"{said['url']}/repos/acme/plain/git/trees/main"
            assert requests.get(tree, timeout=10).status_code == 404
            git_repo.commit({"a.md": "two"})
            listed = requests.get(tree, headers={"Authorization": f"Bearer {said['token']}"}, timeout=10).json()
        finally:
            process.send_signal(signal.SIGINT)
    assert [entry["sha"] for entry in listed["tree"]] == [blob_id(b"two")]
    assert process.returncode == 0
    assert git(git_repo.path, "fsck", "--strict") == b""


def test_it_has_applications_for_hands_on_tries() -> None:
    callback = "http://127.0.0.1:8000/done"
    command = [sys.executable, "-m", "tests.wire", "--person", "alice", "--oauth", callback, "--app", callback]
    environment = {**os.environ, "CONTRACTS_DIR": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1], env=environment) as process:
        try:
            assert process.stdout
            said = [process.stdout.readline().split() for _ in range(11)]
            github, *others = [value.split("|") for name, value in said if name == "oauth"]
            asked = {"client_id": github[2], "redirect_uri": callback, "state": "s"}
            page = requests.get(f"{github[1]}/login/oauth/authorize", params=asked, timeout=10)
            (file,) = [value for name, value in said if name == "app_private_key"]
            key = Path(file).read_text()
        finally:
            process.send_signal(signal.SIGINT)
    assert "alice" in page.text
    assert [one[0] for one in others] == ["gitlab", "bitbucket"]
    assert key.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert process.returncode == 0
