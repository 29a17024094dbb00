from django.apps import AppConfig


class EndpointConfig(AppConfig):
    name = "endpoint"

    def ready(self) -> None:
        from catalog import tabs
        from catalog.models import EntityKind
        from endpoint.oauth import grants
        from jobs import schedules

        tabs.register(tabs.Tab(name="connect", label="Connect", url_name="endpoint:connect", order=12))
        tabs.register_entity_tab(tabs.EntityTab(EntityKind.TOOLKIT, "connect", "Connect", "endpoint:toolkit_connect"))
        tabs.register(tabs.Tab(name="requests", label="Requests", url_name="endpoint:usage", order=14))
        tabs.register_entity_tab(tabs.EntityTab(EntityKind.TOOLKIT, "requests", "Requests", "endpoint:toolkit_usage"))
        schedules.register(schedules.Entry("Forget old requests", "endpoint.recording.retention.forget", minutes=60))
        schedules.register(
            schedules.Entry("Forget unused clients", "endpoint.oauth.clients.forget_unused", minutes=24 * 60)
        )
        grants.connect()
