"""URIs of resources, and MIME types."""

from __future__ import annotations

import pytest

from catalog.checking.uris import BadMimeType, BadUri, check_mime_type, check_uri


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("docs://guides/start", "docs://guides/start"),
        (" HTTPS://Example.com/a%20b?x=1#top ", "https://Example.com/a%20b?x=1#top"),
        ("urn:isbn:0451450523", "urn:isbn:0451450523"),
        ("file:///etc/motd", "file:///etc/motd"),
        ("a+b-c.d:x", "a+b-c.d:x"),
    ],
)
def test_a_uri_has_a_scheme_and_is_kept_as_it_is(typed: str, kept: str) -> None:
    assert check_uri(typed) == kept


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("guides/start", "begins with a scheme"),
        ("1docs://x", "begins with a scheme"),
        ("", "begins with a scheme"),
        ("docs:", "Nothing follows “docs:”"),
        ("docs://", "Nothing follows"),
        ("docs://a b", "cannot hold a space. Write it as %20"),
        ("docs://é", "cannot hold “é”. Write it as %C3%A9"),
        ("docs://a\x00b", "invisible character. Write it as %00"),
        ("docs://a<b", "cannot hold “<”. Write it as %3C"),
        ("docs://100%", "Write the character itself as %25"),
        ("docs://a%zz", "Write the character itself as %25"),
        ("docs://{city}", "no { or }"),
        ("docs://a#b#c", "one # at most"),
        ("docs://" + "x" * 1024, "1,024 characters"),
    ],
)
def test_what_is_no_uri_is_refused_with_what_to_do(typed: str, words: str) -> None:
    with pytest.raises(BadUri) as refused:
        check_uri(typed)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "typed", ["", "text/plain", "text/markdown; charset=utf-8", "application/vnd.api+json", 'a/b;c="d e"']
)
def test_a_mime_type_is_a_type_and_a_subtype(typed: str) -> None:
    assert check_mime_type(f" {typed} ") == typed


@pytest.mark.parametrize(
    "typed", ["text", "text/", "/plain", "text/plain/x", "text/pl ain", "text/plain\r\nX: y", "a/b;"]
)
def test_what_is_no_mime_type_is_refused(typed: str) -> None:
    with pytest.raises(BadMimeType, match="slash between its type and subtype"):
        check_mime_type(typed)
