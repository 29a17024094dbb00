"""What happens to an imported file when a person detaches its content."""

from __future__ import annotations

from django.utils import timezone

from catalog.models import Content
from integrations.models import ImportedFile


def note_detached(content: Content) -> None:
    """From now on refreshes pass the file over, for as long as its content exists."""
    ImportedFile.objects.filter(content=content).update(detached_at=timezone.now(), stale_since=None)
