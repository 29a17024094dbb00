"""What an upstream answers that is no text: pictures and sounds as themselves, the rest in words, without secrets."""

from __future__ import annotations

from base64 import b64decode

import pytest

from catalog.calls import answers
from catalog.models import Provider
from endpoint.admitted import Admitted
from tests import factories
from tests.catalog.calling import SECRET, secret, tool
from tests.catalog.upstream import Upstream
from tests.conformance.upstream import PNG, WAV
from tests.endpoint.configured import admitted, asked, call, result, text

HIDDEN = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR and a comment: " + SECRET.encode()


@pytest.fixture
def client(weather: Provider) -> Admitted:
    return admitted(weather.server)


@pytest.mark.parametrize(
    ("body", "of", "kind"),
    [
        (PNG, "image", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image", "image/jpeg"),
        (b"GIF89a\x01\x00", "image", "image/gif"),
        (WAV, "audio", "audio/wav"),
        (b"ID3\x04\x00", "audio", "audio/mpeg"),
    ],
)
def test_a_picture_and_a_sound_come_as_themselves(
    weather: Provider, client: Admitted, api: Upstream, body: bytes, of: str, kind: str
) -> None:
    tool(weather, "/typed", name="getIt")
    api.typed = ("image/x-whatever", body)
    (content,) = call(client, "getIt")["content"]
    assert (content["type"], content["mimeType"], b64decode(content["data"])) == (of, kind, body)


@pytest.mark.parametrize("body", [b"\x89PNG", b"%PDF-1.7", b"\x00" * 20, b"RIFF\x00\x00\x00\x00AVI "])
def test_what_only_says_that_it_is_a_picture_is_told_about(
    weather: Provider, client: Admitted, api: Upstream, body: bytes
) -> None:
    tool(weather, "/typed", name="getIt")
    api.typed = ("image/png", body)
    assert text(call(client, "getIt")) == f"[binary, {len(body)} bytes of image/png]"


def test_a_long_picture_is_told_about(weather: Provider, client: Admitted, api: Upstream) -> None:
    tool(weather, "/typed", name="getIt")
    api.typed = ("image/png", PNG + b"\x00" * answers.LONGEST_DATA)
    assert text(call(client, "getIt")).startswith("[binary, 1,048,6")


def test_a_picture_that_holds_a_secret_is_not_given(weather: Provider, client: Admitted, api: Upstream) -> None:
    tool(weather, "/typed", name="getIt", headers=secret(weather, f"http://{api.host}"))
    api.typed = ("image/png", HIDDEN)
    answer = call(client, "getIt")
    assert text(answer) == f"[binary, {len(HIDDEN)} bytes of image/png]"
    assert len(answer["content"]) == 1


def test_a_resource_that_is_no_text_is_read_as_bytes(weather: Provider, client: Admitted, api: Upstream) -> None:
    factories.resource(weather, uri="w://picture", text="", mime_type="image/png", upstream_path="/typed")
    api.typed = ("image/png", PNG)
    (content,) = result(client, "resources/read", {"uri": "w://picture"})["contents"]
    assert (content["uri"], content["mimeType"], b64decode(content["blob"])) == ("w://picture", "image/png", PNG)
    api.typed = ("image/png", PNG + b"\x00" * answers.LONGEST_DATA)
    told = asked(client, "resources/read", {"uri": "w://picture"})["error"]["message"]
    assert "bytes that are no text" in told
