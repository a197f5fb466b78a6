"""Drives a running server with OpenAI's agents library, as its users do. The base URL is the argument."""

import asyncio
import sys

from agents import Agent, OpenAIConversationsSession, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI, NotFoundError
from pydantic import BaseModel

# What it traces, it would send to OpenAI.
set_tracing_disabled(True)
client = AsyncOpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
model = OpenAIResponsesModel(model="up", openai_client=client)
looked = []


@function_tool
def look(where: str) -> str:
    """Says what is to be seen.

    Args:
        where: The place to look at.
    """
    looked.append(where)
    return f"a cat {where}"


agent = Agent(name="looker", instructions="be brief", tools=[look], model=model)
# What the model is sent when it is asked to "recall" at the end of the conversation that each story has.
HISTORY = [
    "system: be brief",
    "user: use tools",
    "assistant: ",
    "tool: a cat here",
    "assistant: the tool said a cat here",
    "user: recall",
]


async def a_chain_of_responses():
    first = await Runner.run(agent, "use tools", auto_previous_response_id=True)
    assert (first.final_output, looked.pop()) == ("the tool said a cat here", "here"), first
    second = await Runner.run(agent, "recall", previous_response_id=first.last_response_id)
    assert second.final_output.split("\n") == HISTORY, second.final_output
    responses = first.raw_responses + second.raw_responses
    chain = [(await client.responses.retrieve(response.response_id)).previous_response_id for response in responses]
    assert chain == [None] + [response.response_id for response in responses[:-1]], chain


async def a_chain_that_is_streamed():
    run = Runner.run_streamed(agent, "use tools", auto_previous_response_id=True)
    raw = [event.data async for event in run.stream_events() if event.type == "raw_response_event"]
    assert (run.final_output, looked.pop()) == ("the tool said a cat here", "here")
    said = [event.delta for event in raw if event.type == "response.output_text.delta"]
    assert "".join(said) == run.final_output
    again = Runner.run_streamed(agent, "recall", previous_response_id=run.last_response_id)
    async for _ in again.stream_events():
        pass
    assert again.final_output.split("\n") == HISTORY, again.final_output


async def a_conversation_of_the_servers():
    conversation = (await client.conversations.create()).id
    first = await Runner.run(agent, "use tools", conversation_id=conversation)
    assert (first.final_output, looked.pop()) == ("the tool said a cat here", "here"), first
    second = await Runner.run(agent, "recall", conversation_id=conversation)
    assert second.final_output.split("\n") == HISTORY, second.final_output


async def a_session_that_the_server_keeps():
    session = OpenAIConversationsSession(openai_client=client)
    first = await Runner.run(agent, "use tools", session=session)
    assert (first.final_output, looked.pop()) == ("the tool said a cat here", "here"), first
    second = await Runner.run(agent, "recall", session=session)
    assert second.final_output.split("\n") == HISTORY, second.final_output

    items = await session.get_items()
    kinds = ["user", "reasoning", "function_call", "function_call_output", "assistant", "user", "assistant"]
    assert [kind(item) for item in items] == kinds, items
    assert items[1]["content"][0]["text"] == "I should look", items
    assert (items[2]["call_id"], items[3]["output"]) == ("call_1", "a cat here"), items
    assert await session.get_items(limit=2) == items[-2:]
    elsewhere = OpenAIConversationsSession(conversation_id=session.session_id, openai_client=client)
    assert await elsewhere.get_items() == items


async def a_session_taken_back():
    session = OpenAIConversationsSession(openai_client=client)
    await Runner.run(agent, "use tools", session=session)
    await Runner.run(agent, "recall", session=session)
    items = await session.get_items()
    looked.pop()
    # Back to before the second question, which is asked again.
    assert [await session.pop_item(), await session.pop_item()] == [items[6], items[5]]
    assert await session.get_items() == items[:5]
    again = await Runner.run(agent, "recall", session=session)
    assert again.final_output.split("\n") == HISTORY, again.final_output
    items = await session.get_items()
    popped = []
    while item := await session.pop_item():
        popped.append(item)
    assert popped == items[::-1] and len(popped) == 7, popped
    conversation = session.session_id
    await session.clear_session()
    try:
        await client.conversations.retrieve(conversation)
    except NotFoundError:
        return
    raise AssertionError("the conversation is still there")


async def a_session_with_a_past():
    """More than one request takes; the second one begins between a function call and its output."""
    session = OpenAIConversationsSession(openai_client=client)
    past = [{"role": "user" if n % 2 == 0 else "assistant", "content": f"line {n}"} for n in range(19)]
    past.append({"type": "function_call", "call_id": "call_7", "name": "look", "arguments": '{"where": "there"}'})
    past.append({"type": "function_call_output", "call_id": "call_7", "output": "a dog"})
    past.append({"role": "assistant", "content": "I saw a dog"})
    await session.add_items(past)
    assert len(await session.get_items()) == 22
    told = (await Runner.run(agent, "recall", session=session)).final_output.split("\n")
    lines = [f"{item['role']}: {item['content']}" for item in past[:19]]
    expected = ["system: be brief", *lines, "assistant: ", "tool: a dog", "assistant: I saw a dog", "user: recall"]
    assert told == expected, told


def kind(item):
    return item["role"] if item["type"] == "message" else item["type"]


async def an_output_of_a_type():
    class Weather(BaseModel):
        city: str
        degrees: int

    typed = Agent(name="typed", model=model, output_type=Weather)
    assert (await Runner.run(typed, "as json")).final_output == Weather(city="Oslo", degrees=-3)


STORIES = [
    a_chain_of_responses,
    a_chain_that_is_streamed,
    a_conversation_of_the_servers,
    a_session_that_the_server_keeps,
    a_session_taken_back,
    a_session_with_a_past,
    an_output_of_a_type,
]


async def main():
    for story in STORIES:
        await story()
        print("ok", story.__name__)


asyncio.run(main())
