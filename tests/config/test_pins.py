"""The pins are made on one machine and installed on others."""

from __future__ import annotations

import importlib.metadata
import re

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REQUIREMENTS = settings.BASE_DIR / "requirements"


def pinned(*names: str) -> set[str]:
    text = "\n".join((REQUIREMENTS / f"{name}.txt").read_text() for name in names)
    return {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


@pytest.mark.parametrize("version", ["3.11.0", "3.11.2", "3.12.3", "3.13.5"])
@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("names", [("base",), ("base", "dev")])
def test_what_a_package_asks_for_on_another_python_is_pinned_too(
    names: tuple[str, ...], version: str, system: str
) -> None:
    """pip refuses the whole file otherwise: with hashes everything that it installs has to be named."""
    there = {"python_full_version": version, "python_version": version.rpartition(".")[0], "sys_platform": system}
    have = pinned(*names)
    missing = {
        f"{name} asks for {requirement}"
        for name in have
        for requirement in map(Requirement, importlib.metadata.requires(name) or ())
        if (requirement.marker is None or requirement.marker.evaluate({**there, "extra": ""}))
        and canonicalize_name(requirement.name) not in have
    }

    assert not missing


@pytest.mark.parametrize("name", ["base", "dev", "bench"])
def test_the_pins_name_no_index(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()

    assert "://" not in re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    assert "--index" not in text
    assert "--find-links" not in text
