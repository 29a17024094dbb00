"""What people fill in about variables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.http import QueryDict

from catalog.checking.problems import FieldError
from catalog.checking.variables import LONGEST_VALUE
from catalog.forms.entity import Difference, EntityForm
from catalog.forms.fields import ListField, MonoField
from catalog.models import Variable
from catalog.saving import Counted


class KindField(forms.TypedChoiceField):
    """Secret or plain; its value is whether it is secret."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [
            ("plain", "Plain: shown on these pages, and part of exports and pushes"),
            ("secret", "Secret: encrypted, never shown again, and sent to its hosts alone"),
        ]
        super().__init__(choices=choices, coerce=lambda word: word == "secret", widget=forms.RadioSelect, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return {True: "secret", False: "plain"}.get(value, value) if isinstance(value, bool) else value


class VariableForm(EntityForm):
    """What is entered as a secret is never rendered back, so that it is in no page, no cache and no history."""

    name = MonoField(max_length=64, help_text="Capitals, digits and _. Written ${NAME} where its value goes.")
    is_secret = KindField(label="Kind", initial="plain")
    value = MonoField(required=False, max_length=LONGEST_VALUE)
    secret_value = forms.CharField(
        required=False,
        max_length=LONGEST_VALUE,
        widget=forms.PasswordInput(
            render_value=False, attrs={"class": "mono", "autocomplete": "new-password", "spellcheck": "false"}
        ),
    )
    hosts = ListField(
        label="Hosts it may be sent to",
        help_text="One a line: api.example.com, or with a port api.example.com:8443. Without a path. They are "
        "asked over https alone: where plain http is all there is, and who is on the way may read the secret, write "
        "http://api.example.com. A call to any other host fails instead of telling the secret.",
    )
    description = forms.CharField(
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For people: what it is, and where to get a new one.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_secret = bool(self.initial.get("is_secret") is True)
        secret: Any = self.fields["secret_value"]
        hosts: Any = self.fields["hosts"]
        secret.conditional = hosts.conditional = True
        if self.has_secret:
            secret.help_text = "It is never shown. Leave this empty to keep it."
            hosts.help_text += " Adding a host takes the value again, so that only who knows it sends it elsewhere."
        elif self.initial.get("seen_revision"):
            secret.help_text = "Leave this empty to keep the value that it has."

    @classmethod
    def values_of(cls, row: Counted) -> dict[str, Any]:
        shown = [name for name in cls.base_fields if name not in ("secret_value", "seen_revision")]
        return {**{name: getattr(row, name) for name in shown}, "seen_revision": row.revision}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("is_secret"):
            values["value"] = values.get("secret_value") or values.get("value")
            self._keep_off_the_page("value")
        return values

    def _keep_off_the_page(self, name: str) -> None:
        """What was typed into the field for plain values is a secret now, too."""
        data = cast("QueryDict", self.data).copy()
        data[self.add_prefix(name)] = ""
        self.data = data

    @property
    def lost_a_secret(self) -> bool:
        """Whether a secret was entered that has to be entered again, now that the form is shown once more."""
        values = self.cleaned_data if self.is_bound and self.errors is not None else {}  # errors: cleans if need be
        return bool(values.get("is_secret") and values.get("value"))

    def refuse(self, errors: Iterable[FieldError]) -> None:
        """What is wrong with the value stands beside the field that it was, or has to be, entered in."""
        place = "secret_value" if self.cleaned_data.get("is_secret") else "value"
        super().refuse(replace(error, field=place) if error.field == "value" else error for error in errors)

    def differences(self, current: Counted) -> list[Difference]:
        found = [each for each in super().differences(current) if each.label != str(self["value"].label)]
        assert isinstance(current, Variable)  # noqa: S101  # for the type checker
        if current.is_secret:
            if found or self.cleaned_data.get("value"):
                found.append(
                    Difference("Value", "Secret, and never shown. It stays as it is unless you enter another.", False)
                )
        elif self.cleaned_data.get("value") != current.value:
            found.append(Difference("Value", current.value, mono=True))
        return found
