"""Under `o/<slug:org>/`."""

from __future__ import annotations

from django.urls import path

from indexing.views import acting, adding, automating, editing, linking, pages, searching, sources

app_name = "indexing"
urlpatterns = [
    path("sources/", sources.organization, name="list"),
    path("sources/refreshing/", automating.auto_refresh, name="auto_refresh"),
    path("sources/<uuid:source>/", pages.source, name="source"),
    path("sources/<uuid:source>/skipped/", pages.skipped, name="skipped"),
    path("sources/<uuid:source>/row/", sources.row, name="row"),
    path("sources/<uuid:source>/refresh/", acting.refresh, name="refresh"),
    path("sources/<uuid:source>/pause/", acting.pause, name="pause"),
    path("sources/<uuid:source>/go-on/", acting.go_on, name="go_on"),
    path("sources/<uuid:source>/edit/", editing.edit, name="edit"),
    path("sources/<uuid:source>/delete/", acting.delete, name="delete"),
    path("sources/<uuid:source>/linked/<str:signed>/", linking.linked, name="linked"),
    path("servers/<slug:server>/sources/", sources.sources, name="sources"),
    path("servers/<slug:server>/sources/refresh/", acting.refresh_all, name="refresh_all"),
    path("servers/<slug:server>/sources/add/", adding.source_add, name="source_add"),
    path("servers/<slug:server>/sources/add/link/", linking.link_with, name="link_with"),
    path("servers/<slug:server>/search/", searching.search, name="search"),
    path("servers/<slug:server>/search/misses/", searching.misses, name="misses"),
]
