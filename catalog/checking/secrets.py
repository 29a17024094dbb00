"""Whether something is probably a secret, by its name or by how it looks."""

from __future__ import annotations

import re

_NAME_OF_SECRET = re.compile(r"TOKEN|SECRET|KEY|PASSW|CREDENTIAL")
# Prefixes that issuers gave their tokens so that they are recognised, PEM blocks, JSON Web Tokens, and long runs of
# letters and digits mixed.
_VALUE_OF_SECRET = re.compile(
    r"gh[opsur]_|github_pat_|gl[a-z]{2,4}-|xox[a-z]-|sk[-_]|[rp]k_live_|AKIA[0-9A-Z]{12}|AIza[0-9A-Za-z_-]{30}|"
    r"eyJ[A-Za-z0-9_-]+\.|-----BEGIN |(?=[A-Za-z_+=]*[0-9])(?=[0-9_+=]*[A-Za-z])[A-Za-z0-9_+=]{32,}\Z"
)


def looks_secret(name: str, value: str) -> bool:
    """Whether a plain value is probably a secret, by its name or by its value."""
    return bool(_NAME_OF_SECRET.search(name) or _VALUE_OF_SECRET.match(value))
