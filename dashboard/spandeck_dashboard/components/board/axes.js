/* Where the ticks of an axis are and what they say. No DOM here. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY,
];
/* Powers of ten alone make ugly times: beyond a second, steps are those of a clock. */
const LONG_STEPS = [1, 2, 5, 10, 20, 30].map((s) => s * SECOND)
  .concat([1, 2, 5, 10, 20, 30].map((m) => m * MINUTE), [1, 2, 5, 10, 24, 48].map((h) => h * HOUR));

function valueTicks(top, unit, most) {
  if (!(top > 0)) return [0];
  const raw = top / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  let step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= raw * 0.999);
  if (unit === "ms" && raw >= SECOND) step = LONG_STEPS.find((value) => value >= raw) ?? step;
  if (unit === "count") step = Math.max(step, 1);
  const ticks = [];
  for (let at = 0; at <= top * 1.06; at += step) ticks.push(at);
  return ticks;
}

function trimmed(value) {
  return String(Number(value.toPrecision(6)));
}

function valueText(value, unit, step) {
  if (unit === "usd") return value === 0 ? "$0" : `$${step >= 1 ? scaled(value) : value.toFixed(decimals(step))}`;
  if (unit === "ratio") return `${trimmed(value * 100)} %`;
  if (unit === "count") return scaled(value);
  if (value === 0) return "0";
  if (step >= HOUR) return `${trimmed(value / HOUR)} h`;
  if (step >= MINUTE) return `${trimmed(value / MINUTE)} min`;
  return value >= SECOND || step >= 100 ? `${trimmed(value / SECOND)} s` : `${trimmed(value)} ms`;
}

function decimals(step) {
  return Math.min(Math.max(Math.ceil(-Math.log10(step)), 0), 6);
}

function scaled(value) {
  for (const [size, suffix] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= size) return `${trimmed(value / size)}${suffix}`;
  }
  return trimmed(value);
}

/* Steps of the local clock: midnight, full hours, quarters. */
function timeTicks(from, to, most) {
  const step = TIME_STEPS.find((each) => (to - from) / each <= most) ?? TIME_STEPS.at(-1);
  const shift = new Date(from).getTimezoneOffset() * MINUTE;
  const ticks = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) ticks.push(at);
  return { step, ticks };
}

const pad = (number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function timeText(ms, step) {
  const at = new Date(ms);
  const midnight = at.getHours() === 0 && at.getMinutes() === 0;
  if (step >= DAY || (midnight && step >= MINUTE)) return `${MONTHS[at.getMonth()]} ${at.getDate()}`;
  const text = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  return step < MINUTE ? `${text}:${pad(at.getSeconds())}` : text;
}

function momentText(ms, step) {
  const at = new Date(ms);
  const day = `${MONTHS[at.getMonth()]} ${at.getDate()}`;
  return `${day} ${timeText(ms + 1, step < MINUTE ? SECOND : MINUTE)}`;
}

/* Heights (from above) for names that must keep `least` apart: each as near to its wish as the others leave it. */
function apart(wishes, least, low, high) {
  const order = wishes.map((wish, index) => [wish, index]).sort((a, b) => a[0] - b[0]);
  const placed = [];
  order.forEach(([wish], at) => placed.push(Math.max(wish, at ? placed[at - 1] + least : low)));
  for (let at = placed.length - 1, limit = high; at >= 0; at--, limit = placed[at + 1] - least) {
    placed[at] = Math.min(placed[at], limit);
  }
  const result = [];
  order.forEach(([, index], at) => { result[index] = placed[at]; });
  return result;
}
