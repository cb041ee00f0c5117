// The page: one step at a time, shared by all runs.

const $ = (id) => document.getElementById(id);
const PAUSE = 90; // milliseconds from frame to frame while playing

let runs = [];
let cards = [];
let steps = [];
let at = 0; // which of the steps
let pinned = null; // the neuron that was clicked
let pointed = null; // the neuron under the pointer
let playing = null;

function refresh() {
  const step = steps[at];
  for (const card of cards) {
    const { run } = card;
    const i = run.frame(step);
    const chosen = [pointed, pinned].find((neuron) => neuron && run.columns[neuron.column]?.units > neuron.unit) ?? null;
    drawPlane(card.canvas, run, i, chosen);
    card.network.show(i, chosen);
    card.curves.forEach((curve) => curve.show(i));
    card.caption.textContent = chosen ? `${run.nameOf(chosen.column, chosen.unit)} = ${run.formula(i, chosen.column, chosen.unit)}` : whole(run);
    card.canvas.setAttribute("aria-label", `${card.caption.textContent}; ${figures(run, i)}`);
  }
  const where = `step ${step} of ${steps.at(-1)}, epoch ${runs[0].epochs[runs[0].frame(step)]}`;
  $("slider").value = at;
  $("slider").setAttribute("aria-valuetext", `${where}; ${runs.map((run) => figures(run, run.frame(step))).join("; ")}`);
  $("where").textContent = where;
  $("first").disabled = $("back").disabled = at === 0;
  $("last").disabled = $("on").disabled = at === steps.length - 1;
}

const whole = (run) => (run.classes ? "the network: which class it sees where, and the boundary" : "the network's output");

function figures(run, i) {
  const accuracy = run.accuracy[i] === null ? "" : `, accuracy ${percent(run.accuracy[i])}`;
  return `loss ${shown(run.loss[i])}${accuracy}`;
}

function go(to) {
  at = Math.max(0, Math.min(steps.length - 1, to));
  refresh();
}

function goToStep(step) {
  pause();
  let nearest = 0;
  steps.forEach((each, k) => {
    if (Math.abs(each - step) < Math.abs(steps[nearest] - step)) nearest = k;
  });
  go(nearest);
}

function pause() {
  clearInterval(playing);
  playing = null;
  $("play").textContent = "▶ play";
}

function play() {
  if (playing !== null) {
    pause();
    return;
  }
  if (at === steps.length - 1) go(0);
  $("play").textContent = "‖ pause";
  playing = setInterval(() => {
    go(at + 1);
    if (at === steps.length - 1) pause();
  }, PAUSE);
}

function choose(neuron, forGood) {
  if (!forGood) pointed = neuron;
  else pinned = neuron && isAt(pinned, neuron.column, neuron.unit) ? null : neuron;
  if (forGood && pinned === null) pointed = null;
  refresh();
}

function cardOf(run) {
  const section = made($("runs"), "section", { "aria-label": run.title });
  made(section, "h2", {}, run.title);
  const body = made(section, "div", { class: "body" });
  const figure = made(body, "figure");
  const axes = made(figure, "div", { class: "axes" });
  const canvas = made(axes, "canvas", { role: "img" });
  axisLabels(axes, run);
  const caption = made(figure, "figcaption");
  const box = made(body, "div", { class: "curves" });
  const kinds = ["loss", "accuracy"].filter((kind) => run[kind].some((number) => number !== null));
  const curves = kinds.map((kind) => new Curve(box, runs, run, kind, goToStep));
  const network = new Network(body, run, choose);
  return { run, network, canvas, caption, curves };
}

function axisLabels(axes, run) {
  const [left, bottom] = run.low.map(shown);
  const [right, top] = run.high.map(shown);
  const across = made(axes, "div", { class: "across" });
  for (const text of [left, run.names[0], right]) made(across, "span", {}, text);
  const up = made(axes, "div", { class: "up" });
  for (const text of [top, run.names[1], bottom]) made(up, "span", {}, text);
}

function legend() {
  const add = (className, text) => {
    const item = made($("legend"), "span");
    made(item, "i", { class: className, "aria-hidden": "true" });
    item.append(text);
    return item.firstChild;
  };
  const classes = runs.map((run) => run.classes ?? []);
  for (let k = 0; classes.some((names) => k < names.length); k += 1) {
    const names = new Set(classes.filter((each) => k < each.length).map((each) => each[k]));
    const point = add(`point ${SHAPES[k % SHAPES.length]}`, `class ${[...names].join(" or ")}`);
    point.style.setProperty("--own", `var(--${"abcdef"[k % 6]})`);
  }
  if (classes.flat().length) add("wrong", "a sample on the wrong side");
  add("scale", "what a neuron says: below 0, 0, above 0");
  add("line negative", "negative weight");
  add("line positive", "positive weight; the thicker, the larger");
}

function listen() {
  const actions = { first: () => go(0), back: () => go(at - 1), on: () => go(at + 1), last: () => go(steps.length - 1) };
  for (const [id, act] of Object.entries(actions)) {
    $(id).addEventListener("click", () => {
      pause();
      act();
    });
  }
  $("play").addEventListener("click", play);
  $("slider").addEventListener("input", () => {
    pause();
    go(Number($("slider").value));
  });
  document.addEventListener("keydown", (event) => {
    const key = { Home: "first", ArrowLeft: "back", ArrowRight: "on", End: "last", " ": "play" }[event.key];
    const hasOwnKeys = event.target === $("slider") ? event.key !== " " : event.key === " " && event.target.tagName === "BUTTON";
    if (event.key === "Escape") choose(null, true);
    if (!key || hasOwnKeys || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    $(key).click();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours();
    refresh();
  });
}

async function begin() {
  const recorded = JSON.parse($("data").textContent);
  runs = await Promise.all(recorded.map((each) => new Run().unpack(each)));
  steps = [...new Set(runs.flatMap((run) => run.steps))].sort((a, b) => a - b);
  $("slider").max = steps.length - 1;
  $("runs").className = runs.length > 1 ? "several" : "one";
  readColours();
  legend();
  cards = runs.map(cardOf);
  listen();
  go(steps.length - 1);
  document.documentElement.dataset.ready = "true";
}

begin();
