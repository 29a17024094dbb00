"""What support staff see of the catalog in the Django admin."""

from catalog.admin import library, servers

__all__ = ["library", "servers"]
