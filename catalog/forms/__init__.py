"""What people fill in, by what it is about."""

from catalog.forms.contents import (
    CompareForm,
    ContentFilter,
    ContentForm,
    CutForm,
    Files,
    PathField,
    RenameForm,
    TextField,
    TextForm,
    UploadForm,
)
from catalog.forms.servers import ServerEditForm, ServerFilter, ServerForm

__all__ = [
    "CompareForm",
    "ContentFilter",
    "ContentForm",
    "CutForm",
    "Files",
    "PathField",
    "RenameForm",
    "ServerEditForm",
    "ServerFilter",
    "ServerForm",
    "TextField",
    "TextForm",
    "UploadForm",
]
