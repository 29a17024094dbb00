"""`python -m tests.system.crawl_asked_for <address>`: make a source of a web site, and ask for its index."""

from __future__ import annotations

import sys

import django

django.setup()

from indexing.requesting import request_index  # noqa: E402  # the apps have to be there first
from jobs.models import Trigger  # noqa: E402
from tests import factories  # noqa: E402

server = factories.server(factories.organization("Acme"), "Docs")
request_index(factories.source(server, url=sys.argv[1]), trigger=Trigger.SCHEDULE)
