export default function ({ data, parentElement }) {
  const list = element("dl", `part facts ${data.shape}${data.card ? " card" : ""}`);
  for (const fact of data.facts) {
    const pair = element("div", `fact${fact.bad ? " bad" : ""}`);
    const value = element("dd", "", fact.value);
    value.title = fact.value.length > 40 ? fact.value : "";
    if (fact.note) value.append(element("small", "", fact.note));
    pair.append(element("dt", "", fact.label), value);
    list.append(pair);
  }
  const old = parentElement.querySelector(".facts");
  if (old) old.replaceWith(list);
  else parentElement.append(list);
}
