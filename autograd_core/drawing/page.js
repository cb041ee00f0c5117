// The page: controls, keys and the panel next to the picture.

const $ = (id) => document.getElementById(id);

const graph = read($("graph").textContent);
const story = new Story(graph);
const picture = new Picture($("picture"), story, choose, toggle);
const { inputs } = story;
const given = inputs.map((node) => node.data);
const cannotEdit = obstacle(graph);
let layout = graph.layouts[0];
let at = story.last; // complete at first sight: all numbers are there
let chosen = null;
let playing = null;
let zoom = null; // null: as large as fits

function html(parent, name, attributes = {}, text = null) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

function refresh() {
  picture.show(at, chosen);
  const { sentence, formula } = story.words(at);
  $("words").className = story.steps[at].phase;
  $("sentence").textContent = sentence;
  $("formula").replaceChildren();
  for (const [text, kind] of formula) html($("formula"), "span", { class: kind ?? "" }, text);
  $("slider").value = at;
  $("slider").setAttribute("aria-valuetext", `step ${at} of ${story.last}`);
  $("where").textContent = `step ${at} of ${story.last}`;
  $("back").disabled = $("reset").disabled = at === 0;
  showPanel();
  showInputs();
}

function go(to) {
  at = Math.max(0, Math.min(story.last, to));
  refresh();
  const outer = $("scroller").getBoundingClientRect();
  for (const place of picture.places(at)) {
    const box = place.getBoundingClientRect();
    const outside = (low, high, from, until) =>
      high > until ? high - until + 20 : low < from ? low - from - 20 : 0;
    $("scroller").scrollBy({
      left: outside(box.left, box.right, outer.left, outer.right),
      top: outside(box.top, box.bottom, outer.top, outer.bottom),
    });
  }
}

// The first step follows the last
const step = () => go(at === story.last ? 0 : at + 1);

function pause() {
  clearTimeout(playing);
  playing = null;
  $("play-name").textContent = "Play";
  $("play").firstElementChild.textContent = "▶";
}

function play() {
  if (at === story.last) go(0);
  const next = () => {
    playing = setTimeout(() => {
      go(at + 1);
      if (at === story.last) pause();
      else next();
    }, $("pace").value);
  };
  next();
  $("play-name").textContent = "Pause";
  $("play").firstElementChild.textContent = "❚❚";
}

const actions = {
  step: () => (pause(), step()),
  back: () => (pause(), go(at - 1)),
  reset: () => (pause(), go(0)),
  end: () => (pause(), go(story.last)),
  play: () => (playing === null ? play() : pause()),
};
const keys = { ArrowRight: "step", ArrowLeft: "back", Home: "reset", End: "end", " ": "play" };

for (const name of ["step", "back", "reset", "play"])
  $(name).addEventListener("click", actions[name]);
$("slider").max = story.last;
$("slider").addEventListener("input", () => (pause(), go(Number($("slider").value))));
document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  const busy =
    target.matches("input[type=text], select") || (key === " " && target.matches("button"));
  if (busy || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, key)) return;
  event.preventDefault();
  actions[keys[key]]();
});

// Folding

const lies = (group, outer) =>
  group !== null && (group === outer || lies(graph.groups[group].parent, outer));

// Of the layouts in which the group is as wanted, the one with the fewest other changes
function toggle(group) {
  const fold = !layout.folded.includes(group);
  const all = [...graph.groups.keys()];
  const wanted = all.filter((each) =>
    fold
      ? layout.folded.includes(each) || lies(each, group)
      : layout.folded.includes(each) && each !== group,
  );
  const changes = ({ folded }) =>
    all.filter((each) => folded.includes(each) !== wanted.includes(each)).length;
  const fitting = graph.layouts.filter(({ folded }) =>
    fold ? folded.includes(group) : !folded.some((each) => lies(group, each)),
  );
  rearrange(fitting.sort((a, b) => changes(a) - changes(b))[0]);
  (picture.folds.get(group)?.box ?? picture.headers.get(group))?.focus({ preventScroll: true });
}

function rearrange(next) {
  layout = next;
  picture.arrange(layout);
  const names = layout.folded
    .filter((group) => !layout.folded.includes(graph.groups[group].parent))
    .map((group) => graph.groups[group].name);
  const more = names.length > 3 ? `, and ${names.length - 3} more` : "";
  const text = `Folded: ${names.slice(0, 3).join(", ")}${more}. Click one to unfold it.`;
  $("folded-note").textContent = names.length ? text : "";
  $("fold-all").disabled = layout.folded.length === graph.groups.length;
  $("unfold-all").disabled = layout.folded.length === 0;
  resize();
  refresh();
}

const foldedIn = (count) => graph.layouts.find(({ folded }) => folded.length === count);
$("folding").hidden = graph.groups.length === 0;
$("unfold-all").addEventListener("click", () => rearrange(foldedIn(0)));
$("fold-all").addEventListener("click", () => rearrange(foldedIn(graph.groups.length)));

// Zoom: numbers stay readable, so that a large graph is scrolled rather than shrunk

function resize() {
  const { width, height } = layout;
  const [wide, high] = [$("scroller").clientWidth, 0.62 * window.innerHeight];
  const fit = Math.max(0.6, Math.min(1.5, wide / width, high / height));
  const scale = zoom ?? fit;
  $("picture").setAttribute("width", Math.floor(width * scale));
  $("picture").setAttribute("height", Math.floor(height * scale));
  return scale;
}

function magnify(factor) {
  zoom = factor === null ? null : Math.max(0.2, Math.min(4, resize() * factor));
  resize();
}

$("larger").addEventListener("click", () => magnify(1.25));
$("smaller").addEventListener("click", () => magnify(0.8));
$("fit").addEventListener("click", () => magnify(null));
window.addEventListener("resize", resize);

// The panel: the chosen node with its history

function choose(id) {
  chosen = chosen === id ? null : id;
  refresh();
}

function showPanel() {
  const panel = $("panel");
  const focused = panel.contains(document.activeElement) && document.activeElement.dataset.step;
  panel.replaceChildren();
  if (chosen === null) {
    html(panel, "h2", {}, "A node's history");
    html(panel, "p", { class: "quiet" }, "Click a box to see how its numbers were computed.");
    html(panel, "p", { class: "quiet" }, "Keys: → step, ← back, Space play, Home reset, End all");
    return;
  }
  const node = graph.nodes[chosen];
  const { data, gradient, partial } = story.state(node, at);
  html(panel, "h2", {}, node.title);
  const list = html(panel, "dl");
  html(list, "dt", {}, "data");
  html(list, "dd", {}, data === null ? "not computed" : show(data));
  html(list, "dt", {}, "gradient");
  const soFar = partial ? " so far" : "";
  html(list, "dd", {}, gradient === null ? "not computed" : show(gradient) + soFar);
  html(panel, "h3", {}, "History");
  showHistory(html(panel, "ol"), node);
  if (focused) panel.querySelector(`[data-step="${focused}"]`)?.focus();
}

function showHistory(list, node) {
  if (node.expression === null) html(list, "li", {}, `given: ${node.name} = ${show(node.data)}`);
  for (const visit of story.visits[node.id]) {
    const item = html(list, "li", { class: visit > at ? "later" : visit === at ? "now" : "" });
    const text = story.formulaText(visit);
    const jump = html(item, "button", { "data-step": visit, title: `Go to step ${visit}` }, text);
    jump.addEventListener("click", () => (pause(), go(visit)));
  }
  const parts = graph.edges.filter((edge) => edge.from === node.id && edge.contribution !== null);
  if (parts.length > 1 && typeof node.gradient === "number" && at === story.last) {
    const sum = parts.map((edge) => inParentheses(edge.contribution)).join(" + ");
    html(list, "li", {}, `together: ${sum} = ${show(node.gradient)}`);
  }
  if (node.gradient === null) html(list, "li", {}, "No gradient: nothing flows back to here.");
}

// The inputs: their numbers can be changed

const rows = inputs.map((node) => {
  const row = html($("inputs").tBodies[0], "tr");
  const head = html(row, "th", { scope: "row" });
  for (const part of node.name.split(/(?<=\.)/)) {
    head.append(part);
    html(head, "wbr"); // layers[0].neurons[1].b breaks after its dots
  }
  const cell = html(row, "td");
  const field = cannotEdit
    ? null
    : html(cell, "input", { type: "text", inputmode: "decimal", "aria-label": `Number of ${node.name}` });
  field?.addEventListener("input", () => edit(node, field));
  return { node, row, cell, field, gradient: html(row, "td", { class: "gradient" }) };
});

function edit(node, field) {
  const number = typed(field.value);
  field.setCustomValidity(number === null ? "a number, such as 0.5, or inf or nan" : "");
  if (number === null) return;
  node.data = number;
  recompute(graph);
  refresh();
}

function showInputs() {
  for (const { node, row, cell, field, gradient } of rows) {
    row.className = node.id === chosen ? "chosen" : "";
    gradient.textContent = show(story.state(node, at).gradient);
    if (field === null) cell.textContent = show(node.data);
    else if (field !== document.activeElement) {
      field.value = Number.isFinite(node.data) ? Number(node.data.toPrecision(6)) : show(node.data);
      field.setCustomValidity("");
    }
  }
  $("restore").hidden = inputs.every((node, i) => Object.is(node.data, given[i]));
}

$("edit-note").textContent = cannotEdit
  ? `Shown only: ${cannotEdit}.`
  : "Change a number: everything is recomputed.";
$("restore").addEventListener("click", () => {
  inputs.forEach((node, i) => (node.data = given[i]));
  recompute(graph);
  refresh();
  $("step").focus();
});

rearrange(layout);
