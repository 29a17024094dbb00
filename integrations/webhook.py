"""The webhook that tells an integration of pushes."""

from __future__ import annotations

from forges import hooks
from forges.models import Hook, Method
from integrations.models import Integration


def want_hook(integration: Integration) -> None:
    """Have a webhook made, unless pushes are told otherwise (by the GitHub App) or cannot be."""
    if hooks.possible(integration.forge) and not told_by_app(integration):
        hooks.want(
            integration.server.organization,
            forge=integration.forge,
            base_url=integration.base_url,
            repository_id=integration.repository_id,
            repository=integration.repository,
        )


def hook_of(integration: Integration) -> Hook | None:
    """The webhook of its repository, which the organisation's other integrations of it share."""
    return Hook.objects.filter(
        organization=integration.server.organization_id,
        forge=integration.forge,
        base_url=integration.base_url,
        repository_id=integration.repository_id,
    ).first()


def told_by_app(integration: Integration) -> bool:
    """Whether the GitHub App's own webhook tells of its pushes."""
    connection = integration.connection
    return connection is not None and connection.method == Method.GITHUB_APP
