"""Whether the search of `test_no_token_anywhere` would have found one: a secret is planted in each kind of place."""

from __future__ import annotations

import base64
import logging
import subprocess
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.core.cache import cache
from django.http import HttpResponse
from django_q.tasks import async_task
from pytest_django import Settings

from forges.models import Connection, Delivery
from jobs.models import LogLine
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.system.leaks import Secrets, in_cache, in_database, in_files, in_logs, in_mail, in_reports, in_response
from tests.wire.forge import Forge

SECRET = "gho_planted0123456789abcdefghijklmnopqrst"

Places = Iterable[tuple[str, str]]
Plant = Callable[[Organization, User, Path], Places]


def in_a_run(acme: Organization, alice: User, folder: Path) -> Places:
    factories.run(factories.server(acme), result={"told": [f"Bearer {SECRET}"]})
    return in_database()


def in_an_error_that_was_cut_off(acme: Organization, alice: User, folder: Path) -> Places:
    factories.run(factories.server(acme), error_text=f"https://octo:{SECRET[:24]}")
    return in_database()


def in_a_line_of_a_log(acme: Organization, alice: User, folder: Path) -> Places:
    LogLine.objects.create(run=factories.run(factories.server(acme)), text=f"it ends in {SECRET[-22:]}")
    return in_database()


def in_an_audit_event(acme: Organization, alice: User, folder: Path) -> Places:
    AuditEvent.objects.create(organization=acme, actor=alice, action="tests.done", after={"told": SECRET})
    return in_database()


def in_a_delivery(acme: Organization, alice: User, folder: Path) -> Places:
    Delivery.objects.create(organization=acme, hook=factories.hook(acme), event="push", headers={"x-own": SECRET})
    return in_database()


def in_a_session(acme: Organization, alice: User, folder: Path) -> Places:
    """Signed and compressed there."""
    session = SessionStore()
    session["filler"], session["kept"] = "x" * 1000, {"token": SECRET}
    session.save()
    return in_database()


def in_the_column_of_a_ciphertext(acme: Organization, alice: User, folder: Path) -> Places:
    factories.connection(acme, alice)
    Connection.objects.update(token_ciphertext=SECRET.encode())
    return in_database()


def in_the_queue(acme: Organization, alice: User, folder: Path) -> Places:
    """Pickled and signed there."""
    async_task("tests.nothing", SECRET)
    return in_database()


def in_the_cache(acme: Organization, alice: User, folder: Path) -> Places:
    cache.set("picker", {"token": SECRET})
    return in_cache()


def in_an_e_mail(acme: Organization, alice: User, folder: Path) -> Places:
    mail.send_mail("Lost", f"The token {SECRET} was refused.", None, [alice.email])
    return in_mail()


def in_the_configuration_of_git(acme: Organization, alice: User, folder: Path) -> Places:
    clone = str(folder / "clone")
    subprocess.run(["git", "init", "--quiet", clone], check=True)
    address = f"https://{quote(SECRET)}@forge.example/octo/book.git"
    subprocess.run(["git", "-C", clone, "remote", "add", "origin", address], check=True)
    return in_files(folder)


def in_a_page(acme: Organization, alice: User, folder: Path) -> Places:
    return [in_response("a page", HttpResponse(f'<input type="password" value="{SECRET}">'))]


def in_a_header(acme: Organization, alice: User, folder: Path) -> Places:
    return [in_response("a page", HttpResponse(headers={"Location": f"/back?token={SECRET}"}))]


def in_a_cookie(acme: Organization, alice: User, folder: Path) -> Places:
    answer = HttpResponse()
    answer.set_signed_cookie("kept", base64.urlsafe_b64encode(zlib.compress(SECRET.encode())).decode())
    return [in_response("a page", answer)]


PLANTS: list[Plant] = [
    in_a_run,
    in_an_error_that_was_cut_off,
    in_a_line_of_a_log,
    in_an_audit_event,
    in_a_delivery,
    in_a_session,
    in_the_column_of_a_ciphertext,
    in_the_queue,
    in_the_cache,
    in_an_e_mail,
    in_the_configuration_of_git,
    in_a_page,
    in_a_header,
    in_a_cookie,
]


@pytest.fixture
def planted() -> Secrets:
    secrets = Secrets()
    secrets.add("what was planted", SECRET)
    return secrets


@pytest.mark.parametrize("plant", PLANTS, ids=[each.__name__ for each in PLANTS])
def test_a_secret_that_is_there_is_found(
    plant: Plant, planted: Secrets, acme: Organization, alice: User, tmp_path: Path
) -> None:
    found = planted.find(list(plant(acme, alice, tmp_path)))
    cache.clear()
    assert {leak.what for leak in found} == {"what was planted"}


@pytest.mark.parametrize("how", ["message", "argument", "extra", "traceback"])
def test_a_secret_in_the_log_is_found(how: str, planted: Secrets, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tests")
    match how:
        case "message":
            logger.warning(" ".join(["refused:", SECRET]))
        case "argument":
            logger.warning("refused: %s", {"Authorization": SECRET})
        case "extra":
            logger.warning("refused", extra={"sent": SECRET})
        case _:
            try:
                raise ValueError(f"no such token: {SECRET}")
            except ValueError:
                logger.exception("refused")
    assert planted.find(in_logs(caplog.records))


def test_reports_of_exceptions_have_no_values_but_in_development(
    planted: Secrets, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    token = "".join(SECRET)
    try:
        raise ValueError(f"{len(token)} characters")
    except ValueError:
        logging.getLogger("tests").exception("failed")
    assert not planted.find(in_reports(caplog.records))
    settings.DEBUG = True
    assert {leak.where for leak in planted.find(in_reports(caplog.records))} == {"report of tests, page"}


def test_what_goes_over_the_wire_is_learnt(forge: Forge) -> None:
    """From headers, forms and answers; else it would be looked for in vain."""
    secrets, back = Secrets(), "https://millrace.example/"
    secrets.listen(forge)
    app = forge.world.oauth.app("gitlab", redirect_uri=back)
    code = forge.world.oauth.authorise(app.client_id, back, "api", account="octo")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
    form |= {"client_id": app.client_id, "client_secret": app.client_secret}
    issued = requests.post(f"{forge.url}/oauth/token", data=form, timeout=5).json()
    requests.get(f"{forge.bitbucket_url}/user", auth=("octo@example.org", "a-password-of-octo"), timeout=5)

    secrets.take_requests(forge)

    for value in (issued["access_token"], issued["refresh_token"], code, app.client_secret, "a-password-of-octo"):
        assert secrets.find([("here", value)]), value
    assert not secrets.find([("here", f"{app.client_id} octo@example.org {back}")])
