"""Under `o/<slug:org>/`."""

from __future__ import annotations

from django.urls import path

from gitsync.views import acting, choosing, preview, settings, target
from gitsync.views.mirror import acting as mirror_acting
from gitsync.views.mirror import connecting, entity, page
from gitsync.views.mirror import preview as mirror_preview

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
    path("settings/sync/", page.mirror, name="mirror"),
    path("settings/sync/state/", page.state, name="mirror_state"),
    path("settings/sync/bitbucket/", connecting.bitbucket, name="mirror_bitbucket"),
    path("settings/sync/connection/", connecting.connection, name="mirror_connection"),
    path("settings/sync/connection/repositories/", connecting.repositories, name="mirror_repositories"),
    path("settings/sync/connection/branches/", connecting.branches, name="mirror_branches"),
    path("settings/sync/settings/", connecting.settings, name="mirror_settings"),
    path("settings/sync/now/", mirror_acting.now, name="mirror_now"),
    path("settings/sync/pull-requests/", mirror_acting.pull_requests, name="mirror_pull_requests"),
    path("settings/sync/disconnect/", mirror_acting.disconnect, name="mirror_disconnect"),
    path("settings/sync/preview/", mirror_preview.preview, name="mirror_preview"),
    path("settings/sync/entities/<int:pk>/", entity.entity, name="mirror_entity"),
]
