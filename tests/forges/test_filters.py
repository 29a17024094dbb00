"""Which files are meant: gitignore's language, read strictly and matched in bounded time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forges.clients.errors import TooLarge
from forges.reading import EVERYTHING, InvalidPattern, PathFilter, filters

PATHS = [
    "README.md",
    "a.md",
    "docs/a.md",
    "docs/a.txt",
    "docs/deep/b.md",
    "docs/drafts/c.md",
    "src/docs/d.md",
    "src/app.py",
    "build/out.md",
    "naïve ünïcode.md",
]


def meant(include: str, exclude: str = "") -> list[str]:
    path_filter = PathFilter.parse(include, exclude)
    return [path for path in PATHS if path_filter.matches(path)]


def test_an_empty_filter_means_everything() -> None:
    assert meant("") == PATHS
    assert meant("\n  \n# only a comment\n") == PATHS
    assert PathFilter.parse("", "") == EVERYTHING


def test_include_lines_choose_and_exclude_lines_take_away() -> None:
    assert meant("/docs/", "drafts/\n*.txt") == ["docs/a.md", "docs/deep/b.md"]
    assert meant("*.md", "/*.md") == [path for path in PATHS if path.endswith(".md") and "/" in path]
    assert meant("", "src/\nbuild/") == [path for path in PATHS if not path.startswith(("src/", "build/"))]


def test_a_later_line_takes_back_an_earlier_one() -> None:
    assert meant("docs/\n!docs/drafts/", "*.md\n!b.md") == ["docs/a.txt", "docs/deep/b.md"]


@given(
    st.lists(
        st.sampled_from(
            ["*.md", "/*.md", "docs/", "/docs", "docs/**", "**/docs/*.md", "a.?d", "[ab].md", "src/*", "b*"]
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=25, deadline=None)
def test_patterns_mean_what_git_says_they_mean(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder: Path = tmp_path_factory.mktemp("ignore")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".git/info/exclude").write_text("\n".join(lines))
    asked = "\0".join(PATHS)
    ignored = subprocess.run(
        ["git", "-C", str(folder), "check-ignore", "--no-index", "-z", "--stdin"],
        input=asked,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert meant("\n".join(lines)) == [path for path in PATHS if path in ignored.split("\0")]


@pytest.mark.parametrize("line", ["[abc", "a\\", "/", "[z-a]", "!", "a/[", "x" * 501])
def test_a_line_that_is_no_pattern_is_named(line: str) -> None:
    with pytest.raises(InvalidPattern) as caught:
        PathFilter.parse(f"# comment\n\n{line}\n")
    assert caught.value.line == 3
    assert str(caught.value).startswith("Line 3: ")
    with pytest.raises(InvalidPattern):
        PathFilter.parse("", line)


def test_lines_that_only_take_back_are_refused_because_they_would_match_nothing() -> None:
    with pytest.raises(InvalidPattern, match="takes back"):
        PathFilter.parse("!drafts/\n!*.png")


@pytest.mark.parametrize("line", ["*a*a*a*a*", "**/a/**/b/**/c/**/d", "a*b*c*d*e*f"])
def test_a_pattern_that_would_take_for_ever_is_refused(line: str) -> None:
    with pytest.raises(InvalidPattern, match="more than 3"):
        PathFilter.parse(line)


def test_patterns_and_paths_that_are_made_for_each_other_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "MATCH_SECONDS", 0.2)
    path_filter = PathFilter.parse("**/a/**/a/**/b")
    with pytest.raises(TooLarge, match="Use fewer"):
        any(path_filter.matches("a/" * 500 + "c") for _ in range(100))


def test_too_many_patterns_are_refused() -> None:
    with pytest.raises(InvalidPattern, match="At most 200"):
        PathFilter.parse("\n".join(f"{n}.md" for n in range(201)))


def test_the_fingerprint_is_that_of_the_meaning_of_the_text() -> None:
    one = PathFilter.parse("*.md\n", "drafts/")
    assert one.fingerprint == PathFilter.parse("# Docs\n*.md   \r\n\n", "drafts/").fingerprint
    others = [
        PathFilter.parse("*.md"),
        PathFilter.parse("drafts/", "*.md"),
        PathFilter.parse("*.md\ndrafts/"),
        EVERYTHING,
    ]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 5
