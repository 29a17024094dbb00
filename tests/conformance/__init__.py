"""What other people's programs say of the endpoint: the protocol's conformance suite, and the Inspector. ::

    make conformance

It needs npm's registry, so it is no part of `make test`. The installation that they ask is a real one, whose tools are
configured tools of a small API (`upstream.py`), and whose resources, prompts and contents are rows (`rows.py`), so that
what is tried is the endpoint. What a scenario wants and cannot have is in `expected-<revision>.yml`, with the reason.
"""

KEY = "CONFORMANCE_KEY"
"""The environment variable that holds the API key with which everything is asked."""
