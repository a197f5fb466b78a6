"""OpenAI's own description as the judge: everything that a server answers to the official client is held against the
client's types, more strictly than the client does by itself, which takes any shape. A type that is not known, a field
that is missing or of another kind, and a field that OpenAI does not have are all errors."""

import json
import re
from typing import List, Literal, Optional

import httpx2
from openai.types import Model
from openai.types.conversations import (
    Conversation,
    ConversationDeletedResource,
    ConversationItem,
    ConversationItemList,
)
from openai.types.responses import (
    CompactedResponse,
    InputTokenCountResponse,
    Response,
    ResponseItem,
    ResponseItemList,
    ResponseStreamEvent,
)
from openai.types.shared import ErrorObject
from pydantic import BaseModel, TypeAdapter


class Models(BaseModel):
    object: str
    data: List[Model]


class Compacted(CompactedResponse):
    """The client's type says that all of it was said by the model; its description, that users' messages come first."""

    output: List[ResponseItem]


class Items(ConversationItemList):
    """An empty list has no first item and no last one, and OpenAI's own lists then answer null."""

    first_id: Optional[str]
    last_id: Optional[str]

    def model_post_init(self, context):
        assert (self.first_id is None) == (self.last_id is None) == (not self.data), self


class Deleted(BaseModel):
    """The client reads nothing of it, and has no type for it."""

    id: str
    object: Literal["response"]
    deleted: Literal[True]


class Refusal(BaseModel):
    error: ErrorObject


WHAT = [
    ("GET", r"/models", Models),
    ("GET", r"/models/.+", Model),
    ("POST", r"/responses", Response),
    ("POST", r"/responses/input_tokens", InputTokenCountResponse),
    ("POST", r"/responses/compact", Compacted),
    ("GET", r"/responses/[^/]+", Response),
    ("DELETE", r"/responses/[^/]+", Deleted),
    ("POST", r"/responses/[^/]+/cancel", Response),
    ("GET", r"/responses/[^/]+/input_items", ResponseItemList),
    ("POST", r"/conversations", Conversation),
    ("GET|POST", r"/conversations/[^/]+", Conversation),
    ("DELETE", r"/conversations/[^/]+", ConversationDeletedResource),
    ("GET|POST", r"/conversations/[^/]+/items", Items),
    ("GET", r"/conversations/[^/]+/items/[^/]+", ConversationItem),
    ("DELETE", r"/conversations/[^/]+/items/[^/]+", Conversation),
]

KNOWN_BESIDES = {
    # Required by the Open Responses specification.
    "Response.store",
    "Response.presence_penalty",
    "Response.frequency_penalty",
    # Required by the types of OpenAI's client for Node.
    "ResponseFunctionCallArgumentsDoneEvent.name",
    # In every error of ours that has a turn.
    "ErrorObject.turn_id",
    # What Anthropic's clients look for: a model is listed once for all.
    *(f"Model.{name}" for name in ("type", "display_name", "created_at", "lifecycle")),
}


class Judge(httpx2.BaseTransport):
    """Lets everything through as it comes, and looks at it when it has come."""

    def __init__(self):
        self.transport = httpx2.HTTPTransport()
        self.events = set()
        self.unseen = {what[:2] for what in WHAT}

    def handle_request(self, request):
        response = self.transport.handle_request(request)
        response.stream = Overheard(response.stream, lambda body: self.judge(request, response, body))
        return response

    def judge(self, request, response, body):
        path = request.url.path.removeprefix("/v1")
        if response.headers["content-type"].startswith("text/event-stream"):
            return self.judge_stream(body.decode())
        if response.status_code >= 400:
            return check(Refusal, json.loads(body))
        (what,) = [what for what in WHAT if re.fullmatch(what[0], request.method) and re.fullmatch(what[1], path)]
        self.unseen.discard(what[:2])
        check(what[2], json.loads(body))

    def judge_stream(self, text):
        frames = text.split("\n\n")
        if text.endswith("data: [DONE]\n\n"):
            frames = frames[:-2]
        else:
            frames.pop()  # The client left in the middle.
        for frame in frames:
            name, data = frame.split("\n")
            event = json.loads(data.removeprefix("data: "))
            assert name == "event: " + event["type"], frame
            check(ResponseStreamEvent, event)
            self.events.add(event["type"])


class Overheard(httpx2.SyncByteStream):
    def __init__(self, stream, judge):
        self.stream, self.judge, self.heard = stream, judge, b""

    def __iter__(self):
        for chunk in self.stream:
            self.heard += chunk
            yield chunk

    def close(self):
        self.stream.close()
        judge, self.judge = self.judge, lambda body: None
        judge(self.heard)


def check(kind, value):
    found = TypeAdapter(kind).validate_python(value, strict=True)
    unknown = set(fields_unknown_to_openai(found)) - KNOWN_BESIDES
    assert not unknown, f"OpenAI has no {unknown} in {json.dumps(value)}"


def fields_unknown_to_openai(value):
    if isinstance(value, BaseModel):
        yield from (f"{type(value).__name__}.{name}" for name in value.model_extra or {})
        value = dict(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from fields_unknown_to_openai(part)
