"""Drives a running server with OpenAI's agents library, as its users do. The base URL is the argument."""

import asyncio
import sys

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
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


async def an_output_of_a_type():
    class Weather(BaseModel):
        city: str
        degrees: int

    typed = Agent(name="typed", model=model, output_type=Weather)
    assert (await Runner.run(typed, "as json")).final_output == Weather(city="Oslo", degrees=-3)


STORIES = [a_chain_of_responses, a_chain_that_is_streamed, a_conversation_of_the_servers, an_output_of_a_type]


async def main():
    for story in STORIES:
        await story()
        print("ok", story.__name__)


asyncio.run(main())
