from django.apps import AppConfig


class GitsyncConfig(AppConfig):
    name = "gitsync"
    verbose_name = "Git sync"

    def ready(self) -> None:
        from catalog import signals
        from gitsync import news

        signals.config_saved.connect(news.on_config_saved, dispatch_uid="gitsync")
        signals.server_leaving.connect(news.on_server_leaving, dispatch_uid="gitsync")
