from django.apps import AppConfig


class ClusterConfig(AppConfig):
    name = "tests.jobs.cluster"
    label = "tests_cluster"

    def ready(self) -> None:
        from jobs import registry
        from tests.jobs.cluster.work import KIND

        registry.register(KIND)
