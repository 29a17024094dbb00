from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="private_to",
            field=models.UUIDField(
                editable=False,
                help_text="Id of the member whose personal thing it is about: nobody else sees it.",
                null=True,
            ),
        ),
    ]
