"""What people fill in about servers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.models import Server
from catalog.servers import RESERVED_SLUGS


class ServerForm(forms.Form):
    name = forms.CharField(max_length=120)
    slug = forms.SlugField(
        max_length=63,
        required=False,
        help_text="The server's part of its address. Left empty, it is made of the name.",
    )
    description = forms.CharField(
        max_length=4_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For people: what is on this server.",
    )
    instructions = forms.CharField(
        max_length=50_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="For agents: what they are told when they connect, such as when to use this server.",
    )
    visibility = forms.ChoiceField(
        choices=[
            (Server.Visibility.PRIVATE, "Private: only who holds a key or is a member"),
            (Server.Visibility.PUBLIC, "Public: anyone who knows the address"),
        ],
        initial=Server.Visibility.PRIVATE,
        widget=forms.RadioSelect,
        help_text="Who may call the server.",
    )

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"]).lower()
        if slug in RESERVED_SLUGS:
            raise ValidationError(f"“{slug}” is used by Millrace itself. Choose another.")
        return slug


class ServerFilter(forms.Form):
    q = forms.CharField(required=False, label="Name or slug contains", max_length=120, widget=forms.SearchInput)


class ServerEditForm(ServerForm):
    seen_revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = True
        self.fields["slug"].help_text = "The server's part of its address. Changing it breaks the addresses in use."
