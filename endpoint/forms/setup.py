"""What people choose of how a server or toolkit is served."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from catalog.forms.refusing import RefusingForm
from catalog.models import Server, Toolkit
from endpoint.models import Setup
from endpoint.setups import BUILT_IN, LONGEST_DESCRIPTION, MOST_REQUESTS, is_on, state


class SetupForm(RefusingForm):
    """It remembers the state that it was made from, in `seen`."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    log_arguments = forms.BooleanField(
        label="Keep arguments in the request log",
        required=False,
        help_text="What tools were called with and prompts asked for, as long as the log is kept. It may be anything "
        "that people tell their agents.",
    )
    monthly_quota = forms.IntegerField(
        label="Requests a month",
        required=False,
        min_value=1,
        max_value=MOST_REQUESTS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text="Of all clients together, in a calendar month of UTC. Past it they are refused until the next one. "
        "Empty means as many as they like.",
    )

    def __init__(self, setup: Setup, data: QueryDict | None = None) -> None:
        super().__init__(data, initial=_shown(setup))
        self.target: Server | Toolkit | None = setup.server or setup.toolkit
        if setup.toolkit is not None:
            self.fields["search_contents"] = forms.BooleanField(
                label="Search and read what its servers know",
                required=False,
                help_text="It then also has the tools below, over the content and sources of each server that "
                "something was chosen of.",
            )
        for tool in BUILT_IN:
            self.fields[f"{tool}_enabled"] = forms.BooleanField(label=f"Offer {tool}", required=False)
            self.fields[f"{tool}_name"] = forms.CharField(
                label=f"Name of {tool}",
                required=False,
                max_length=64,
                widget=forms.TextInput(
                    attrs={
                        "class": "mono",
                        "placeholder": tool,
                        "autocomplete": "off",
                        "spellcheck": "false",
                        "autocapitalize": "off",
                    }
                ),
            )
            self.fields[f"{tool}_description"] = forms.CharField(
                label=f"Description of {tool}",
                required=False,
                max_length=LONGEST_DESCRIPTION,
                widget=forms.Textarea(attrs={"rows": 2, "placeholder": "As usual"}),
                help_text="What agents are told of when to use it.",
            )

    @property
    def general(self) -> list[forms.BoundField]:
        """Its fields beside the tools."""
        return [self[name] for name in ("search_contents", "log_arguments", "monthly_quota") if name in self.fields]

    @property
    def tools(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """Of each built-in tool: its name, what it does, its fields."""
        parts = ("enabled", "name", "description")
        return [(tool, does, [self[f"{tool}_{part}"] for part in parts]) for tool, does in BUILT_IN.items()]

    @property
    def values(self) -> dict[str, Any]:
        """Of a valid form, as `endpoint.setups.save_setup` takes them."""
        chosen = self.cleaned_data
        parts = ("enabled", "name", "description")
        return {
            **{bound.name: chosen[bound.name] for bound in self.general},
            "built_in": {tool: {part: chosen[f"{tool}_{part}"] for part in parts} for tool in BUILT_IN},
        }


def _shown(setup: Setup) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "seen": state(setup),
        "log_arguments": setup.log_arguments,
        "monthly_quota": setup.monthly_quota,
        "search_contents": setup.search_contents,
    }
    for tool in BUILT_IN:
        of_it = setup.built_in.get(tool, {})
        shown[f"{tool}_enabled"] = is_on(setup.built_in, tool)
        shown[f"{tool}_name"] = of_it.get("name", "")
        shown[f"{tool}_description"] = of_it.get("description", "")
    return shown
