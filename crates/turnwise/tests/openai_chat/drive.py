"""Drives chat completions with the official client, as its users do. The base URL is the argument."""

import sys

from openai import APIError, BadRequestError, InternalServerError, LengthFinishReasonError, NotFoundError, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

client = OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
chat = client.chat.completions
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


class Weather(BaseModel):
    city: str
    degrees: int


def user(text):
    return {"role": "user", "content": text}


def create():
    raw = chat.with_raw_response.create(model="up/other", messages=[user("one")])
    completion = ChatCompletion.model_validate_json(raw.text, strict=True)
    (choice,) = completion.choices
    assert (choice.message.content, choice.finish_reason) == ("answer to one", "stop"), completion
    assert (completion.model, completion.object) == ("up/other", "chat.completion"), completion
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0


def stream():
    options = {"include_usage": True}
    chunks = list(chat.create(model="up", messages=[user("three words here")], stream=True, stream_options=options))
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.to_dict(), strict=True)
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "answer to three words here", text
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0, chunks[-1]


def stream_helper():
    with chat.stream(model="up", messages=[user("two words")]) as events:
        kinds = [event.type for event in events]
        final = events.get_final_completion()
    assert "content.delta" in kinds and kinds[-1] == "content.done", kinds
    assert final.choices[0].message.content == "answer to two words"


def reasoning():
    message = chat.create(model="up", messages=[user("think")]).choices[0].message
    assert (message.reasoning_content, message.content) == ("let me think", "well thought"), message


def refusal():
    message = chat.create(model="up", messages=[user("refuse")]).choices[0].message
    assert (message.refusal, message.content) == ("I will not", None), message


def structured_output():
    parsed = chat.parse(model="up", messages=[user("as json")], response_format=Weather).choices[0].message.parsed
    assert parsed == Weather(city="Oslo", degrees=-3), parsed
    with chat.stream(model="up", messages=[user("as json")], response_format=Weather) as events:
        assert events.get_final_completion().choices[0].message.parsed == parsed
    try:
        chat.parse(model="up", messages=[user("break off")], response_format=Weather)
    except LengthFinishReasonError:
        pass
    else:
        raise AssertionError("an answer that broke off was taken for whole")


def tools():
    history = [user("use tools")]
    first = chat.create(model="up", messages=history, tools=[LOOK], parallel_tool_calls=False)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    (call,) = message.tool_calls
    assert (call.function.name, call.function.arguments) == ("look", '{"where": "here"}'), call
    history += [message, {"role": "tool", "tool_call_id": call.id, "content": "a cat"}]
    second = chat.create(model="up", messages=history, tools=[LOOK])
    assert second.choices[0].message.content == "the tool said a cat", second


def tools_streamed():
    with chat.stream(model="up", messages=[user("use tools")], tools=[LOOK]) as events:
        (call,) = events.get_final_completion().choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("look", '{"where": "here"}'), call


def sessions():
    headers = {"X-Turnwise-Session": "from-chat"}
    raw = chat.with_raw_response.create(model="up", messages=[user("first")], extra_headers=headers)
    assert raw.headers["x-turnwise-session"] == "from-chat"
    assert raw.parse().id == f"chatcmpl-{raw.headers['x-turnwise-turn']}"
    recall = chat.create(model="up", messages=[user("recall")], metadata={"session_id": "from-chat"})
    assert recall.choices[0].message.content == "user: first\nassistant: answer to first\nuser: recall", recall
    # The same session is a conversation of the Responses API.
    again = client.responses.create(model="up", conversation="conv_from-chat", input="recall")
    assert again.output_text.startswith("user: first\nassistant: answer to first\n"), again


def errors():
    refused(NotFoundError, "model_not_found", lambda: chat.create(model="gpt-5", messages=[user("x")]))
    refused(BadRequestError, "unsupported_parameter", lambda: chat.create(model="up", messages=[user("x")], n=2))
    refused(InternalServerError, "upstream_rejected", lambda: chat.create(model="up", messages=[user("fail")]))
    broken = chat.create(model="up", messages=[user("break")], stream=True)
    refused(APIError, "upstream_error", lambda: list(broken))


def refused(kind, code, act):
    try:
        act()
    except kind as error:
        assert error.code == code, error
    else:
        raise AssertionError(f"{code} was expected")


STORIES = [
    create,
    stream,
    stream_helper,
    reasoning,
    refusal,
    structured_output,
    tools,
    tools_streamed,
    sessions,
    errors,
]

for story in STORIES:
    story()
    print("ok", story.__name__)
