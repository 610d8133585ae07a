/* Spans packed into lanes: below what started them, beside what had ended by then. What runs at once stands apart. */

const LANE_MOST_BARS = 4000;

function lanesOf(trace) {
  const ends = [];
  const lanes = [];
  walk(trace.roots, (span) => {
    const above = trace.byId.get(span.parent);
    let lane = above?.lane !== undefined && above !== span ? above.lane + 1 : 0;
    while ((ends[lane] ?? -Infinity) > span.offset + 0.001) lane += 1;
    span.lane = lane;
    ends[lane] = Math.max(endOf(span), span.offset + trace.width / 2000);
    (lanes[lane] ??= []).push(span);
  });
  return Array.from(lanes, (spans) => spans ?? []);
}

function drawLanes(view, from, to) {
  const { trace } = view;
  const nodes = [];
  for (let lane = from; lane < Math.min(to, view.lanes.length); lane++) {
    for (const span of view.lanes[lane]) {
      if (nodes.length >= LANE_MOST_BARS) break;
      nodes.push(laneBar(view, trace, span, lane));
    }
  }
  view.field.replaceChildren(...nodes);
}

function laneBar(view, trace, span, lane) {
  const [sign, kind] = KINDS[span.kind] ?? ["○", "other"];
  const bar = element("div", `packed ${kind}`);
  bar.style.top = `${lane * ROW}px`;
  bar.style.left = `${((span.offset - trace.from) / trace.width) * 100}%`;
  bar.style.width = `${Math.max(((endOf(span) - span.offset) / trace.width) * 100, 0.15)}%`;
  bar.classList.toggle("chosen", span.id === view.selected);
  bar.classList.toggle("failed", Boolean(span.error));
  bar.classList.toggle("open", span.open);
  bar.classList.toggle("dim", view.dims && !span.critical);
  bar.append(element("span", "", `${span.error ? "✕ " : ""}${sign} ${span.name ?? "–"}`));
  bar.title = `${span.name ?? ""}\n${[span.durationText, span.tokens && `${span.tokens} tokens`, span.cost, span.error].filter(Boolean).join(" · ")}`;
  bar.onclick = () => { select(view, span); view.body.focus({ preventScroll: true }); };
  return bar;
}
