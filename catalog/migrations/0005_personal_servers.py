"""A personal server goes with its owner's account, and what happened on it is told to its owner alone."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def _entrust(apps: Any, _: Any) -> None:
    AuditEvent, Run = apps.get_model("orgs", "AuditEvent"), apps.get_model("jobs", "Run")
    personal = apps.get_model("catalog", "Server").objects.filter(owner__isnull=False)
    for pk, owner in personal.values_list("pk", "owner"):
        AuditEvent.objects.filter(scope=str(pk)).update(private_to=owner)
        Run.objects.filter(scope=str(pk)).update(private_to=owner)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_by_blob"),
        ("jobs", "0002_personal"),
        ("orgs", "0002_personal"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="server",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                help_text="Personal: only this member sees it, and it never leaves the database.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(_entrust, migrations.RunPython.noop),
    ]
