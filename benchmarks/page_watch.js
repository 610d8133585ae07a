/* Runs before a page's own scripts: when something last changed or was painted, and what the socket carried. */
(() => {
  const watch = { settled: 0, first: 0, armed: 0, sent: 0, received: 0, bytes: 0, largest: 0 };
  window.__watch = watch;
  const bump = () => {
    watch.settled = performance.now();
    if (watch.armed && !watch.first) watch.first = watch.settled;
  };
  for (const name of ["fillText", "stroke", "fill", "fillRect", "clearRect"]) {
    const own = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) { bump(); return own.apply(this, given); };
  }
  const observe = (root) => new MutationObserver(bump).observe(root, {
    childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["d", "style", "class", "transform"],
  });
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) { const root = attach.call(this, options); observe(root); return root; };
  document.addEventListener("DOMContentLoaded", () => observe(document.body));
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", (event) => {
        const size = event.data.byteLength ?? event.data.size ?? event.data.length;
        watch.received = performance.now();
        watch.bytes += size;
        watch.largest = Math.max(watch.largest, size);
      });
    }
    send(data) { if (!watch.sent) watch.sent = performance.now(); super.send(data); }
  };
  window.__arm = () => Object.assign(watch, { settled: 0, first: 0, armed: performance.now(), sent: 0, received: 0, bytes: 0, largest: 0 });
  /* Milliseconds until nothing has changed for `quiet` ms, after the socket answered. */
  window.__settle = async (quiet, patience) => {
    const began = performance.now();
    while (performance.now() - began < patience) {
      await new Promise((resolve) => { setTimeout(resolve, 10); });
      const last = Math.max(watch.settled, watch.received);
      if (watch.received > watch.armed && performance.now() - last > quiet) break;
    }
    return {
      first: watch.first - watch.armed, settled: Math.max(watch.settled, watch.received) - watch.armed,
      server: watch.received - watch.sent, kib: watch.bytes / 1024, largest: watch.largest / 1024,
    };
  };
  /* Frames a second while an element scrolls by itself for `seconds`. */
  window.__scroll = (node, seconds) => new Promise((resolve) => {
    const began = performance.now();
    let frames = 0;
    const step = () => {
      frames += 1;
      node.scrollTop += 84;
      const passed = performance.now() - began;
      if (passed < seconds * 1000) requestAnimationFrame(step);
      else resolve((frames * 1000) / passed);
    };
    requestAnimationFrame(step);
  });
})();
