"""An organisation's entities as files that people edit: read, checked, written, merged. Plain Python, no Django.

::

    toolkits/<slug>.json   commands/<slug>.json   mcp-servers/<slug>.json   mcp-clients/<slug>.json
    skills/<slug>/SKILL.md, and what it refers to
"""
