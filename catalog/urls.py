"""Under `o/<slug:org>/servers/`."""

from __future__ import annotations

from django.urls import path

from catalog.views import (
    activity,
    compare,
    contents,
    editing,
    exchange,
    providers,
    servers,
    tools,
    versions,
)

app_name = "catalog"
urlpatterns = [
    path("", servers.servers, name="servers"),
    path("new/", servers.create, name="create"),
    path("import/", exchange.server_import, name="server_import"),
    path("<slug:server>/", servers.server, name="server"),
    path("<slug:server>/edit/", servers.edit, name="edit"),
    path("<slug:server>/delete/", servers.delete, name="delete"),
    path("<slug:server>/tools/", tools.tools, name="tools"),
    path("<slug:server>/tools/<uuid:pk>/", tools.tool, name="tool"),
    path("<slug:server>/tools/<uuid:pk>/edit/", tools.edit, name="tool_edit"),
    path("<slug:server>/tools/<uuid:pk>/enable/", tools.enable, name="tool_enable"),
    path("<slug:server>/tools/<uuid:pk>/delete/", tools.delete, name="tool_delete"),
    path("<slug:server>/providers/new/", providers.create, name="provider_create"),
    path("<slug:server>/providers/<uuid:pk>/", providers.provider, name="provider"),
    path("<slug:server>/providers/<uuid:pk>/edit/", providers.edit, name="provider_edit"),
    path("<slug:server>/providers/<uuid:pk>/delete/", providers.delete, name="provider_delete"),
    path("<slug:server>/providers/<uuid:pk>/tools/new/", tools.create, name="tool_create"),
    path("<slug:server>/export/", exchange.export, name="export"),
    path("<slug:server>/export/file/", exchange.export_file, name="export_file"),
    path("<slug:server>/import/", exchange.import_, name="import"),
    path("<slug:server>/content/", contents.contents, name="contents"),
    path("<slug:server>/content/at/", contents.content_at, name="content_at"),
    path("<slug:server>/content/new/", editing.create, name="content_create"),
    path("<slug:server>/content/upload/", editing.upload, name="content_upload"),
    path("<slug:server>/content/<int:content>/", contents.content, name="content"),
    path("<slug:server>/content/<int:content>/raw/", contents.raw, name="content_raw"),
    path("<slug:server>/content/<int:content>/edit/", editing.edit, name="content_edit"),
    path("<slug:server>/content/<int:content>/rename/", editing.rename, name="content_rename"),
    path("<slug:server>/content/<int:content>/detach/", editing.detach, name="content_detach"),
    path("<slug:server>/content/<int:content>/delete/", editing.delete, name="content_delete"),
    path("<slug:server>/versions/", versions.versions, name="versions"),
    path("<slug:server>/versions/cut/", versions.cut, name="version_cut"),
    path("<slug:server>/versions/notice/", versions.notice, name="version_notice"),
    path("<slug:server>/versions/clear/", versions.clear, name="version_clear"),
    path("<slug:server>/versions/compare/", compare.compare, name="compare"),
    path("<slug:server>/versions/compare/file/", compare.compare_file, name="compare_file"),
    path("<slug:server>/versions/<int:number>/", versions.version, name="version"),
    path("<slug:server>/versions/<int:number>/file/<int:entry>/", versions.file, name="version_file"),
    path("<slug:server>/versions/<int:number>/file/<int:entry>/raw/", versions.raw, name="version_file_raw"),
    path("<slug:server>/versions/<int:number>/point/", versions.point, name="version_point"),
    path("<slug:server>/versions/<int:number>/delete/", versions.delete, name="version_delete"),
    path("<slug:server>/activity/", activity.activity, name="activity"),
]
