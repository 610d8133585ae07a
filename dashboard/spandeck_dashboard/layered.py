"""Where the nodes and edges of a directed graph stand: layers from left to right, few crossings, nothing overlapping.

After Sugiyama: circles are opened, nodes get a layer, edges that cross layers get a place in each, the order within
a layer follows the neighbours, and heights are the least squares that keep every two of a layer apart. The label of an
edge is a place of its own in the layer between two nodes, so that labels never cover nodes or each other.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Size = tuple[float, float]
Point = tuple[float, float]
Edge = tuple[str, str]
_Place = Hashable

_GAP = 22.0
_THREAD_GAP = 12.0
_LAYER_GAP = 26.0
_MARGIN = 10.0
_SWEEPS = 12
_ALIGNMENTS = 8


@dataclass(frozen=True)
class Layout:
    """Centres of the nodes, points of each edge from its source to its target, centres of the labels; px from top left.

    Edges of a node to itself, and to or from an unknown node, are left out.
    """

    nodes: dict[str, Point]
    edges: dict[Edge, list[Point]]
    labels: dict[Edge, Point]
    size: Size


def layered(nodes: Mapping[str, Size], edges: Sequence[Edge], label: Size) -> Layout:
    """Place `nodes` (id to width and height) and the labels of `edges`, each `label` large. Same input, same layout."""
    known = [edge for edge in dict.fromkeys(edges) if edge[0] in nodes and edge[1] in nodes and edge[0] != edge[1]]
    forward = _without_circles(list(nodes), known)
    layers = _layers(list(nodes), [pair for pair, _ in forward])
    graph = _Places(nodes, label)
    for name, layer in layers.items():
        graph.add(name, layer * 2, nodes[name])
    chains = {edge: graph.thread(pair, layers, edge) for pair, edge in forward}
    graph.sort()
    centres = graph.centres()
    points = {edge: [centres[each] for each in _told(chain, edge)] for edge, chain in chains.items()}
    height = max((y + graph.size(p)[1] / 2 for p, (_, y) in centres.items()), default=0.0) + _MARGIN
    return Layout(
        nodes={name: centres[name] for name in nodes},
        edges=_with_ports(points, nodes),
        labels={edge: centres[("label", edge)] for edge in chains},
        size=(graph.width, height),
    )


def _told(chain: list[_Place], edge: Edge) -> list[_Place]:
    return chain if chain[0] == edge[0] else chain[::-1]


def _without_circles(names: list[str], edges: Sequence[Edge]) -> list[tuple[Edge, Edge]]:
    """Each edge as it is laid out, beside the edge itself: those that close a circle are turned round."""
    targets: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        targets[source].append(target)
    called = {target for _, target in edges}
    state: dict[str, int] = {}
    turned: set[Edge] = set()
    for root in sorted(names, key=lambda name: name in called):
        stack = [(root, iter(targets[root]))] if root not in state else []
        state.setdefault(root, 1)
        while stack:
            name, rest = stack[-1]
            target = next(rest, "")
            if not target:
                state[name] = 2
                stack.pop()
            elif state.get(target) == 1:
                turned.add((name, target))
            elif target not in state:
                state[target] = 1
                stack.append((target, iter(targets[target])))
    return [((edge[1], edge[0]) if edge in turned else edge, edge) for edge in edges]


def _layers(names: list[str], edges: Iterable[Edge]) -> dict[str, int]:
    """The longest way from a source to each node; a source stands just before what it calls."""
    before: dict[str, set[str]] = defaultdict(set)
    after: dict[str, set[str]] = defaultdict(set)
    for source, target in edges:
        before[target].add(source)
        after[source].add(target)
    layers: dict[str, int] = {}
    ready = [name for name in names if not before[name]]
    missing = {name: len(before[name]) for name in names}
    for name in ready:
        layers[name] = max((layers[each] + 1 for each in before[name]), default=0)
        for target in sorted(after[name]):
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    for name in names:
        if after[name] and not before[name]:
            layers[name] = min(layers[each] for each in after[name]) - 1
    return layers


class _Places:
    """Everything that stands in a layer: nodes, labels, and the threads of edges that pass through."""

    def __init__(self, nodes: Mapping[str, Size], label: Size) -> None:
        self._nodes = nodes
        self._label = label
        self._sizes: dict[_Place, Size] = {}
        self._layers: dict[int, list[_Place]] = defaultdict(list)
        self._before: dict[_Place, list[_Place]] = defaultdict(list)
        self._after: dict[_Place, list[_Place]] = defaultdict(list)
        self.width = 0.0

    def add(self, place: _Place, layer: int, size: Size) -> None:
        self._layers[layer].append(place)
        self._sizes[place] = size

    def size(self, place: _Place) -> Size:
        return self._sizes[place]

    def thread(self, pair: Edge, layers: Mapping[str, int], edge: Edge) -> list[_Place]:
        """Lead an edge through the layers between its ends; its label is halfway."""
        first, last = layers[pair[0]] * 2, layers[pair[1]] * 2
        middle = (first + last) // 2 | 1
        chain: list[_Place] = [pair[0]]
        for layer in range(first + 1, last):
            place = ("label", edge) if layer == middle else ("thread", edge, layer)
            self.add(place, layer, self._label if layer == middle else (0.0, 0.0))
            chain.append(place)
        chain.append(pair[1])
        for left, right in itertools.pairwise(chain):
            self._after[left].append(right)
            self._before[right].append(left)
        return chain

    def sort(self) -> None:
        """Order every layer by its neighbours, back and forth, and keep the order with the fewest crossings."""
        best, fewest = self._order(), self._crossings()
        for sweep in range(_SWEEPS):
            downwards = sweep % 2 == 0
            around = self._before if downwards else self._after
            for layer in sorted(self._layers, reverse=not downwards):
                at = {place: index for places in self._layers.values() for index, place in enumerate(places)}
                self._layers[layer].sort(key=lambda place: _mean([at[each] for each in around[place]], at[place]))
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = self._order(), crossings
        self._layers.update(best)

    def _order(self) -> dict[int, list[_Place]]:
        return {layer: list(places) for layer, places in self._layers.items()}

    def _crossings(self) -> int:
        at = {place: index for places in self._layers.values() for index, place in enumerate(places)}
        total = 0
        for places in self._layers.values():
            ends = [(at[left], at[right]) for left in places for right in self._after[left]]
            total += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for index, a in enumerate(ends) for b in ends[index + 1 :])
        return total

    def centres(self) -> dict[_Place, Point]:
        """Columns by width, heights by neighbours."""
        across: dict[int, float] = {}
        x = _MARGIN
        for layer in sorted(self._layers):
            wide = max(self._sizes[place][0] for place in self._layers[layer])
            across[layer] = x + wide / 2
            x += wide + _LAYER_GAP
        self.width = x - _LAYER_GAP + _MARGIN if self._layers else 0.0
        down = self._heights()
        return {place: (across[layer], down[place]) for layer, places in self._layers.items() for place in places}

    def _heights(self) -> dict[_Place, float]:
        down: dict[_Place, float] = {}
        for places in self._layers.values():
            down.update(zip(places, self._spread(places, [0.0] * len(places)), strict=True))
        for turn in range(_ALIGNMENTS):
            for layer in sorted(self._layers, reverse=turn % 2 == 1):
                places = self._layers[layer]
                around = [self._before[p] + self._after[p] if turn >= 2 else self._before[p] for p in places]
                wishes = [_mean([down[each] for each in near], down[p]) for p, near in zip(places, around, strict=True)]
                down.update(zip(places, self._spread(places, wishes), strict=True))
        top = min((y - self._sizes[place][1] / 2 for place, y in down.items()), default=0.0)
        return {place: y - top + _MARGIN for place, y in down.items()}

    def _spread(self, places: Sequence[_Place], wishes: Sequence[float]) -> list[float]:
        """The heights nearest to the wishes (least squares) that keep the order and the distances."""
        offsets = [0.0]
        for upper, lower in itertools.pairwise(places):
            gap = _GAP if self._sizes[upper][1] and self._sizes[lower][1] else _THREAD_GAP
            offsets.append(offsets[-1] + (self._sizes[upper][1] + self._sizes[lower][1]) / 2 + gap)
        blocks: list[list[float]] = []
        for wish, offset in zip(wishes, offsets, strict=False):
            blocks.append([wish - offset, 1])
            while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
                mean, count = blocks.pop()
                blocks[-1] = [
                    (blocks[-1][0] * blocks[-1][1] + mean * count) / (blocks[-1][1] + count),
                    blocks[-1][1] + count,
                ]
        flat = [mean for mean, count in blocks for _ in range(int(count))]
        return [each + offset for each, offset in zip(flat, offsets, strict=False)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _with_ports(points: dict[Edge, list[Point]], nodes: Mapping[str, Size]) -> dict[Edge, list[Point]]:
    """Move the ends of edges from the centres of their nodes to ports at the sides, in the order of where they go."""
    sides: dict[tuple[str, int], list[tuple[float, Edge, int]]] = defaultdict(list)
    for edge, line in points.items():
        for end, beyond, name in ((0, 1, edge[0]), (-1, -2, edge[1])):
            side = 1 if line[beyond][0] > line[end][0] else -1
            sides[name, side].append((line[beyond][1], edge, end))
    for (name, side), ends in sides.items():
        wide, high = nodes[name]
        step = min(14.0, (high - 16) / len(ends))
        for index, (_, edge, end) in enumerate(sorted(ends)):
            x, y = points[edge][end]
            points[edge][end] = (x + side * wide / 2, y + (index - (len(ends) - 1) / 2) * step)
    return points
