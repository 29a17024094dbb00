from django.apps import AppConfig
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs import schedules

        post_migrate.connect(schedules.ensure_after_migrate, sender=self)
