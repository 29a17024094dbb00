"""Forms, and what services find wrong with what was entered in them."""

from __future__ import annotations

from django import forms


def tell(form: forms.BaseForm, field: str, text: str) -> None:
    """Say what is wrong beside its field, or at the top where the form has no such field."""
    form.add_error(field if field in form.fields else None, text)
