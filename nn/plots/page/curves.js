// Curves of loss and accuracy over the steps, with the current step marked.

const WIDE = 360;
const HIGH = 150;
const EDGE = { left: 44, right: 10, top: 26, bottom: 24 };

class Curve {
  // All runs are drawn, to one scale, so that they can be compared; `run` is the one in front
  constructor(parent, runs, run, figure, go) {
    Object.assign(this, { run, figure });
    const others = runs.filter((other) => other !== run && other[figure].some((y) => y !== null));
    const known = [run, ...others].flatMap((each) => each[figure]).filter((y) => y !== null);
    this.last = Math.max(1, ...runs.flatMap((each) => each.steps));
    this.scale(known, [run, ...others].map((each) => each[figure].find((y) => y !== null)));
    const name = { loss: "Loss", accuracy: "Accuracy" }[figure];
    this.svg = made(parent, "svg", { class: "curve", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img" });
    this.name = name;
    this.title = made(this.svg, "text", { class: "figure", x: EDGE.left, y: 16 });
    this.axes();
    for (const other of others) made(this.svg, "path", { class: "other", d: this.path(other) });
    made(this.svg, "path", { class: "own", d: this.path(run) });
    this.line = made(this.svg, "line", { class: "now", y1: EDGE.top, y2: HIGH - EDGE.bottom });
    this.dot = made(this.svg, "circle", { class: "now", r: 4.5 });
    this.svg.addEventListener("pointerdown", (event) => this.point(event, go));
    this.svg.addEventListener("pointermove", (event) => event.buttons && this.point(event, go));
  }

  scale(known, firsts) {
    const positive = known.filter((y) => y > 0);
    // A training that diverges leaves the picture, instead of making it flat
    const ceiling = 10 * Math.max(1e-12, ...firsts);
    this.high = this.figure === "accuracy" ? 1 : Math.min(ceiling, Math.max(...known, 1e-12));
    this.low = this.figure === "accuracy" && known.every((y) => y >= 0.5) ? 0.5 : 0;
    this.isLog = this.figure === "loss" && positive.length === known.length && this.high > 30 * Math.min(...known);
    if (this.isLog) this.low = Math.min(...positive);
  }

  x(step) {
    return EDGE.left + (step / this.last) * (WIDE - EDGE.left - EDGE.right);
  }

  y(number) {
    const part = this.isLog
      ? Math.log(number / this.low) / Math.log(this.high / this.low)
      : (number - this.low) / (this.high - this.low);
    return HIGH - EDGE.bottom - Math.min(1.04, part) * (HIGH - EDGE.top - EDGE.bottom);
  }

  axes() {
    const shownNumber = this.figure === "accuracy" ? (y) => `${Math.round(100 * y)} %` : shown;
    const middle = this.isLog ? Math.sqrt(this.low * this.high) : (this.low + this.high) / 2;
    for (const number of [this.low, middle, this.high]) {
      const y = this.y(number);
      made(this.svg, "line", { class: "grid", x1: EDGE.left, x2: WIDE - EDGE.right, y1: y, y2: y });
      made(this.svg, "text", { class: "tick", x: EDGE.left - 5, y: y + 4, "text-anchor": "end" }, shownNumber(number));
    }
    const bottom = HIGH - 8;
    made(this.svg, "text", { class: "tick", x: EDGE.left, y: bottom }, "step 0");
    made(this.svg, "text", { class: "tick", x: WIDE - EDGE.right, y: bottom, "text-anchor": "end" }, String(this.last));
  }

  path(run) {
    let pen = "M";
    return run[this.figure]
      .map((number, k) => {
        if (number === null) {
          pen = "M";
          return "";
        }
        const piece = `${pen}${this.x(run.steps[k]).toFixed(1)} ${this.y(number).toFixed(1)}`;
        pen = "L";
        return piece;
      })
      .join("");
  }

  point(event, go) {
    const box = this.svg.getBoundingClientRect();
    const across = ((event.clientX - box.left) / box.width) * WIDE - EDGE.left;
    go((across / (WIDE - EDGE.left - EDGE.right)) * this.last);
  }

  show(i) {
    const number = this.run[this.figure][i];
    const text = this.figure === "accuracy" ? percent(number) : shown(number);
    this.title.textContent = `${this.name} ${text}${this.isLog ? " (log scale)" : ""}`;
    this.svg.setAttribute("aria-label", `${this.name} over the steps; now ${text}`);
    const x = this.x(this.run.steps[i]);
    this.line.setAttribute("x1", x);
    this.line.setAttribute("x2", x);
    this.dot.setAttribute("cx", x);
    this.dot.setAttribute("cy", number === null ? -99 : this.y(number));
  }
}
