"""What people enter for a project at GitLab: names, addresses of pages, and those for SSH."""

from __future__ import annotations

import pytest

from forges.clients import FORGES, normalise_repository
from forges.clients.errors import InvalidName

COM, OWN, FOLDER = "", "https://git.example.org:8443/api/v4", "https://example.org/tools/gitlab/api/v4"


@pytest.mark.parametrize(
    "text",
    [
        "Group/Sub.Group/my_project",
        "group/sub.group/my_project/",
        "https://gitlab.com/group/sub.group/my_project",
        "https://www.gitlab.com/group/sub.group/my_project.git",
        "http://gitlab.com/Group/Sub.Group/My_Project/",
        "gitlab.com/group/sub.group/my_project",
        "https://gitlab.com/group/sub.group/my_project/-/tree/main/docs?ref_type=heads#top",
        "https://gitlab.com/group/sub.group/my_project/-/merge_requests/12",
        "https://gitlab.com/group/sub.group/my_project/blob/main/a.md",
        "git@gitlab.com:group/sub.group/my_project.git",
        "ssh://git@gitlab.com/group/sub.group/my_project.git",
        "ssh://git@altssh.gitlab.com:443/group/sub.group/my_project.git",
        "  group/sub.group/my_project ",
    ],
)
def test_every_spelling_of_a_project_is_one(text: str) -> None:
    assert normalise_repository("gitlab", COM, text) == "group/sub.group/my_project"


@pytest.mark.parametrize(
    ("base_url", "text"),
    [
        (OWN, "https://git.example.org:8443/a/b/-/issues"),
        (OWN, "git@git.example.org:a/b.git"),
        (OWN, "ssh://git@git.example.org:2222/a/b.git"),
        (FOLDER, "https://example.org/tools/gitlab/a/b"),
        (FOLDER, "example.org/tools/gitlab/a/b.git"),
        (FOLDER, "git@example.org:a/b.git"),
        (FOLDER, "a/b"),
    ],
)
def test_a_server_of_ones_own_can_lie_anywhere(base_url: str, text: str) -> None:
    assert normalise_repository("gitlab", base_url, text) == "a/b"


def test_groups_nest_as_deep_as_gitlab_lets_them() -> None:
    deep = "/".join(f"g{n}" for n in range(20))
    assert normalise_repository("gitlab", COM, f"{deep}/project") == f"{deep}/project"
    with pytest.raises(InvalidName):
        normalise_repository("gitlab", COM, f"{deep}/deeper/project")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "project",
        "-secret/project",
        "group/-secret",
        "group//secret",
        "group/../secret",
        "group/sécret",
        "group/secret?x=1",
        "group/secret%2f",
        "group/.git",
        "https://gitlab.com/secret",
        "https://gitlab.com/group/%2e%2e",
        "https://oauth2:secret@gitlab.com/group/project",
        "https://secret@gitlab.com/group/project",
        "https://github.com/secret/project",
        "https://gitlab.com.secret.example/group/project",
        "https://xgitlab.com/secret/project",
        "ftp://gitlab.com/secret/project",
        "git@secret.example:group/project.git",
        "group/secret\n",
        "group/sec ret",
        "https://gitlab.com:secret/group/project",
    ],
)
def test_what_is_no_project_is_refused_and_never_repeated(text: str) -> None:
    if text == "group/secret\n":  # white space around a name is nobody's intention
        assert normalise_repository("gitlab", COM, text) == "group/secret"
        return
    with pytest.raises(InvalidName) as caught:
        normalise_repository("gitlab", COM, text)
    assert "secret" not in str(caught.value)


def test_an_address_outside_the_servers_folder_is_not_one_of_its_projects() -> None:
    with pytest.raises(InvalidName, match="/tools/gitlab/"):
        normalise_repository("gitlab", FOLDER, "https://example.org/a/b")


def test_the_address_of_the_api_and_that_of_the_pages_belong_together() -> None:
    gitlab = FORGES["gitlab"]
    for web in ("https://gitlab.com", "https://example.org/tools/gitlab", "http://127.0.0.1:8900"):
        assert gitlab.api_url(web) == gitlab.api_url(f"{web}/") == f"{web}/api/v4"
        assert gitlab.web_url(gitlab.api_url(web)) == web
        assert gitlab.api_url(gitlab.api_url(web)) == f"{web}/api/v4"
