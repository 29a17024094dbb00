"""A local forge: an HTTP server over real git repositories that speaks GitHub, GitLab, Bitbucket, and git itself.

Nothing in here imports the applications, and they cannot tell it from the real thing: give them its address. It is
stricter than forges are (what an API's description does not know is refused and recorded) and goes wrong on demand.
GitHub is at `forge.url` and, as Enterprise, at `forge.enterprise_url`; GitLab's API is at `forge.gitlab_url`,
Bitbucket's at `forge.bitbucket_url`; people's pages and OAuth of all of them are at `forge.url`. They share one world
of accounts and repositories; tokens, hooks and pull requests belong to one forge each.

**In a test**, name the plugin once in a conftest (`pytest_plugins = ["tests.wire.fixtures"]`) and ask for a fixture:

- `forge`: a running `Forge` without repositories, new for each test; fails the test on a violation of the contract
- `github_repo`: the public repository `acme/docs` on it, with one of each kind of file (`samples.everything()`)
- `private_repo`: the private `acme/secret`, seen by `forge.token("acme")`
- `git_repo`: a `GitRepo` on disk that no server knows
- `contract`: GitHub's OpenAPI description; skips where CONTRACTS_DIR is not set

::

    def test_an_unchanged_repository_costs_one_request(forge, github_repo):
        token = forge.token("acme", scopes=["repo"])            # fine_grained=True, repositories=[…], expires_at=…
        client = GitHubClient(base_url=forge.url, token=token)  # forge.enterprise_url: the same under /api/v3
        ...
        forge.requests.clear()
        refresh()
        assert forge.requests.count() == 1                      # .count("GET */git/trees/*"), .matching(…), [-1]
        assert forge.requests[0].headers["Authorization"] == f"Bearer {token}"

**Repositories** (`repos.GitRepo`) are real and bare; `samples` has content for them. A commit's id is returned::

    docs = forge.repository("acme/docs", private=True, collaborators=["bob"])
    docs.git.commit({"a.md": "# A", "bin": b"\\0", "run": Executable(b"#!/bin/sh"), "gone.md": None,
                     "link": Symlink("a.md"), "sub": Submodule("1" * 40)}, "Message", branch="main")
    docs.git.move("a.md", "b.md"); docs.git.branch("next", at="main"); docs.git.delete_branch("next")
    docs.git.force_push({"only.md": "this"}); docs.git.reset("main", commit); docs.git.forget_unreachable()
    docs.git.commit_raw_tree({b"../outside": b"…"})             # what git itself refuses to make
    docs.git.commit(samples.many(20_000))                       # about a second
    docs.git.files() == {"b.md": blob_id(b"# A")}               # what there is: path -> blob id
    forge.world.rename("acme/docs", "acme/book"); forge.world.delete("acme/book"); forge.world.revoke(token)

**People**: an account sees what it owns. `collaborators` are let in to read, `docs.roles["bob"] = "write"` (or read,
admin) to do more, and `forge.world.join("acme", "alice", "admin")` into all that an organisation, a group or a
workspace owns.

**OAuth** (`oauth`): register an application, send a browser to the forge's own page (`/login/oauth/authorize`,
`/oauth/authorize`, `/site/oauth2/authorize`), and press Authorise or Cancel as `person`; without a browser, `authorise`
makes the code and `pressing.pressed` the form. Access tokens are tokens of the world::

    app = forge.world.oauth.app("gitlab", redirect_uri=callback, ttl=5, scopes=["read_user", "api"], pkce=True)
    forge.world.oauth.person = "alice"
    code = forge.world.oauth.authorise(app.client_id, callback, "api", challenge, "S256")
    forge.world.oauth.expire(access_token); app.ttl = None; app.rotate = False; app.client_secret = "changed"
    with forge.fault(faults.status(500), on="POST /login/oauth/access_token", times=1): ...      # a refresh that fails
    with forge.fault(faults.cut_after_work(), on="POST /oauth/token", times=1): ...     # rotated, and never arrived

**GitHub Apps** (`installations`): its page is `/apps/{slug}/installations/new?state=…`::

    app = forge.world.github_app(slug="millrace", callback_url=…, webhook_url=…, webhook_secret=…)
    app.app_id, app.client_id, app.client_secret, app.private_key_pem
    number = forge.world.install(app, "acme", ["acme/docs"])
    forge.world.apps.choose(number, None); forge.world.apps.suspend(number); forge.world.apps.uninstall(number)
    app.token_ttl = 5                                           # seconds that installation tokens live

**Hooks** (`hooks`) are made through each API, or here; deliveries are real requests, signed as the forge signs::

    hook = forge.world.hooks.add("github", docs, url, secret="…", events=["push"], content_type="json")
    commit = forge.push("acme/docs", {"a.md": "# A"}, branch="main")     # force=True, with_commits=False
    forge.rename("acme/docs", "acme/book"); forge.delete_branch("acme/book", "next"); forge.delete("acme/book")
    forge.announce("push", docs, branch="main", before=…, after=…)       # whether it happened or not
    delivered = forge.world.hooks.last(hook)                             # .status .headers .body .id .attempt
    forge.world.hooks.redeliver(delivered)
    forge.world.hooks.send(hook, "push", body, headers={"X-Hub-Signature-256": "sha256=forged"})
    forge.world.hooks.hold(); …; forge.world.hooks.held.reverse(); forge.world.hooks.release()     # out of order

What is written through an API (commits, branches) is delivered, too. `listener.listening()` is a server to deliver to.

**Pushing** with git itself or dulwich goes to `forge.clone_url("acme/docs")`: who may write pushes, a real hook keeps
`docs.protected_branches`, hooks of a test's own lie in `docs.git.path / "hooks"`, and who listens hears of it::

    with forge.fault(faults.cut_request(200), on="POST */git-receive-pack"): ...        # nothing has moved
    with forge.fault(faults.fail_after_work(), on="POST */git-receive-pack"): ...       # it has, and 500 is answered

**Limits**: `forge.caps.tree_entries = 10` truncates trees for real, `forge.world.leave(0, token=token, reset_in=60)`
spends a token's hour (without a token there are 60 requests in all, `forge.world.anonymous_limit`, set before the
first), `forge.latency = 0.05` (seconds) slows every request,
`forge.send_archives_elsewhere()` lets archive redirects lead to 127.0.0.2.

**Faults** (`faults`) stand between a request and its true reply, see there for all of them::

    with forge.fault(faults.rate_limited(reset_in=60), on="GET */git/trees/*", times=1) as armed:
        ...
    assert armed.hits == 1

    with forge.fault(faults.first(lambda: docs.git.force_push({"x.md": "y"})), on="GET */tarball/*", times=1): ...
    with forge.fault(faults.cut_body(after=2000), on="GET /_codeload/*"): ...
    with forge.fault(faults.inject_entries(*map(faults.entry, faults.HOSTILE_PATHS)), on="GET */git/trees/*"): ...

`on` is `METHOD /path` or `/path` with `*` for anything, slashes too. The path is the API's own: without `/api/v3`, and
by name where a repository was asked for by its id.

**To another host** no token may follow: `other = forge.listen_also("127.0.0.2")`, then
`faults.redirect(f"{other}/stolen")` or `faults.next_page_on(other)`; what arrives there is in the same log, told
apart by its `origin`::

    assert all("Authorization" not in request.headers for request in forge.requests if request.origin == other)

**As GitLab** (`gitlab`), under `forge.gitlab_url`, over the same repositories, accounts and roles. It publishes no
description of these endpoints, so `gitlab_documented` keeps one, with the address of each page::

    forge.world.join("acme/platform", "alice")                  # groups nest; admin is Maintainer, write Developer
    docs = forge.repository("acme/platform/docs", private=True)
    token = forge.gitlab_token("alice", scopes=["read_api"])    # kind="project", repositories=[…]: that of a bot
    forge.gitlab_caps.archives = 2                              # a minute; see `gitlab_routes.Caps`
    forge.world.leave(0, token=token, resource="gitlab", reset_in=60)
    forge.requests.count(f"GET /projects/{docs.id}/repository/tree")    # paths without /api/v4, decoded
    forge.world.oauth.app("gitlab", redirect_uri=back)          # pages at /oauth; see `oauth` and `pressing`
    forge.announce("tag", docs, branch="v1", after=commit)      # pushes come from forge.push and from the API itself

**As Bitbucket** (`bitbucket`), under `forge.bitbucket_url`; owners of repositories are workspaces, and a repository's
id is `world.uuid_of(docs.id)`. `bitbucket_contract` says in what its description is put right::

    token = forge.bitbucket_token("acme", email="a@b.c")        # Basic (email, token); scopes=[…]: Atlassian's names
    forge.bitbucket_token("acme", kind="workspace")             # Bearer; kind="repository", repository="acme/docs"
    forge.bitbucket_caps.walked_folders = 10                    # a deeper listing is answered with 555
    bitbucket_events.push_branches(forge.world, docs, {"main": {"a.md": "a"}, "next": {"b.md": "b"}})   # one repo:push
    forge.world.hooks.largest["bitbucket"], forge.world.hooks.tries["bitbucket"]    # 256 KB; 3 where it is refused
    forge.fault(faults.alter_json(lambda page: {**page, "next": f"{other}/stolen"}), on="GET */refs/branches")

**By hand**, for benchmarks and browsers: `python -m tests.wire --repo PATH --port 8900 --latency 50` prints the address
and a token, and serves what is committed to PATH meanwhile; `--oauth REDIRECT_URI` and `--app CALLBACK` print what
an operator would enter for each forge, and `--person` says who presses the buttons. A server in a process of its own
keeps a benchmark's memory apart from the forge's.
"""
