"""A server's configuration as files of a repository. Plain Python, no Django and no database."""

from gitsync.layout.files import Clash, render

__all__ = ["Clash", "render"]
