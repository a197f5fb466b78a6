"""Drives a running server with the official client, as its users do. The base URL is the argument."""

import sys
import time

from openai import BadRequestError, NotFoundError, OpenAI

client = OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
LOOK = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": False}


def models():
    names = [model.id for model in client.models.list()]
    assert "up" in names, names
    assert client.models.retrieve("up/other").id == "up/other"


def create_and_continue():
    first = client.responses.create(model="up", input="one", instructions="be brief", metadata={"k": "v"})
    assert (first.status, first.output_text) == ("completed", "answer to one"), first
    assert (first.instructions, first.metadata) == ("be brief", {"k": "v"})
    second = client.responses.create(model="up", input="two", previous_response_id=first.id)
    assert (second.output_text, second.previous_response_id) == ("answer to two", first.id)
    items = client.responses.input_items.list(second.id)
    assert [item.content[0].text for item in items] == ["two"]


def stream_helper_and_resume():
    with client.responses.stream(model="up", input="three words here") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert final.output_text == "answer to three words here"
    numbers = [event.sequence_number for event in events]
    assert numbers == list(range(len(numbers))), numbers
    for cut in range(len(events) - 1):
        rest = list(client.responses.retrieve(final.id, stream=True, starting_after=cut))
        assert [(event.type, event.sequence_number) for event in rest] == [
            (event.type, event.sequence_number) for event in events[cut + 1 :]
        ]
    assert rest[-1].response.output_text == final.output_text


def background_and_cancel():
    conversation = client.conversations.create().id
    slow = client.responses.create(model="up", conversation=conversation, input="slowly", background=True)
    waiting = client.responses.create(model="up", conversation=conversation, input="four", background=True)
    assert (slow.status, waiting.status) in [("in_progress", "queued"), ("queued", "queued")], (slow, waiting)
    assert client.responses.cancel(slow.id).status == "cancelled"
    while waiting.status in ("queued", "in_progress"):
        time.sleep(0.02)
        waiting = client.responses.retrieve(waiting.id)
    assert waiting.output_text == "answer to four"


def conversations_and_items():
    conversation = client.conversations.create(metadata={"topic": "demo"})
    for text in ["a", "b", "c"]:
        client.responses.create(model="up", conversation=conversation.id, input=text)
    items = list(client.conversations.items.list(conversation.id, limit=2, order="asc"))
    assert [item.content[0].text for item in items] == ["a", "answer to a", "b", "answer to b", "c", "answer to c"]
    assert client.conversations.items.retrieve(items[1].id, conversation_id=conversation.id) == items[1]
    assert client.conversations.update(conversation.id, metadata={"topic": "x"}).metadata == {"topic": "x"}
    assert client.conversations.delete(conversation.id).deleted
    refused(NotFoundError, "conversation_not_found", lambda: client.conversations.retrieve(conversation.id))


def function_call():
    first = client.responses.create(model="up", input="use tools", tools=[LOOK])
    (call,) = [item for item in first.output if item.type == "function_call"]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "a cat"}
    second = client.responses.create(model="up", input=[output], previous_response_id=first.id, tools=[LOOK])
    assert second.output_text == "the tool said a cat", second


def errors():
    unknown = lambda: client.responses.create(model="up", input="x", previous_response_id="resp_0")
    refused(BadRequestError, "previous_response_not_found", unknown)
    refused(BadRequestError, "unsupported_parameter", lambda: client.responses.create(model="up", input="x", service_tier="flex"))


def refused(kind, code, act):
    try:
        act()
    except kind as error:
        assert error.code == code, error
    else:
        raise AssertionError(f"{code} was expected")


STORIES = [
    models,
    create_and_continue,
    stream_helper_and_resume,
    background_and_cancel,
    conversations_and_items,
    function_call,
    errors,
]

for story in STORIES:
    story()
    print("ok", story.__name__)
