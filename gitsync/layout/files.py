"""What lies in a server's directory of a repository.

::

    config.json          name, instructions, version, visibility
    export.json          the whole server, can be imported again
    schema.json          JSON Schema (2020-12) of export.json
    README.md            overview, links to each provider
    <provider>/
        config.json      the provider alone, OAuth2 settings masked
        README.md        its tools, resources, prompts
        tools/<tool>.json, <tool>.md
        resources/<resource>.json
        prompts/<prompt>.json

Equal configurations become equal bytes. The version is in the server's config.json and in export.json alone, so that a
save changes the files of what was saved, these two, and the READMEs that tell something else now.
"""

from __future__ import annotations

from catalog.exchange import document
from catalog.exchange.document import dumps
from catalog.exchange.model import ProviderConfig, ServerConfig
from catalog.exchange.schema import SCHEMA, validate
from gitsync.layout import markdown, naming

_OF_SERVER = frozenset({"config.json", "export.json", "schema.json", "readme.md"})
_OF_TOOLS = frozenset({"readme"})
"""A tool's `readme.md` would be shown by forges as what its folder is about."""


class Clash(ValueError):
    """Two things that no server can have side by side, such as providers whose names differ only in case."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Two things of this server would both be the file {path}: rename one of them.")


def render(config: ServerConfig) -> dict[str, bytes]:
    """Its files by their paths, relative to the directory.

    DocumentError for what is not as schema.json says, Clash for what no server can be.
    """
    exported = document.to_document(config)
    validate(exported)
    files = _Files()
    files.add("config.json", dumps({"formatVersion": exported["formatVersion"], **exported["server"]}))
    files.add("export.json", dumps(exported))
    files.add("schema.json", dumps(SCHEMA))
    directories = {
        provider.name: naming.for_text_unique_ignoring_case(provider.name, _OF_SERVER) for provider in config.providers
    }
    files.add("README.md", markdown.server_page(config, directories))
    for provider in config.providers:
        _render_provider(files, directories[provider.name], provider)
    return files.content


def _render_provider(files: _Files, directory: str, provider: ProviderConfig) -> None:
    tools = {each.name: f"tools/{naming.for_identifier(each.name, _OF_TOOLS)}" for each in provider.tools}
    resources = {each.name: f"resources/{naming.for_text(each.name)}" for each in provider.resources}
    prompts = {each.name: f"prompts/{naming.for_identifier(each.name)}" for each in provider.prompts}
    files.add(f"{directory}/config.json", dumps(document.provider_facts(provider)))
    files.add(f"{directory}/README.md", markdown.provider_page(provider, tools, resources, prompts))
    for tool in provider.tools:
        files.add(f"{directory}/{tools[tool.name]}.json", dumps(document.tool_document(tool)))
        files.add(f"{directory}/{tools[tool.name]}.md", markdown.tool_page(tool))
    for resource in provider.resources:
        files.add(f"{directory}/{resources[resource.name]}.json", dumps(document.resource_document(resource)))
    for prompt in provider.prompts:
        files.add(f"{directory}/{prompts[prompt.name]}.json", dumps(document.prompt_document(prompt)))


class _Files:
    """Grows, and refuses to have two files where some disks would have one."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self._seen: set[str] = set()

    def add(self, path: str, content: bytes) -> None:
        if path.casefold() in self._seen:
            raise Clash(path)
        self._seen.add(path.casefold())
        self.content[path] = content
