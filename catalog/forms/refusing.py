"""A form whose values a service judges, too."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from catalog.checking.problems import FieldError
from lib.forms import tell


class RefusingForm(forms.Form):
    def refuse(self, errors: Iterable[FieldError]) -> None:
        """Tell what the service found wrong (`Invalid.errors`), beside the fields."""
        for error in errors:
            tell(self, error.field, self.worded(error))

    def worded(self, error: FieldError) -> str:
        return error.text
