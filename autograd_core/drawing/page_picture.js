// The picture: boxes and edges at the places that Graphviz has computed, with the numbers of the
// current step. Text is inserted as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function change(made, attributes) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
}

function element(parent, name, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, name);
  change(made, attributes);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

const shortened = (text, length) =>
  [...text].length > length ? `${[...text].slice(0, length - 1).join("")}…` : text;

class Picture {
  // `choose` is called with a node's number, `toggle` with a group's
  constructor(svg, story, choose, toggle) {
    Object.assign(this, { svg, story, choose, toggle, graph: story.graph });
  }

  // Draw another of the layouts
  arrange(layout) {
    const { svg, graph } = this;
    this.layout = layout;
    [this.boxes, this.lines, this.folds, this.headers] = [new Map(), [], new Map(), new Map()];
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
    const open = layout.groups.filter(([group]) => !layout.folded.includes(group));
    const folded = layout.groups.filter(([group]) => layout.folded.includes(group));
    open.forEach(([group, box]) => this.drawOpenGroup(group, box));
    layout.edges.forEach((edge) => this.drawEdge(edge));
    layout.nodes.forEach(([id, x, y]) => this.drawNode(graph.nodes[id], x, y));
    folded.forEach(([group, box]) => this.drawFoldedGroup(group, box));
    this.lines.forEach(({ label }) => svg.append(label)); // above everything
  }

  // A button for mouse and keyboard
  button(className, label, action) {
    const made = element(this.svg, "g", { class: className, tabindex: 0, role: "button" });
    made.setAttribute("aria-label", label);
    made.addEventListener("click", action);
    made.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      action();
    });
    return made;
  }

  drawOpenGroup(group, [x, y, width, height]) {
    const { name, size } = this.graph.groups[group];
    element(this.svg, "rect", { class: "group", x, y, width, height, rx: 10 });
    const header = this.button("fold", `Fold ${name}, ${size} nodes`, () => this.toggle(group));
    header.setAttribute("aria-expanded", "true");
    this.headers.set(group, header);
    element(header, "title", {}, "Fold");
    const text = `▾ ${shortened(name, Math.floor(width / 8) - 3)}`;
    element(header, "rect", {
      x: x + 4,
      y: y + 4,
      width: 8 * [...text].length + 8,
      height: 18,
      rx: 4,
    });
    element(header, "text", { x: x + 8, y: y + 17 }, text);
  }

  drawFoldedGroup(group, [x, y, width, height]) {
    const { name, size, last } = this.graph.groups[group];
    const box = this.button("folded", "", () => this.toggle(group));
    box.setAttribute("aria-expanded", "false");
    element(box, "title", {}, "Unfold");
    element(box, "rect", { class: "card", x, y, width, height, rx: 10 });
    const middle = { x: x + width / 2, "text-anchor": "middle" };
    const fits = Math.floor(width / 8) - 4;
    element(
      box,
      "text",
      { ...middle, class: "name", y: y + height / 2 - 12 },
      `▸ ${shortened(name, fits)}`,
    );
    element(box, "text", { ...middle, class: "word", y: y + height / 2 + 6 }, `${size} nodes`);
    const number = element(box, "text", { ...middle, class: "number", y: y + height / 2 + 23 });
    this.folds.set(group, { box, number, last, label: `Unfold ${name}, ${size} nodes` });
  }

  drawEdge([points, ids]) {
    const line = element(this.svg, "g", { class: "edge" });
    const [[x, y], end] = [points.at(-2), points.at(-1)];
    const angle = Math.atan2(end[1] - y, end[0] - x);
    const corner = (turn) =>
      `${end[0] - 9 * Math.cos(angle + turn)},${end[1] - 9 * Math.sin(angle + turn)}`;
    const [first, ...curve] = points.slice(0, -1).map((point) => point.join());
    const base = [end[0] - 7 * Math.cos(angle), end[1] - 7 * Math.sin(angle)];
    const path = element(line, "path", { d: `M${first} C${curve.join(" ")} L${base}` });
    element(line, "polygon", { points: `${end[0]},${end[1]} ${corner(0.4)} ${corner(-0.4)}` });
    const at = path.getPointAtLength(path.getTotalLength() / 2);
    const label = element(line, "text", {
      class: "factor",
      x: at.x,
      y: at.y + 4,
      "text-anchor": "middle",
    });
    this.lines.push({ line, label, ids });
  }

  drawNode(node, x, y) {
    const [width, height] = [node.width, this.graph.height];
    const box = this.button("", "", () => this.choose(node.id));
    box.dataset.node = node.id;
    box.setAttribute("transform", `translate(${x - width / 2} ${y - height / 2})`);
    element(box, "title", {}, `${node.name}: its history`);
    const round = node.expression === null ? 18 : 5;
    const isOutput = node.id === this.story.output;
    if (isOutput)
      element(box, "rect", {
        class: "outline",
        x: -4,
        y: -4,
        width: width + 8,
        height: height + 8,
        rx: round + 3,
      });
    element(box, "rect", { class: "card", width, height, rx: round });
    const shade = element(box, "rect", {
      class: "shade",
      x: 6,
      y: 40,
      width: width - 12,
      height: 17,
      rx: 4,
    });
    const middle = { x: width / 2, "text-anchor": "middle" };
    element(box, "text", { ...middle, class: "name", y: 16 }, shortened(node.short, node.fits));
    element(box, "text", { class: "word", x: 11, y: 34 }, "data");
    element(box, "text", { class: "word", x: 11, y: 53 }, "grad");
    const right = { class: "number", x: width - 11, "text-anchor": "end" };
    const data = element(box, "text", { ...right, y: 34 });
    const gradient = element(box, "text", { ...right, y: 53 });
    this.boxes.set(node.id, { box, data, gradient, shade });
  }

  // Show the numbers at a step, and highlight the boxes and edges of the step
  show(at, chosen) {
    const { node, edge, phase } = this.story.steps[at];
    const target = node?.id ?? edge?.from ?? null;
    const sources = phase === "forward" ? node.inputs : edge ? [edge.to] : [];
    const sizes = this.graph.nodes.map(({ gradient }) => size(gradient));
    const largest = Math.max(...sizes.filter(Number.isFinite), 0);
    for (const [id, parts] of this.boxes) {
      const marks = { target: id === target, source: sources.includes(id), chosen: id === chosen };
      this.showNode(this.graph.nodes[id], parts, at, marks, largest);
    }
    for (const [group, parts] of this.folds) {
      const touched = [target, edge?.to].some((id) => id != null && this.inside(id, group));
      this.showFolded(parts, at, touched);
    }
    for (const parts of this.lines) this.showEdge(parts, at, chosen);
  }

  showNode(node, { box, data, gradient, shade }, at, marks, largest) {
    const now = this.story.state(node, at);
    const none = now.gradient === null;
    const isToCome = node.gradient !== null ? "?" : "not computed";
    data.textContent = now.data === null ? "?" : show(now.data);
    gradient.textContent = none ? (at < this.story.seeded ? "" : isToCome) : show(now.gradient);
    shade.setAttribute("class", `shade ${none ? "" : sign(now.gradient)}`);
    shade.style.opacity = strength(now.gradient, largest);
    const input = node.expression === null;
    const states = { input, unknown: now.data === null, partial: now.partial, none };
    const words = [
      node.title,
      input ? "input" : "computed",
      `data ${data.textContent}`,
      `gradient ${none ? "not computed" : show(now.gradient)}`,
    ];
    change(box, {
      class: classes({ node: true, ...states, ...marks }),
      "aria-label": words.join(", "),
      "aria-pressed": marks.chosen,
    });
  }

  showFolded({ box, number, last, label }, at, target) {
    const data = last === null ? null : this.story.state(this.graph.nodes[last], at).data;
    number.textContent = data === null ? "?" : `→ ${show(data)}`;
    change(box, {
      class: classes({ folded: true, target, unknown: data === null }),
      "aria-label": `${label}, gives ${number.textContent}`,
    });
  }

  showEdge({ line, label, ids }, at, chosen) {
    const { story, graph } = this;
    const step = story.steps[at];
    const edges = ids.map((id) => graph.edges[id]);
    const isForward = step.phase === "forward";
    const forward = isForward && edges.some(({ to }) => graph.nodes[to] === step.node);
    const backward = edges.includes(step.edge);
    const beside = edges.some(({ from, to }) => from === chosen || to === chosen);
    const cut = edges.every(({ contribution }) => contribution === null);
    change(line, { class: classes({ edge: true, forward, backward, beside, cut }) });
    const [only] = backward ? [step.edge] : beside && !this.hasTwin(edges) ? edges : [];
    const isKnown = only && typeof only.local === "number" && story.flowed(only, at);
    label.textContent = isKnown ? `* ${show(only.local)}` : "";
  }

  // Labels of parallel edges would overlap
  hasTwin([{ from, to }]) {
    return this.graph.edges.filter((each) => each.from === from && each.to === to).length > 1;
  }

  inside(id, group) {
    const { nodes, groups } = this.graph;
    let each = nodes[id].group;
    while (each !== null && each !== group) each = groups[each].parent;
    return each !== null;
  }

  // The boxes of a step, to which the picture scrolls
  places(at) {
    const { node, edge } = this.story.steps[at];
    const ids = node ? [node.id] : edge ? [edge.from, edge.to] : [];
    const boxes = ids.map((id) => this.boxes.get(id)?.box);
    const folds = [...this.folds].filter(([group]) => ids.some((id) => this.inside(id, group)));
    return [...boxes.filter((box) => box), ...folds.map(([, { box }]) => box)];
  }
}

const classes = (wanted) =>
  Object.keys(wanted)
    .filter((name) => wanted[name])
    .join(" ");

const size = (x) => (x === null ? 0 : typeof x === "object" ? x.norm : Math.abs(x));

const sign = (x) =>
  typeof x === "object" ? "mixed" : x > 0 ? "positive" : x < 0 ? "negative" : "zero";

// Half of the largest gradient's strength at a quarter of its size
const strength = (x, largest) => {
  if (x === null || size(x) === 0) return 0;
  return Number.isFinite(size(x)) ? 0.15 + 0.85 * Math.sqrt(size(x) / largest) : 1;
};
