from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from catalog.models import Server


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from catalog import tabs
        from jobs import schedules

        tabs.register(tabs.Tab("general", "General", "catalog:server", 10))
        tabs.register(tabs.Tab("tools", "Tools", "catalog:tools", 15, count=_tools))
        tabs.register(tabs.Tab("variables", "Variables", "catalog:variables", 17, count=_variables))
        tabs.register(tabs.Tab("content", "Content", "catalog:contents", 20, count=_files))
        tabs.register(tabs.Tab("versions", "Versions", "catalog:versions", 40, count=_versions))
        tabs.register(tabs.Tab("activity", "Activity", "catalog:activity", 50))
        tabs.register_panel("catalog:attached", label="Commands and skills", order=10)
        schedules.register(schedules.Entry("Collect unused texts", "catalog.blobs.collect_unused", minutes=24 * 60))
        schedules.register(
            schedules.Entry("Collect unused files of skills", "catalog.file_blobs.collect_unused", minutes=24 * 60)
        )


def _files(server: Server) -> int:
    from catalog.models import Content

    return Content.objects.filter(server=server).count()


def _tools(server: Server) -> int:
    from catalog.models import Tool

    return Tool.objects.filter(server=server).count()


def _variables(server: Server) -> int:
    from catalog.models import Variable

    return Variable.objects.filter(server=server).count()


def _versions(server: Server) -> int:
    from catalog.models import Version

    return Version.objects.filter(server=server).count()
