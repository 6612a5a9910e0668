"""The shared library of the MCP servers: the ledger, and the one function that turns an approval into an effect."""

from local_agent.effects.execute import Answer, Connector, Done, Executor, Policy, Refusal, Unsure, Waiting
from local_agent.effects.ledger import Effect, Ledger, State

__all__ = [
    "Answer",
    "Connector",
    "Done",
    "Effect",
    "Executor",
    "Ledger",
    "Policy",
    "Refusal",
    "State",
    "Unsure",
    "Waiting",
]
