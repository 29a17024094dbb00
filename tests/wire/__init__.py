"""A local forge: an HTTP server over real git repositories that speaks GitHub's REST and GraphQL, and git itself.

Nothing in here imports the applications, and they cannot tell it from the real thing: give them its address. It is
stricter than GitHub (what the API's description does not know is refused and recorded) and goes wrong on demand.

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

**By hand**, for benchmarks and browsers: `python -m tests.wire --repo PATH --port 8900 --latency 50` prints the address
and a token, and serves what is committed to PATH meanwhile. A server in a process of its own keeps a benchmark's memory
apart from the forge's.
"""
