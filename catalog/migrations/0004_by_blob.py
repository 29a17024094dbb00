from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0003_entities'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='content',
            index=models.Index(fields=['server', 'blob'], name='content_by_blob'),
        ),
        migrations.AddIndex(
            model_name='versionfile',
            index=models.Index(fields=['version', 'blob'], name='version_file_by_blob'),
        ),
    ]
