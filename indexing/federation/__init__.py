"""Other MCP servers: asked for what they know while somebody searches, by the one of their tools that searches.

`check` is what a Run does with such a source, `asking` what a search does. The SDK and what it stands on are imported
when the first server is asked (`calling`): that takes most of a second, which no start of a process has to wait for.
"""

from indexing.federation.asking import asking
from indexing.federation.checking import check

__all__ = ["asking", "check"]
