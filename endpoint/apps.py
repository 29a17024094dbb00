from django.apps import AppConfig


class EndpointConfig(AppConfig):
    name = "endpoint"

    def ready(self) -> None:
        from catalog import tabs
        from catalog.models import EntityKind

        tabs.register(tabs.Tab(name="connect", label="Connect", url_name="endpoint:connect", order=12))
        tabs.register_entity_tab(tabs.EntityTab(EntityKind.TOOLKIT, "connect", "Connect", "endpoint:toolkit_connect"))
