"""What is a page's subject is taken, as Markdown; what is around it is left out."""

# ruff: noqa: E501  markup is written as generators write it

from __future__ import annotations

import pytest

from indexing.extracting import Extracted, Trouble, extract

URL = "https://docs.example.org/guide/start.html"


def read(page: str, **options: str) -> Extracted:
    return extract(page.encode(), url=URL, content_type="text/html; charset=utf-8", headers=options)


def markdown(body: str) -> str:
    return read(f"<main><p>Words that make it a page.</p>{body}</main>").markdown.partition("\n\n")[2]


_AROUND = """<body><a class="skip-link" href="#x">Skip to content</a><header class="top"><a href="/">Site name</a></header>
<nav class="menu"><ul><li><a href="/other/">Other page</a></li></ul></nav><div id="cookie-banner">We use cookies</div>"""
_AFTER = """<nav class="pagination-nav"><a href="/next">Next page</a></nav><a href="https://github.com/o/r/edit/main/x.md">
Edit this page</a><footer>Copyright of somebody</footer><script>var tracking = "code";</script></body>"""
_TEXT = """<h1>Getting started{mark}</h1><p>Install it with <code>pip</code> and read on.</p><h2 id="usage">Usage</h2>
<p>Run the program.</p>"""
_EXPECTED = "# Getting started\n\nInstall it with `pip` and read on.\n\n## Usage\n\nRun the program.\n"

GENERATORS = {
    "sphinx": """<div class="related"><h3>Navigation</h3></div><div class="document"><div class="body" role="main">
        <section id="getting-started">{text}</section></div></div><div class="sphinxsidebar">Side words</div>""",
    "read the docs": """<nav class="wy-nav-side">Side words</nav><div class="rst-content"><div role="navigation">Docs » X</div>
        <div role="main"><div itemprop="articleBody">{text}</div></div><footer><div class="rst-footer-buttons">Next</div>
        </footer></div>""",
    "material": """<div class="md-sidebar">Side words</div><div class="md-content"><article class="md-content__inner md-typeset">
        <a class="md-content__button" title="Edit this page" href="https://github.com/o/r/edit/main/x.md"></a>{text}
        <aside class="md-source-file">Last update</aside><form class="md-feedback">Helpful?</form></article></div>""",
    "docusaurus": """<main><div class="row"><article><nav class="theme-doc-breadcrumbs">Home</nav>
        <div class="theme-doc-markdown markdown"><header></header>{text}</div><footer class="theme-doc-footer">Edit</footer>
        </article><div class="theme-doc-toc-desktop">Side words</div></div></main>""",
    "vitepress": """<aside class="VPSidebar">Side words</aside><main class="main"><div class="vp-doc"><div>{text}</div></div>
        </main><div class="VPDocFooter">Next</div>""",
    "gitbook": """<div class="book-summary">Side words</div><div class="page-inner"><section class="markdown-section">{text}
        </section></div>""",
    "docsy": """<aside class="td-sidebar">Side words</aside><main role="main"><div class="td-content">{text}
        <div class="td-page-meta">Edit this page</div></div></main>""",
    "just the docs": """<div class="side-bar">Side words</div><div class="main" id="top"><div id="main-content"
        class="main-content"><main>{text}</main></div></div>""",
    "mdbook": """<nav id="sidebar">Side words</nav><div id="menu-bar"><h1 class="menu-title">Book</h1></div><div id="content">
        <main>{text}</main><nav class="nav-wrapper"><a rel="next" href="b.html">x</a></nav></div>""",
    "rustdoc": """<nav class="sidebar">Side words</nav><main><div class="width-limiter"><section id="main-content">{text}
        </section></div></main>""",
    "javadoc": """<header role="banner"><nav role="navigation">Side words</nav></header><div class="flex-content">
        <main role="main">{text}</main></div>""",
    "readme": """<nav class="rm-Sidebar">Side words</nav><article><div class="rm-Markdown markdown-body">{text}</div></article>
        <section class="content-toc">Side words</section>""",
    "mintlify": """<div id="sidebar">Side words</div><div id="content-area"><div class="mdx-content prose">{text}</div></div>""",
    "confluence": """<div class="ia-fixed-sidebar">Side words</div><div id="main-content" class="wiki-content">{text}</div>
        <div class="likes-and-labels-container">Like</div>""",
    "nothing but main": "<main>{text}</main>",
}
MARKS = (
    '<a class="headerlink" href="#getting-started" title="Permalink to this heading">¶</a>',
    '<a href="#getting-started" class="hash-link" aria-label="Direct link to Getting started">\u200b</a>',
    '<a class="header-anchor" href="#getting-started" aria-label="Permalink">\u200b</a>',
    '<a class="anchor" href="#getting-started"><svg><path d="M1"/></svg></a>',
    '<a href="#getting-started">#</a>',
)


@pytest.mark.parametrize("generator", GENERATORS)
def test_of_a_generator_the_subject_is_taken_alone(generator: str) -> None:
    for mark in MARKS:
        page = _AROUND + GENERATORS[generator].replace("{text}", _TEXT.replace("{mark}", mark)) + _AFTER
        assert read(page).markdown == _EXPECTED


def test_a_page_that_does_not_say_what_its_subject_is_keeps_code_and_headings() -> None:
    words = "The scheduler takes a job, looks at what it needs, and starts it on the machine that has most of it free. "
    page = f"""<html><body><div class="topnav"><a href="/">Home</a> <a href="/b">Blog</a></div><div class="wrap"><div class="x1">
        <h1>How jobs are placed</h1><p>{words * 3}</p><h2>An example</h2><p>{words * 2}</p><pre><code class="language-py">a = 1

    b = 2</code></pre><p>{words}</p></div><div class="sidebar"><ul><li><a href="/q">Popular posts</a></li></ul></div></div>
        <div class="footer">All rights reserved by somebody else</div></body></html>"""
    found = read(page).markdown

    assert "# How jobs are placed" in found
    assert "## An example" in found
    assert "```py\na = 1\n\n    b = 2\n```" in found
    assert "Popular posts" not in found
    assert "All rights" not in found


def test_headings_keep_the_id_that_github_would_not_give_them() -> None:
    found = markdown(
        '<h2 id="usage">Usage</h2><h2 id="usage-1">Usage</h2><h2 id="the-api">API</h2><section id="cli-tool"><h3>Commands</h3>'
        '</section><h3><a name="old"></a>Older</h3><h4><a class="header" href="#x.y">A <code>y</code></a></h4>'
    )
    assert found.split("\n\n") == [
        "## Usage",
        "## Usage",
        "## API {#the-api}",
        "### Commands {#cli-tool}",
        "### Older {#old}",
        "#### A `y` {#x.y}\n",
    ]


def test_lists_nest_and_keep_their_numbers() -> None:
    found = markdown(
        "<ol start=3><li>Three<ul><li>a</li><li><p>b</p><p>c</p></li></ul></li><li>Four</li></ol>"
        '<ul><li><input type="checkbox" checked> done</li></ul>'
    )
    assert found == "3. Three\n   - a\n\n   - b\n\n     c\n\n4. Four\n\n- [x] done\n"


def test_tables_keep_pipes_breaks_and_spans() -> None:
    found = markdown(
        "<table><caption>Options</caption><thead><tr><th>Name<th>What</tr></thead><tr><td rowspan=2><code>a|b</code><td>one<br>two"
        "<tr><td><ul><li>x</li><li>y</li></ul></table>"
    )
    assert found == ("Options\n\n| Name | What |\n| --- | --- |\n| `a\\|b` | one<br>two |\n| `a\\|b` | - x<br>- y |\n")


def test_a_table_without_a_head_has_an_empty_one_and_one_for_layout_is_none() -> None:
    assert markdown("<table><tr><td>a<td>b<tr><td colspan=2>c</table>") == (
        "|  |  |\n| --- | --- |\n| a | b |\n| c |  |\n"
    )
    assert markdown("<table role=presentation><tr><td><p>a</p><td><p>b</p></table>") == "a\n\nb\n"


def test_definitions_stand_under_their_terms_and_signatures_become_headings() -> None:
    found = markdown(
        '<h2>Module</h2><dl><dt>Word</dt><dd>Its meaning.</dd></dl><dl class="py function"><dt class="sig sig-object py" id="m.f">'
        '<span class="sig-name">f</span>(<em>*args</em>)<a class="headerlink" href="#m.f">¶</a></dt><dd><p>Does it.</p></dd></dl>'
    )
    assert found == "## Module\n\n**Word**\n\nIts meaning.\n\n### `f(*args)` {#m.f}\n\nDoes it.\n"


@pytest.mark.parametrize(
    "box",
    [
        '<div class="admonition warning"><p class="admonition-title">Warning</p><p>Mind it.</p></div>',
        '<div class="warning custom-block"><p class="custom-block-title">Warning</p><p>Mind it.</p></div>',
        '<div class="theme-admonition alert alert--warning"><div class="admonitionHeading_x"><span>Warning</span></div>'
        "<div><p>Mind it.</p></div></div>",
        '<aside class="starlight-aside starlight-aside--warning"><p class="starlight-aside__title">Warning</p><p>Mind it.</p></aside>',
        '<div class="alert alert-warning"><p>Mind it.</p></div>',
    ],
)  # fmt: skip
def test_admonitions_say_what_they_are(box: str) -> None:
    assert markdown(box) == "**Warning**\n\nMind it.\n"


@pytest.mark.parametrize(
    "tabs",
    [
        '<div class="tabbed-set"><input type="radio"><input type="radio"><div class="tabbed-labels"><label>pip</label>'
        '<label>uv</label></div><div class="tabbed-content"><div class="tabbed-block"><p>One.</p></div>'
        '<div class="tabbed-block"><p>Two.</p></div></div></div>',
        '<div class="tabs-container"><ul role="tablist" class="tabs"><li role="tab">pip</li><li role="tab">uv</li></ul><div>'
        '<div role="tabpanel"><p>One.</p></div><div role="tabpanel" hidden><p>Two.</p></div></div></div>',
        '<div class="sd-tab-set"><input type="radio"><label class="sd-tab-label">pip</label><div class="sd-tab-content"><p>One.'
        '</p></div><input type="radio"><label class="sd-tab-label">uv</label><div class="sd-tab-content"><p>Two.</p></div></div>',
    ],
)  # fmt: skip
def test_panels_of_tabs_are_all_there_with_their_labels(tabs: str) -> None:
    assert markdown(tabs) == "**pip**\n\nOne.\n\n**uv**\n\nTwo.\n"


def test_what_a_click_unfolds_is_there() -> None:
    assert markdown("<details><summary>More</summary><div style='display:none'><p>Inside.</p></div></details>") == (
        "**More**\n\nInside.\n"
    )


def test_addresses_are_absolute_by_the_base_of_the_page() -> None:
    page = """<head><base href="/v2/"></head><main><p>See <a href="a b(c).html#x">this</a>, <a href="javascript:x()">that</a>,
        <a href="https://docs.example.org/z">https://docs.example.org/z</a> and <img src="i.png" alt="a [picture]">
        <img src="spacer.gif" alt=""></p><a rel="nofollow" href="/n">n</a><a href="mailto:a@example.org">m</a></main>"""
    found = read(page)

    assert found.markdown.startswith(
        "See [this](https://docs.example.org/v2/a%20b%28c%29.html#x), that, <https://docs.example.org/z> and "
        "![a \\[picture\\]](https://docs.example.org/v2/i.png)"
    )
    assert [(link.url, link.nofollow) for link in found.links] == [
        ("https://docs.example.org/v2/a b(c).html", False),
        ("https://docs.example.org/z", False),
        ("https://docs.example.org/n", True),
    ]


def test_words_do_not_become_another_kind_of_block() -> None:
    found = markdown(
        "<p># no<br>- no<br>1. no<br>&gt; no<br>&lt;script&gt; &amp;amp; a_b __init__ `x`</p><div>=====</div>"
    )
    assert found == "\\# no\n\\- no\n1\\. no\n\\> no\n\\<script> \\&amp; a_b __init__ \\`x\\`\n\n\\=====\n"


@pytest.mark.parametrize(
    "page",
    [
        '<body><div id="root"></div><script src="/main.js"></script></body>',
        "<body><noscript>You need to enable JavaScript to run this app.</noscript><div id=app>Loading…</div><script src=a></script>",
        "<body><app-root></app-root><script type=module src=a.js></script></body>",
        "<body><p>This site requires JavaScript.</p><script>go()</script></body>",
    ],
)  # fmt: skip
def test_a_page_that_a_script_makes_is_named(page: str) -> None:
    assert read(page).trouble == Trouble.NEEDS_JAVASCRIPT


@pytest.mark.parametrize(
    "page",
    [
        f'<body><div id="root">{_TEXT}</div><noscript>Please enable JavaScript</noscript><script src="/m.js"></script></body>',
        '<body><main><h1>Moved</h1><p>This page is now at another address, which is much better.</p></main><div id="app"></div>'
        "<script>x()</script></body>",
        '<body><div id="root"></div></body>',
    ],
)  # fmt: skip
def test_a_page_that_merely_uses_scripts_is_not(page: str) -> None:
    assert read(page).trouble != Trouble.NEEDS_JAVASCRIPT


def test_an_empty_page_says_so_and_leads_on() -> None:
    found = read('<head><meta http-equiv="refresh" content="0; url=en/index.html"></head><body></body>')

    assert found.trouble == Trouble.EMPTY
    assert [link.url for link in found.links] == ["https://docs.example.org/guide/en/index.html"]
