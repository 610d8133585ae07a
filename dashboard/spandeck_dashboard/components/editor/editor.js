const VIEWS = new WeakMap();
const WORDS = new Set(`all and anti any array as asc between by case cast count cross date desc distinct else end except exists
extract false filter first from full group having if in inner intersect interval into is join last lateral left like limit
list map natural not null nulls offset on or order outer over partition positional qualify right rows select semi struct
table then timestamp true try_cast union unnest unpivot pivot using values when where window with asof exclude replace
columns explain analyze recursive materialized summarize describe`.split(/\s+/));
const TOKENS = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*'?)|("(?:[^"]|"")*"?)|(\b\d[\d_.]*\b)|([A-Za-z_][A-Za-z0-9_]*)|([\s\S])/g;

function coloured(text) {
  const nodes = [];
  let plain = "";
  const flush = () => { if (plain) nodes.push(plain); plain = ""; };
  for (const [whole, comment, quoted, , number, word] of text.matchAll(TOKENS)) {
    const kind = comment ? "comment" : quoted ? "quoted" : number ? "number" : word && WORDS.has(word.toLowerCase()) ? "word" : "";
    if (!kind) { plain += whole; continue; }
    flush();
    nodes.push(element("span", kind, whole));
  }
  flush();
  return nodes;
}

function build(view, parent) {
  view.root = element("div", "part editor");
  const field = element("div", "field");
  view.numbers = element("div", "numbers");
  view.numbers.setAttribute("aria-hidden", "true");
  view.shown = element("pre", "shown");
  view.shown.setAttribute("aria-hidden", "true");
  view.area = element("textarea");
  view.area.spellcheck = false;
  view.area.autocapitalize = "off";
  view.area.setAttribute("autocomplete", "off");
  view.area.oninput = () => paint(view);
  view.area.onscroll = () => follow(view);
  view.area.onkeydown = (event) => onKey(view, event);
  field.append(view.numbers, view.shown, view.area);
  const bar = element("div", "bar");
  view.run = button("Run", () => view.send("run", view.area.value), "knob main");
  view.copy = button("Copy SQL", () => copy(view));
  bar.append(view.run, view.copy, element("span", "hint", "Ctrl+Enter runs · Tab indents, Esc then Tab leaves"));
  view.root.append(field, bar);
  parent.append(view.root);
}

function onKey(view, event) {
  const { area } = view;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) view.send("run", area.value);
  else if (event.key === "Escape") { view.leaves = true; return; }
  else if (event.key === "Tab" && !view.leaves && !event.shiftKey) {
    area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
    paint(view);
  } else {
    view.leaves = view.leaves && event.key === "Shift";
    return;
  }
  event.preventDefault();
}

function copy(view) {
  navigator.clipboard?.writeText(view.area.value).then(() => {
    view.copy.textContent = "Copied";
    setTimeout(() => { view.copy.textContent = "Copy SQL"; }, 1500);
  });
}

function paint(view) {
  const text = view.area.value;
  view.shown.replaceChildren(...coloured(text), "\n");
  const lines = text.split("\n").length;
  view.numbers.textContent = Array.from({ length: lines }, (_, at) => at + 1).join("\n");
  follow(view);
}

function follow(view) {
  const { scrollTop, scrollLeft } = view.area;
  view.shown.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`;
  view.numbers.style.transform = `translateY(${-scrollTop}px)`;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let view = VIEWS.get(parentElement);
  if (!view) {
    view = { leaves: false };
    VIEWS.set(parentElement, view);
    build(view, parentElement);
  }
  view.send = setTriggerValue;
  view.area.setAttribute("aria-label", data.label);
  if (view.text !== data.text) {
    view.text = data.text;
    view.area.value = data.text;
    paint(view);
  }
}
