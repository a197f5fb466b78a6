"""Drives a running server with the official client, as its users do. The base URL is the argument."""

import sys
import time

import httpx2
from judge import Judge
from openai import BadRequestError, InternalServerError, NotFoundError, OpenAI
from pydantic import BaseModel

judge = Judge()
client = OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0, http_client=httpx2.Client(transport=judge))
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
    assert client.responses.retrieve(second.id) == second
    assert texts(client.responses.input_items.list(second.id)) == ["two"]


def input_items_page_by_page():
    said = [f"line {n}" for n in range(25)]
    response = client.responses.create(model="up", input=[{"role": "user", "content": line} for line in said])
    assert texts(client.responses.input_items.list(response.id)) == said[::-1]
    assert texts(client.responses.input_items.list(response.id, limit=4, order="asc")) == said


def every_kind_of_input():
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"}
    question = {"role": "user", "content": [{"type": "input_text", "text": "what is it?"}, image]}
    response = client.responses.create(model="up", input=[{"role": "developer", "content": "rules"}, question])
    asked, rules = client.responses.input_items.list(response.id)
    assert (rules.role, rules.content[0].text, asked.content[0].text) == ("system", "rules", "what is it?")
    assert (asked.content[1].image_url, asked.content[1].detail) == (image["image_url"], "low")
    listed = client.conversations.items.list(response.conversation.id, order="asc")
    assert [item.id for item in listed] == [rules.id, asked.id, response.output[0].id]


def plain_stream():
    events = list(client.responses.create(model="up", input="hi there", stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "answer to hi there"
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")


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


def every_kind_of_answer():
    kinds = {"hi": ["message"], "think": ["reasoning", "message"], "refuse": ["message"], "break off": ["message"]}
    kinds["use tools"] = ["reasoning", "function_call"]
    for said, expected in kinds.items():
        with client.responses.stream(model="up", input=said, tools=[LOOK]) as stream:
            events = list(stream)
        final = events[-1].response
        assert [item.type for item in final.output] == expected, final
        assert final.status == ("incomplete" if said == "break off" else "completed"), final
        assert [item.id for item in client.responses.retrieve(final.id).output] == [item.id for item in final.output]
    (failed,) = [event for event in client.responses.create(model="up", input="fail", stream=True) if "failed" in event.type]
    assert (failed.response.status, failed.response.error.code) == ("failed", "invalid_prompt"), failed


def structured_output():
    class Weather(BaseModel):
        city: str
        degrees: int

    parsed = client.responses.parse(model="up", input="as json", text_format=Weather)
    assert parsed.output_parsed == Weather(city="Oslo", degrees=-3), parsed
    with client.responses.stream(model="up", input="as json", text_format=Weather) as stream:
        assert stream.get_final_response().output_parsed == parsed.output_parsed


def background_and_cancel():
    conversation = client.conversations.create().id
    slow = client.responses.create(model="up", conversation=conversation, input="slowly", background=True)
    waiting = client.responses.create(model="up", conversation=conversation, input="four", background=True)
    assert (slow.status, waiting.status) in [("in_progress", "queued"), ("queued", "queued")], (slow, waiting)
    assert client.responses.cancel(slow.id).status == "cancelled"
    patience = time.monotonic() + 20
    while waiting.status in ("queued", "in_progress"):
        assert time.monotonic() < patience, waiting
        time.sleep(0.02)
        waiting = client.responses.retrieve(waiting.id)
    assert waiting.output_text == "answer to four"
    first, second, third = list(client.responses.retrieve(waiting.id, stream=True))[:3]
    assert (first.type, second.type, third.type) == ("response.created", "response.queued", "response.in_progress")


def leave_and_come_back():
    seen = []
    with client.responses.create(model="up", input="slowly", background=True, stream=True) as stream:
        for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
    response, rest = seen[0].response.id, []
    for event in client.responses.retrieve(response, stream=True, starting_after=1):
        rest.append(event)
        if event.sequence_number == seen[-1].sequence_number:
            client.responses.cancel(response)
    assert rest[: len(seen) - 2] == seen[2:], "it went on without its client"
    end = rest[-1]
    assert (end.type, end.response.status, end.response.output_text) == ("response.incomplete", "cancelled", "one "), end


def conversations_and_items():
    conversation = client.conversations.create(metadata={"topic": "demo"})
    assert list(client.conversations.items.list(conversation.id)) == []
    for text in ["a", "b", "c"]:
        last = client.responses.create(model="up", conversation=conversation.id, input=text)
    items = list(client.conversations.items.list(conversation.id, limit=2, order="asc"))
    assert texts(items) == ["a", "answer to a", "b", "answer to b", "c", "answer to c"]
    assert client.conversations.retrieve(conversation.id) == conversation
    for item in items[-1], last.output[0]:
        assert client.conversations.items.retrieve(item.id, conversation_id=conversation.id) == items[-1]
    assert client.conversations.update(conversation.id, metadata={"topic": "x"}).metadata == {"topic": "x"}
    assert client.conversations.delete(conversation.id).deleted
    refused(NotFoundError, "conversation_not_found", lambda: client.conversations.retrieve(conversation.id))


def items_put_into_a_conversation():
    call = {"type": "function_call", "call_id": "call_7", "name": "look", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_7", "output": "a dog"}
    thought = {"type": "reasoning", "id": "rs_elsewhere", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    first = [{"role": "system", "content": "rules"}, {"role": "user", "content": "look"}, thought, call, output]
    conversation = client.conversations.create(items=first).id
    said = [{"type": "output_text", "text": "a dog it is", "annotations": []}]
    more = [{"type": "message", "role": "assistant", "content": said, "status": "completed"}]
    made = client.conversations.items.create(conversation, items=more)
    assert (made.data[0].role, made.data[0].content[0].text, made.has_more) == ("assistant", "a dog it is", False)
    listed = list(client.conversations.items.list(conversation, order="asc"))
    kinds = ["message", "message", "reasoning", "function_call", "function_call_output", "message"]
    assert [item.type for item in listed] == kinds and listed[-1] == made.data[0], listed
    told = ["system: rules", "user: look", "assistant: ", "tool: a dog", "assistant: a dog it is", "user: recall"]
    asked = client.responses.create(model="up", conversation=conversation, input="recall")
    assert asked.output_text.split("\n") == told, asked
    # What was listed can be sent again, as those do who keep the conversation themselves.
    again = [item.to_dict() for item in listed] + [{"role": "user", "content": "recall"}]
    assert client.responses.create(model="up", input=again).output_text.split("\n") == told


def nothing_is_kept():
    conversation = client.conversations.create().id
    client.responses.create(model="up", conversation=conversation, input="one")
    unstored = client.responses.create(model="up", conversation=conversation, input="recall", store=False)
    assert unstored.output_text.split("\n") == ["user: one", "assistant: answer to one", "user: recall"], unstored
    refused(NotFoundError, "response_not_found", lambda: client.responses.retrieve(unstored.id))
    assert len(list(client.conversations.items.list(conversation))) == 2
    counted = client.responses.input_tokens.count(model="up", conversation=conversation, input="recall")
    assert counted.input_tokens > 0
    compacted = client.responses.compact(model="up", input=[{"role": "user", "content": "one"}])
    assert [item.type for item in compacted.output] == ["message", "compaction"], compacted
    onward = [item.to_dict(warnings=False) for item in compacted.output] + [{"role": "user", "content": "recall"}]
    told = client.responses.create(model="up", input=onward).output_text.split("\n")
    assert (told[0], told[-1], len(told) > 2) == ("user: one", "user: recall", True), told


def a_conversation_of_many_items():
    conversation, said = client.conversations.create().id, []
    for n in range(55):
        client.responses.create(model="up", conversation=conversation, input=f"q{n}")
        said += [f"q{n}", f"answer to q{n}"]
    assert texts(client.conversations.items.list(conversation)) == said[::-1]
    for limit in (7, 100):
        assert texts(client.conversations.items.list(conversation, limit=limit, order="asc")) == said, limit


def deletion():
    conversation = client.conversations.create(metadata={"topic": "demo"})
    first = client.responses.create(model="up", conversation=conversation.id, input="use tools", tools=[LOOK])
    output = {"type": "function_call_output", "call_id": first.output[-1].call_id, "output": "a cat"}
    second = client.responses.create(model="up", conversation=conversation.id, input=[output], tools=[LOOK])
    kinds = []
    for item in client.conversations.items.list(conversation.id, limit=1):
        deleted = client.conversations.items.delete(item.id, conversation_id=conversation.id)
        assert deleted == conversation, deleted
        gone = lambda: client.conversations.items.retrieve(item.id, conversation_id=conversation.id)
        refused(NotFoundError, "item_not_found", gone)
        kinds.append(item.type)
    assert kinds == ["message", "function_call_output", "function_call", "reasoning", "message"], kinds
    assert list(client.conversations.items.list(conversation.id)) == []
    third = client.responses.create(model="up", conversation=conversation.id, input="five")
    assert third.output_text == "answer to five", third

    for response in (first, second, third):
        assert client.responses.delete(response.id) is None
        refused(NotFoundError, "response_not_found", lambda: client.responses.retrieve(response.id))
    after = lambda: client.responses.create(model="up", input="x", previous_response_id=third.id)
    refused(BadRequestError, "previous_response_not_found", after, "previous_response_id")
    assert [item.content[0].text for item in client.conversations.items.list(conversation.id)] == ["answer to five", "five"]


def function_call():
    first = client.responses.create(model="up", input="use tools", tools=[LOOK])
    (call,) = [item for item in first.output if item.type == "function_call"]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "a cat"}
    second = client.responses.create(model="up", input=[output], previous_response_id=first.id, tools=[LOOK])
    assert second.output_text == "the tool said a cat", second


def errors():
    create = lambda **fields: lambda: client.responses.create(**{"model": "up", "input": "x", **fields})
    previous = create(previous_response_id="resp_0")
    refused(BadRequestError, "previous_response_not_found", previous, "previous_response_id")
    refused(BadRequestError, "unsupported_parameter", create(service_tier="flex"), "service_tier")
    refused(BadRequestError, "unsupported_tool", create(tools=[{"type": "web_search"}]), "tools[0].type")
    refused(NotFoundError, "model_not_found", create(model="gpt-none"), "model")
    refused(NotFoundError, "conversation_not_found", create(conversation="conv_0"), "conversation")
    refused(NotFoundError, "response_not_found", lambda: client.responses.retrieve("resp_0"))
    refused(InternalServerError, "upstream_rejected", create(input="fail"))


def openai_knows_every_answer():
    """All of the stories before were judged by OpenAI's types; this says that there was something to judge."""
    seen = {event.removeprefix("response.") for event in judge.events}
    spoken = ["output_text", "refusal", "reasoning_text", "function_call_arguments"]
    expected = {f"{voice}.{part}" for voice in spoken for part in ("delta", "done")}
    expected |= {f"{thing}.{part}" for thing in ("output_item", "content_part") for part in ("added", "done")}
    expected |= {"created", "queued", "in_progress", "completed", "incomplete", "failed"}
    assert seen == expected, seen ^ expected
    assert not judge.unseen, judge.unseen


def texts(items):
    return [item.content[0].text for item in items]


def refused(kind, code, act, param=None):
    try:
        act()
    except kind as error:
        assert (error.code, error.param) == (code, param), error
    else:
        raise AssertionError(f"{code} was expected")


STORIES = [
    models,
    create_and_continue,
    input_items_page_by_page,
    every_kind_of_input,
    plain_stream,
    stream_helper_and_resume,
    every_kind_of_answer,
    structured_output,
    background_and_cancel,
    leave_and_come_back,
    conversations_and_items,
    items_put_into_a_conversation,
    nothing_is_kept,
    a_conversation_of_many_items,
    function_call,
    deletion,
    errors,
    openai_knows_every_answer,
]

for story in STORIES:
    story()
    print("ok", story.__name__)
