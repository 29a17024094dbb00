"""The tests' settings with one more app, which brings a kind of work that takes long."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.jobs.cluster.apps.ClusterConfig"]  # noqa: F405
LOGGING["root"]["level"] = LOGGING["loggers"]["django-q"]["level"] = "INFO"  # noqa: F405
ROOT_URLCONF = "tests.jobs.cluster.urls"
