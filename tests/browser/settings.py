"""The real settings for the processes that the browser speaks to; the tests give the environment."""

import os
from pathlib import Path

from config.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["BROWSER_STATIC_ROOT"])
# As in the tests' own settings: the same people sign in here.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INDEX_MAX_PAGES = 1500
"""More than by default: a site of the tests has 1,200 pages."""
