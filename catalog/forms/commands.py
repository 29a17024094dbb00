"""What people fill in about commands."""

from __future__ import annotations

from typing import Any

from django import forms

from catalog.forms.entity import Difference
from catalog.forms.fields import mono
from catalog.forms.library import OwnedForm
from catalog.forms.rows import ARGUMENTS, RowsForm, arguments_as_text


class CommandForm(RowsForm, OwnedForm):
    parts = (ARGUMENTS,)

    prompt = forms.CharField(
        label="Prompt",
        strip=False,
        widget=mono(12),
        help_text="What the agent is told. Write {{name}} where the value of an argument goes.",
    )
    field_order = ("name", "slug", "description", "prompt", "who")

    def differences(self, current: Any) -> list[Difference]:
        found = super().differences(current)
        if self.rows["arguments"].values != current.arguments:
            found.append(Difference("Arguments", arguments_as_text(current.arguments), mono=True))
        return found
