from __future__ import annotations

import re

from django import template
from django.template.defaultfilters import stringfilter
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter(is_safe=True)
@stringfilter
def sentence(value: str) -> str:
    """“Two-Factor Authentication” as “Two-factor authentication”: allauth writes headings in title case, we do not.

    Tags keep their text as it is, and so do words in capitals throughout.
    """
    if "<" in value:
        return value
    words = re.sub(
        r"[^\W_]+", lambda word: word[0] if word[0].isupper() and len(word[0]) > 1 else word[0].lower(), value
    )
    text = words.strip()
    result = text[:1].upper() + text[1:]
    return mark_safe(result) if isinstance(value, SafeString) else result  # noqa: S308  # as safe as what came in
