"""Under `o/<slug:org>/`."""

from __future__ import annotations

from django.urls import path

from integrations.views import (
    automating,
    branches,
    connecting,
    editing,
    history,
    left_overs,
    listing,
    overview,
    picking,
    previews,
    refreshing,
    runs,
)

app_name = "integrations"
urlpatterns = [
    path("integrations/", listing.organization, name="list"),
    path("integrations/refresh/", refreshing.refresh_matching, name="refresh_matching"),
    path("integrations/<uuid:integration>/", overview.integration, name="integration"),
    path("integrations/<uuid:integration>/row/", listing.row, name="row"),
    path("integrations/<uuid:integration>/refresh/", refreshing.refresh, name="refresh"),
    path("integrations/<uuid:integration>/edit/", editing.edit, name="edit"),
    path("integrations/<uuid:integration>/automation/", automating.automation, name="automation"),
    path("integrations/<uuid:integration>/automation/times/", automating.times, name="automation_times"),
    path("integrations/<uuid:integration>/branches/", picking.branches_of, name="branches_of"),
    path("integrations/<uuid:integration>/branches/count/", picking.count_of, name="count_of"),
    path("integrations/<uuid:integration>/branches/add/", branches.add, name="branch_add"),
    path("integrations/<uuid:integration>/branches/<uuid:track>/edit/", branches.edit, name="branch_edit"),
    path("integrations/<uuid:integration>/branches/<uuid:track>/remove/", branches.remove, name="branch_remove"),
    path("integrations/<uuid:integration>/delete/", editing.delete, name="delete"),
    path("integrations/<uuid:integration>/history/", history.history, name="history"),
    path("integrations/<uuid:integration>/skipped/", history.skips, name="skips"),
    path("integrations/<uuid:integration>/preview/", previews.preview, name="preview"),
    path("integrations/<uuid:integration>/preview/<uuid:run>/", previews.preview_run, name="preview_run"),
    path("integrations/<uuid:integration>/preview/<uuid:run>/diff/", previews.preview_diff, name="preview_diff"),
    path("servers/<slug:server>/integrations/", listing.server, name="server"),
    path("servers/<slug:server>/integrations/refresh/", refreshing.refresh_all, name="refresh_all"),
    path("servers/<slug:server>/integrations/connect/", connecting.connect, name="connect"),
    path("servers/<slug:server>/integrations/connect/with/", connecting.connect_with, name="connect_with"),
    path(
        "servers/<slug:server>/integrations/connect/return/<str:draft>/",
        connecting.connect_return,
        name="connect_return",
    ),
    path("servers/<slug:server>/integrations/connect/repositories/", picking.repositories, name="repositories"),
    path("servers/<slug:server>/integrations/connect/branches/", picking.branches, name="branches"),
    path("servers/<slug:server>/integrations/connect/count/", picking.count, name="count"),
    path("servers/<slug:server>/integrations/left-overs/<str:key>/", left_overs.remove, name="left_overs"),
    path("runs/<uuid:run>/changes/<int:change>/", runs.change, name="change"),
]
