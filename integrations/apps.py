from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from catalog import contents, tabs
        from forges import hooks, signals, usage
        from integrations import detaching, kinds, news, uses
        from integrations.models import Integration
        from jobs import registry, schedules

        for kind in kinds.KINDS:
            registry.register(kind)
        signals.repository_pushed.connect(news.on_pushed, dispatch_uid="integrations")
        signals.repository_changed.connect(news.on_changed, dispatch_uid="integrations")
        signals.connection_changed.connect(news.on_connection_changed, dispatch_uid="integrations")
        usage.register(uses.uses_of)
        hooks.register_clients(uses.clients_for_hook)
        hooks.register_followers(uses.followers_of)
        schedules.register(schedules.Entry("Refresh what is due", "integrations.clock.tick", minutes=1))
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
