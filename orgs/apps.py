from __future__ import annotations

from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "orgs"
    verbose_name = "People and organisations"

    def ready(self) -> None:
        from orgs import sign_ins

        sign_ins.connect()
