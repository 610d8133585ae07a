"""Who called whom: agents, tools and services as cards, calls as arrows with counts and failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from spandeck_dashboard import formats
from spandeck_dashboard.components import part, sent
from spandeck_dashboard.layered import Size, layered

_render = part("topology")

_ACTOR: Size = (206, 74)
_TOOL: Size = (178, 52)
_LABEL: Size = (62, 20)
_WORDS = {"agent": ("run", "runs"), "service": ("call", "calls"), "tool": ("call", "calls")}


def topology(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    key: str,
    label: str,
    on_open: Callable[[str], None],
    height: str = "max(360px, calc(100vh - 276px))",
) -> None:
    """Draw rows of nodes and edges (see `sql/trace_topology_*.sql`); `on_open` is called back with a node's id.

    `height` is a CSS length.
    """
    sizes = {str(row["node_id"]): _TOOL if row["node_kind"] == "tool" else _ACTOR for row in nodes.to_dict("records")}
    pairs = list(zip(edges["source_id"].astype(str), edges["target_id"].astype(str), strict=True))
    layout = layered(sizes, pairs, _LABEL)
    data = {
        "label": label,
        "room": height,
        "width": round(layout.size[0]),
        "height": round(layout.size[1]),
        "nodes": [_node(row, sizes, layout.nodes) for row in nodes.to_dict("records")],
        "edges": [
            _edge(row) | {"points": _rounded(layout.edges[pair]), "at": _rounded([layout.labels[pair]])[0]}
            for row, pair in zip(edges.to_dict("records"), pairs, strict=True)
            if pair in layout.edges
        ],
    }
    _render(data=data, key=key, on_open_change=lambda: on_open(str(sent(key, "open"))))


def _node(row: dict[Any, Any], sizes: dict[str, Size], places: dict[str, tuple[float, float]]) -> dict[str, Any]:
    node_id, kind = str(row["node_id"]), str(row["node_kind"])
    (x, y), (wide, high) = places[node_id], sizes[node_id]
    calls = f"{formats.count(row['call_count'])} {_WORDS[kind][formats.number(row['call_count']) != 1]}"
    cost = "" if kind == "tool" else _cost(row["cost_usd"], row["unpriced_call_count"])
    p95 = "" if formats.is_unknown(row["p95_ms"]) else f"p95 {formats.duration(row['p95_ms'])}"
    return {
        "id": node_id,
        "kind": kind,
        "name": formats.first_line(row["name"], 120),
        "facts": formats.sentence_list((cost, calls, p95) if kind != "tool" else (calls, p95)),
        "share": None if kind == "tool" else formats.number(row["cost_share"]) or 0,
        "shareText": formats.ratio(row["cost_share"]),
        "errors": int(row["error_count"] or 0),
        "box": [round(x - wide / 2, 1), round(y - high / 2, 1), wide, high],
    }


def _edge(row: dict[Any, Any]) -> dict[str, Any]:
    errors = int(row["error_count"])
    return {
        "source": str(row["source_id"]),
        "target": str(row["target_id"]),
        "kind": str(row["kind"]),
        "calls": f"{formats.count(row['call_count'])}×",  # noqa: RUF001
        "errors": errors,
        "weight": round(float(row["share_of_busiest"]), 3),
        "hint": formats.sentence_list(
            (
                str(row["kind"]),
                f"{formats.whole(row['call_count'])} calls",
                f"{errors} failed" if errors else "",
                "" if formats.is_unknown(row["p95_ms"]) else f"p95 {formats.duration(row['p95_ms'])}",
            )
        ),
    }


def _cost(usd: Any, unpriced: Any) -> str:
    if formats.is_unknown(usd):
        return "no price" if formats.number(unpriced) else ""
    return formats.money(usd) + (" + ?" if formats.number(unpriced) else "")


def _rounded(points: list[tuple[float, float]]) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in points]
