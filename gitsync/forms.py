"""What is entered to assign a repository to a server, and how an organisation's commits are worded."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from django import forms

from catalog.models import Server
from forges.forms import option
from forges.picking import FieldError
from gitsync.messages import DEFAULT
from gitsync.models import Mirror, Mode, PushTarget
from gitsync.places import ROOT
from gitsync.probing import Assignment
from lib.forms import tell

NONE, LOST, URL = "none", "lost", "url"
PLAIN_GIT = "git"
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_ADDRESS = {**_PLAIN, "inputmode": "url", "placeholder": "https://git.example.com/team/config.git"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A repository of a connection, as a radio button carries it. Nothing of it is believed: the forge is asked again,
    through a connection that the person may use, by the repository's id."""

    connection: uuid.UUID
    repository_id: str
    name: str = field(compare=False)
    """What people read; not what counts."""

    def __str__(self) -> str:
        return f"{self.connection} {self.repository_id} {self.name}"

    @classmethod
    def parse(cls, value: str) -> Self | None:
        """None for what is no such value."""
        connection, _, rest = value.partition(" ")
        repository_id, _, name = rest.partition(" ")
        try:
            return cls(uuid.UUID(connection), repository_id, name or repository_id) if repository_id else None
        except ValueError:
            return None

    @classmethod
    def of(cls, target: PushTarget | Mirror | None) -> Self | None:
        """What is assigned now, where that is through a connection."""
        if target is None or target.connection_id is None:
            return None
        return cls(target.connection_id, target.repository_id, target.repository)


class RepositoryForm(forms.Form):
    """`choice` is one of NONE, URL, LOST (what is assigned, whose connection is gone), or a `Choice`; which parts of
    the form count follows from it."""

    choice = forms.CharField(label="Assigned Repository", max_length=2000, required=False)
    url = forms.CharField(
        label="Address",
        required=False,
        max_length=512,
        widget=forms.TextInput(attrs=_ADDRESS),
        help_text="As you would clone it.",
    )
    username = forms.CharField(
        label="User name",
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text="If the server asks for one.",
    )
    # What was entered is never rendered back, so that it is in no page, no cache and no history.
    token = forms.CharField(
        label="Access token or password",
        required=False,
        max_length=2000,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )
    branch = forms.CharField(
        label="Branch",
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={**_PLAIN, "list": "push-branches-list", "placeholder": "The default branch"}),
    )
    directory = forms.CharField(label="Directory", required=False, max_length=200, widget=forms.TextInput(attrs=_PLAIN))
    mode = forms.ChoiceField(
        label="How changes arrive",
        choices=[
            option(Mode.COMMIT, Mode.COMMIT.label, "What is saved is committed at once."),
            option(Mode.PULL_REQUEST, Mode.PULL_REQUEST.label, "One, which later saves update, for somebody to merge."),
        ],
        widget=forms.RadioSelect(attrs={"class": "radio-cards"}),
    )
    seen_revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    none_label: ClassVar[str] = ""
    """What people read who choose no repository; "" where one has to be chosen."""

    def __init__(
        self, data: Any = None, *, target: PushTarget | Mirror | None, initial: dict[str, Any], chosen: str = ""
    ) -> None:
        """`chosen` is the repository that was chosen on the page of repositories."""
        super().__init__(data, initial=initial)
        self.target = target
        if Choice.parse(chosen) not in (None, Choice.of(target)):
            self.initial.update(choice=chosen, branch="")
        self.fields["url"].conditional = True  # type: ignore[attr-defined]  # see components/_field.html
        # Where no token is stored there is nothing to keep.
        if target is not None and type(target).token.is_set(target):
            self.fields["token"].help_text = "Empty means the one that is stored, for the same address."

    @property
    def chosen(self) -> str:
        """What is chosen so far, also on a form that is wrong elsewhere; NONE for what cannot be chosen."""
        value = str(self["choice"].value() or "")
        if value == LOST:
            return LOST if is_lost(self.target) else NONE
        return value if value == URL or Choice.parse(value) else NONE

    @property
    def chosen_label(self) -> str:
        """As the button of the list says it."""
        choice = Choice.parse(self.chosen)
        if choice is not None:
            return choice.name
        return {NONE: self.none_label or UNCHOSEN_LABEL, URL: URL_LABEL}.get(self.chosen) or self._lost_label

    @property
    def _lost_label(self) -> str:
        return self.target.repository if self.target else ""

    @property
    def options(self) -> list[tuple[str, str, str]]:
        """(value, label, what it is) of what can be chosen without asking a forge: none, what is assigned now, and
        what was chosen before this page."""
        found = [(NONE, self.none_label, "")] if self.none_label else []
        now = Choice.of(self.target)
        if now is not None:
            found.append((str(now), now.name, "assigned now"))
        elif is_lost(self.target):
            found.append((LOST, self._lost_label, "assigned now, its connection is gone"))
        choice = Choice.parse(self.chosen)
        if choice is not None and choice != now:
            found.append((self.chosen, choice.name, "chosen"))
        return found

    def clean_choice(self) -> str:
        entered: str = self.cleaned_data["choice"] or NONE
        if entered != self.chosen:
            raise forms.ValidationError("Choose a repository from the list, or none.")
        if entered == NONE and not self.none_label:
            raise forms.ValidationError("Choose a repository from the list.")
        if entered == LOST:
            raise forms.ValidationError("Its connection is gone. Choose the repository through another one.")
        return entered

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("choice") == URL:
            if "url" not in self.errors and not values.get("url"):
                self.add_error("url", "Enter the address of the repository.")
            if values.get("mode") == Mode.PULL_REQUEST:
                self.add_error("mode", "Plain git has no pull requests: commit to the branch.")
        return values

    def assignment(self) -> Assignment:
        """What is on the form, also of one that is not complete: branches are listed of what there is."""
        values = self.cleaned_data
        common = {name: values.get(name) or "" for name in ("branch", "directory")}
        common["mode"] = values.get("mode") or Mode.COMMIT
        if self.chosen == URL:
            entered = {name: values.get(name) or "" for name in ("username", "token")}
            return Assignment(repository=values.get("url") or "", **entered, **common)
        choice = Choice.parse(self.chosen)
        if choice is None:
            return Assignment(**common)
        return Assignment(
            connection_id=choice.connection, repository_id=choice.repository_id, repository=choice.name, **common
        )

    def add_field_error(self, error: FieldError) -> None:
        """Put an error of the services beside its field, or at the top when that is not on this form."""
        name = error.field
        if name in ("repository", "connection"):
            name = "url" if self.chosen == URL else "choice"
        tell(self, name, str(error))


class AssignForm(RepositoryForm):
    """The repository of a server."""

    none_label = "None (Disable Auto-Push)"

    def __init__(self, data: Any = None, *, server: Server, target: PushTarget | None, chosen: str = "") -> None:
        super().__init__(data, target=target, initial=values_of(target), chosen=chosen)
        directory = self.fields["directory"]
        directory.help_text = (
            "Empty means the server’s slug, and follows it. A single / means the top of the repository."
        )
        directory.widget.attrs["placeholder"] = server.slug


UNCHOSEN_LABEL = "Choose a repository"
URL_LABEL = "Other git repository"


def is_lost(target: PushTarget | Mirror | None) -> bool:
    return target is not None and target.connection_id is None and target.forge != PLAIN_GIT


def values_of(target: PushTarget | None) -> dict[str, Any]:
    """What an assignment is, as the form has it."""
    if target is None:
        return {"choice": NONE, "mode": Mode.COMMIT}
    plain = target.connection_id is None and target.forge == PLAIN_GIT
    return {
        "choice": URL if plain else str(Choice.of(target) or LOST),
        "url": target.repository if plain else "",
        "username": target.username,
        "branch": target.branch,
        "directory": "" if target.directory_follows else target.directory or ROOT,
        "mode": target.mode,
        "seen_revision": target.revision,
    }


class TemplateForm(forms.Form):
    """How commits are worded in an organisation."""

    message_template = forms.CharField(
        label="Message template",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5, "class": "mono", "spellcheck": "false", "placeholder": DEFAULT}),
        help_text="Empty means Millrace’s own, which is shown in grey.",
    )
