"""Signing in and out, and changes of what one signs in with, in the audit log of each of the person's organisations."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db import transaction
from django.http import HttpRequest

from orgs import audit
from orgs.models import Organization, User


def _record(action: str, *, person: User, by: User | None, request: HttpRequest | None, **after: Any) -> None:
    with transaction.atomic():
        mine: list[Organization | None] = list(Organization.objects.filter(memberships__user=person))
        for organization in mine or [None]:
            audit.record(action, organization=organization, actor=by, target=person, after=after, request=request)


def _on_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    _record("account.signed_in", person=user, by=user, request=request)


def _on_sign_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        _record("account.signed_out", person=user, by=user, request=request)


def _on_failed_sign_in(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    # Whoever it was, it was not proven to be the person. What was typed is not kept: it may be a password.
    email = credentials.get("email") or credentials.get("username")
    person = User.objects.filter(email__iexact=email).first() if isinstance(email, str) else None
    if person is not None:
        _record("account.sign_in_failed", person=person, by=None, request=request)
    else:
        audit.record("account.sign_in_failed", organization=None, actor=None, request=request)


def _on_failed_second_factor(request: HttpRequest, user: User, **_: Any) -> None:
    _record("account.second_factor_failed", person=user, by=None, request=request)


def _on_second_factor(verb: str) -> Any:
    def receive(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
        _record(f"second_factor.{verb}", person=user, by=user, request=request, kind=authenticator.get_type_display())

    return receive


def _on_account(action: str) -> Any:
    def receive(request: HttpRequest, user: User, **_: Any) -> None:
        _record(action, person=user, by=user, request=request)

    return receive


def _on_email(action: str) -> Any:
    def receive(request: HttpRequest, email_address: Any, user: User | None = None, **_: Any) -> None:
        person = user or email_address.user
        _record(action, person=person, by=person, request=request, email=email_address.email)

    return receive


def _on_primary_email(
    request: HttpRequest, user: User, from_email_address: Any, to_email_address: Any, **_: Any
) -> None:
    old = from_email_address.email if from_email_address else ""
    _record("email.made_primary", person=user, by=user, request=request, email=to_email_address.email, instead_of=old)


def connect() -> None:
    """Called once, when the app is ready."""
    receivers = (
        # allauth's signal, not Django's: it is sent when every step of signing in is done.
        (account.user_logged_in, _on_sign_in),
        (user_logged_out, _on_sign_out),
        (user_login_failed, _on_failed_sign_in),
        (mfa.authentication_failed, _on_failed_second_factor),
        (mfa.authenticator_added, _on_second_factor("added")),
        (mfa.authenticator_removed, _on_second_factor("removed")),
        (mfa.authenticator_reset, _on_second_factor("renewed")),
        (account.password_set, _on_account("password.set")),
        (account.password_changed, _on_account("password.changed")),
        (account.password_reset, _on_account("password.reset")),
        (account.email_added, _on_email("email.added")),
        (account.email_removed, _on_email("email.removed")),
        (account.email_confirmed, _on_email("email.confirmed")),
        (account.email_changed, _on_primary_email),
    )
    for signal, receiver in receivers:
        signal.connect(receiver, weak=False)
