"""What GitLab's documentation says of its endpoints: parameters in, keys out.

A parameter is written `name:type`, with `!` after the name where it is required; a type is string, integer, boolean,
array, datetime, or the values that are taken, with `|` between them. Paths are as the documentation writes them, under
https://docs.gitlab.com/api/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Keys = Mapping[str, "Keys | None"]
"""Keys of an object -> the keys of what stands there (of each, in a list); None where nobody looks inside."""

DOCUMENTATION = "https://docs.gitlab.com/api/"

PAGED = "page:integer per_page:integer"
ERROR = "message error error_description scope realm"


def keys(names: str, **inner: Keys) -> Keys:
    return {**dict.fromkeys(names.split()), **inner}


@dataclass(frozen=True, slots=True)
class Documented:
    page: str
    """Where it is written, below `DOCUMENTATION`."""
    parameters: Mapping[str, str]
    """Name -> type, without what stands in the path."""
    required: frozenset[str]
    reply: Keys | None
    """None: not JSON, or without a body."""

    @property
    def address(self) -> str:
        return DOCUMENTATION + self.page

    def complaints(self, query: Mapping[str, Any], body: Mapping[str, Any], *, form: bool = False) -> list[str]:
        """What is wrong with the parameters of a request; in a query and a form every value is text."""
        found = [f"{name} is missing" for name in sorted(self.required - query.keys() - body.keys())]
        for given, text in ((query, True), (body, form)):
            found += [f"unknown parameter {name!r}" for name in sorted(given.keys() - self.parameters.keys())]
            found += [
                f"{name} is no {self.parameters[name]}"
                for name, value in given.items()
                if name in self.parameters and not is_of(value, self.parameters[name], text=text)
            ]
        return found

    def values(self, given: Mapping[str, str]) -> dict[str, Any]:
        """What came as text, as what it is documented to be."""
        return {name: _read(text, self.parameters.get(name, "")) for name, text in given.items()}


def _read(text: str, kind: str) -> object:
    match kind:
        case "boolean":
            return text.lower() == "true"
        case "integer":
            return int(text)
        case _:
            return text


def is_of(value: object, kind: str, *, text: bool) -> bool:
    match kind:
        case "boolean":
            return str(value).lower() in {"true", "false"} if text else type(value) is bool
        case "integer":
            return str(value).lstrip("-").isdigit() if text else type(value) is int
        case "array":
            return isinstance(value, str if text else list)
        case "string" | "datetime":
            return isinstance(value, str)
        case _:
            return value in kind.split("|")


def unknown_keys(value: object, known: Keys, where: str = "") -> Iterable[str]:
    """The paths of the keys in a reply that are not documented."""
    if isinstance(value, list):
        for item in value:
            yield from unknown_keys(item, known, where)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in known:
                yield f"{where}{key}"
            elif (deeper := known[key]) is not None:
                yield from unknown_keys(inner, deeper, f"{where}{key}.")


NAMESPACE = keys("id name path kind full_path parent_id avatar_url web_url")
ACCESS = keys("access_level notification_level")
SIMPLE_PROJECT = keys(
    "id description name name_with_namespace path path_with_namespace created_at default_branch tag_list topics"
    " ssh_url_to_repo http_url_to_repo web_url readme_url forks_count avatar_url star_count last_activity_at"
    " visibility namespace",
    namespace=NAMESPACE,
)
PROJECT = {
    **SIMPLE_PROJECT,
    **keys(
        "description_html container_registry_image_prefix packages_enabled empty_repo archived owner"
        " resolve_outdated_diff_discussions container_expiration_policy repository_object_format issues_enabled"
        " merge_requests_enabled wiki_enabled jobs_enabled snippets_enabled container_registry_enabled"
        " service_desk_enabled service_desk_address can_create_merge_request_in issues_access_level"
        " repository_access_level merge_requests_access_level forking_access_level wiki_access_level"
        " builds_access_level snippets_access_level shared_runners_enabled lfs_enabled creator_id import_url"
        " import_type import_status import_error open_issues_count ci_config_path public_jobs shared_with_groups"
        " only_allow_merge_if_pipeline_succeeds request_access_enabled squash_option merge_method permissions"
        " marked_for_deletion_on _links forked_from_project updated_at",
        permissions=keys("project_access group_access", project_access=ACCESS, group_access=ACCESS),
        owner=keys("id name username state avatar_url web_url created_at"),
        _links=keys("self issues merge_requests repo_branches labels events members cluster_agents"),
    ),
}
COMMIT = keys(
    "id short_id title author_name author_email authored_date committer_name committer_email committed_date created_at"
    " message parent_ids web_url trailers extended_trailers"
)
COMMIT_DETAIL = {**COMMIT, **keys("stats status last_pipeline", stats=keys("additions deletions total"))}
BRANCH = keys(
    "name merged protected default developers_can_push developers_can_merge can_push web_url commit", commit=COMMIT
)
DIFF = keys(
    "old_path new_path a_mode b_mode diff collapsed too_large new_file renamed_file deleted_file generated_file"
)
PERSON = keys("id name username state locked avatar_url web_url public_email")
TOKEN = keys(
    "id name revoked created_at description scopes user_id last_used_at active expires_at access_level resource_type"
    " resource_id granular last_used_ips"
)
MERGE_REQUEST = keys(
    "id iid project_id title description state created_at updated_at merged_by merge_user merged_at closed_by closed_at"
    " target_branch source_branch user_notes_count upvotes downvotes author assignees assignee reviewers"
    " source_project_id target_project_id labels draft work_in_progress milestone merge_when_pipeline_succeeds"
    " merge_status detailed_merge_status sha merge_commit_sha squash_commit_sha discussion_locked"
    " should_remove_source_branch force_remove_source_branch reference references web_url time_stats squash"
    " task_completion_status has_conflicts blocking_discussions_resolved changes_count diff_refs subscribed"
    " allow_collaboration allow_maintainer_to_push imported imported_from prepared_at merge_after",
    author=PERSON,
    assignees=PERSON,
    references=keys("short relative full"),
)
HOOK_EVENTS = (
    "push_events tag_push_events merge_requests_events issues_events confidential_issues_events note_events"
    " confidential_note_events pipeline_events wiki_page_events deployment_events job_events releases_events"
    " milestone_events feature_flag_events emoji_events resource_access_token_events vulnerability_events"
    " resource_deploy_token_events"
)
HOOK = keys(
    "id url name description project_id created_at enable_ssl_verification alert_status disabled_until url_variables"
    " push_events_branch_filter branch_filter_strategy custom_webhook_template custom_headers token_present"
    f" signing_token_present repository_update_events {HOOK_EVENTS}",
    custom_headers=keys("key"),
)
HOOK_PARAMETERS = (
    "name:string description:string token:string signing_token:string enable_ssl_verification:boolean"
    " push_events_branch_filter:string branch_filter_strategy:wildcard|regex|all_branches"
    " custom_webhook_template:string custom_headers:array "
) + " ".join(f"{name}:boolean" for name in HOOK_EVENTS.split())
USER = keys(
    "id username email name state locked avatar_url web_url created_at bio location public_email linkedin twitter"
    " discord github website_url organization job_title pronouns bot work_information followers following local_time"
    " last_sign_in_at confirmed_at theme_id last_activity_on color_scheme_id projects_limit current_sign_in_at"
    " identities can_create_group can_create_project two_factor_enabled external private_profile commit_email"
    " namespace_id preferred_language"
)


def documented(page: str, parameters: str = "", reply: Keys | None = None) -> Documented:
    pairs = [parameter.split(":", 1) for parameter in parameters.split()]
    return Documented(
        page,
        {name.rstrip("!"): kind for name, kind in pairs},
        frozenset(name[:-1] for name, _ in pairs if name.endswith("!")),
        reply,
    )


MERGE_REQUEST_EDITS = (
    "description:string assignee_id:integer assignee_ids:array labels:string milestone_id:integer reviewer_ids:array"
    " remove_source_branch:boolean squash:boolean allow_collaboration:boolean"
)

ENDPOINTS: Mapping[str, Documented] = {
    "GET /user": documented("users/#retrieve-the-current-user", "", USER),
    "GET /personal_access_tokens/self": documented("personal_access_tokens/#self-inform", "", TOKEN),
    "GET /projects": documented(
        "projects/#list-all-projects",
        "membership:boolean owned:boolean starred:boolean archived:boolean active:boolean simple:boolean search:string"
        " search_namespaces:boolean visibility:public|internal|private min_access_level:integer id_after:integer"
        " id_before:integer order_by:id|name|path|created_at|updated_at|star_count|last_activity_at|similarity"
        " sort:asc|desc last_activity_after:datetime last_activity_before:datetime statistics:boolean"
        f" with_issues_enabled:boolean with_merge_requests_enabled:boolean pagination:keyset {PAGED}",
        PROJECT,
    ),
    "GET /projects/:id": documented(
        "projects/#get-a-single-project", "license:boolean statistics:boolean with_custom_attributes:boolean", PROJECT
    ),
    # The two of keyset are in the page on pagination and in GitLab's own description (openapi_v2.yaml).
    "GET /projects/:id/repository/branches": documented(
        "branches/#list-repository-branches",
        f"search:string regex:string pagination:keyset page_token:string {PAGED}",
        BRANCH,
    ),
    "GET /projects/:id/repository/branches/:branch": documented("branches/#get-single-repository-branch", "", BRANCH),
    "GET /projects/:id/repository/tree": documented(
        "repositories/#list-repository-tree",
        f"path:string ref:string recursive:boolean pagination:keyset page_token:string {PAGED}",
        keys("id name type path mode"),
    ),
    "GET /projects/:id/repository/blobs/:sha": documented(
        "repositories/#get-a-blob-from-repository", "", keys("size encoding content sha")
    ),
    "GET /projects/:id/repository/blobs/:sha/raw": documented("repositories/#get-raw-blob-content"),
    "GET /projects/:id/repository/archive.:format": documented(
        "repositories/#get-file-archive",
        "sha:string path:string exclude_paths:string include_lfs_blobs:boolean",
    ),
    "GET /projects/:id/repository/compare": documented(
        "repositories/#compare-branches-tags-or-commits",
        "from!:string to!:string from_project_id:integer straight:boolean unidiff:boolean",
        keys(
            "commit commits diffs compare_timeout compare_same_ref web_url",
            commit=COMMIT,
            commits=COMMIT,
            diffs=DIFF,
        ),
    ),
    "GET /projects/:id/repository/commits": documented(
        "commits/#list-repository-commits",
        "ref_name:string since:datetime until:datetime path:string author:string all:boolean with_stats:boolean"
        f" first_parent:boolean order:default|topo trailers:boolean {PAGED}",
        COMMIT,
    ),
    "GET /projects/:id/repository/commits/:sha": documented(
        "commits/#get-a-single-commit", "stats:boolean", COMMIT_DETAIL
    ),
    "POST /projects/:id/repository/commits": documented(
        "commits/#create-a-commit-with-multiple-files-and-actions",
        "branch!:string commit_message!:string actions!:array start_branch:string start_sha:string"
        " start_project:string author_email:string author_name:string stats:boolean force:boolean",
        COMMIT_DETAIL,
    ),
    "GET /projects/:id/merge_requests": documented(
        "merge_requests/#list-project-merge-requests",
        "state:opened|closed|locked|merged|all source_branch:string target_branch:string scope:created_by_me|all"
        " order_by:created_at|updated_at|title|priority|merged_at sort:asc|desc author_id:integer iids:array"
        f" search:string in:string view:simple labels:string milestone:string wip:yes|no {PAGED}",
        MERGE_REQUEST,
    ),
    "GET /projects/:id/merge_requests/:merge_request_iid": documented(
        "merge_requests/#get-single-mr",
        "include_diverged_commits_count:boolean include_rebase_in_progress:boolean render_html:boolean",
        MERGE_REQUEST,
    ),
    "POST /projects/:id/merge_requests": documented(
        "merge_requests/#create-mr",
        f"source_branch!:string target_branch!:string title!:string target_project_id:integer {MERGE_REQUEST_EDITS}",
        MERGE_REQUEST,
    ),
    "PUT /projects/:id/merge_requests/:merge_request_iid": documented(
        "merge_requests/#update-mr",
        "title:string target_branch:string state_event:close|reopen add_labels:string remove_labels:string"
        f" discussion_locked:boolean {MERGE_REQUEST_EDITS}",
        MERGE_REQUEST,
    ),
    "GET /projects/:id/hooks": documented("project_webhooks/#list-webhooks-for-a-project", PAGED, HOOK),
    "GET /projects/:id/hooks/:hook_id": documented("project_webhooks/#get-a-project-webhook", "", HOOK),
    "POST /projects/:id/hooks": documented(
        "project_webhooks/#add-a-webhook-to-a-project", f"url!:string {HOOK_PARAMETERS}", HOOK
    ),
    "PUT /projects/:id/hooks/:hook_id": documented(
        "project_webhooks/#edit-a-project-webhook", f"url!:string {HOOK_PARAMETERS}", HOOK
    ),
    "DELETE /projects/:id/hooks/:hook_id": documented("project_webhooks/#delete-project-webhook"),
    "POST /projects/:id/hooks/:hook_id/test/:trigger": documented(
        "project_webhooks/#trigger-a-test-project-webhook", "", keys("message")
    ),
}

ACTION = documented(
    "commits/#create-a-commit-with-multiple-files-and-actions",
    "action!:create|delete|move|update|chmod file_path!:string previous_path:string content:string"
    " encoding:text|base64 last_commit_id:string execute_filemode:boolean",
)
"""One of `actions[]`."""

ERROR_KEYS = keys(ERROR)
