"""A provider of allauth's for each OAuth application in the settings, and for the GitHub App's users.

They are made of allauth's own when they are asked for, so that they follow the settings, and are in no registry: no
sign-in page offers them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.bitbucket_oauth2.provider import BitbucketOAuth2Provider
from allauth.socialaccount.providers.bitbucket_oauth2.views import BitbucketOAuth2Adapter
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.gitlab.provider import GitLabProvider
from allauth.socialaccount.providers.gitlab.views import GitLabOAuth2Adapter
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from forges.applications import APP_KEY, OAuthApplication, github_app, oauth_applications
from forges.clients import oauth
from forges.clients.errors import ForgeError
from forges.renewing import EXCHANGE_SECONDS
from lib.database import release_connections
from lib.policy import egress_policy

_PREFIX = "millrace-"
_BASES: dict[str, tuple[type, type]] = {
    "github": (GitHubProvider, GitHubOAuth2Adapter),
    "gitlab": (GitLabProvider, GitLabOAuth2Adapter),
    "bitbucket": (BitbucketOAuth2Provider, BitbucketOAuth2Adapter),
}


class ExchangeFailed(ProviderException):  # type: ignore[misc]  # allauth publishes no types
    """The forge, or the way to it, kept us from a grant. Its sentence is ours: remote bodies are never shown."""

    def __init__(self, error: ForgeError) -> None:
        super().__init__(f"{error} {error.advice}".strip())


class ForgeAdapter(OAuth2Adapter):  # type: ignore[misc]
    """What allauth's adapters do with a code, done here. Whose account it is, is asked when the connection is made."""

    key: str
    application: oauth.App
    grant: oauth.Grant

    def get_callback_url(self, _request: HttpRequest, _app: SocialApp) -> str:
        return callback_url(self.key)

    def get_access_token_data(
        self, request: HttpRequest, _app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, str]:
        """Keep the grant; allauth is given nothing of it."""
        release_connections()
        try:
            self.grant = oauth.exchange(
                self.application,
                request.GET["code"],
                redirect_uri=client.callback_url,
                verifier=pkce_code_verifier or "",
                policy=egress_policy(),
                timeout=EXCHANGE_SECONDS,
            )
        except ForgeError as error:
            raise ExchangeFailed(error) from error
        return {}

    def parse_token(self, _data: dict[str, str]) -> SocialToken:
        return SocialToken()

    def complete_login(self, _request: HttpRequest, _app: SocialApp, _token: SocialToken, **_: Any) -> SocialLogin:
        """For `forges.oauth.adapter`, which ends allauth's part before it looks for, or saves, an account."""
        login = SocialLogin(provider=self.get_provider(), account=SocialAccount(provider=self.provider_id))
        login.grant = self.grant
        return login


class ForgeProvider(OAuth2Provider):  # type: ignore[misc]
    pkce_enabled_default = True
    key: str

    @classmethod
    def made(cls, request: HttpRequest) -> ForgeProvider:
        """For one request. Its secret is left out: the exchange has it from the settings."""
        application: oauth.App = cls.oauth2_adapter_class.application
        return cls(request, app=SocialApp(provider=cls.id, name=cls.name, client_id=application.client_id))


def provider_class(key: str) -> type[ForgeProvider] | None:
    """None where no application has this key (any more). ImproperlyConfigured for settings that are none."""
    if key == APP_KEY:
        app = github_app()
        return _generated(APP_KEY, "GitHub App", app.oauth) if app is not None else None
    found = application_of(key)
    return _generated(found.key, found.label, found.app) if found is not None else None


def provider_by_id(provider_id: str) -> type[ForgeProvider] | None:
    return provider_class(provider_id.removeprefix(_PREFIX))


def application_of(key: str) -> OAuthApplication | None:
    return next((each for each in oauth_applications() if each.key == key), None)


def callback_url(key: str) -> str:
    """What the operator registers at the forge."""
    return f"{settings.BASE_URL}{reverse('oauth:callback', args=[key])}"


@lru_cache(maxsize=64)
def _generated(key: str, label: str, application: oauth.App) -> type[ForgeProvider]:
    provider, adapter = _BASES[application.forge]
    name = _PREFIX + key
    addresses = {
        "access_token_url": oauth.token_url(application),
        "authorize_url": oauth.authorize_url(application),
        "profile_url": "",
    }
    facts = {"provider_id": name, "key": key, "application": application, **addresses}
    made = type("Adapter", (ForgeAdapter, adapter), facts)
    return type(
        "Provider", (ForgeProvider, provider), {"id": name, "key": key, "name": label, "oauth2_adapter_class": made}
    )
