const VIEWS = new WeakMap();

function state(view) {
  if (!view.data.on) return "off";
  return document.visibilityState === "visible" ? "live" : "paused";
}

function show(view) {
  const is = state(view);
  view.root.dataset.state = is;
  view.root.textContent = { off: "", live: "live", paused: "paused" }[is];
}

function plan(view) {
  clearTimeout(view.timer);
  show(view);
  if (state(view) !== "live") return;
  view.timer = setTimeout(() => view.send("beat", Date.now()), view.data.every);
}

export default function ({ data, parentElement, setTriggerValue }) {
  let view = VIEWS.get(parentElement);
  if (!view) {
    view = { root: element("span", "part pulse") };
    view.root.setAttribute("aria-hidden", "true");
    view.look = () => plan(view);
    document.addEventListener("visibilitychange", view.look);
    parentElement.append(view.root);
    VIEWS.set(parentElement, view);
  }
  view.data = data;
  view.send = setTriggerValue;
  plan(view);
  return () => {
    clearTimeout(view.timer);
    document.removeEventListener("visibilitychange", view.look);
    VIEWS.delete(parentElement);
    view.root.remove();
  };
}
