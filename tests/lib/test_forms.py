"""What services find wrong, on the form that it was entered in."""

from __future__ import annotations

from django import forms

from lib.forms import tell


class Entered(forms.Form):
    name = forms.CharField()


def test_an_error_stands_beside_its_field_or_at_the_top_where_there_is_none() -> None:
    form = Entered({"name": "docs"})
    tell(form, "name", "Choose another name.")
    tell(form, "", "Somebody was quicker.")
    tell(form, "branch", "There is no such branch.")
    assert form.errors == {
        "name": ["Choose another name."],
        "__all__": ["Somebody was quicker.", "There is no such branch."],
    }
