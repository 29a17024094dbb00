"""How far away a moment is, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def ago(moment: datetime) -> str:
    """`now`, `5 minutes ago`, `2 days ago`: the largest unit alone. What is to come keeps two: `6 days, 23 hours from
    now`, because there the rest counts. `moment` is aware."""
    now = timezone.now()
    if now - moment < timedelta(days=1):
        return str(naturaltime(moment))
    return f"{timesince(moment, now, depth=1)} ago"
