const VIEWS = new WeakMap();
const SIGNS = { agent: "◆", tool: "■", service: "○" };
const LEGEND = [["◆", "agent", "agent"], ["■", "tool", "tool"], ["○", "service", "outside any agent"]];
const MARGIN = 12;
/* Smaller than this no one reads a card: a tall map scrolls instead. */
const LEGIBLE = 0.78;
const ZOOMS = [0.4, 0.5, 0.6, 0.75, 0.9, 1, 1.2, 1.5];
let counter = 0;

function build(view, parent) {
  view.id = `map-${counter++}`;
  view.root = element("div", "part topology");
  const bar = element("div", "bar");
  view.says = element("span", "says", "");
  const legend = element("span", "legend");
  for (const [sign, kind, name] of LEGEND) {
    const mark = element("i", `sign ${kind}`, sign);
    mark.setAttribute("aria-hidden", "true");
    const entry = element("span");
    entry.append(mark, name);
    legend.append(entry);
  }
  const knobs = element("span", "knobs");
  const smaller = button("−", () => zoom(view, -1));
  const larger = button("+", () => zoom(view, 1));
  smaller.setAttribute("aria-label", "Smaller");
  larger.setAttribute("aria-label", "Larger");
  knobs.append(smaller, button("Fit", () => fit(view)), larger);
  bar.append(view.says, legend, knobs);
  view.box = element("div", "box");
  view.sheet = element("div", "sheet");
  view.map = element("div", "map");
  view.sheet.append(view.map);
  view.box.append(view.sheet);
  view.root.append(bar, view.box);
  parent.append(view.root);
  view.observer = new ResizeObserver(() => { if (!view.fixed) fit(view); });
  view.observer.observe(view.box);
}

/* ------------------------------------------------------------------- size */

function fit(view) {
  view.fixed = false;
  if (!view.data) return;
  const wide = (view.box.clientWidth - 2 * MARGIN) / view.data.width;
  const high = (view.box.clientHeight - 2 * MARGIN) / view.data.height;
  resize(view, Math.min(Math.max(Math.min(wide, high), Math.min(wide, LEGIBLE)), 1));
}

function zoom(view, step) {
  view.fixed = true;
  const next = step > 0 ? ZOOMS.find((each) => each > view.scale + 0.01) : ZOOMS.findLast((each) => each < view.scale - 0.01);
  resize(view, next ?? view.scale);
}

function resize(view, scale) {
  view.scale = scale;
  const { width, height } = view.data;
  view.map.style.transform = `scale(${scale})`;
  view.sheet.style.width = `${width * scale}px`;
  view.sheet.style.height = `${height * scale}px`;
}

/* ---------------------------------------------------------------- drawing */

function curve(points) {
  let path = `M${points[0][0]} ${points[0][1]}`;
  for (let at = 1; at < points.length; at++) {
    const [x0, y0] = points[at - 1];
    const [x1, y1] = points[at];
    const middle = (x0 + x1) / 2;
    path += `C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`;
  }
  return path;
}

function marker(view, name) {
  const node = shape("marker", {
    id: `${view.id}-${name}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9,
    orient: "auto-start-reverse", markerUnits: "userSpaceOnUse",
  });
  node.append(shape("path", { d: "M0 0.6L7.4 4L0 7.4Z", class: `tip ${name}` }));
  return node;
}

function drawEdges(view) {
  const { width, height, edges } = view.data;
  const svg = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const defs = shape("defs", {});
  defs.append(marker(view, "plain"), marker(view, "failed"));
  svg.append(defs);
  const labels = [];
  for (const edge of edges) {
    const name = edge.errors ? "failed" : "plain";
    const path = shape("path", {
      d: curve(edge.points), class: `edge ${name} ${edge.kind === "tool" ? "tool" : "agent"}`,
      "stroke-width": 1.2 + 2.4 * Math.sqrt(edge.weight), "marker-end": `url(#${view.id}-${name})`,
    });
    svg.append(path);
    const label = element("span", `label ${name}`, edge.calls);
    if (edge.errors) label.append(element("b", "", ` ${edge.errors} ✕`));
    label.style.left = `${edge.at[0]}px`;
    label.style.top = `${edge.at[1]}px`;
    label.title = `${nameOf(view, edge.source)} → ${nameOf(view, edge.target)}\n${edge.hint}`;
    edge.parts = [path, label];
    labels.push(label);
  }
  return [svg, ...labels];
}

function nameOf(view, id) {
  return view.data.nodes.find((node) => node.id === id)?.name ?? id;
}

function cardOf(view, node) {
  const card = button("", () => view.send("open", node.id), `node ${node.kind}`);
  const [left, top, width, height] = node.box;
  Object.assign(card.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  if (node.errors) card.classList.add("failed");
  card.setAttribute("aria-label", spokenOf(view, node));
  const first = element("span", "first");
  const sign = element("i", "sign", SIGNS[node.kind]);
  first.append(sign, element("span", "name", node.name));
  if (node.errors) first.append(element("b", "errors", `${node.errors} ✕`));
  card.append(first, element("span", "facts", node.facts));
  if (node.share !== null) {
    const track = element("span", "track");
    const bar = element("i");
    bar.style.width = `${node.share * 100}%`;
    track.append(bar);
    card.append(track);
  }
  card.title = node.share === null ? node.name : `${node.name}\n${node.shareText} of the cost`;
  card.onmouseenter = card.onfocus = () => light(view, node.id);
  card.onmouseleave = card.onblur = () => light(view, null);
  node.card = card;
  return card;
}

function spokenOf(view, node) {
  const calls = view.data.edges.filter((edge) => edge.source === node.id).map((edge) => `${nameOf(view, edge.target)} ${edge.calls}`);
  const told = [`${node.kind} ${node.name}`, node.facts, node.errors ? `${node.errors} failed` : "", calls.length ? `calls ${calls.join(", ")}` : ""];
  return told.filter(Boolean).join(", ");
}

/* What is not next to the node under the pointer steps back. */
function light(view, id) {
  view.map.classList.toggle("lit", id !== null);
  const near = new Set([id]);
  for (const edge of view.data.edges) {
    const touches = edge.source === id || edge.target === id;
    if (touches) near.add(edge.source).add(edge.target);
    for (const part of edge.parts) part.classList.toggle("near", touches);
  }
  for (const node of view.data.nodes) node.card.classList.toggle("near", near.has(node.id));
}

function draw(view) {
  const { data } = view;
  view.root.setAttribute("aria-label", data.label);
  view.box.style.height = data.room;
  const agents = data.nodes.filter((node) => node.kind === "agent").length;
  const tools = data.nodes.filter((node) => node.kind === "tool").length;
  view.says.textContent = `${agents} ${agents === 1 ? "agent" : "agents"} · ${tools} ${tools === 1 ? "tool" : "tools"}`;
  view.map.style.width = `${data.width}px`;
  view.map.style.height = `${data.height}px`;
  const cards = data.nodes.map((node) => cardOf(view, node));
  view.map.replaceChildren(...drawEdges(view), ...cards);
  fit(view);
}

export default function ({ data, parentElement, setTriggerValue }) {
  let view = VIEWS.get(parentElement);
  if (!view) {
    view = { scale: 1, fixed: false };
    VIEWS.set(parentElement, view);
    build(view, parentElement);
    view.root.setAttribute("role", "group");
  }
  view.send = setTriggerValue;
  const key = JSON.stringify(data);
  if (view.key !== key) {
    view.key = key;
    view.data = data;
    draw(view);
  }
  return () => { view.observer.disconnect(); VIEWS.delete(parentElement); view.root.remove(); };
}
