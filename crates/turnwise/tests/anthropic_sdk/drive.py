"""Drives a running server with Anthropic's official client, as its users do. The argument is OpenAI's base URL: theirs is
without the version."""

import sys

import anthropic
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import BaseModel, TypeAdapter

client = anthropic.Anthropic(base_url=sys.argv[1].removesuffix("/v1"), api_key="none", max_retries=0)
LOOK = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
MOST = {"model": "up", "max_tokens": 99}


class Weather(BaseModel):
    city: str
    degrees: int


def user(text):
    return {"role": "user", "content": text}


def create():
    raw = client.messages.with_raw_response.create(**MOST, system="be brief", messages=[user("one")])
    message = Message.model_validate_json(raw.text(), strict=True)
    assert [block.text for block in message.content] == ["answer to one"], message
    assert (message.stop_reason, message.model) == ("end_turn", "up"), message
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0, message
    assert raw.headers["request-id"]


def stream():
    events = list(client.messages.create(**MOST, messages=[user("three words here")], stream=True))
    adapter = TypeAdapter(RawMessageStreamEvent)
    for event in events:
        adapter.validate_python(event.to_dict(), strict=True)
    kinds = [event.type for event in events]
    assert kinds[:2] == ["message_start", "content_block_start"], kinds
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"], kinds


def stream_helper():
    with client.messages.stream(**MOST, messages=[user("two words")]) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    assert text == "answer to two words" == final.content[0].text, final
    assert final.stop_reason == "end_turn" and final.usage.input_tokens > 0 and final.usage.output_tokens > 0, final


def thinking():
    asked = {**MOST, "thinking": {"type": "enabled", "budget_tokens": 1024}, "messages": [user("think")]}
    thought, said = client.messages.create(**asked).content
    assert (thought.thinking, said.text) == ("let me think", "well thought")
    with client.messages.stream(**asked) as events:
        assert [block.type for block in events.get_final_message().content] == ["thinking", "text"]
    (said,) = client.messages.create(**{**asked, "thinking": {"type": "disabled"}}).content
    assert said.text == "well thought"


def ends():
    refused = client.messages.create(**MOST, messages=[user("refuse")])
    assert (refused.stop_reason, refused.content[0].text) == ("refusal", "I will not"), refused
    cut = client.messages.create(**MOST, messages=[user("break off")])
    assert (cut.stop_reason, cut.content[0].text) == ("max_tokens", "not all"), cut


def structured_output():
    parsed = client.messages.parse(**MOST, messages=[user("as json")], output_format=Weather).parsed_output
    assert parsed == Weather(city="Oslo", degrees=-3), parsed


def tools():
    history = [user("use tools")]
    first = client.messages.create(**MOST, messages=history, tools=[LOOK], tool_choice={"type": "any"})
    assert first.stop_reason == "tool_use", first
    call = first.content[-1]
    assert (call.name, call.input) == ("look", {"where": "here"}), call
    with client.messages.stream(**MOST, messages=history, tools=[LOOK]) as events:
        streamed = events.get_final_message()
    assert streamed.content[-1].input == call.input and streamed.stop_reason == "tool_use", streamed
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "a cat"}]}
    history += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = client.messages.create(**MOST, messages=history, tools=[LOOK])
    assert second.content[0].text == "the tool said a cat", second


def sessions():
    headers = {"X-Turnwise-Session": "from-messages"}
    raw = client.messages.with_raw_response.create(**MOST, messages=[user("first")], extra_headers=headers)
    assert raw.headers["x-turnwise-session"] == "from-messages"
    recall = client.messages.create(**MOST, messages=[user("recall")], extra_headers=headers)
    assert recall.content[0].text == "user: first\nassistant: answer to first\nuser: recall", recall


def tokens():
    count = client.messages.count_tokens(model="up", messages=[user("hi")], system="be brief", tools=[LOOK])
    assert count.input_tokens > client.messages.count_tokens(model="up", messages=[user("hi")]).input_tokens > 0


def models():
    (model,) = [model for model in client.models.list() if model.id == "up"]
    assert (model.type, model.display_name) == ("model", "up") and model.created_at.year >= 2025, model
    assert client.models.retrieve("up").id == "up"


def errors():
    ask = lambda **fields: lambda: client.messages.create(**{**MOST, "messages": [user("x")], **fields})
    refused(anthropic.NotFoundError, "not_found_error", ask(model="claude-opus-5"))
    refused(anthropic.BadRequestError, "invalid_request_error", ask(messages=[]))
    refused(anthropic.BadRequestError, "invalid_request_error", ask(extra_body={"mcp_servers": []}))
    refused(anthropic.RequestTooLargeError, "request_too_large", ask(messages=[user("x" * (5 << 20))]))
    refused(anthropic.InternalServerError, "api_error", ask(messages=[user("fail")]))
    refused(anthropic.APIStatusError, "api_error", lambda: list(ask(messages=[user("break")], stream=True)()))


def refused(kind, name, act):
    try:
        act()
    except kind as error:
        assert error.body["error"]["type"] == name and error.body["request_id"], error.body
    else:
        raise AssertionError(f"{name} was expected")


STORIES = [create, stream, stream_helper, thinking, ends, structured_output, tools, sessions, tokens, models, errors]

for story in STORIES:
    story()
    print("ok", story.__name__)
