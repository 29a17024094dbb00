"""Code blocks come out of what highlighters make of them as they were written, with their language."""

# ruff: noqa: E501  markup is written as generators write it

from __future__ import annotations

import html
import random
from collections.abc import Callable

import pytest
from markdown_it import MarkdownIt

from indexing.extracting import extract

_READER = MarkdownIt("commonmark").enable("table")
_LINES = (
    "def run_migrations(config):", "    return config['a'] & mask < 3 > 1", "\tindented by a tab", "", "", "```", "~~~~",
    "````python", "<div class=\"a\">&amp;</div>", "# not a heading", "- not a list", "1. nor this", "| a | b |", "trailing  ",
    "$ pip install x", ">>> print('hi')", "\\begin{x}", "日本語 «ünï»", "    ", "a\tb", "const x = `${y}`;", "[link](x)",
)  # fmt: skip
_LANGUAGES = ("python", "js", "c++", "bash", "objective-c", "rust", "yaml", "c#")


def _spans(line: str) -> str:
    """A line as highlighters write it: words in spans, entities for what HTML would read."""
    words = line.split(" ")
    return " ".join(
        f'<span class="k n-{at}">{html.escape(word)}</span>' if word else "" for at, word in enumerate(words)
    )


def _joined(code: str) -> str:
    return "\n".join(_spans(line) for line in code.split("\n"))


def _numbers(code: str, before: str = "", after: str = "\n") -> str:
    return "".join(f"{before}{at + 1}{after}" for at in range(code.count("\n") + 1))


def sphinx(code: str, language: str) -> str:
    return (
        f'<div class="highlight-{language} notranslate"><div class="highlight"><pre><span></span>{_joined(code)}\n</pre>'
        '<button class="copybtn o-tooltip--left">Copy</button></div></div>'
    )


def sphinx_numbered(code: str, language: str) -> str:
    return (
        f'<div class="highlight-{language} notranslate"><table class="highlighttable"><tr><td class="linenos">'
        f'<div class="linenodiv"><pre>{_numbers(code, "<span class=normal>", "</span>" + chr(10))}</pre></div></td><td class="code">'
        f'<div class="highlight"><pre><span></span>{_joined(code)}\n</pre></div></td></tr></table></div>'
    )


def material(code: str, language: str) -> str:
    lines = "\n".join(
        f'<span id="__span-0-{at}"><a id="__codelineno-0-{at}" href="#__codelineno-0-{at}"></a>{_spans(line)}</span>'
        for at, line in enumerate(code.split("\n"))
    )
    return (
        f'<div class="language-{language} highlight"><pre id="__code_0"><span></span><nav class="md-code__nav">'
        f'<button class="md-code__button">x</button></nav><code>{lines}\n</code></pre></div>'
    )


def docusaurus(code: str, language: str) -> str:
    lines = "".join(
        f'<span class="token-line" style="color:#393A34"><span class="token plain">{html.escape(line)}</span><br></span>'
        for line in code.split("\n")
    )
    return (
        f'<div class="language-{language} codeBlockContainer_Ckt0 theme-code-block"><div class="codeBlockContent_QJqH">'
        f'<pre tabindex="0" class="prism-code language-{language} codeBlock_bY9V"><code class="codeBlockLines_e6Vv">{lines}'
        '</code></pre><div class="buttonGroup_cUAL"><button type="button" aria-label="Copy">Copy</button></div></div></div>'
    )


def vitepress(code: str, language: str) -> str:
    lines = "\n".join(f'<span class="line">{_spans(line)}</span>' for line in code.split("\n"))
    return (
        f'<div class="language-{language} vp-adaptive-theme line-numbers-mode"><button title="Copy Code" class="copy"></button>'
        f'<span class="lang">{language}</span><pre class="shiki github-dark vp-code"><code>{lines}</code></pre>'
        f'<div class="line-numbers-wrapper" aria-hidden="true">{_numbers(code, "<span class=line-number>", "</span><br>")}</div></div>'
    )


def expressive(code: str, language: str) -> str:
    lines = "".join(
        '<div class="ec-line"><div class="gutter"><div class="ln" aria-hidden="true">7</div></div>'
        f'<div class="code">{_spans(line) or chr(10)}</div></div>'
        for line in code.split("\n")
    )
    return (
        f'<div class="expressive-code"><figure class="frame"><pre data-language="{language}"><code>{lines}</code></pre>'
        '<div class="copy"><button title="Copy to clipboard" data-code="x"><div></div></button></div></figure></div>'
    )


def shiki_without_ends(code: str, language: str) -> str:
    lines = "".join(f'<span data-line="">{_spans(line)}</span>' for line in code.split("\n"))
    return f'<pre data-language="{language}"><code data-language="{language}" style="display:grid">{lines}</code></pre>'


def prism(code: str, language: str) -> str:
    rows = '<span aria-hidden="true" class="line-numbers-rows">' + "<span></span>" * 9 + "</span>"
    return (
        f'<div class="code-toolbar"><pre class="line-numbers language-{language}"><code class="language-{language}">'
        f'{_joined(code)}{rows}</code></pre><div class="toolbar"><button>Copy</button></div></div>'
    )


def highlight_js(code: str, language: str) -> str:
    return f'<pre><code class="hljs language-{language}">{_joined(code)}\n</code></pre>'


def rouge_numbered(code: str, language: str) -> str:
    return (
        f'<figure class="highlight"><pre><code class="language-{language}" data-lang="{language}"><table class="rouge-table">'
        f'<tbody><tr><td class="gutter gl"><pre class="lineno">{_numbers(code)}</pre></td><td class="code"><pre>{_joined(code)}\n'
        "</pre></td></tr></tbody></table></code></pre></figure>"
    )


def chroma_numbered(code: str, language: str) -> str:
    lines = "".join(f'<span class="line"><span class="cl">{_spans(line)}\n</span></span>' for line in code.split("\n"))
    return (
        '<div class="highlight"><div class="chroma"><table class="lntable"><tr><td class="lntd"><pre class="chroma"><code>'
        f'{_numbers(code, "<span class=lnt>", chr(10) + "</span>")}</code></pre></td><td class="lntd"><pre class="chroma">'
        f'<code class="language-{language}" data-lang="{language}">{lines}</code></pre></td></tr></table></div></div>'
    )


def readme(code: str, language: str) -> str:
    return (
        '<div class="CodeTabs CodeTabs_initial"><div class="CodeTabs-inner"><pre><button aria-label="Copy Code" '
        f'class="rdmd-code-copy fa"></button><code class="rdmd-code lang-{language} theme-light" data-lang="{language}" name="">'
        f'<div class="cm-s-neo">{_joined(code)}</div></code></pre></div></div>'
    )


def mdbook(code: str, language: str) -> str:
    return (
        f'<pre><pre class="playground"><div class="buttons"><button class="fa fa-copy"></button></div>'
        f'<code class="language-{language} editable">{_joined(code)}\n</code></pre></pre>'
    )


GENERATORS = (
    sphinx, sphinx_numbered, material, docusaurus, vitepress, expressive, shiki_without_ends, prism, highlight_js,
    rouge_numbered, chroma_numbered, readme, mdbook,
)  # fmt: skip


def _written(seed: int) -> tuple[str, str]:
    chosen = random.Random(seed)
    lines = [chosen.choice(_LINES) for _ in range(chosen.randint(1, 9))]
    return "\n".join(["first line", *lines, "last line"]), chosen.choice(_LANGUAGES)


def _read(page: str) -> list[tuple[str, str]]:
    found = extract(page.encode(), url="https://docs.example.org/a/", content_type="text/html; charset=utf-8")
    tokens = _READER.parse(found.markdown)
    return [(token.info, token.content.removesuffix("\n")) for token in tokens if token.type == "fence"]


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda each: each.__name__)
def test_blocks_of_a_generator_are_exact_with_their_language(generator: Callable[[str, str], str]) -> None:
    written = [_written(seed) for seed in range(24)]
    blocks = "".join(
        f"<h2>Part {at}</h2><p>Some words.</p>{generator(code, name)}" for at, (code, name) in enumerate(written)
    )
    page = f"<!doctype html><html><body><main><h1>Examples of code</h1>{blocks}</main></body></html>"

    assert _read(page) == [(name, code) for code, name in written]


@pytest.mark.parametrize("around", ["<ul><li>Do this:<ol><li>So: {}</li></ol></li></ul>", "<blockquote>{}</blockquote>",
                                    "<dl><dt>Word</dt><dd>{}</dd></dl>", "<table><tr><td>{}</td></tr></table>",
                                    "<details><summary>More</summary>{}</details>"])  # fmt: skip
def test_blocks_are_exact_inside_of_others(around: str) -> None:
    for seed in range(12):
        code, name = _written(seed)
        page = (
            f"<main><h1>Examples</h1><p>Some words before it.</p>{around.format(sphinx(code, name))}<p>End.</p></main>"
        )

        assert _read(page) == [(name, code)]


def test_line_ends_of_windows_and_the_first_one_are_as_browsers_read_them() -> None:
    page = "<main><p>Words enough to be a page.</p><pre>\r\na\r\n\r\n  b\r\n</pre><pre><code>\n\nc</code></pre></main>"

    assert _read(page) == [("", "a\n\n  b"), ("", "\n\nc")]


def test_a_file_name_stays_beside_its_block_and_no_language_is_made_up() -> None:
    page = """<main><p>Words enough to be a page.</p>
        <div class="language-yaml highlight"><span class="filename">mkdocs.yml</span><pre><code>a: 1\n</code></pre></div>
        <div class="highlight-default notranslate"><div class="highlight"><pre>x = 1\n</pre></div></div>
        <pre class="language-plaintext">plain</pre></main>"""

    assert _read(page) == [("yaml", "a: 1"), ("", "x = 1"), ("", "plain")]
    found = extract(page.encode(), url="https://docs.example.org/", content_type="text/html")
    assert "mkdocs.yml\n\n```yaml" in found.markdown


def test_code_in_a_line_keeps_its_backticks() -> None:
    page = "<main><p>Write <code>a `b` c</code> or <code>run_migrations</code> or <kbd>Ctrl</kbd>.</p></main>"
    found = extract(page.encode(), url="https://docs.example.org/", content_type="text/html")

    assert found.markdown == "Write `` a `b` c `` or `run_migrations` or Ctrl.\n"
