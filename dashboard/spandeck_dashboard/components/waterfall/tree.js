/* The spans as a tree: rows in time order, the critical path, what a search leaves. No DOM here. */

function spansOf(columns) {
  const names = Object.keys(columns);
  return columns.id.map((_, index) => {
    const span = { children: [], depth: 0, critical: false };
    for (const name of names) span[name] = columns[name][index];
    return span;
  });
}

function treeOf(spans) {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const roots = [];
  for (const span of spans) {
    const parent = byId.get(span.parent);
    if (parent && parent !== span && !leadsTo(byId, parent, span)) parent.children.push(span);
    else roots.push(span);
  }
  return { byId, roots };
}

/* Spans that name each other as parent would never be drawn: each of the circle becomes a root. */
function leadsTo(byId, from, span) {
  const seen = new Set();
  for (let at = from; at && !seen.has(at); at = byId.get(at.parent)) {
    if (at === span) return true;
    seen.add(at);
  }
  return false;
}

function walk(roots, visit, goesOn = () => true) {
  const stack = [...roots].reverse().map((span) => [span, 0]);
  while (stack.length) {
    const [span, depth] = stack.pop();
    if (visit(span, depth) === false || !goesOn(span)) continue;
    for (let i = span.children.length - 1; i >= 0; i--) stack.push([span.children[i], depth + 1]);
  }
}

const endOf = (span) => span.end ?? span.offset + (span.duration ?? 0);

/* What still runs reaches as far as anything that is known of the trace, and a little further than its start. */
function markOpenEnds(spans) {
  if (!spans.some((span) => span.open)) return;
  const starts = spans.map((span) => span.offset);
  const last = Math.max(...spans.map(endOf));
  const least = (last - Math.min(...starts)) * 0.06 || 1;
  for (const span of spans) if (span.open && span.duration === null) span.end = Math.max(last, span.offset + least);
}

/* Going back from a span's end, the child that ended last is what it waited for. */
function markCriticalPath(roots) {
  const last = roots.reduce((best, span) => (!best || endOf(span) > endOf(best) ? span : best), null);
  const open = last ? [last] : [];
  while (open.length) {
    const span = open.pop();
    span.critical = true;
    let end = endOf(span);
    for (const child of [...span.children].sort((a, b) => endOf(b) - endOf(a))) {
      if (endOf(child) > end + 1) continue;
      open.push(child);
      end = child.offset;
    }
  }
}

function traceOf(columns) {
  const spans = spansOf(columns);
  const { byId, roots } = treeOf(spans);
  walk(roots, (span, depth) => { span.depth = depth; });
  markOpenEnds(spans);
  markCriticalPath(roots);
  const from = spans.reduce((least, span) => Math.min(least, span.offset), Infinity);
  const to = spans.reduce((most, span) => Math.max(most, endOf(span)), -Infinity);
  return { spans, byId, roots, from, width: Math.max(to - from, 0.001) };
}

function matches(span, words) {
  const text = `${span.name} ${span.model ?? ""} ${span.kind} ${span.error ? `error ${span.error}` : ""}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/* The rows to draw: all but what is folded; with a search, what matches and the way down to it. */
function rowsOf(trace, folded, search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [];
  if (words.length === 0) {
    walk(trace.roots, (span) => { rows.push(span); }, (span) => !folded.has(span.id));
    return rows;
  }
  const kept = new Set();
  for (const span of trace.spans) {
    if (!matches(span, words)) continue;
    for (let at = span; at && !kept.has(at); at = trace.byId.get(at.parent)) kept.add(at);
  }
  walk(trace.roots, (span) => (kept.has(span) ? rows.push(span) : false));
  return rows;
}

/* Round steps of 1, 2 or 5 for about five ticks. */
function ticksOf(width) {
  const raw = width / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= raw);
  const ticks = [];
  for (let at = 0; at <= width * 0.96; at += step) ticks.push(at);
  return { step, ticks };
}

function tickText(ms, step) {
  if (ms === 0) return "0";
  if (step >= 60000) return `${Math.round(ms / 60000)} min`;
  if (step >= 1000) return `${Math.round(ms / 1000)} s`;
  if (step >= 100) return `${(ms / 1000).toFixed(1)} s`;
  return step >= 1 ? `${Math.round(ms)} ms` : `${Number(ms.toPrecision(2))} ms`;
}
