"""The pieces of work of `bench.search`, each in a process of its own: `python -m bench.searching <name> <JSON>`."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.corpus import Corpus

if TYPE_CHECKING:
    from catalog.models import Server

FILES = 200
"""Stored together, as a Run of a repository does it."""
SUFFIXES = {".md", ".mdx", ".txt", ".rst", ".adoc"}
WORDS = (4, 10)
"""Of a question: so many that follow each other in some chunk."""
Asked = list[tuple[str, int]]
"""Questions, each with the number of the index of the server that it is about."""


def build(*, chunks: int, servers: int, corpus: str) -> dict[str, Any]:
    """Fill `servers` servers with some `chunks` chunks, as live content: of files in a folder, or of made ones."""
    from catalog.models import Server
    from indexing.models import Chunk
    from tests import factories

    acme = factories.organization("Acme")
    made = [factories.server(acme, f"Server {number}") for number in range(1, servers + 1)]
    taken = 0.0
    for number, server in enumerate(made):
        left = chunks // servers
        for files in _files(number, left, servers, corpus):
            taken += _store(server, files)
            if Chunk.objects.filter(text__index__server=server).count() >= left:
                break
    there = Chunk.objects.count()
    began = time.perf_counter()
    _maintain()
    told = {"chunks": there, "rate": there / taken, "maintained": time.perf_counter() - began, **_sizes()}
    told["servers"] = Server.objects.count()
    return told


def ask(*, what: str, questions: int, seconds: float, seed: int) -> dict[str, Any]:
    """Ask questions one after the other, once told to begin by a line on stdin: `seconds` long, or each once if 0."""
    from indexing.search.engines import engine
    from indexing.search.queries import parse
    from indexing.search.ranking import WINDOWS
    from indexing.search.searching import search

    asked = _questions(questions, seed)
    calls: list[Callable[[], object]]
    if what == "search":
        servers = _servers()
        calls = [partial(search, servers[n], None, text, elsewhere=False) for text, n in asked]
    else:
        find, limit = engine().find, WINDOWS[0]
        terms = [parse(text).tokens for text, _ in asked]
        within: list[list[int]] = [[n] if what == "one" else [] for _, n in asked]
        calls = [partial(find, each, indexes=n, limit=limit) for each, n in zip(terms, within, strict=True)]
    for call in calls[: min(30, len(calls))]:
        call()
    print("ready", flush=True)
    sys.stdin.readline()
    taken: list[float] = []
    began = time.perf_counter()
    while True:
        for call in calls:
            before = time.perf_counter()
            call()
            taken.append(time.perf_counter() - before)
            if seconds and before - began > seconds:
                break
        if not seconds or time.perf_counter() - began > seconds:
            break
    return {"taken": taken, "seconds": time.perf_counter() - began}


def judge(*, folder: str) -> dict[str, Any]:
    """nDCG@10 of a judged folder: of the engine in use, a document standing where its best chunk stands, and of bm25s
    over the same words, if that is installed."""
    from bench.judging import ndcg, read
    from catalog.blobs import store_texts
    from catalog.models import Blob
    from indexing import texts
    from indexing.models import Chunk, Format
    from indexing.search.engines import engine
    from indexing.search.queries import parse
    from tests import factories

    judged = read(Path(folder))
    index = texts.index_of(factories.server(factories.organization("Judged"), judged.name))
    documents: dict[int, str] = {}
    words: list[list[str]] = []
    names: list[str] = []
    rows = judged.documents()
    while some := list(islice(rows, FILES)):
        some = [(name, title.replace("\0", ""), text.replace("\0", "")) for name, title, text in some]
        ids = store_texts(text for _, _, text in some)
        new = [texts.NewText(ids[Blob.digest(text)], text, Format.PLAIN, title[:300]) for _, title, text in some]
        for (name, title, text), stored in zip(some, texts.store(index, new), strict=True):
            documents.setdefault(stored.pk, name)
            names.append(name)
            words.append(_words(f"{title} {text}"))
    _maintain()
    text_of = dict(Chunk.objects.filter(text__index=index).values_list("pk", "text_id"))
    reference = _bm25s(names, words)
    ours: list[float] = []
    theirs: list[float] = []
    for key, query in judged.queries().items():
        terms = parse(query).tokens
        found = engine().find(terms, indexes=[index.number], limit=100)
        ours.append(ndcg(list(dict.fromkeys(documents[text_of[hit.chunk_id]] for hit in found)), judged.gains[key]))
        if reference is not None:
            theirs.append(ndcg(reference(_words(query)), judged.gains[key]))
    return {
        "name": judged.name,
        "documents": len(names),
        "queries": len(ours),
        "ndcg": sum(ours) / len(ours),
        "reference": sum(theirs) / len(theirs) if theirs else None,
    }


def _files(number: int, chunks: int, servers: int, corpus: str) -> Iterator[list[tuple[str, str]]]:
    """Files of one server in batches, more than are needed."""
    if corpus:
        root = Path(corpus)
        every = sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES and path.is_file())
        read: Iterable[tuple[str, str]] = (
            (path.relative_to(root).as_posix(), path.read_text(errors="replace").replace("\0", ""))
            for path in every[number::servers]
        )
    else:
        read = ((file.path, file.text) for file in _made(servers).files(number, chunks * 2))
    rest = iter(read)
    while batch := list(islice(rest, FILES if corpus else max(1, min(FILES, chunks // 20)))):
        yield batch


@cache
def _made(servers: int) -> Corpus:
    return Corpus(servers=servers)


def _store(server: Server, files: Sequence[tuple[str, str]]) -> float:
    """The seconds that it takes to cut and to index them; their rows as content are not counted."""
    from catalog.blobs import store_texts
    from catalog.bulk import insert_rows
    from catalog.models import Blob, Content
    from indexing import texts

    ids = store_texts(text for _, text in files)
    rows = [(path, ids[Blob.digest(text)]) for path, text in files]
    insert_rows(Content, ("path", "blob"), rows, same={"server": server.pk}, ignore_conflicts=True)
    new = [
        texts.NewText(blob, text, texts.format_of(path), path.rpartition("/")[2])
        for (path, text), (_, blob) in zip(files, rows, strict=True)
    ]
    index = texts.index_of(server)
    began = time.perf_counter()
    texts.store(index, new)
    return time.perf_counter() - began


def _maintain() -> None:
    """What the schedule does, and what PostgreSQL's autovacuum does within minutes."""
    from django.db import connection

    from indexing.search.engines import engine

    engine().maintain()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _sizes() -> dict[str, int]:
    """Bytes of the index of words, and of the whole database."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT pg_total_relation_size('indexing_posting') + pg_total_relation_size('indexing_term'),"
                " pg_database_size(current_database())"
            )
        else:
            cursor.execute(
                "SELECT (SELECT sum(length(block)) FROM indexing_chunk_words_data)"
                " + (SELECT sum(length(sz) + 8) FROM indexing_chunk_words_docsize),"
                " (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)"
            )
        index, everything = cursor.fetchone()
    return {"index": int(index), "everything": int(everything)}


def _questions(count: int, seed: int) -> Asked:
    from indexing.models import Chunk, ServerIndex

    chance = random.Random(seed)
    indexes = list(ServerIndex.objects.values_list("number", "last_chunk"))
    asked: Asked = []
    while len(asked) < count:
        number, last = chance.choice(indexes)
        body = Chunk.objects.filter(pk=(number << 32) + chance.randint(1, last)).values_list("body", flat=True).first()
        words = (body or "").split()
        length = chance.randint(*WORDS)
        if len(words) > length:
            place = chance.randrange(len(words) - length)
            asked.append((" ".join(words[place : place + length]), number))
    return asked


def _servers() -> dict[int, Server]:
    from indexing.models import ServerIndex

    return {index.number: index.server for index in ServerIndex.objects.select_related("server__organization")}


def _words(text: str) -> list[str]:
    from indexing.search.queries import STOP_WORDS
    from indexing.search.stems import stem
    from indexing.search.words import tokens

    return [stem(word) for word in tokens(text) if word not in STOP_WORDS]


def _bm25s(names: list[str], documents: list[list[str]]) -> Any:
    """A function from words to the names of the best hundred documents."""
    try:
        import bm25s
    except ImportError:
        return None
    retriever = bm25s.BM25(k1=1.2, b=0.75)
    retriever.index(documents, show_progress=False)
    known = set().union(*documents)

    def best(words: list[str]) -> list[str]:
        asked = [word for word in words if word in known]
        if not asked:
            return []
        found, _ = retriever.retrieve([asked], k=min(100, len(names)), show_progress=False)
        return [names[place] for place in found[0]]

    return best


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    work = {function.__name__: function for function in (build, ask, judge)}[sys.argv[1]]
    print(json.dumps(work(**json.loads(sys.argv[2]))))
