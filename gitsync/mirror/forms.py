"""What is entered to keep an organisation's entities the same with a repository."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from django import forms

from forges.forms import option
from forges.picking import FieldError
from gitsync.forms import LOST as LOST_CHOICE
from gitsync.forms import NONE, PLAIN_GIT, URL, Choice, RepositoryForm, is_lost
from gitsync.mirror.connecting import Wanted
from gitsync.mirror.trials import Consumer, pasted
from gitsync.models import Mirror, Mode
from gitsync.places import ROOT
from gitsync.probing import Assignment
from lib.forms import tell

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
POLLS = (
    (0, "Never"),
    (5, "Every 5 minutes"),
    (15, "Every 15 minutes"),
    (30, "Every 30 minutes"),
    (60, "Every hour"),
    (360, "Every 6 hours"),
    (1440, "Once a day"),
)
_BASE = "Empty, or a single /, means the top of the repository."


def _text(label: str, help_text: str = "", *, required: bool = False, most: int = 255, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={**_PLAIN, **attrs})
    return forms.CharField(label=label, required=required, max_length=most, widget=widget, help_text=help_text)


def _secret(label: str, help_text: str) -> forms.CharField:
    # What was entered is never rendered back, so that it is in no page, no cache and no history.
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, max_length=2000, widget=widget, help_text=help_text)


class _HowForm(forms.Form):
    """How both sides are kept the same."""

    branch = _text("Branch", "Empty means the default branch.", placeholder="main")
    directory = _text("Base directory", _BASE, most=200, placeholder=ROOT)
    mode = forms.ChoiceField(
        label="How changes arrive in git",
        choices=[
            option(Mode.COMMIT, Mode.COMMIT.label, "What is saved is committed at once."),
            option(Mode.PULL_REQUEST, Mode.PULL_REQUEST.label, "One, which later saves update, for somebody to merge."),
        ],
        initial=Mode.COMMIT,
        widget=forms.RadioSelect(attrs={"class": "radio-cards"}),
    )
    apply_deletions = forms.BooleanField(
        label="Delete here what is deleted in git",
        required=False,
        help_text="Otherwise it is marked as missing, and a person decides. Servers are never deleted by git. "
        "What is deleted can be restored from its history.",
    )
    poll_minutes = forms.TypedChoiceField(
        label="Look for pushes",
        coerce=int,
        choices=POLLS,
        initial=15,
        help_text="Where no webhook tells of them. One request each time, if nothing moved.",
    )
    seen_revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def add_field_error(self, error: FieldError) -> None:
        tell(self, error.field, str(error))

    def _wanted(self, assignment: Assignment, **more: Any) -> Wanted:
        values = self.cleaned_data
        return Wanted(
            assignment, apply_deletions=values["apply_deletions"], poll_minutes=values["poll_minutes"], **more
        )


class SettingsForm(_HowForm):
    def __init__(self, data: Any = None, *, mirror: Mirror) -> None:
        super().__init__(data, initial=how_of(mirror))
        if mirror.forge == PLAIN_GIT:
            del self.fields["mode"]

    def wanted(self) -> Wanted:
        values = self.cleaned_data
        return self._wanted(
            Assignment(branch=values["branch"], directory=values["directory"], mode=values.get("mode") or Mode.COMMIT)
        )


class BitbucketForm(_HowForm):
    workspace = _text(
        "Workspace",
        "Its slug, as in bitbucket.org/<b>workspace</b>/repository. It is case-sensitive.",
        required=True,
        placeholder="acme",
    )
    repository = _text(
        "Repository",
        "Its slug, as in bitbucket.org/workspace/<b>repository</b>.",
        required=True,
        placeholder="config",
    )
    client_id = _text("Client ID", "The consumer’s Key.", required=True)
    client_secret = _secret("Client Secret", "The consumer’s Secret.")
    webhook_secret = _secret(
        "Webhook Secret",
        "The secret of the webhook, such as <code>openssl rand -hex 32</code> makes. Empty means that Millrace makes "
        "one, or keeps the one that there is.",
    )

    field_order = ("workspace", "repository", "client_id", "client_secret", "webhook_secret")

    def __init__(self, data: Any = None, *, mirror: Mirror | None) -> None:
        super().__init__(data, initial=_bitbucket_of(mirror))
        if self.initial.get("client_id"):
            self.fields["client_secret"].help_text = "Empty means the one that is stored for this Client ID."
        else:
            self.fields["client_secret"].conditional = True  # type: ignore[attr-defined]  # see components/_field.html

    def clean_workspace(self) -> str:
        """Also out of a pasted address."""
        names = pasted(self.cleaned_data["workspace"]).rpartition("://")[2].strip("/").split("/")
        return names[1] if "." in names[0] and len(names) > 1 else names[0]

    def clean_repository(self) -> str:
        text = pasted(self.cleaned_data["repository"]).rstrip("/").removesuffix(".git")
        return text.rpartition("/")[2]

    def consumer(self) -> Consumer:
        return Consumer(self.cleaned_data["client_id"], self.cleaned_data["client_secret"])

    def wanted(self) -> Wanted:
        values = self.cleaned_data
        assignment = Assignment(
            repository=f"{values['workspace']}/{values['repository']}",
            branch=values["branch"],
            directory=values["directory"],
            mode=values["mode"],
        )
        return self._wanted(assignment, webhook_secret=values["webhook_secret"])


class ConnectionForm(RepositoryForm):
    """A repository through a connection, or plain git by its address."""

    def __init__(self, data: Any = None, *, mirror: Mirror | None, chosen: str = "") -> None:
        super().__init__(data, target=mirror, initial=_choice_of(mirror), chosen=chosen)
        directory = self.fields["directory"]
        directory.label, directory.help_text = "Base directory", _BASE
        directory.widget.attrs["placeholder"] = ROOT
        for name in ("apply_deletions", "poll_minutes"):
            self.fields[name] = deepcopy(_HowForm.base_fields[name])

    def wanted(self) -> Wanted:
        values = self.cleaned_data
        return Wanted(self.assignment(), apply_deletions=values["apply_deletions"], poll_minutes=values["poll_minutes"])


def how_of(mirror: Mirror | None) -> dict[str, Any]:
    if mirror is None:
        return {"mode": Mode.COMMIT, "poll_minutes": 15}
    return {
        "branch": mirror.branch,
        "directory": mirror.directory,
        "mode": mirror.mode,
        "apply_deletions": mirror.apply_deletions,
        "poll_minutes": mirror.poll_minutes,
        "seen_revision": mirror.revision,
    }


def _bitbucket_of(mirror: Mirror | None) -> dict[str, Any]:
    values = how_of(mirror)
    if mirror is None or mirror.forge != "bitbucket":
        return {**values, "branch": "", "directory": ""}
    workspace, _, repository = mirror.repository.partition("/")
    key = mirror.connection.consumer_key if mirror.connection is not None else ""
    return {**values, "workspace": workspace, "repository": repository, "client_id": key}


def _choice_of(mirror: Mirror | None) -> dict[str, Any]:
    plain = mirror is not None and mirror.connection_id is None and mirror.forge == PLAIN_GIT
    choice = str(Choice.of(mirror) or (LOST_CHOICE if is_lost(mirror) else NONE))
    return {
        **how_of(mirror),
        "choice": URL if plain else choice,
        "url": mirror.repository if mirror is not None and plain else "",
        "username": mirror.username if mirror is not None else "",
    }
