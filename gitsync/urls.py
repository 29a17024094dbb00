"""Under `o/<slug:org>/`."""

from __future__ import annotations

from django.urls import path

from gitsync.views import acting, choosing, preview, settings, target

app_name = "gitsync"
urlpatterns = [
    path("servers/<slug:server>/push/", target.target, name="target"),
    path("servers/<slug:server>/push/state/", target.state, name="state"),
    path("servers/<slug:server>/push/repositories/", choosing.repositories, name="repositories"),
    path("servers/<slug:server>/push/branches/", choosing.branches, name="branches"),
    path("servers/<slug:server>/push/preview/", preview.preview, name="preview"),
    path("servers/<slug:server>/push/now/", acting.push_now, name="push_now"),
    path("servers/<slug:server>/push/take-over/", acting.take_over, name="take_over"),
    path("servers/<slug:server>/push/allow/", acting.allow, name="allow"),
    path("servers/<slug:server>/push/pull-requests/", acting.pull_requests, name="pull_requests"),
    path("settings/git-push/", settings.settings, name="settings"),
    path("settings/git-push/example/", settings.example, name="settings_example"),
    path("settings/git-push/<uuid:target>/again/", acting.again, name="again"),
    path("settings/git-push/<uuid:target>/abandon/", acting.abandon, name="abandon"),
]
