"""llms.txt, llms-full.txt and files as they are, for clients without MCP."""

from __future__ import annotations

import asyncio
import re
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.signals import request_finished
from django.db import connections
from django.test import AsyncClient, Client
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.models import Content, Origin, Server
from catalog.versions import cut_version, point
from endpoint import llms, recording
from endpoint.models import RequestLog, Setup
from indexing.models import Source
from orgs.models import Organization
from tests import factories
from tests.endpoint.live import Live
from tests.indexing.searched import put_file

pytestmark = pytest.mark.django_db

INDEX, FULL = "/mcp/acme/docs/llms.txt", "/mcp/acme/docs/llms-full.txt"


@pytest.fixture(autouse=True)
def _noted(db: None) -> Iterator[None]:
    """What was read here is no other test's to find in the log."""
    yield
    recording.flush()


@pytest.fixture
def public(docs: Server) -> Server:
    docs.visibility, docs.description = Server.Visibility.PUBLIC, "All about\n# cranks."
    docs.save()
    return docs


def read(path: str, status: int = 200, **options: Any) -> str:
    response = Client().get(path, **options)
    assert response.status_code == status, response
    return b"".join(response).decode() if response.streaming else response.content.decode()


def links(text: str) -> list[str]:
    return re.findall(r"\]\((http[^)]*)\)", text)


def test_llms_txt_has_a_title_a_description_and_links_by_folder(public: Server) -> None:
    for path in ("z.md", "guides/b [x].md", "guides/deep/a.md", "api/über 1.md", "a.md"):
        put_file(public, path, f"# Title of {path}\n")
    lines = read(INDEX).splitlines()
    assert lines[:3] == ["# Docs", "", "> All about # cranks."]
    assert [line for line in lines if line.startswith("#")] == ["# Docs", "## Files", "## api", "## guides"]
    assert "- [Title of a.md](http://testserver/files/acme/docs/a.md): a.md" in lines
    assert (
        r"- [Title of guides/b \[x\].md](http://testserver/files/acme/docs/guides/b%20%5Bx%5D.md): guides/b \[x\].md"
        in lines
    )


def test_each_link_of_llms_txt_leads_to_the_text(public: Server) -> None:
    paths = ["a.md", "100% (sure)?#x.txt", "页/始め.md", "a/b c/d&e.md", "quote'\".md", "page.html", "+.md"]
    for path in paths:
        factories.content(public, path, f"text of {path}\n")
    found = links(read(INDEX))
    texts = [read(link.removeprefix("http://testserver")) for link in found]
    assert sorted(text for text in texts if text.startswith("text of")) == sorted(f"text of {path}\n" for path in paths)
    assert len(found) == len(paths) + 1
    assert texts[0].startswith("# Docs\n")


def test_no_file_is_ever_given_as_a_page(public: Server) -> None:
    for path in ("a.html", "a.svg", "a.md", "a.js", "a"):
        factories.content(public, path, "<script>alert(1)</script>")
        response = Client().get(f"/files/acme/docs/{path}")
        assert response["Content-Type"] in ("text/plain; charset=utf-8", "text/markdown; charset=utf-8")
        assert response["X-Content-Type-Options"] == "nosniff"


def test_llms_full_has_every_text_once(public: Server) -> None:
    files = {f"{number:02}.md": f"# Text {number}\nwithout an end" for number in range(30)}
    for path, text in files.items():
        factories.content(public, path, text)
    full = read(FULL)
    for path, text in files.items():
        assert full.count(f"\n---\n\nPath: {path}\nSource: http://testserver/files/acme/docs/{path}\n\n{text}\n") == 1
    assert "not all" not in full


def test_llms_full_ends_at_its_limit_with_a_word(public: Server, settings: Settings) -> None:
    settings.LLMS_FULL_MAX_BYTES = 2_500
    for number in range(5):
        factories.content(public, f"{number}.md", "x" * 1_000)
    full = read(FULL)
    assert full.count("x" * 1_000) == 2
    assert "This is not all: after 2 files, the next, 2.md, would take it over 0 MiB." in full
    assert full.rstrip().endswith("[llms.txt](http://testserver/mcp/acme/docs/llms.txt) lists all files.")


def test_llms_txt_ends_at_its_limit_with_a_word(public: Server, settings: Settings) -> None:
    settings.LLMS_TXT_MAX_FILES = 3
    for path in ("a/1.md", "a/2.md", "b/1.md", "b/2.md"):
        factories.content(public, path)
    text = read(INDEX)
    assert "b/1.md" in text
    assert "b/2.md" not in text
    assert "This is not all: 3 of 4 files are listed." in text


def test_what_is_served_is_what_is_told(public: Server) -> None:
    file = factories.content(public, "a.md", "first\n")
    first = cut_version(server=public)
    Content.objects.filter(pk=file.pk).update(blob=factories.blob("second\n"))
    second = cut_version(server=public)
    Content.objects.filter(pk=file.pk).update(blob=factories.blob("live\n"))
    assert "live\n" in read(FULL)
    point(version=second, pointer="active", by=None)
    assert "second\n" in read(FULL)
    assert "of version 2" in read(INDEX)
    assert "first\n" in read(f"{FULL}?version=1")
    pinned = [link for link in links(read(f"{INDEX}?version={first.number}")) if "/files/" in link]
    assert pinned == ["http://testserver/files/acme/docs/a.md?version=1"]
    assert read(pinned[0].removeprefix("http://testserver")) == "first\n"
    read(f"{FULL}?version=9", status=404)


def test_indexed_sites_are_named_and_private_repositories_are_not(public: Server) -> None:
    indexed: dict[str, Any] = {"indexed_at": public.created_at}
    factories.source(public, name="Handbook", url="https://docs.example.com/", **indexed)
    factories.source(public, name="Later", url="https://later.example.com/")
    factories.source(
        public, Source.Kind.REPOSITORY, name="Hidden", url="https://github.com/a/b", private=True, **indexed
    )
    factories.source(public, Source.Kind.MCP, name="Other", url="https://mcp.example.com/", **indexed)
    text = read(INDEX)
    assert text.endswith("## Optional\n\n- [Handbook](https://docs.example.com/): Web site, searched over MCP\n")
    for unsaid in ("Hidden", "Later", "Other"):
        assert unsaid not in text


@pytest.mark.parametrize(
    "path", [INDEX, FULL, "/files/acme/docs/a.md", "/files/acme/none/a.md", "/mcp/none/docs/llms.txt"]
)
def test_without_a_credential_what_is_private_looks_like_what_is_not_there(docs: Server, path: str) -> None:
    factories.content(docs, "a.md", "hidden\n")
    response = Client().get(path)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert "hidden" not in response.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "..%2fsecret%2fa.md",
        "../secret/a.md",
        "%2e%2e/secret/a.md",
        "a.md/",
        "/a.md",
        "x/../a.md",
        "a.md%00",
        "%ff",
        "a%0a.md",
    ],
)
def test_odd_paths_find_no_file(public: Server, acme: Organization, path: str) -> None:
    secret = factories.server(acme, "Secret", slug="secret")
    for server in (public, secret):
        factories.content(server, "a.md", "unseen\n")
    response = Client().get(f"/files/acme/docs/{path}")
    assert response.status_code in (401, 404)
    assert "unseen" not in response.content.decode()


def test_only_get_and_head_are_answered(public: Server) -> None:
    factories.content(public, "a.md", "text\n")
    for path in (INDEX, FULL, "/files/acme/docs/a.md"):
        assert Client().post(path).status_code == 405
        head = Client().head(path)
        assert (head.status_code, b"".join(head) if head.streaming else head.content) == (200, b"")


def test_many_files_are_told_by_few_queries(
    public: Server, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    blobs = [factories.blob(f"text {number}\n") for number in range(10)]
    Content.objects.bulk_create(
        Content(server=public, path=f"{number % 7}/{number}.md", blob=blobs[number % 10]) for number in range(1_200)
    )
    with django_assert_max_num_queries(40):
        assert read(INDEX).count("\n- ") == 1_200
    with django_assert_max_num_queries(25):
        assert read(FULL).count("\nPath: ") == 1_200


def test_a_large_llms_full_is_never_in_memory(public: Server) -> None:
    for number in range(40):
        factories.content(public, f"{number:02}.md", f"{number:04}" * 125_000)
    size = 0
    tracemalloc.start()
    response = Client().get(FULL)
    for part in response:
        size += len(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 20_000_000
    assert peak < 8_000_000


@pytest.mark.django_db(transaction=True)
def test_over_asgi_the_first_part_is_sent_before_the_last_is_read(public: Server) -> None:
    for number in range(4):
        factories.content(public, f"{number}.md", f"{number}" * 900_000)

    async def parts() -> list[bytes]:
        response: Any = await AsyncClient().get(FULL)
        try:
            return [part async for part in response]
        finally:
            await sync_to_async(connections.close_all)()

    found = asyncio.run(parts())
    assert len(found) >= 6
    assert all(len(part) < 1_000_000 for part in found)


def test_many_readers_at_once_are_read_for_in_a_few_threads(
    live: Live, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thread has a connection to the database, whose cache is large on SQLite."""
    server = factories.server(acme, "Docs", slug="docs", visibility="public")
    for number in range(6):
        factories.content(server, f"{number}.md", f"{number}" * 300_000)
    used: set[int] = set()
    texts = llms._documents

    def noting(*args: Any) -> str:
        used.add(threading.get_ident())
        return texts(*args)

    monkeypatch.setattr(llms, "_documents", noting)
    ended = threading.Semaphore(0)

    def end(**_: Any) -> None:
        connections.close_all()  # without a pool they would outlive their threads, and the test's database not them
        ended.release()

    request_finished.connect(end)
    address = f"{live.url}{FULL}"
    with ThreadPoolExecutor(20) as readers:
        found = list(readers.map(lambda _: httpx2.get(address, timeout=60, trust_env=False), range(20)))
    assert all(ended.acquire(timeout=20) for _ in range(20))
    request_finished.disconnect(end)
    assert {answer.status_code for answer in found} == {200}
    assert len({answer.text for answer in found}) == 1
    assert found[0].text.count("\nPath: ") == 6
    assert len(used) <= settings.MCP_THREADS < 20


def test_a_site_s_address_is_the_one_that_was_asked(public: Server) -> None:
    factories.content(public, "a.md", origin=Origin.UPLOADED)
    hosts = {urlsplit(link).netloc for link in links(read(INDEX, headers={"host": "localhost:8000"}))}
    assert hosts == {"localhost:8000"}


def test_what_is_read_without_mcp_is_in_the_log_and_uses_up_the_quota(public: Server) -> None:
    factories.content(public, "a.md", "Text.\n")
    Setup.objects.create(server=public, monthly_quota=3)
    site = Client()
    paths = [
        f"/mcp/acme/{public.slug}/llms.txt",
        f"/mcp/acme/{public.slug}/llms-full.txt",
        f"/files/acme/{public.slug}/a.md",
    ]
    assert [site.get(path).status_code for path in [*paths, paths[0]]] == [200, 200, 200, 429]
    recording.flush()
    rows = RequestLog.objects.filter(server=public).order_by("id").values_list("method", "subject", "caller", "outcome")
    assert list(rows) == [
        ("llms.txt", "", "anonymous", "ok"),
        ("llms-full.txt", "", "anonymous", "ok"),
        ("file", paths[2], "anonymous", "ok"),
    ]
