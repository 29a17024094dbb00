from django.apps import AppConfig


class ForgesConfig(AppConfig):
    name = "forges"

    def ready(self) -> None:
        from forges import checking, kinds, leaving
        from jobs import registry, schedules

        for kind in kinds.KINDS:
            registry.register(kind)
        schedules.register(
            schedules.Entry(name="Check connections", function="forges.checking.tick", minutes=checking.EVERY_MINUTES)
        )
        schedules.register(schedules.Entry("Look after webhooks", "forges.hook_runs.nightly", minutes=24 * 60))
        schedules.register(schedules.Entry("Take failed deliveries again", "forges.deliveries.take_again", minutes=5))
        leaving.connect()
