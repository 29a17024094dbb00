"""Where forges post. The addresses are entered there, so they never change; config/asgi.py bounds what they take."""

from __future__ import annotations

from django.urls import re_path

from forges.views import inbox

_FORGE = "(?P<forge>github|gitlab|bitbucket)"
_ID = "(?P<hook>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

app_name = "inbox"
urlpatterns = [
    re_path(r"^hooks/github/app/?$", inbox.app, name="app"),
    re_path(rf"^hooks/{_FORGE}/{_ID}/?$", inbox.hook, name="hook"),
    re_path(rf"^api/{_FORGE}/webhook/?$", inbox.fixed, name="fixed"),
]
