"""The site map."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("orgs.urls")),
    path("", include("catalog.schema_urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("o/<slug:org>/runs/", include("jobs.urls")),
    path("o/<slug:org>/servers/", include("catalog.urls")),
    path("o/<slug:org>/", include("catalog.library_urls")),
    path("o/<slug:org>/", include("integrations.urls")),
    path("o/<slug:org>/", include("gitsync.urls")),
    path("o/<slug:org>/", include("indexing.urls")),
    path("o/<slug:org>/", include("forges.urls")),
    path("o/<slug:org>/", include("endpoint.urls")),
    path("", include("forges.inbox_urls")),
    path("", include("forges.oauth_urls")),
    path("", include("endpoint.open_urls")),
    path("admin/", admin.site.urls),
]
