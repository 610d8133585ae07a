"""Real-time recommendation, autonomous: peers react in parallel and message each other; nobody leads."""

from __future__ import annotations

from dataclasses import replace

from generator import catalogue
from generator.catalogue import GEMINI_FLASH, GPT_4O_MINI, HOUSE_RANKER
from generator.otlp import Resource
from generator.run import Run, Step


def recommendations(run: Run) -> None:
    """Two or three peers look at a shopper at once; the fastest to find something messages the ranker."""
    catalog = replace(run.resource, service="catalog-agents")
    with run.workflow("recommendations") as workflow:
        peers = ["taste", "stock", "trends"] if run.chance(0.4) else ["taste", "stock"]
        for peer in workflow.in_parallel(peers):
            match peer:
                case "taste":
                    _taste(workflow, catalog)
                case "stock":
                    _stock(workflow, catalog)
                case "trends":
                    _trends(workflow)


def _taste(workflow: Step, catalog: Resource) -> None:
    with workflow.agent("taste") as taste:
        taste.retrieve("purchase_vectors", documents=2)
        if taste.run.chance(0.45):
            taste.chat(GPT_4O_MINI, 620, 45, wants_tool=True)
        with taste.hand_off("ranker") as handoff:
            _ranker(handoff, catalog)


def _ranker(handoff: Step, catalog: Resource) -> None:
    with handoff.agent("ranker", catalog) as ranker:
        ranker.use(catalogue.SCORE_ITEMS)
        model = HOUSE_RANKER if ranker.run.chance(0.1) else GEMINI_FLASH
        ranker.chat(model, 1400, 60, streamed=model is GEMINI_FLASH, says=True)


def _stock(workflow: Step, catalog: Resource) -> None:
    with workflow.agent("stock", catalog) as stock:
        reachable = stock.use(catalogue.CHECK_STOCK)
        if reachable and stock.run.chance(0.3):
            with stock.hand_off("taste"):
                stock.spend(3)


def _trends(workflow: Step) -> None:
    with workflow.agent("trends") as trends:
        trends.remember("search_memory", "trend_board")
        trends.chat(GEMINI_FLASH, 480, 40)
