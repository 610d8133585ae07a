const WIDTH = 160;
const HEIGHT = 34;

function pieces(trend) {
  const known = trend.filter((value) => value !== null);
  const top = Math.max(...known, 0);
  const low = Math.min(...known, top);
  const span = top - low || 1;
  const x = (index) => (index / Math.max(trend.length - 1, 1)) * WIDTH;
  const y = (value) => HEIGHT - 3 - ((value - low) / span) * (HEIGHT - 6);
  const found = [[]];
  trend.forEach((value, index) => {
    if (value !== null) found.at(-1).push([x(index), y(value)]);
    else found.push([]);
  });
  return found.filter((piece) => piece.length > 0);
}

function line(svg, trend) {
  for (const piece of pieces(trend)) {
    const text = piece.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    const area = `${text}L${piece.at(-1)[0].toFixed(1)} ${HEIGHT}L${piece[0][0].toFixed(1)} ${HEIGHT}Z`;
    svg.append(shape("path", { d: area, class: "area" }));
    // A point without neighbours gets a length that its round ends turn into a dot.
    svg.append(shape("path", { d: piece.length > 1 ? text : `${text}h0.01`, class: "line" }));
  }
}

function bars(svg, trend) {
  const top = Math.max(...trend, 1);
  const step = WIDTH / trend.length;
  trend.forEach((value, index) => {
    const height = value ? Math.max((value / top) * (HEIGHT - 4), 1.5) : 0;
    svg.append(shape("rect", {
      x: (index * step + step * 0.14).toFixed(2),
      y: (HEIGHT - height).toFixed(2),
      width: (step * 0.72).toFixed(2),
      height: height.toFixed(2),
      class: "bar",
    }));
  });
}

function sparkline(card) {
  const svg = shape("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true",
  });
  if (card.shape === "bars") bars(svg, card.trend);
  else line(svg, card.trend);
  return svg;
}

function cardOf(card) {
  const node = element("article", "card");
  node.dataset.kpi = card.name;
  node.setAttribute("aria-label", `${card.label}: ${card.value}`);
  node.append(element("h3", "label", card.label), element("div", "value", card.value));
  const row = element("div", "row");
  if (card.change) row.append(element("span", `change ${card.tone}`, card.change));
  row.append(element("span", "against", card.against));
  node.append(row, element("div", "note", card.note || "\u00a0"), sparkline(card));
  return node;
}

export default function ({ data, parentElement }) {
  const strip = element("section", "part strip");
  strip.setAttribute("aria-label", "Key figures");
  strip.append(...data.cards.map(cardOf));
  const old = parentElement.querySelector(".strip");
  if (old) old.replaceWith(strip);
  else parentElement.append(strip);
}
