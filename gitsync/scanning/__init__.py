"""What must not be pushed, found in the files before they leave. Plain Python: no Django, no network, no disk."""

from gitsync.scanning.findings import Finding, KnownSecret
from gitsync.scanning.known import KnownSecrets
from gitsync.scanning.scan import scan

__all__ = ["Finding", "KnownSecret", "KnownSecrets", "scan"]
