"""Research, hierarchical: a supervisor directs team leads, each lead directs workers."""

from __future__ import annotations

from generator import catalogue
from generator.catalogue import CLAUDE_SONNET, GPT_4_1, GPT_4O, GPT_4O_MINI, O4_MINI, Tool
from generator.run import Run, Step

_TEAMS: dict[str, tuple[tuple[str, tuple[Tool, ...]], ...]] = {
    "literature_lead": (
        ("search_worker", (catalogue.WEB_SEARCH,)),
        ("reading_worker", (catalogue.FETCH_PAGE, catalogue.FETCH_PAGE)),
    ),
    "data_lead": (
        ("query_worker", (catalogue.RUN_SQL,)),
        ("analysis_worker", (catalogue.RUN_PYTHON,)),
    ),
    "market_lead": (
        ("search_worker", (catalogue.WEB_SEARCH, catalogue.FETCH_PAGE)),
        ("query_worker", (catalogue.RUN_SQL,)),
    ),
}

_LONG_CONTEXT_TOKENS = 132_000
"""Below the 200,000 tokens at which some providers charge more."""


def research(run: Run) -> None:
    """Plan, let two teams work side by side, write the report."""
    with run.agent("research_supervisor") as supervisor:
        supervisor.chat(O4_MINI, 1600, 260, wants_tool=True)
        for lead in supervisor.in_parallel(run.rng.sample(list(_TEAMS), k=2)):
            _lead(supervisor, lead)
        supervisor.chat(GPT_4_1, 6200, 720, streamed=True, says=True)


def runaway_research(run: Run) -> None:
    """The incident of a dear request: one worker reads whole reports into its context, again and again."""
    with run.agent("research_supervisor") as supervisor:
        supervisor.chat(O4_MINI, 1600, 260, wants_tool=True)
        with supervisor.agent("literature_lead") as lead:
            lead.chat(GPT_4_1, 1500, 130, wants_tool=True)
            with lead.agent("reading_worker") as worker:
                for _ in range(6):
                    worker.use(catalogue.FETCH_PAGE, failure_ratio=0)
                    worker.chat(CLAUDE_SONNET, _LONG_CONTEXT_TOKENS, 420, wants_tool=True)
            lead.chat(GPT_4_1, 2600, 260)
        supervisor.chat(GPT_4_1, 6200, 720, streamed=True, says=True)


def _lead(supervisor: Step, name: str) -> None:
    with supervisor.agent(name) as lead:
        lead.chat(GPT_4_1, 1400, 130, wants_tool=True)
        for worker, tools in lead.in_parallel(_TEAMS[name]):
            _worker(lead, worker, tools)
        lead.chat(GPT_4_1, 2600, 240)


def _worker(lead: Step, name: str, tools: tuple[Tool, ...]) -> None:
    model = GPT_4O if name == "analysis_worker" else GPT_4O_MINI
    with lead.agent(name) as worker:
        for tool in tools:
            if not worker.use(tool):
                worker.chat(model, 900, 40, wants_tool=True)
                worker.use(tool, failure_ratio=2 * tool.failure_ratio)
        worker.chat(model, 2100, 160)
