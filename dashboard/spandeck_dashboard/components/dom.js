/* What every part needs: nodes whose text is only ever text. */

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function shape(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function button(text, onclick, className = "knob") {
  const node = element("button", className, text);
  node.type = "button";
  node.onclick = onclick;
  return node;
}

