"""Fetched pages as Markdown: their subject alone, code exact, links absolute, with what they say of themselves. ::

    found = extract(body, url=final_url, content_type=header, headers=headers)
    if found.trouble is None and not found.noindex:
        ...  # found.markdown, found.title, found.links

No Django, no network. Nothing is raised, and time and memory are bounded whatever a site sends.
"""

from indexing.extracting.model import Extracted, Link, Trouble
from indexing.extracting.reading import extract

__all__ = ["Extracted", "Link", "Trouble", "extract"]
