"""The laws of the topology's layout, over any graph: nothing overlaps, nothing is lost, equal in, equal out."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandeck_dashboard.layered import Edge, Layout, Point, Size, layered

pytestmark = pytest.mark.unit

LABEL: Size = (60, 20)
NAMES = [f"n{index}" for index in range(9)]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[Edge]]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=9))
    sizes = {name: draw(st.sampled_from([(206.0, 74.0), (178.0, 52.0)])) for name in names}
    edges = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=20))
    return sizes, edges


def boxes(nodes: dict[str, Size], layout: Layout) -> list[tuple[Point, Size]]:
    placed = [(layout.nodes[name], size) for name, size in nodes.items()]
    return placed + [(centre, LABEL) for centre in layout.labels.values()]


@given(graphs())
def test_no_card_and_no_label_covers_another(graph: tuple[dict[str, Size], list[Edge]]) -> None:
    nodes, edges = graph
    for ((x, y), (wide, high)), ((u, v), (w, h)) in combinations(boxes(nodes, layered(nodes, edges, LABEL)), 2):
        assert abs(x - u) >= (wide + w) / 2 - 0.01 or abs(y - v) >= (high + h) / 2 - 0.01


@given(graphs())
def test_every_node_and_every_edge_between_two_has_its_place_on_the_sheet(
    graph: tuple[dict[str, Size], list[Edge]],
) -> None:
    nodes, edges = graph
    layout = layered(nodes, edges, LABEL)
    drawn = {(a, b) for a, b in edges if a != b and a in nodes and b in nodes}
    assert set(layout.nodes) == set(nodes)
    assert set(layout.edges) == set(layout.labels) == drawn
    for (x, y), (wide, high) in boxes(nodes, layout):
        assert wide / 2 <= x <= layout.size[0] - wide / 2
        assert high / 2 <= y <= layout.size[1] - high / 2


@given(graphs())
def test_edges_end_at_the_sides_of_their_nodes_and_pass_their_label(
    graph: tuple[dict[str, Size], list[Edge]],
) -> None:
    nodes, edges = graph
    layout = layered(nodes, edges, LABEL)
    for edge, points in layout.edges.items():
        assert layout.labels[edge] in points
        for name, (x, y) in ((edge[0], points[0]), (edge[1], points[-1])):
            (u, v), (wide, high) = layout.nodes[name], nodes[name]
            assert abs(abs(x - u) - wide / 2) < 0.01
            assert abs(y - v) <= high / 2


@given(graphs())
def test_equal_graphs_are_laid_out_equally(graph: tuple[dict[str, Size], list[Edge]]) -> None:
    assert layered(*graph, LABEL) == layered(*graph, LABEL)


def test_callers_stand_left_of_what_they_call() -> None:
    sizes = dict.fromkeys("abcd", (100.0, 40.0))
    places = layered(sizes, [("a", "b"), ("b", "c"), ("a", "d"), ("d", "c")], LABEL).nodes
    assert places["a"][0] < places["b"][0] == places["d"][0] < places["c"][0]


def test_two_that_call_each_other_get_two_lines_and_two_labels() -> None:
    layout = layered(dict.fromkeys("ab", (100.0, 40.0)), [("a", "b"), ("b", "a")], LABEL)
    assert layout.labels["a", "b"] != layout.labels["b", "a"]
    assert layout.edges["b", "a"][0][0] > layout.edges["b", "a"][-1][0]
