"""The index of words on SQLite: FTS5 over the rows of Chunk, with their texts kept there alone.

Triggers keep the two in step, so that nothing stays behind of a chunk that goes, also where a cascade deletes it.
Whoever alters the table `indexing_chunk` later: SQLite makes it anew then, and its triggers go with the old one. Run
`make_triggers` again after it.
"""

from django.db import migrations

TABLE = "indexing_chunk_words"
COLUMNS = "title, heading, body, parts"
TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"

INSERT = f"INSERT INTO {TABLE}(rowid, {COLUMNS}) VALUES (new.id, new.title, new.heading, new.body, new.parts);"
DELETE = (
    f"INSERT INTO {TABLE}({TABLE}, rowid, {COLUMNS})"
    " VALUES ('delete', old.id, old.title, old.heading, old.body, old.parts);"
)
TRIGGERS = {
    "indexing_chunk_came": f"AFTER INSERT ON indexing_chunk BEGIN {INSERT} END",
    "indexing_chunk_went": f"AFTER DELETE ON indexing_chunk BEGIN {DELETE} END",
    "indexing_chunk_changed": f"AFTER UPDATE OF id, {COLUMNS} ON indexing_chunk BEGIN {DELETE} {INSERT} END",
}


def make_index(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            f"CREATE VIRTUAL TABLE {TABLE} USING fts5({COLUMNS}, content='indexing_chunk', content_rowid='id',"
            f' tokenize="{TOKENIZER}")'
        )
        cursor.execute(f"INSERT INTO {TABLE}({TABLE}) VALUES ('rebuild')")
    make_triggers(apps, schema_editor)


def make_triggers(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        for name, what in TRIGGERS.items():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"CREATE TRIGGER {name} {what}")


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        for name in TRIGGERS:
            cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(f"DROP TABLE {TABLE}")


class Migration(migrations.Migration):

    dependencies = [('indexing', '0001_initial')]

    operations = [migrations.RunPython(make_index, drop_index)]
