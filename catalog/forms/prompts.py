"""What people fill in about prompts. Arguments and messages are rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.html import escape

from catalog.checking.prompts import MOST_MESSAGES
from catalog.forms.entity import Difference
from catalog.forms.fields import MonoField, mono
from catalog.forms.rows import ARGUMENTS, Part, RowsForm, arguments_as_text
from catalog.models import Prompt
from catalog.saving import Counted


class MessageForm(forms.Form):
    role = forms.ChoiceField(label="Said by", choices=[("user", "User"), ("assistant", "Assistant")], required=False)
    text = forms.CharField(label="Text", strip=False, required=False, widget=mono(4))

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")

    def clean_role(self) -> str:
        return str(self.cleaned_data["role"]) or "user"


class PromptForm(RowsForm):
    parts = (ARGUMENTS, Part("messages", MessageForm, MOST_MESSAGES, at_least=1))

    name = MonoField(max_length=64, help_text="A small letter, then letters and digits: weeklyReport.")
    title = forms.CharField(max_length=120, required=False, help_text="What people choose it by.")
    description = forms.CharField(
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For people: what the prompt is good for.",
    )

    def differences(self, current: Counted) -> list[Difference]:
        assert isinstance(current, Prompt)  # noqa: S101  # for the type checker
        found = super().differences(current)
        if self.rows["arguments"].values != current.arguments:
            found.append(Difference("Arguments", arguments_as_text(current.arguments), mono=True))
        if self.rows["messages"].values != current.messages:
            found.append(Difference("Messages", messages_as_text(current.messages), mono=True))
        return found


def messages_as_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Each behind who says it."""
    return "\n\n".join(f"{it['role']}:\n{it['text']}" for it in messages)


class SampleForm(forms.Form):
    """A value for each argument of a prompt or command, to see how it reads. Left empty, a required one stands for
    itself. What was not written through the services may lack all but the name."""

    def __init__(self, data: QueryDict | None = None, *, arguments: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(data, prefix="sample")
        self.required_names = {it["name"] for it in arguments if it.get("required")}
        for it in arguments:
            about = escape(it.get("description", ""))
            field: Any = forms.CharField(label=it["name"], required=False, max_length=1_000, help_text=about)
            field.conditional = it["name"] in self.required_names
            self.fields[it["name"]] = field

    @property
    def values(self) -> dict[str, str]:
        typed = self.cleaned_data if self.is_bound and self.is_valid() else {}
        shown = {name: typed.get(name) or (f"[{name}]" if name in self.required_names else "") for name in self.fields}
        return {name: value for name, value in shown.items() if value}
