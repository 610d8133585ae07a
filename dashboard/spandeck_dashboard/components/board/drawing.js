/* Painting on the canvas: axes, lines, bars, cells. */

const FONT_PX = 12;
const AXIS_PX = 22;

function ink(view, variable) {
  view.probe.style.color = `var(${variable})`;
  return getComputedStyle(view.probe).color;
}

function scaleOf(view) {
  const { data, width, context: c } = view;
  const height = data.height;
  const top = highest(data);
  const rows = data.heat?.edges.length ?? 0;
  const ticks = rows ? [] : valueTicks(top, data.unit, Math.max(Math.floor(height / 64), 2));
  const step = ticks.length > 1 ? ticks[1] : 1;
  const labels = rows ? data.heat.edges : ticks.map((each) => valueText(each, data.unit, step));
  const wide = (texts) => Math.max(0, ...texts.map((text) => c.measureText(text).width));
  const named = rows ? [] : data.series.filter((each) => each.shape === "line" && data.series.length > 1);
  const left = Math.ceil(wide(labels)) + 10;
  const right = named.length && !data.legend ? Math.ceil(wide(named.map((each) => each.name))) + 12 : 10;
  const plot = { left, right: width - right, top: 8, bottom: height - AXIS_PX };
  const most = rows || Math.max(top * 1.06, ticks.at(-1)) || 1;
  return {
    plot, ticks, labels, rows,
    x: (ms) => left + ((ms - data.from) / (data.to - data.from)) * (plot.right - left),
    ms: (x) => data.from + ((x - left) / (plot.right - left)) * (data.to - data.from),
    y: (value) => plot.bottom - (value / most) * (plot.bottom - plot.top),
  };
}

function highest(data) {
  const bars = data.series.filter((each) => each.shape === "bars");
  const stacked = data.moments.map((_, at) => bars.reduce((sum, each) => sum + (each.values[at] ?? 0), 0));
  const lines = data.series.filter((each) => each.shape === "line").flatMap((each) => each.values);
  return Math.max(0, ...stacked, ...lines.filter((value) => value !== null));
}

function drawAxes(view) {
  const { context: c, scale, data } = view;
  const { plot } = scale;
  const hair = ink(view, "--hair");
  const muted = ink(view, "--muted");
  c.lineWidth = 1;
  c.textBaseline = "middle";
  c.textAlign = "right";
  scale.labels.forEach((text, at) => {
    const y = Math.round(scale.y(scale.rows ? at : scale.ticks[at])) + 0.5;
    c.strokeStyle = at === 0 ? ink(view, "--line") : hair;
    if (at === 0 || !scale.rows) stroke(c, [[plot.left, y], [plot.right, y]]);
    c.fillStyle = muted;
    if (!scale.rows || at % 2 === 0) c.fillText(text, plot.left - 8, y);
  });
  c.textAlign = "center";
  const { step, ticks } = timeTicks(data.from, data.to, Math.max(Math.floor((plot.right - plot.left) / 84), 2));
  for (const at of ticks) {
    const text = timeText(at, step);
    const half = c.measureText(text).width / 2;
    const x = scale.x(at);
    if (x - half < plot.left - 4 || x + half > view.width) continue;
    c.fillStyle = muted;
    c.fillText(text, x, plot.bottom + 13);
  }
}

function stroke(c, points) {
  c.beginPath();
  points.forEach(([x, y], at) => (at ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.stroke();
}

function drawLines(view) {
  const { context: c, scale, data } = view;
  c.lineJoin = c.lineCap = "round";
  const lines = data.series.filter((each) => each.shape === "line");
  for (const line of lines) {
    c.strokeStyle = c.fillStyle = line.colour;
    c.lineWidth = line.width;
    for (const piece of piecesOf(view, line)) {
      if (piece.length > 1) stroke(c, piece);
      else dot(c, piece[0], 2.4);
    }
  }
  if (lines.length > 1 && !data.legend) drawNames(view, lines);
}

function dot(c, [x, y], radius) {
  c.beginPath();
  c.arc(x, y, radius, 0, 7);
  c.fill();
}

/* A line breaks where nothing is known. */
function piecesOf(view, line) {
  const { scale, data } = view;
  const pieces = [[]];
  line.values.forEach((value, at) => {
    if (value === null) pieces.push([]);
    else pieces.at(-1).push([scale.x(data.moments[at]), scale.y(value)]);
  });
  return pieces.filter((piece) => piece.length > 0);
}

function drawNames(view, lines) {
  const { context: c, scale } = view;
  const known = lines.filter((line) => line.values.some((value) => value !== null));
  const ends = known.map((line) => scale.y(line.values.filter((value) => value !== null).at(-1)));
  const heights = apart(ends, FONT_PX + 3, scale.plot.top, scale.plot.bottom);
  c.textAlign = "left";
  known.forEach((line, at) => {
    c.fillStyle = line.ink || line.colour;
    c.fillText(line.name, scale.plot.right + 7, heights[at]);
  });
}

function drawBars(view) {
  const { context: c, scale, data } = view;
  const bars = data.series.filter((each) => each.shape === "bars");
  if (!bars.length) return;
  const slot = (scale.plot.right - scale.plot.left) / data.moments.length;
  const wide = Math.max(Math.min(slot * 0.72, 22), 1);
  data.moments.forEach((ms, at) => {
    let below = 0;
    const left = scale.x(ms) - wide / 2;
    for (const bar of bars) {
      const value = bar.values[at];
      if (!value) continue;
      const bottom = scale.y(below);
      below += value;
      const top = Math.min(scale.y(below), bottom - 1);
      c.fillStyle = bar.hatched ? hatchOf(view, bar.colour) : bar.colour;
      c.fillRect(left, top, wide, bottom - top);
    }
  });
}

function hatchOf(view, colour) {
  const tile = document.createElement("canvas");
  const size = 6;
  tile.width = tile.height = size;
  const c = tile.getContext("2d");
  c.fillStyle = colour;
  c.fillRect(0, 0, size, size);
  c.strokeStyle = ink(view, "--card");
  c.lineWidth = 1.6;
  for (const from of [-size, 0, size]) stroke(c, [[from, size], [from + size, 0]]);
  return view.context.createPattern(tile, "repeat");
}

function drawHeat(view) {
  const { context: c, scale, data } = view;
  if (!data.heat) return;
  const { columns, rows, shares, edges } = data.heat;
  const { plot } = scale;
  const wide = (plot.right - plot.left) / data.moments.length;
  const high = (plot.bottom - plot.top) / edges.length;
  c.fillStyle = ink(view, "--st-primary-color");
  columns.forEach((column, at) => {
    c.globalAlpha = 0.12 + 0.88 * Math.sqrt(shares[at]);
    c.fillRect(plot.left + column * wide + 0.5, plot.bottom - (rows[at] + 1) * high + 0.5, wide - 1, high - 1);
  });
  c.globalAlpha = 1;
}

function drawPointer(view) {
  const { context: c, scale, data, at, brush } = view;
  const { plot } = scale;
  if (brush) {
    const [low, high] = [Math.min(...brush), Math.max(...brush)];
    c.fillStyle = ink(view, "--st-primary-color");
    c.globalAlpha = 0.14;
    c.fillRect(low, plot.top, high - low, plot.bottom - plot.top);
    c.globalAlpha = 1;
    c.strokeStyle = c.fillStyle;
    c.lineWidth = 1;
    for (const x of [low, high]) stroke(c, [[x, plot.top], [x, plot.bottom]]);
  }
  if (at === null || !data.moments.length) return;
  const x = Math.round(scale.x(data.moments[at])) + 0.5;
  c.strokeStyle = ink(view, "--muted");
  c.lineWidth = 1;
  c.setLineDash([3, 3]);
  stroke(c, [[x, plot.top], [x, plot.bottom]]);
  c.setLineDash([]);
  for (const line of data.series) {
    if (line.shape !== "line" || line.values[at] === null) continue;
    c.fillStyle = line.colour;
    dot(c, [x, scale.y(line.values[at])], 3.2);
  }
}
