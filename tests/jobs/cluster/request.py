import django

django.setup()

from tests.jobs.cluster.work import main  # noqa: E402  # the apps have to be there first

main()
