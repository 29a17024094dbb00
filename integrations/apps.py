from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from catalog import contents, tabs
        from integrations import detaching, kinds
        from integrations.models import Integration
        from jobs import registry

        for kind in kinds.KINDS:
            registry.register(kind)
        contents.on_detach.append(detaching.note_detached)
        tabs.register(
            tabs.Tab(
                name="integrations",
                label="Integrations",
                url_name="integrations:server",
                order=30,
                count=lambda server: Integration.objects.filter(server=server).count(),
            )
        )
