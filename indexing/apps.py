from django.apps import AppConfig


class IndexingConfig(AppConfig):
    name = "indexing"

    def ready(self) -> None:
        from catalog import signals as catalog_signals
        from catalog import tabs
        from forges import signals as forge_signals
        from forges import usage
        from indexing import content_news, kinds
        from indexing.models import Source
        from indexing.repositories import news, uses
        from jobs import outbox, registry, schedules

        for kind in kinds.KINDS:
            registry.register(kind)
        schedules.register(schedules.Entry("Refresh sources that are due", "indexing.clock.tick", minutes=1))
        catalog_signals.content_changed.connect(content_news.on_content_changed, dispatch_uid="indexing")
        catalog_signals.version_served.connect(content_news.on_content_changed, dispatch_uid="indexing")
        catalog_signals.config_saved.connect(content_news.on_config_saved, dispatch_uid="indexing")
        catalog_signals.server_leaving.connect(content_news.on_server_leaving, dispatch_uid="indexing")
        outbox.register("indexing of what was saved", content_news.ask_for_runs)
        schedules.register(schedules.Entry("Index what is lacking", "indexing.content_news.look", minutes=10))
        schedules.register(schedules.Entry("Forget unused texts", "indexing.content_news.forget", minutes=24 * 60))
        schedules.register(schedules.Entry("Count words of the index", "indexing.search.upkeep.tick", minutes=5))
        schedules.register(schedules.Entry("Tidy the index", "indexing.search.upkeep.daily", minutes=24 * 60))
        forge_signals.repository_pushed.connect(news.on_pushed, dispatch_uid="indexing")
        forge_signals.repository_changed.connect(news.on_changed, dispatch_uid="indexing")
        forge_signals.connection_changed.connect(news.on_connection_changed, dispatch_uid="indexing")
        usage.register(uses.uses_of)
        tabs.register(
            tabs.Tab(
                name="sources",
                label="Sources",
                url_name="indexing:sources",
                order=25,
                count=lambda server: Source.objects.filter(server=server).count(),
            )
        )
        tabs.register(tabs.Tab(name="search", label="Search", url_name="indexing:search", order=27))
