"""The endpoint in the Django admin, for support staff."""

from endpoint.admin import grants as grants
from endpoint.admin import keys as keys
from endpoint.admin import requests as requests
