const TABLES = new WeakMap();
const SIGNS = { ok: "✓", error: "✕", warning: "!", info: "i", muted: "" };

function trendOf(values) {
  const box = element("span", "trend");
  box.setAttribute("aria-hidden", "true");
  const top = Math.max(...values);
  for (const value of values) {
    const bar = element("i");
    bar.style.height = value > 0 ? `${Math.max((value / top) * 100, 10)}%` : "0";
    box.append(bar);
  }
  return box;
}

function barOf(share) {
  const track = element("span", "track");
  track.setAttribute("aria-hidden", "true");
  const fill = element("i");
  fill.style.width = `${Math.min(Math.max(share ?? 0, 0), 1) * 100}%`;
  track.append(fill);
  return track;
}

function textOf(column, row) {
  const tone = column.tone?.[row] ?? "";
  const text = column.text[row];
  if (column.kind === "badge" || column.kind === "status") {
    const badge = element("span", `${column.kind} ${tone}`);
    if (SIGNS[tone]) badge.append(element("b", "", SIGNS[tone]));
    badge.append(text);
    return badge;
  }
  return element("span", `text ${tone}`, text);
}

function cellOf(state, column, row, first) {
  const cell = element("td", column.kind);
  const inner = element("div", "cell");
  if (column.swatch) {
    const swatch = element("i", "swatch");
    swatch.style.background = column.swatch[row];
    inner.append(swatch);
  }
  const link = first ? state.data.links?.[row] : null;
  const text = textOf(column, row);
  if (link) {
    const anchor = element("a");
    anchor.href = link;
    anchor.tabIndex = -1;
    anchor.append(text);
    inner.append(anchor);
  } else {
    inner.append(text);
  }
  if (column.note?.[row]) inner.append(element("span", "note", column.note[row]));
  if (column.share) inner.append(barOf(column.share[row]));
  if (column.trend) inner.append(trendOf(column.trend[row]));
  if (column.hint) cell.title = column.hint[row];
  else if (column.text[row].length > 14 || column.note?.[row]) {
    cell.title = [column.text[row], column.note?.[row]].filter(Boolean).join("\n");
  }
  cell.append(inner);
  return cell;
}

function orderOf(state) {
  const rows = [...(state.data.columns[0]?.text.keys() ?? [])];
  const { column: index, down } = state.sort;
  if (index === null) return rows;
  const column = state.data.columns[index];
  const values = column.sort ?? column.text;
  const compare = (a, b) => {
    if (values[a] === null || values[b] === null) return (values[a] === null) - (values[b] === null);
    const result = typeof values[a] === "number" ? values[a] - values[b] : values[a].localeCompare(values[b]);
    return down ? -result : result;
  };
  return rows.sort((a, b) => compare(a, b) || a - b);
}

function sortBy(state, index) {
  const numeric = Boolean(state.data.columns[index].sort);
  const { column, down } = state.sort;
  if (column !== index) state.sort = { column: index, down: numeric };
  else if (down === numeric) state.sort = { column: index, down: !numeric };
  else state.sort = { column: null, down: false };
  draw(state);
}

function headOf(state) {
  const row = element("tr");
  state.data.columns.forEach((column, index) => {
    const cell = element("th", column.kind);
    cell.scope = "col";
    const sorted = state.sort.column === index;
    cell.setAttribute("aria-sort", sorted ? (state.sort.down ? "descending" : "ascending") : "none");
    const button = element("button", "", column.label);
    button.type = "button";
    if (sorted) button.append(element("span", "arrow", state.sort.down ? "↓" : "↑"));
    button.onclick = () => sortBy(state, index);
    cell.append(button);
    row.append(cell);
  });
  const head = element("thead");
  head.append(row);
  return head;
}

function open(state, event, row) {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button > 0) return;
  if (!event.target.closest("a") && window.getSelection()?.toString()) return;
  event.preventDefault();
  state.send("open", row);
}

function rowOf(state, row) {
  const node = element("tr");
  state.data.columns.forEach((column, index) => node.append(cellOf(state, column, row, index === 0)));
  if (state.data.links?.[row]) {
    node.className = "opens";
    node.onclick = (event) => open(state, event, row);
  }
  return node;
}

function moveFocus(state, event) {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  const links = [...state.box.querySelectorAll("tbody a")];
  const at = links.indexOf(event.target);
  if (!step || at < 0) return;
  event.preventDefault();
  const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
  links[at].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function widthsOf(columns) {
  const group = element("colgroup");
  for (const column of columns) {
    const node = element("col");
    if (column.width) node.style.width = column.width;
    group.append(node);
  }
  return group;
}

function draw(state) {
  const { data, box } = state;
  const rows = orderOf(state);
  const top = box.scrollTop;
  const table = element("table");
  table.setAttribute("aria-label", data.label);
  const body = element("tbody");
  body.append(...rows.map((row) => rowOf(state, row)));
  table.append(widthsOf(data.columns), headOf(state), body);
  box.replaceChildren(table);
  if (rows.length === 0) box.append(element("p", "empty", data.empty));
  box.style.maxHeight = data.height ?? "";
  box.style.minHeight = data.grows ? "" : data.height ?? "";
  const first = box.querySelector("tbody a");
  if (first) first.tabIndex = 0;
  box.scrollTop = top;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = TABLES.get(parentElement);
  if (!state) {
    state = { sort: { column: null, down: false }, box: element("div", "part box") };
    state.box.onkeydown = (event) => moveFocus(state, event);
    parentElement.append(state.box);
    TABLES.set(parentElement, state);
  }
  state.data = data;
  state.send = setTriggerValue;
  draw(state);
}
