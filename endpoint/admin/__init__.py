"""The endpoint in the Django admin, for support staff."""

from endpoint.admin import keys as keys
