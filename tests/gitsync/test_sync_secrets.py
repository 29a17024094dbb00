"""Authentication and secrets: what of them a file may say, what leaves, and where requests may go."""

from __future__ import annotations

import pytest

from catalog import tools
from catalog.models import Variable
from gitsync.models import EntityState, MirroredEntity
from tests import factories
from tests.gitsync.mirror_world import ALL, WEATHER, Begin, begin
from tests.gitsync.test_sync_errors import TOKEN, told

__all__ = ["begin"]

pytestmark = pytest.mark.django_db


def test_a_server_that_would_go_to_another_host_waits_for_a_person(begin: Begin) -> None:
    made = begin(files=ALL)
    server = made.row("server", "weather")
    factories.variable(server, "API_KEY", secret="s3cret-of-the-weather", hosts=["api.example.com"])
    elsewhere = {**WEATHER["providers"][0], "baseUrl": "https://evil.example.net/v1"}
    made.edit("mcp-servers/weather.json", providers=[elsewhere])
    made.sync()
    assert made.states() == {"mcp-servers/weather.json": EntityState.CONFIRM}
    assert told(made, "mcp-servers/weather.json")["code"] == "HOST_CHANGED"
    assert server.providers.get().base_url == "https://api.example.com/v1"
    assert Variable.objects.get().hosts == ["api.example.com"]
    made.commit({"mcp-servers/weather.json": WEATHER})
    made.sync()
    made.assert_in_step()


def test_a_servers_authentication_stays_here_whatever_git_says(begin: Begin) -> None:
    made = begin(files=ALL)
    server = made.row("server", "weather")
    factories.variable(server, "API_KEY", secret="s3cret-of-the-weather", hosts=["api.example.com"])
    tool = server.tools.get(name="getForecast")
    tools.edit_tool(tool=tool, values={"headers": {"X-Key": "${API_KEY}"}}, seen_revision=None, by=made.by)
    made.sync()
    made.edit("mcp-servers/weather.json", description="Sky.")
    made.sync()
    assert made.row("server", "weather").description == "Sky."
    assert Variable.objects.get(name="API_KEY").hosts == ["api.example.com"]
    assert server.tools.get(name="getForecast").headers == {"X-Key": "${API_KEY}"}
    assert "s3cret" not in made.log
    assert "API_KEY" not in made.log
    made.assert_in_step()


def test_a_secret_typed_here_is_not_pushed_and_told_on_its_entity(begin: Begin) -> None:
    made = begin(files=ALL)
    made.save("command", "hello", prompt=f"Use {TOKEN}, {{{{who}}}}.")
    made.save("client", "desk", description="Everywhere.")
    made.sync()
    assert TOKEN not in made.log
    assert set(made.states()) == {"commands/hello.json"}
    assert told(made, "commands/hello.json")["code"] == "SECRET_FOUND"
    assert made.json("mcp-clients/desk.json")["description"] == "Everywhere.", "the others go on"
    made.save("command", "hello", prompt="Use a variable, {{who}}.")
    made.sync()
    assert TOKEN not in made.log
    made.assert_in_step()


@pytest.mark.parametrize("text", [TOKEN, TOKEN.replace("_", "\\u005f"), TOKEN.replace("g", "\\u0067")])
def test_no_line_of_a_file_that_may_hold_a_secret_is_kept(text: str, begin: Begin) -> None:
    made = begin(files=ALL)
    at = "commands/hello.json"
    made.commit({at: '{\n  "name": "Hello"\n  "slug": "hello"\n}\n'})
    made.sync()
    assert made.entity(at).error["excerpt"]["lines"][2] == '  "slug": "hello"'
    made.commit({at: f'{{\n  "name": "{text}"\n  "slug": "hello"\n}}\n'})
    made.sync()
    found = made.entity(at)
    assert found.state == EntityState.ERROR
    assert "excerpt" not in found.error
    assert text not in str(MirroredEntity.objects.values_list())
