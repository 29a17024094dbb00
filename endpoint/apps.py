from django.apps import AppConfig


class EndpointConfig(AppConfig):
    name = "endpoint"

    def ready(self) -> None:
        pass
