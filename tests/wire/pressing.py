"""Press a button of a forge's page without a browser, for tests that are not about the page."""

from __future__ import annotations

from html.parser import HTMLParser


def pressed(page: str, button: str, **where: str) -> tuple[str, dict[str, str]]:
    """Address and fields that a button of the page posts: of the first form whose hidden fields are as `where` says.

    AssertionError where there is no such form or button.
    """
    forms = _Forms()
    forms.feed(page)
    for action, fields, buttons in forms.found:
        if button in buttons and all(fields.get(name) == value for name, value in where.items()):
            return action, {**fields, "decision": button}
    raise AssertionError(f"no form with {button} and {where}: {forms.found}")


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str], set[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((said.get("action", ""), {}, set()))
        elif tag == "input" and self.found:
            self.found[-1][1][said["name"]] = said["value"]
        elif tag == "button" and self.found:
            self.found[-1][2].add(said["value"])
