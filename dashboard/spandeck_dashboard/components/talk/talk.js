const STATES = new WeakMap();
const SIGNS = { user: "◐", assistant: "●", system: "§", tool: "■", other: "○" };
const LONG = 1400;

function turnOf(state, turn) {
  const box = element("article", `turn ${turn.role}${turn.failed ? " failed" : ""}`);
  const head = button("", () => state.send("open", turn.span_id), "head");
  const sign = element("i", "sign", SIGNS[turn.role]);
  sign.setAttribute("aria-hidden", "true");
  head.append(sign, element("b", "", turn.who), element("span", "note", turn.note));
  head.title = "Show this span in the waterfall";
  box.append(head, turn.folded ? foldedOf(turn) : wordsOf(turn));
  return box;
}

function wordsOf(turn) {
  const words = element("div", turn.is_json ? "words code" : "words", turn.text);
  if (turn.text.length <= LONG) return words;
  const box = element("div");
  words.textContent = `${turn.text.slice(0, LONG)}…`;
  const more = button(`Show all ${turn.text.length.toLocaleString("en")} characters`, () => {
    words.textContent = turn.text;
    more.remove();
  }, "more");
  box.append(words, more);
  return box;
}

function foldedOf(turn) {
  const details = element("details");
  details.append(element("summary", "code", turn.text.replace(/\s+/g, " ").slice(0, 160)), wordsOf(turn));
  return details;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = STATES.get(parentElement);
  if (!state) {
    state = { list: element("section", "part talk") };
    parentElement.append(state.list);
    STATES.set(parentElement, state);
  }
  state.send = setTriggerValue;
  const key = JSON.stringify(data);
  if (state.key === key) return;
  state.key = key;
  state.list.setAttribute("aria-label", data.label);
  state.list.replaceChildren(...data.turns.map((turn) => turnOf(state, turn)));
}
