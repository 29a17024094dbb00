"""What an import would do, told before it does anything."""

from __future__ import annotations

from dataclasses import replace

from catalog.exchange.model import MASK, OAuth2Config, ProviderConfig, ServerConfig, VariableConfig
from catalog.exchange.moves import origin
from catalog.exchange.planning import Item, plan
from catalog.exchange.wording import groups, masked_line, move_line
from tests.catalog.exchange_samples import CITY, GET_WEATHER, NOTES, REPORT, SAMPLE, WEATHER, with_weather

ENTERED = {"API_TOKEN"}


def _moves(current: ServerConfig, wanted: ServerConfig) -> list[str]:
    return [move_line(each) for each in plan(current, wanted, entered=ENTERED).moves]


def test_a_server_like_the_document_has_nothing_to_do() -> None:
    found = plan(SAMPLE, replace(SAMPLE, slug="other", version=99), entered=ENTERED)
    assert found.is_empty
    assert (found.missing, found.moves) == ((), ())
    assert found.unchanged == 1 + 2 + 2 + 2 + 3 + 1


def test_what_is_created_changed_and_removed_is_named_with_its_fields() -> None:
    tools = (replace(GET_WEATHER, path="/towns/{city}", title=""), replace(REPORT, name="summary"))
    found = plan(SAMPLE, replace(with_weather(tools=tools), instructions="Other."), entered=ENTERED)
    assert found.created == (Item("tool", "summary", "Weather"),)
    assert found.changed == (
        Item("server", SAMPLE.name, fields=("instructions",)),
        Item("tool", "getWeather", "Weather", ("path", "title")),
    )
    assert found.removed == (Item("tool", "report", "Weather"),)


def test_a_provider_in_another_case_is_the_same_one_renamed() -> None:
    found = plan(SAMPLE, with_weather(name="WEATHER"), entered=ENTERED)
    assert found.changed == (Item("provider", "WEATHER", fields=("name",)),)
    assert (found.created, found.removed) == ((), ())


def test_a_tool_in_another_provider_is_the_same_one_moved() -> None:
    moved = replace(NOTES, base_url=WEATHER.base_url, tools=(REPORT,))
    wanted = replace(SAMPLE, providers=(moved, replace(WEATHER, tools=(GET_WEATHER,))))
    found = plan(SAMPLE, wanted, entered=ENTERED)
    assert Item("tool", "report", "notes", ("provider",)) in found.changed
    assert (found.created, found.removed) == ((), ())


def test_the_order_of_members_counts_and_one_is_not_true() -> None:
    turned = {name: CITY[name] for name in reversed(list(CITY))}
    changed = replace(GET_WEATHER, path_schema=turned)
    assert plan(SAMPLE, with_weather(tools=(changed, REPORT))).changed[0].fields == ("pathArguments",)
    one, true = ({"type": "object", "x": value} for value in (1, True))
    here, wanted = (with_weather(tools=(replace(REPORT, body_schema=schema),)) for schema in (one, true))
    assert plan(here, wanted).changed[0].fields == ("body",)


def test_masked_values_become_what_is_stored() -> None:
    here = with_weather(
        oauth2=OAuth2Config("https://login.weather.example/token", "literal-id", "${API_TOKEN}"),
        tools=(replace(REPORT, headers={"X-Tenant": "acme"}),),
    )
    wanted = with_weather(
        oauth2=OAuth2Config("https://login.weather.example/token", MASK, "${API_TOKEN}"),
        tools=(replace(REPORT, headers={"X-Tenant": MASK}),),
    )
    found = plan(here, wanted, entered=ENTERED)
    assert found.is_empty
    assert found.missing == ()
    assert found.resolved.providers == here.providers


def test_masked_values_that_are_not_stored_are_named_and_stay_empty() -> None:
    wanted = with_weather(
        oauth2=OAuth2Config("https://login.weather.example/token", MASK, MASK),
        tools=(replace(REPORT, headers={"X-Tenant": MASK}),),
    )
    found = plan(None, wanted)
    assert [masked_line(each) for each in found.missing] == [
        "Variable API_TOKEN: its value",
        "Provider Weather: the OAuth2 client id",
        "Provider Weather: the OAuth2 client secret",
        "Tool report of Weather: the header X-Tenant",
    ]
    assert MASK not in str(found.resolved.providers)


def test_a_base_url_at_another_host_is_a_move_and_another_path_is_not() -> None:
    assert _moves(SAMPLE, with_weather(base_url="https://API.weather.example:443/v2")) == []
    assert _moves(SAMPLE, with_weather(base_url="https://evil.example/v1")) == [
        "Provider Weather, base URL: https://api.weather.example → https://evil.example"
    ]
    assert _moves(SAMPLE, with_weather(base_url="http://api.weather.example/v1")) == [
        "Provider Weather, base URL: https://api.weather.example → http://api.weather.example"
    ]
    assert _moves(SAMPLE, with_weather(base_url="https://api.weather.example@evil.example/v1")) == [
        "Provider Weather, base URL: https://api.weather.example → https://evil.example"
    ]


def test_a_variable_that_leads_elsewhere_is_a_move() -> None:
    by_name = with_weather(base_url="https://${HOST}/v1")
    here = replace(by_name, variables=(*SAMPLE.variables, VariableConfig("HOST", value="api.weather.example")))
    wanted = replace(by_name, variables=(*SAMPLE.variables, VariableConfig("HOST", value="evil.example")))
    assert _moves(here, wanted) == ["Provider Weather, base URL: https://api.weather.example → https://evil.example"]


def test_a_variable_that_is_not_in_the_file_stays_what_it_is() -> None:
    by_name = with_weather(base_url="https://${HOST}/v1")
    here = replace(by_name, variables=(*SAMPLE.variables, VariableConfig("HOST", value="api.weather.example")))
    assert _moves(here, by_name) == []


def test_a_variable_that_leads_elsewhere_what_is_not_in_the_file_is_a_move() -> None:
    by_name = with_weather(base_url="https://${HOST}/v1")
    here = replace(by_name, variables=(*SAMPLE.variables, VariableConfig("HOST", value="api.weather.example")))
    wanted = replace(SAMPLE, variables=(VariableConfig("HOST", value="evil.example"),), providers=())
    assert _moves(here, wanted) == ["Provider Weather, base URL: https://api.weather.example → https://evil.example"]


def test_a_token_url_at_another_host_is_a_move() -> None:
    assert WEATHER.oauth2 is not None
    moved = replace(WEATHER.oauth2, token_url="https://evil.example/token")
    assert _moves(SAMPLE, with_weather(oauth2=moved)) == [
        "Provider Weather, token URL: https://login.weather.example → https://evil.example"
    ]


def test_a_tool_that_goes_to_a_provider_elsewhere_is_a_move() -> None:
    evil = ProviderConfig("evil", base_url="https://evil.example", tools=(REPORT,))
    wanted = replace(SAMPLE, providers=(evil, NOTES, replace(WEATHER, tools=(GET_WEATHER,))))
    assert _moves(SAMPLE, wanted) == ["Tool report, provider: https://api.weather.example → https://evil.example"]


def test_a_secret_that_may_go_to_more_hosts_is_a_move_and_to_fewer_is_not() -> None:
    token = SAMPLE.variables[0]
    more = replace(SAMPLE, variables=(replace(token, hosts=(*token.hosts, "evil.example")), SAMPLE.variables[1]))
    assert _moves(SAMPLE, more) == [
        "Variable API_TOKEN, hosts: api.weather.example → api.weather.example, evil.example"
    ]
    assert _moves(more, SAMPLE) == []
    assert plan(SAMPLE, more, entered=()).moves == ()  # nothing has been entered that could be sent


def test_a_secret_that_may_go_over_plain_http_too_is_a_move() -> None:
    token = SAMPLE.variables[0]
    plain = f"http://{token.hosts[0]}"
    more = replace(SAMPLE, variables=(replace(token, hosts=(*token.hosts, plain)), SAMPLE.variables[1]))
    assert _moves(SAMPLE, more) == [f"Variable API_TOKEN, hosts: {token.hosts[0]} → {token.hosts[0]}, {plain}"]


def test_a_new_server_moves_nothing() -> None:
    assert plan(None, SAMPLE).moves == ()


def test_an_address_that_is_none_is_compared_as_it_is_written() -> None:
    assert origin("${BASE}/v1", {}) == "${BASE}/v1"
    assert origin("https://a.example:x/", {}) == "https://a.example:x/"
    assert origin("https://[::1]:8443/a", {}) == "https://::1:8443"
    assert origin("", {}) == ""


def test_long_lists_are_cut_and_counted() -> None:
    items = [Item("tool", f"tool{number}") for number in range(1_500)]
    (group,) = groups(items)
    assert (group.label, len(group.lines), group.more) == ("1,500 tools", 200, 1_300)
