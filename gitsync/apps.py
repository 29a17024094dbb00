from django.apps import AppConfig


class GitsyncConfig(AppConfig):
    name = "gitsync"
    verbose_name = "Git sync"

    def ready(self) -> None:
        from catalog import library, servers, tabs
        from catalog import signals as catalog_signals
        from forges import hooks, usage
        from forges import signals as forge_signals
        from gitsync import kinds, news, saves, uses
        from gitsync.mirror import hooks as mirror_hooks
        from gitsync.mirror import news as mirror_news
        from jobs import outbox, registry, schedules

        for kind in kinds.KINDS:
            registry.register(kind)
        catalog_signals.config_saved.connect(news.on_config_saved, dispatch_uid="gitsync")
        catalog_signals.server_leaving.connect(news.on_server_leaving, dispatch_uid="gitsync")
        forge_signals.connection_changed.connect(news.on_connection_changed, dispatch_uid="gitsync")
        forge_signals.repository_changed.connect(news.on_changed, dispatch_uid="gitsync")
        catalog_signals.entity_saved.connect(mirror_news.on_entity_saved, dispatch_uid="gitsync.mirror")
        catalog_signals.config_saved.connect(mirror_news.on_config_saved, dispatch_uid="gitsync.mirror")
        catalog_signals.server_leaving.connect(mirror_news.on_server_leaving, dispatch_uid="gitsync.mirror")
        forge_signals.connection_changed.connect(mirror_news.on_connection_changed, dispatch_uid="gitsync.mirror")
        forge_signals.repository_pushed.connect(mirror_news.on_pushed, dispatch_uid="gitsync.mirror")
        forge_signals.repository_changed.connect(mirror_news.on_changed, dispatch_uid="gitsync.mirror")
        usage.register(uses.uses_of)
        hooks.register_followers(mirror_hooks.followers_of)
        hooks.register_clients(mirror_hooks.clients_for_hook)
        servers.register_consequence(news.consequence_of)
        servers.register_consequence(mirror_news.consequence_of_entity)
        library.register_consequence(mirror_news.consequence_of_entity)
        outbox.register("pushes of what was saved", saves.ask_for_pushes)
        outbox.register("syncs of what was saved", saves.ask_for_syncs)
        schedules.register(schedules.Entry("Push what is lacking", "gitsync.clock.tick", minutes=1))
        schedules.register(schedules.Entry("Look at mirrors", "gitsync.mirror.clock.tick", minutes=1))
        tabs.register_panel("gitsync:target", label="Git Push Sync", order=20)
