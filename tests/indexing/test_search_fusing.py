"""What others answer stands among what the index has, by rank."""

from __future__ import annotations

from indexing.search.citing import with_lines
from indexing.search.fusing import fused
from indexing.search.model import Hit

ONE, TWO = "https://docs.example.com/one", "https://docs.example.com/two"


def hit(title: str, url: str = "", score: float = 9.0) -> Hit:
    return Hit(
        title=title, heading=(), snippet=(), score=score, kind="site", source_id=None, source_name="Docs", url=url
    )


def titles(hits: list[Hit]) -> list[str]:
    return [each.title for each in hits]


def test_answers_are_shuffled_into_each_other_ours_first() -> None:
    ours = [hit("a1"), hit("a2"), hit("a3")]
    assert titles(fused(ours, [[hit("b1", score=0.1), hit("b2")], [hit("c1")]], limit=5)) == [
        "a1",
        "b1",
        "c1",
        "a2",
        "b2",
    ]


def test_without_other_answers_scores_are_left_as_they_are() -> None:
    ours = [hit("a1", score=3.0), hit("a2", score=2.0)]
    assert fused(ours, [(), ()], limit=1) == ours[:1]


def test_a_page_that_is_in_the_index_is_not_shown_again() -> None:
    answered = [hit("live one", ONE), hit("live two", TWO)]
    assert titles(fused([hit("one", f"{ONE}#part")], [answered], limit=5)) == ["one", "live two"]


def test_scores_are_left_as_they_are_where_others_answer_nothing_new() -> None:
    ours = [hit("one", f"{ONE}#part", score=3.0)]
    assert fused(ours, [[hit("live one", ONE)]], limit=5) == ours


def test_others_answer_where_the_index_has_nothing() -> None:
    assert titles(fused([], [[hit("b1"), hit("b2")]], limit=1)) == ["b1"]


def test_lines_are_cited_as_each_forge_writes_them() -> None:
    github, gitlab = "https://github.com/a/b/blob/c/d.py", "https://gitlab.com/g/a/b/-/blob/c/src/d.py"
    assert with_lines(github, 3, 9) == f"{github}#L3-L9"
    assert with_lines(github, 3, 3) == f"{github}#L3"
    assert with_lines("https://github.com/a/b/blob/c/src/d.md", 1, 2).endswith("/src/d.md?plain=1#L1-L2")
    assert with_lines(gitlab, 3, 9) == f"{gitlab}#L3-9"
    bitbucket = "https://bitbucket.org/a/b/src/c/blob/d.md"
    assert with_lines(bitbucket, 3, 9) == f"{bitbucket}#lines-3:9"


def test_what_has_no_lines_is_cited_without_them() -> None:
    for url in ("", "https://docs.example.com/a/b", "javascript:alert(1)", "https://github.com/a/b/blob/c/d.py#L1"):
        assert with_lines(url, 3, 9) == url
    assert with_lines("https://github.com/a/b/blob/c/d.py", 0, 0) == "https://github.com/a/b/blob/c/d.py"
