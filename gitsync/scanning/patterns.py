"""Text that looks like a secret: what bc-detect-secrets knows, and tokens that it does not.

Of the library only `analyze_string` of single plugins is called, a regular expression over our text. Its own scan reads
files and its `verify` asks the services whether a token is good: neither is used, nor are its global settings. Left out
are its entropy and keyword plugins, which fire on ordinary schemas and take a minute, and some that find plain words
(docs/adr/0010-secret-scan.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

_JWT = "JSON Web Token"

# What is in every such secret, in small letters, then how to find it.
_PLUGINS: Mapping[str, tuple[tuple[str, ...], BasePlugin]] = {
    "AWS key": (("a3t", "abia", "acca", "akia", "asia", "aws"), AWSKeyDetector()),
    "Discord bot token": ((".",), DiscordBotTokenDetector()),
    "Mailchimp key": (("-us",), MailchimpDetector()),
    "SendGrid key": (("sg.",), SendGridDetector()),
    "Slack token": (("xox", "hooks.slack.com"), SlackDetector()),
    "Square secret": (("sq0",), SquareOAuthDetector()),
    "Twilio key": (("ac", "sk"), TwilioKeyDetector()),
}

# The group, if there is one, is the secret.
_OWN: Mapping[str, tuple[tuple[str, ...], re.Pattern[str]]] = {
    kind: (hints, re.compile(pattern))
    for kind, hints, pattern in (
        # https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
        ("GitHub token", ("gh", "github_pat_"), r"(?:gh[opsur]_[A-Za-z0-9_]{36,255}|github_pat_[A-Za-z0-9_]{36,255})"),
        # https://docs.gitlab.com/security/tokens/#token-prefixes
        (
            "GitLab token",
            ("gl",),
            r"\bgl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[A-Za-z0-9_.\-]{20,1024}",
        ),
        # https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/
        (
            "Atlassian token",
            ("atatt3x", "atctt3x", "atbb"),
            r"\b(?:ATATT3x|ATCTT3x|ATBB)[A-Za-z0-9_\-=]{24,1024}",
        ),
        ("private key", ("-----begin ",), r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
        ("PuTTY private key", ("putty-user-key-file",), r"PuTTY-User-Key-File-[23]:"),
        # https://cloud.google.com/docs/authentication/api-keys
        (
            "Google key",
            ("aiza", "gocspx-", "ya29."),
            r"\b(?:AIza[A-Za-z0-9_\-]{35}|GOCSPX-[A-Za-z0-9_\-]{28}|ya29\.[A-Za-z0-9_\-]{20,1024})",
        ),
        (
            "OpenAI key",
            ("sk-",),
            r"\bsk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_\-]{40,256}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})",
        ),
        ("Anthropic key", ("sk-ant-",), r"\bsk-ant-[a-z0-9]{2,10}-[A-Za-z0-9_\-]{40,256}"),
        ("Hugging Face token", ("hf_",), r"\bhf_[A-Za-z0-9]{34}\b"),
        ("npm token", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("PyPI token", ("pypi-",), r"\bpypi-Ag[A-Za-z0-9_\-]{50,1024}"),
        (
            "Slack token",
            ("xapp-", "xoxe"),
            r"\b(?:xapp-\d-[A-Za-z0-9\-]{20,256}|xoxe(?:\.xox[bp])?-\d-[A-Za-z0-9\-]{20,512})",
        ),
        (
            "Stripe key",
            ("k_live_", "k_test_", "whsec_"),
            r"\b(?:[rs]k_(?:live|test)_[A-Za-z0-9]{20,256}|whsec_[A-Za-z0-9+/=]{32,64})",
        ),
        # https://www.rfc-editor.org/rfc/rfc7519; the library's own takes the square of the length of a hostile text.
        (
            _JWT,
            ("eyj",),
            r"(?<![\w=\-])eyJ[\w=\-]{8,8192}\.[\w=\-]{8,65536}(?:\.[\w=\-+/]{0,8192})?",
        ),
        # The library takes the end of any picture in base64 for one.
        ("Azure storage key", ("accountkey=",), r"AccountKey=([A-Za-z0-9+/]{86}==)"),
        ("Telegram bot token", (":aa",), r"\b\d{8,10}:AA[A-Za-z0-9_\-]{33}\b"),
        ("DigitalOcean token", ("_v1_",), r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
        ("Shopify token", ("shp",), r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
        ("Databricks token", ("dapi",), r"\bdapi[a-f0-9]{32}(?:-\d)?\b"),
        ("Vault token", ("hv",), r"\bhv[sbr]\.[A-Za-z0-9_\-]{24,512}"),
        ("Linear key", ("lin_",), r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,64}\b"),
        ("Notion token", ("ntn_",), r"\bntn_[A-Za-z0-9]{40,64}\b"),
        ("password in a URL", ("@",), r"://[^\s/?#@:\"'<>{}]*:([^\s/?#@\"'<>{}]+)@(?=[\w\[])"),
        (
            "key in a URL",
            ("key=", "token=", "secret=", "password=", "sig="),
            r"[?&](?i:api[_-]?key|key|(?:access_?|auth_?)?token|secret|client_secret|password|sig)="
            r"((?=[A-Za-z_.\-]*\d)(?=[\d_.\-]*[A-Za-z])[A-Za-z0-9_.\-]{16,512})",
        ),
        # https://www.rfc-editor.org/rfc/rfc6750#section-2.1
        (
            "token of a header",
            ("bearer ", "basic ", "token "),
            r"\b(?:[Bb]earer|BEARER|[Bb]asic|[Tt]oken) +((?=[A-Za-z._~+/\-]*\d)(?=[\d._~+/\-]*[A-Za-z])"
            r"[A-Za-z0-9._~+/\-]{24,2048}=*)",
        ),
    )
}
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_STAND_IN = re.compile(
    r"(?i)(?:.*EXAMPLE.*|pass(?:word|wd)?|pwd?|pw|secret|token|api_?key|your.*|my.*|[x*•.…]+|%3C.*%3E|\$.*)", re.DOTALL
)
"""What documentation writes in place of a secret, such as AWS's AKIAIOSFODNN7EXAMPLE."""


def find(text: str) -> Iterator[tuple[str, int, str]]:
    """Each secret with where it begins and what kind it is; the same place can be told more than once."""
    small = text.lower()
    for kind, (hints, pattern) in _OWN.items():
        if any(hint in small for hint in hints):
            group = 1 if pattern.groups else 0
            for match in pattern.finditer(text):
                if _is_meant(match[group]) and (kind != _JWT or JwtTokenDetector.is_formally_valid(match[group])):
                    yield match[group], match.start(group), kind
    for kind, (hints, plugin) in _PLUGINS.items():
        if any(hint in small for hint in hints):
            for value in filter(_is_meant, set(plugin.analyze_string(text))):
                yield from ((value, at, kind) for at in _places(text, value))


def _is_meant(value: str) -> bool:
    return not _STAND_IN.fullmatch(value) and not _UUID.fullmatch(value)


def _places(text: str, value: str) -> Iterator[int]:
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + len(value))
