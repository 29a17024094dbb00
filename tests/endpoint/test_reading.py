"""Reading documents: whole, in parts that lose and repeat nothing, and only what is served."""

from __future__ import annotations

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Content, Origin, Server
from catalog.versions import cut_version
from endpoint.serving import resources
from endpoint.serving.parts import NoSuchPart, part_of
from endpoint.serving.uris import parse_id, parse_path, parse_uri, uri_of
from indexing.models import Source
from orgs.models import Organization
from tests import factories
from tests.endpoint.asking import admitted, called, told, trouble
from tests.indexing.searched import put_page

pytestmark = pytest.mark.django_db

PROVENANCE = {
    "repository": "acme/docs",
    "branch": "main",
    "commit": "c0ffee",
    "path": "docs/install.md",
    "url": "https://github.com/acme/docs/blob/c0ffee/docs/install.md",
}
ODD_TEXTS = st.text(alphabet=st.sampled_from("ab\n\r é🙂\u2028\x0c"), max_size=200)


# ------------------------------------------------------------------------------------------------------------- parts


@given(text=ODD_TEXTS, characters=st.integers(1, 60))
def test_the_parts_of_a_text_are_the_text(text: str, characters: int) -> None:
    whole, offset, turns = "", 0, 0
    while True:
        part = part_of(text, offset=offset, characters=characters)
        assert part.start == offset
        assert len(part.text) <= characters
        whole += part.text
        turns += 1
        if part.next is None:
            break
        assert part.next > offset
        offset = part.next
    assert whole == text
    assert turns <= len(text) + 1


@given(text=ODD_TEXTS, characters=st.integers(1, 60), first=st.integers(1, 12), last=st.integers(1, 12))
def test_the_parts_of_some_lines_are_these_lines(text: str, characters: int, first: int, last: int) -> None:
    wanted = "".join(text.replace("\u2028", "L").replace("\x0c", "F").splitlines(keepends=True)[first - 1 : last])
    try:
        part = part_of(text, start_line=first, end_line=last, characters=characters)
    except NoSuchPart:
        assert wanted == ""
        assert first > 1 or last < first
        return
    got = part.text
    while part.next is not None:
        part = part_of(text, offset=part.next, end_line=last, characters=characters)
        got += part.text
    assert got.replace("\u2028", "L").replace("\x0c", "F") == wanted


def test_a_part_ends_with_a_line_where_one_fits() -> None:
    text = "".join(f"line {number}\n" for number in range(1, 40))
    part = part_of(text, characters=30)
    assert part.text == "line 1\nline 2\nline 3\nline 4\n"
    assert (part.first_line, part.last_line, part.lines) == (1, 4, 39)


# ------------------------------------------------------------------------------------------------------------- files


def test_a_file_is_read_by_its_path_and_by_its_uri(docs: Server) -> None:
    factories.content(docs, "guides/übung 1.md", "# Übung\n")
    asked = admitted(docs)
    by_path = told(asked, "fetch", path="guides/übung 1.md")
    assert by_path["text"] == "# Übung\n"
    assert by_path["id"] == "millrace://docs/guides/%C3%BCbung%201.md"
    assert told(asked, "fetch", id=by_path["id"]) == by_path
    assert told(asked, "fetch", id="guides/übung 1.md") == by_path
    assert told(asked, "fetch", path="/guides/u\u0308bung 1.md") == by_path  # another form of the same name
    assert by_path["metadata"]["path"] == "guides/übung 1.md"
    assert "more" not in by_path
    read = resources.read_resource(asked, by_path["id"]).contents[0]
    assert (read.uri, read.mime_type, getattr(read, "text", "")) == (by_path["id"], "text/markdown", "# Übung\n")


def test_a_long_file_says_how_to_go_on_until_it_ends(docs: Server) -> None:
    text = "".join(f"{number}: {'x' * (number % 90)}\n" for number in range(400)) + "y" * 700
    factories.content(docs, "long.txt", text)
    asked = admitted(docs)
    part = told(asked, "fetch", path="long.txt", max_tokens=50)
    assert "of 401" in part["more"]
    assert f"call fetch with the same id and offset {part['next_offset']}" in part["more"]
    whole = part["text"]
    while "next_offset" in part:
        part = told(asked, "fetch", id=part["id"], max_tokens=50, offset=part["next_offset"])
        whole += part["text"]
    assert whole == text
    assert part["more"].endswith("The document ends here.")


def test_some_lines_are_read_and_cited(docs: Server) -> None:
    text = "".join(f"line {number}\n" for number in range(1, 11))
    factories.content(docs, "docs/install.md", text, origin=Origin.IMPORTED, provenance=PROVENANCE)
    found = told(admitted(docs), "fetch", path="docs/install.md", start_line=3, end_line=4)
    assert found["text"] == "line 3\nline 4\n"
    assert found["url"] == f"{PROVENANCE['url']}?plain=1#L3-L4"
    facts = found["metadata"]
    assert (facts["repository"], facts["branch"], facts["commit"]) == ("acme/docs", "main", "c0ffee")
    assert (facts["start_line"], facts["end_line"], facts["lines"]) == (3, 4, 10)
    assert found["more"] == "These are lines 3 to 4 of 10. The document goes on after them."


def test_lines_in_several_parts_end_where_they_were_to_end(docs: Server) -> None:
    text = "".join(f"line {number:04}\n" for number in range(1, 201))
    factories.content(docs, "a.txt", text)
    asked = admitted(docs)
    part = told(asked, "fetch", path="a.txt", start_line=11, end_line=90, max_tokens=50)
    assert "and end_line 90" in part["more"]
    whole = part["text"]
    while "next_offset" in part:
        part = told(asked, "fetch", path="a.txt", offset=part["next_offset"], end_line=90, max_tokens=50)
        whole += part["text"]
    assert whole == "".join(f"line {number:04}\n" for number in range(11, 91))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"start_line": 12}, "there is no line 12"),
        ({"start_line": 4, "end_line": 3}, "before the first"),
        ({"offset": 10_000}, "nothing begins at offset 10,000"),
        ({"offset": 1, "start_line": 1}, "not both"),
        ({"offset": 1 << 40}, "nothing begins"),
    ],
)
def test_a_part_that_is_not_there_is_told(docs: Server, arguments: dict[str, int], said: str) -> None:
    factories.content(docs, "a.txt", "line\n" * 11)
    assert said in trouble(admitted(docs), "fetch", path="a.txt", **arguments)


def test_an_empty_file_is_read(docs: Server) -> None:
    factories.content(docs, "empty.txt", "")
    found = told(admitted(docs), "fetch", path="empty.txt")
    assert (found["text"], found["metadata"]["lines"]) == ("", 0)
    assert "text" in told(admitted(docs), "fetch", path="empty.txt", start_line=1, end_line=9)


def test_a_folder_and_a_missing_file_are_told_apart(docs: Server) -> None:
    factories.content(docs, "guides/start.md")
    asked = admitted(docs)
    assert trouble(asked, "fetch", path="guides") == "“guides” is a folder. list with this path shows what is in it."
    assert trouble(asked, "fetch", path="guides/end.md") == (
        "There is nothing at “guides/end.md” on this server. search and list tell what there is."
    )
    assert trouble(asked, "fetch").startswith("Say what to read")


def test_a_version_is_read_as_it_was_cut_and_nothing_else(docs: Server) -> None:
    file = factories.content(docs, "a.md", "first\n", origin=Origin.IMPORTED, provenance=PROVENANCE)
    factories.content(docs, "gone.md", "was here\n")
    first = cut_version(server=docs)
    Content.objects.filter(path="gone.md").delete()
    Content.objects.filter(pk=file.pk).update(blob=factories.blob("second\n"))
    second = cut_version(server=docs)
    factories.content(docs, "new.md", "live alone\n")
    texts = {version: told(admitted(docs, version=version), "fetch", path="a.md") for version in (first, second, None)}
    assert [each["text"] for each in texts.values()] == ["first\n", "second\n", "second\n"]
    assert [each["metadata"].get("version") for each in texts.values()] == [1, 2, None]
    assert told(admitted(docs, version=first), "fetch", path="gone.md")["text"] == "was here\n"
    for version in (second, None):
        assert called(admitted(docs, version=version), "fetch", path="gone.md").is_error
        with pytest.raises(resources.ResourceNotFound):
            resources.read_resource(admitted(docs, version=version), "millrace://docs/gone.md")
    assert "in version 2" in trouble(admitted(docs, version=second), "fetch", path="new.md")


# --------------------------------------------------------------------------------------------------- indexed sources


def test_a_page_of_an_indexed_site_is_read_by_its_id(docs: Server) -> None:
    site = factories.source(docs, name="Handbook", url="https://docs.example.com/")
    put_page(site, "https://docs.example.com/a:b/start", "# Start\n\nTurn the crank.\n")
    asked = admitted(docs)
    hit = told(asked, "search", query="crank")["results"][0]
    assert hit["id"] == f"page:{site.pk}:https://docs.example.com/a:b/start"
    found = told(asked, "fetch", id=hit["id"])
    assert (found["id"], found["text"]) == (hit["id"], "# Start\n\nTurn the crank.\n")
    assert found["url"] == "https://docs.example.com/a:b/start"
    assert (found["title"], found["metadata"]["source"]) == ("Start", "Handbook")


def test_a_file_of_an_indexed_repository_is_read_and_cited(docs: Server) -> None:
    source = factories.source(docs, Source.Kind.REPOSITORY, repository="acme/tool", last_commit="abc")
    put_page(source, "https://github.com/acme/tool/blob/abc/use.rst", "Use\n===\n\nTurn the crank.\n", path="use.rst")
    asked = admitted(docs)
    hit = told(asked, "search", query="crank")["results"][0]
    assert (hit["id"], hit["path"]) == (f"page:{source.pk}:use.rst", "use.rst")
    found = told(asked, "fetch", id=hit["id"], start_line=4)
    assert found["text"] == "Turn the crank.\n"
    assert found["url"].endswith("/use.rst?plain=1#L4")
    assert {"repository": "acme/tool", "commit": "abc", "path": "use.rst"}.items() <= found["metadata"].items()


def test_what_is_not_in_the_index_says_where_to_read_it(docs: Server) -> None:
    site = factories.source(docs, name="Handbook", url="https://docs.example.com/")
    other = factories.source(docs, Source.Kind.MCP, name="Elsewhere")
    asked = admitted(docs)
    said = trouble(asked, "fetch", id=f"live:{site.pk}:https://docs.example.com/start")
    assert "still being indexed" in said
    assert "Read it at https://docs.example.com/start itself. Or call search again" in said
    said = trouble(asked, "fetch", id=f"elsewhere:{other.pk}:How to do it")
    assert said == "“How to do it” was told of by “Elsewhere”, another MCP server: its text is not kept here."
    put_page(site, "https://docs.example.com/start", "# Start\n")
    assert told(asked, "fetch", id=f"live:{site.pk}:https://docs.example.com/start")["text"] == "# Start\n"


# -------------------------------------------------------------------------------------------------------- attacks


@pytest.fixture
def secret(acme: Organization) -> Server:
    """Another server of Acme, with a file, a version and a page."""
    other = factories.server(acme, "Secret", slug="secret")
    factories.content(other, "secret.md", "hidden\n")
    cut_version(server=other, activate=True)
    put_page(
        factories.source(other, name="Vault", url="https://vault.example.com/"),
        "https://vault.example.com/x",
        "hidden\n",
    )
    return other


def test_ids_of_other_servers_find_nothing(docs: Server, secret: Server) -> None:
    source = Source.objects.get(server=secret)
    factories.content(docs, "public.md", "shown\n")
    version = cut_version(server=docs)
    foreign = factories.server(factories.organization("Other", slug="other"), "Docs", slug="docs")
    factories.content(foreign, "theirs.md", "hidden\n")
    for asked in (admitted(docs), admitted(docs, version=version)):
        for forged in (
            "millrace://secret/secret.md",
            "millrace://docs/secret.md",
            "millrace://docs/theirs.md",
            "millrace://other/theirs.md",
            "millrace://docs/../secret/secret.md",
            "millrace://docs/%2e%2e/secret/secret.md",
            "secret/secret.md",
            f"page:{source.pk}:https://vault.example.com/x",
            f"live:{source.pk}:https://vault.example.com/x",
            f"elsewhere:{source.pk}:https://vault.example.com/x",
            f"page:{uuid.uuid4()}:https://vault.example.com/x",
        ):
            said = trouble(asked, "fetch", id=forged)
            assert "hidden" not in said
            assert "Vault" not in said
            assert said.startswith("There is nothing at")
            with pytest.raises(resources.ResourceNotFound):
                resources.read_resource(asked, forged)
        assert not any("secret" in each.uri for each in resources.list_resources(asked, None).resources)
    with pytest.raises(ValueError, match="another server's"):
        told(admitted(docs, version=secret.active_version), "fetch", path="secret.md")


ODD = [
    "millrace://docs/public.md/",
    "millrace://docs//public.md",
    "millrace://docs/./public.md",
    "millrace://docs/x/../public.md",
    "millrace://docs/public%252Emd",
    "millrace://docs/public.md%00",
    "millrace://docs/public.md\x00",
    "millrace://docs/%c0%ae%c0%ae/public.md",
    "millrace://docs/%ff",
    "millrace://docs/%",
    "millrace://docs/\ud800",
    "millrace://docs/a\u202epublic.md",
    "millrace://docs/",
    "millrace://docs",
    "millrace:///public.md",
    "millrace://docs@secret/public.md",
    "millrace://docs:80/public.md",
    "millrace://docs\\public.md",
    "millrace://" + "a" * 100_000,
    "millrace://docs/" + "a/" * 50_000,
    "page::",
    "page:00000000-0000-0000-0000-000000000000:\x00",
    "page:00000000-0000-0000-0000-000000000000:\udfff",
    "page:" + "-" * 36 + ":x",
    "../public.md",
    "\x00",
    "\ud800",
    "..",
    "/",
    "‮",
    "x" * 100_000,
    "' OR 1=1 --",
    "%",
    "_ublic.md",
    "PUBLIC.MD",
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_ids_paths_and_uris_find_nothing_and_break_nothing(docs: Server, odd: str) -> None:
    factories.content(docs, "public.md", "shown\n")
    asked = admitted(docs)
    for name in ("id", "path"):
        assert len(trouble(asked, "fetch", **{name: odd})) < 500
    with pytest.raises(resources.ResourceNotFound) as refused:
        resources.read_resource(asked, odd)
    refused.value.error.model_dump_json()


def test_a_path_of_megabytes_is_not_taken_apart() -> None:
    began = time.process_time()
    assert parse_path("a/" * 2_000_000 + "a") is None  # it takes more than a second otherwise
    assert time.process_time() - began < 0.2


@given(path=st.text(min_size=1, max_size=60))
def test_a_uri_says_its_path(path: str) -> None:
    try:
        uri = uri_of("docs", path)
    except UnicodeEncodeError:
        return
    found = parse_uri(uri)
    if found is not None:
        assert found.server == "docs"
        assert uri_of("docs", found.path) == uri or found.path != path  # or it was put into its normal form
        assert parse_id(uri) == found
    assert uri.isascii()
