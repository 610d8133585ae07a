const VIEWS = new WeakMap();
const DRAG_PX = 4;

function build(view, parent) {
  view.root = element("div", "part board");
  view.root.tabIndex = 0;
  view.root.setAttribute("role", "group");
  view.legend = element("div", "legend");
  view.frame = element("div", "frame");
  view.canvas = element("canvas");
  view.canvas.setAttribute("aria-hidden", "true");
  view.tip = element("div", "tip");
  view.tip.hidden = true;
  view.said = element("div", "said");
  view.said.setAttribute("aria-live", "polite");
  view.probe = element("i", "probe");
  view.frame.append(view.canvas, view.tip);
  view.root.append(view.legend, view.frame, view.said, view.probe);
  parent.append(view.root);
  view.context = view.canvas.getContext("2d");
  view.observer = new ResizeObserver(() => paint(view));
  view.observer.observe(view.frame);
  listen(view);
}

function listen(view) {
  const { canvas, root } = view;
  canvas.onpointermove = (event) => move(view, event.offsetX);
  canvas.onpointerleave = () => { if (!view.brush) rest(view); };
  canvas.onpointerdown = (event) => {
    if (event.button) return;
    view.from = inside(view, event.offsetX);
    canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointerup = (event) => {
    const { from } = view;
    view.from = null;
    if (view.brush && from !== null) ask(view, from, inside(view, event.offsetX));
  };
  canvas.onpointercancel = () => rest(view);
  root.onkeydown = (event) => onKey(view, event);
  root.onblur = () => rest(view);
}

const inside = (view, x) => Math.min(Math.max(x, view.scale.plot.left), view.scale.plot.right);

function move(view, x) {
  const to = inside(view, x);
  if (view.from !== null && Math.abs(to - view.from) > DRAG_PX) view.brush = [view.from, to];
  view.at = nearest(view, to);
  paint(view);
  tell(view);
}

function nearest(view, x) {
  const ms = view.scale.ms(x);
  let best = null;
  view.data.moments.forEach((moment, at) => {
    if (best === null || Math.abs(moment - ms) < Math.abs(view.data.moments[best] - ms)) best = at;
  });
  return best;
}

function rest(view) {
  view.at = view.brush = view.from = null;
  view.anchor = null;
  view.tip.hidden = true;
  paint(view);
}

function ask(view, from, to) {
  const ends = [from, to].map((x) => Math.round(view.scale.ms(x))).sort((a, b) => a - b);
  rest(view);
  view.send("brush", ends);
}

/* Left and right move the crosshair; with shift they select, Enter asks for what is selected. */
function onKey(view, event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const last = view.data.moments.length - 1;
  if (step && last >= 0) {
    const at = view.at === null ? (step > 0 ? 0 : last) : Math.min(Math.max(view.at + step, 0), last);
    view.anchor = event.shiftKey ? view.anchor ?? view.at ?? at : null;
    view.at = at;
    const half = (view.scale.plot.right - view.scale.plot.left) / (2 * (last + 1));
    const [low, high] = [view.anchor ?? at, at].sort((a, b) => a - b).map((each) => view.scale.x(view.data.moments[each]));
    view.brush = view.anchor === null ? null : [low - half, high + half];
    paint(view);
    tell(view);
    view.said.textContent = view.tip.innerText.replaceAll("\n", ", ");
  } else if (event.key === "Enter" && view.brush) ask(view, ...view.brush);
  else if (event.key === "Escape") rest(view);
  else return;
  event.preventDefault();
}

/* ---------------------------------------------------------------- the tip */

function tell(view) {
  const { data, at, tip, scale } = view;
  if (at === null) return;
  tip.replaceChildren(element("b", "", momentText(data.moments[at], (data.to - data.from) / data.moments.length)));
  for (const [name, colour, text, hatched] of factsAt(view)) {
    const line = element("span");
    const swatch = element("i", hatched ? "swatch hatched" : "swatch");
    swatch.style.setProperty("--k", colour);
    line.append(swatch, element("em", "", name), element("strong", "", text));
    tip.append(line);
  }
  tip.hidden = false;
  const x = scale.x(data.moments[at]);
  const wide = tip.offsetWidth;
  tip.style.left = `${x + 14 + wide < view.width ? x + 14 : Math.max(x - 14 - wide, 0)}px`;
  tip.style.top = "8px";
}

function factsAt(view) {
  const { data, at } = view;
  if (data.heat) {
    const found = data.heat.rows.map((row, cell) => [row, cell]).filter(([, cell]) => data.heat.columns[cell] === at);
    return found.sort((a, b) => b[0] - a[0]).map(([row, cell]) => [
      `from ${data.heat.edges[row]}`, "var(--st-primary-color)", String(data.heat.counts[cell]), false,
    ]);
  }
  const shown = data.series.filter((each) => each.shape === "line" || each.values[at]);
  const facts = shown.map((each) => [each.name, each.colour, each.texts[at], each.hatched]);
  return facts.length ? facts.reverse() : [["nothing", "transparent", "", false]];
}

/* --------------------------------------------------------------- painting */

function paint(view) {
  const width = view.frame.clientWidth;
  if (!view.data || width < 40) return;
  const { canvas, context: c, data } = view;
  const dense = window.devicePixelRatio || 1;
  view.width = width;
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(data.height * dense);
  canvas.style.height = `${data.height}px`;
  c.setTransform(dense, 0, 0, dense, 0, 0);
  c.font = `${FONT_PX}px ${getComputedStyle(view.root).fontFamily}`;
  view.scale = scaleOf(view);
  drawAxes(view);
  drawHeat(view);
  drawBars(view);
  drawLines(view);
  drawPointer(view);
}

function drawLegend(view) {
  view.legend.hidden = !view.data.legend;
  view.legend.replaceChildren(...(view.data.legend ? view.data.series : []).map((each) => {
    const entry = element("span");
    const swatch = element("i", each.hatched ? "swatch hatched" : "swatch");
    swatch.style.setProperty("--k", each.colour);
    entry.append(swatch, each.name);
    return entry;
  }));
}

export default function ({ data, parentElement, setTriggerValue }) {
  let view = VIEWS.get(parentElement);
  if (!view) {
    view = { at: null, brush: null, from: null, anchor: null };
    VIEWS.set(parentElement, view);
    build(view, parentElement);
  }
  view.data = data;
  view.send = setTriggerValue;
  view.root.setAttribute("aria-label", data.label);
  view.root.title = "";
  if (view.at !== null && view.at >= data.moments.length) rest(view);
  drawLegend(view);
  paint(view);
  return () => { view.observer.disconnect(); VIEWS.delete(parentElement); view.root.remove(); };
}
