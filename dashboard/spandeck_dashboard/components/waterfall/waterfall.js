const VIEWS = new WeakMap();
const ROW = 28;
const SPARE = 6;
const SELECT_AFTER_MS = 80;
const KINDS = {
  agent: ["◆", "agent"], workflow: ["◆", "agent"], chain: ["◆", "agent"], handoff: ["◆", "agent"],
  llm: ["●", "llm"], embedding: ["●", "llm"], reranker: ["●", "llm"],
  tool: ["■", "tool"], mcp: ["■", "tool"], retriever: ["■", "tool"], memory: ["■", "tool"],
  guardrail: ["▲", "guard"], evaluator: ["▲", "guard"],
};
const LEGEND = [["◆", "agent", "agent"], ["●", "llm", "model"], ["■", "tool", "tool"], ["▲", "guard", "guard"]];

/* ------------------------------------------------------------------ frame */

function build(view, parent) {
  view.root = element("div", "part waterfall");
  view.root.append(toolbar(view), headings(view), bodyOf(view));
  parent.append(view.root);
  view.observer = new ResizeObserver(() => view.trace && paint(view));
  view.observer.observe(view.body);
}

function toolbar(view) {
  const bar = element("div", "bar");
  view.input = element("input");
  view.input.type = "search";
  view.input.placeholder = "Find spans";
  view.input.title = "By name, model, kind or error";
  view.input.setAttribute("aria-label", "Find spans");
  view.input.oninput = () => { view.body.scrollTop = 0; layout(view); };
  view.critical = button("Critical path", () => { view.dims = !view.dims; pressed(view); paint(view); });
  view.foldAll = button("Collapse", () => foldAll(view));
  view.nextError = button("Next error", () => toNextError(view));
  view.copy = button("Copy link", () => copyLink(view));
  view.packing = button("Lanes", () => { view.packed = !view.packed; pressed(view); layout(view); reveal(view); });
  view.packing.title = "Pack the spans: what ran at once stands in lanes of its own";
  const legend = element("span", "legend");
  for (const [sign, kind, name] of LEGEND) {
    const mark = element("i", `sign ${kind}`, sign);
    mark.setAttribute("aria-hidden", "true");
    const entry = element("span");
    entry.append(mark, name);
    legend.append(entry);
  }
  bar.append(view.input, view.critical, view.packing, view.foldAll, view.nextError, view.copy, legend);
  return bar;
}

function headings(view) {
  const head = element("div", "head grid");
  view.axis = element("div", "axis");
  view.count = element("div", "first");
  head.append(view.count, view.axis);
  head.append(element("div", "n", "Tokens"), element("div", "n", "Cost"), element("div", "n", "Duration"));
  return head;
}

function bodyOf(view) {
  view.body = element("div", "body");
  view.body.tabIndex = 0;
  view.body.setAttribute("role", "tree");
  view.body.setAttribute("aria-label", "Spans of this trace");
  view.pad = element("div", "pad");
  view.pad.setAttribute("role", "none");
  view.field = element("div", "field");
  view.field.setAttribute("role", "none");
  view.body.append(view.pad, view.field);
  view.body.onkeydown = (event) => onKey(view, event);
  view.body.onscroll = () => {
    view.frame ??= requestAnimationFrame(() => { view.frame = undefined; paint(view); });
  };
  return view.body;
}

/* ---------------------------------------------------------------- actions */

function pressed(view) {
  view.critical.classList.toggle("on", view.dims);
  view.critical.setAttribute("aria-pressed", String(view.dims));
  view.packing.classList.toggle("on", view.packed);
  view.packing.setAttribute("aria-pressed", String(view.packed));
}

function foldAll(view) {
  if (view.folded.size) view.folded.clear();
  else for (const span of view.trace.spans) if (span.depth > 0 && span.children.length) view.folded.add(span.id);
  layout(view);
}

function fold(view, span) {
  if (!view.folded.delete(span.id)) view.folded.add(span.id);
  layout(view);
}

function toNextError(view) {
  const at = view.rows.findIndex((span) => span.id === view.selected);
  const rest = [...view.rows.slice(at + 1), ...view.rows.slice(0, at + 1)];
  const found = rest.find((span) => span.error);
  if (found) select(view, found);
}

function copyLink(view) {
  const url = new URL(location.href);
  url.searchParams.set("span", view.selected);
  navigator.clipboard?.writeText(url.href).then(() => {
    view.copy.textContent = "Copied";
    setTimeout(() => { view.copy.textContent = "Copy link"; }, 1500);
  });
}

function select(view, span) {
  view.selected = span.id;
  reveal(view);
  paint(view);
  clearTimeout(view.timer);
  view.timer = setTimeout(() => view.setState("selected", span.id), SELECT_AFTER_MS);
}

function reveal(view) {
  const at = view.packed
    ? view.trace.byId.get(view.selected)?.lane ?? -1
    : view.rows.findIndex((span) => span.id === view.selected);
  if (at < 0) return;
  const { body } = view;
  const top = at * ROW;
  if (top < body.scrollTop) body.scrollTop = top - ROW;
  else if (top + ROW > body.scrollTop + body.clientHeight) body.scrollTop = top + 3 * ROW - body.clientHeight;
}

function onKey(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { rows } = view;
  const at = rows.findIndex((span) => span.id === view.selected);
  const span = rows[at];
  const to = {
    ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: rows.length - 1,
    PageDown: at + 12, PageUp: at - 12,
  }[event.key];
  if (to !== undefined) select(view, rows[Math.min(Math.max(to, 0), rows.length - 1)]);
  else if (event.key === "ArrowLeft" && span) collapseOrUp(view, span);
  else if (event.key === "ArrowRight" && span) expandOrDown(view, span, at);
  else if (event.key === "e") toNextError(view);
  else if (event.key === "/") view.input.focus();
  else return;
  event.preventDefault();
}

function collapseOrUp(view, span) {
  if (span.children.length && !view.folded.has(span.id)) fold(view, span);
  else if (view.rows.some((row) => row.id === span.parent)) select(view, view.trace.byId.get(span.parent));
}

function expandOrDown(view, span, at) {
  if (view.folded.has(span.id)) fold(view, span);
  else if (span.children.length && view.rows[at + 1]) select(view, view.rows[at + 1]);
}

/* --------------------------------------------------------------- painting */

function layout(view) {
  view.rows = rowsOf(view.trace, view.folded, view.input.value);
  view.lanes ??= lanesOf(view.trace);
  view.root.classList.toggle("packs", view.packed);
  view.foldAll.hidden = view.packed;
  view.pad.style.height = `${(view.packed ? view.lanes.length : view.rows.length) * ROW}px`;
  const all = view.trace.spans.length;
  view.count.textContent = view.rows.length === all ? `${all} spans` : `${view.rows.length} of ${all} spans`;
  view.foldAll.textContent = view.folded.size ? "Expand" : "Collapse";
  view.nextError.hidden = !view.trace.spans.some((span) => span.error);
  drawAxis(view);
  paint(view);
}

function drawAxis(view) {
  const { width } = view.trace;
  const { step, ticks } = ticksOf(width);
  view.pad.style.setProperty("--step", `${(step / width) * 100}%`);
  view.axis.replaceChildren(...ticks.map((at) => {
    const tick = element("span", at ? "tick" : "tick zero", tickText(at, step));
    tick.style.left = `${(at / width) * 100}%`;
    return tick;
  }));
}

function newRow(view) {
  const row = element("div", "row grid");
  row.setAttribute("role", "treeitem");
  const cells = {
    first: element("div", "first"), twist: element("button", "twist"), sign: element("i", "sign"),
    name: element("span", "name"), model: element("span", "model"), error: element("span", "error"),
    lane: element("div", "lane"), bar: element("div", "span"), wait: element("div", "wait"),
    label: element("span", "label"),
    tokens: element("div", "n"), cost: element("div", "n"), duration: element("div", "n strong"),
  };
  cells.twist.type = "button";
  cells.twist.tabIndex = -1;
  cells.twist.setAttribute("aria-hidden", "true");
  cells.twist.onclick = (event) => { event.stopPropagation(); fold(view, row.span); };
  cells.sign.setAttribute("aria-hidden", "true");
  cells.first.append(cells.twist, cells.sign, cells.name, cells.model, cells.error);
  cells.bar.append(cells.wait);
  cells.lane.append(cells.bar, cells.label);
  row.append(cells.first, cells.lane, cells.tokens, cells.cost, cells.duration);
  row.cells = cells;
  row.onclick = () => { select(view, row.span); view.body.focus({ preventScroll: true }); };
  view.pad.append(row);
  return row;
}

function paint(view) {
  const { body, rows, pool } = view;
  const from = Math.max(0, Math.floor(body.scrollTop / ROW) - SPARE);
  const to = Math.min(rows.length, Math.ceil((body.scrollTop + (body.clientHeight || 600)) / ROW) + SPARE);
  let used = 0;
  if (view.packed) drawLanes(view, from, from + Math.ceil((body.clientHeight || 600) / ROW) + 2 * SPARE);
  else view.field.replaceChildren();
  for (let at = view.packed ? to : from; at < to; at++, used++) {
    pool[used] ??= newRow(view);
    fill(view, pool[used], rows[at], at);
  }
  for (; used < pool.length; used++) pool[used].hidden = true;
}

function fill(view, row, span, at) {
  const [sign, kind] = KINDS[span.kind] ?? ["○", "other"];
  const chosen = span.id === view.selected;
  const folded = view.folded.has(span.id);
  row.span = span;
  row.hidden = false;
  row.style.top = `${at * ROW}px`;
  row.className = `row grid ${kind}`;
  row.classList.toggle("chosen", chosen);
  row.classList.toggle("failed", Boolean(span.error));
  row.classList.toggle("open", span.open);
  row.classList.toggle("dim", view.dims && !span.critical);
  row.id = `span-${span.id}`;
  row.setAttribute("aria-level", span.depth + 1);
  row.setAttribute("aria-selected", String(chosen));
  row.setAttribute("aria-label", `${span.name}, ${span.kind}, ${span.durationText}${span.error ? `, error ${span.error}` : ""}`);
  if (span.children.length) row.setAttribute("aria-expanded", String(!folded));
  else row.removeAttribute("aria-expanded");
  if (chosen) view.body.setAttribute("aria-activedescendant", row.id);
  fillTexts(row.cells, span, sign, folded);
  fillBar(view.trace, row.cells, span);
}

function fillTexts(cells, span, sign, folded) {
  cells.first.style.paddingLeft = `${6 + Math.min(span.depth, 14) * 14}px`;
  cells.twist.textContent = span.children.length ? (folded ? "▸" : "▾") : "";
  cells.sign.textContent = sign;
  cells.name.textContent = span.name ?? "–";
  cells.first.title = `${span.name ?? ""}${span.orphan ? "\nIts parent span was not received." : ""}`;
  cells.model.textContent = span.orphan ? "parent missing" : modelBeside(span);
  cells.error.textContent = span.error ? `✕ ${span.error}` : span.errorsBelow ? `${span.errorsBelow} ✕` : "";
  cells.error.classList.toggle("below", !span.error);
  const sum = span.sum && span.children.length ? "Σ " : "";
  cells.tokens.textContent = span.tokens ? sum + span.tokens : "";
  cells.cost.textContent = span.cost ? sum + span.cost : "";
  cells.duration.textContent = span.durationText;
}

/* Many names hold the model already, some without its date. */
function modelBeside(span) {
  const told = (span.name ?? "").split(/\s+/).some((word) => word.length > 3 && span.model?.startsWith(word));
  return told ? "" : span.model ?? "";
}

function fillBar(trace, cells, span) {
  const left = ((span.offset - trace.from) / trace.width) * 100;
  const width = Math.max(((endOf(span) - span.offset) / trace.width) * 100, 0.2);
  cells.bar.style.left = `${left}%`;
  cells.bar.style.width = `${width}%`;
  const share = span.firstToken && span.duration ? Math.min(span.firstToken / span.duration, 1) : 0;
  cells.wait.style.width = `${share * 100}%`;
  cells.wait.hidden = share === 0;
  cells.bar.title = share ? `First token after ${Math.round(span.firstToken)} ms` : "";
  cells.label.textContent = span.durationText;
  const fits = left + width < 84;
  cells.label.style.left = fits ? `calc(${left + width}% + 6px)` : "auto";
  cells.label.style.right = fits ? "auto" : `calc(${100 - left}% + 6px)`;
}

/* ------------------------------------------------------------------ entry */

function show(view, data) {
  const key = JSON.stringify([data.spans.id, data.spans.duration, data.spans.tokens, data.spans.cost]);
  if (view.key === key) {
    if (data.selected && data.selected !== view.asked) view.selected = data.selected;
  } else {
    view.key = key;
    view.trace = traceOf(data.spans);
    view.lanes = undefined;
    view.folded.clear();
    view.selected = data.selected;
  }
  view.asked = data.selected;
  layout(view);
  reveal(view);
  paint(view);
}

export default function ({ data, parentElement, setStateValue }) {
  let view = VIEWS.get(parentElement);
  if (!view) {
    view = { folded: new Set(), pool: [], rows: [], dims: false, packed: false };
    VIEWS.set(parentElement, view);
    build(view, parentElement);
    pressed(view);
  }
  view.setState = setStateValue;
  show(view, data);
  return () => { clearTimeout(view.timer); view.observer.disconnect(); VIEWS.delete(parentElement); view.root.remove(); };
}
