from django.apps import AppConfig


class GitsyncConfig(AppConfig):
    name = "gitsync"
    verbose_name = "Git sync"

    def ready(self) -> None:
        from catalog import servers, tabs
        from catalog import signals as catalog_signals
        from forges import signals as forge_signals
        from forges import usage
        from gitsync import kinds, news, saves, uses
        from jobs import outbox, registry, schedules

        for kind in kinds.KINDS:
            registry.register(kind)
        catalog_signals.config_saved.connect(news.on_config_saved, dispatch_uid="gitsync")
        catalog_signals.server_leaving.connect(news.on_server_leaving, dispatch_uid="gitsync")
        forge_signals.connection_changed.connect(news.on_connection_changed, dispatch_uid="gitsync")
        forge_signals.repository_changed.connect(news.on_changed, dispatch_uid="gitsync")
        usage.register(uses.uses_of)
        servers.register_consequence(news.consequence_of)
        outbox.register("pushes of what was saved", saves.ask_for_pushes)
        schedules.register(schedules.Entry("Push what is lacking", "gitsync.clock.tick", minutes=1))
        tabs.register_panel("gitsync:target", label="Git Push Sync", order=20)
