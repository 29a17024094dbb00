"""Where allauth hands over to us: before it would look for an account, and when something went wrong."""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.http import Http404, HttpRequest

from forges.oauth import completion
from forges.oauth.providers import ForgeProvider, provider_by_id
from forges.renewing import EXCHANGE_SECONDS
from lib import egress
from lib.policy import egress_policy


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth publishes no types
    def list_providers(self, _request: HttpRequest) -> list[ForgeProvider]:
        """None to sign in with."""
        return []

    def get_provider(self, request: HttpRequest, provider: str, **_: Any) -> ForgeProvider:
        found = provider_by_id(provider)
        if found is None:
            raise Http404
        return found.made(request)

    def get_requests_session(self) -> egress.GuardedSession:
        return egress.GuardedSession(egress_policy(), timeout=EXCHANGE_SECONDS, total_timeout=EXCHANGE_SECONDS)

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        raise ImmediateHttpResponse(
            completion.complete(request, sociallogin.provider, sociallogin.grant, sociallogin.state)
        )

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: ForgeProvider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> NoReturn:
        state = (extra_context or {}).get("state")
        raise ImmediateHttpResponse(completion.fail(request, provider, error, exception, state))
