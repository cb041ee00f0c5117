// The network: a picture of what each neuron says, and a line for each weight.

const SVG = "http://www.w3.org/2000/svg";

function made(parent, name, attributes = {}, text = null) {
  const isDrawn = parent.namespaceURI === SVG || name === "svg";
  const child = isDrawn ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) child.setAttribute(key, value);
  if (text !== null) child.textContent = text;
  parent.append(child);
  return child;
}

class Network {
  // choose(neuron or null, whether for good) is told which neuron is pointed at
  constructor(parent, run, choose) {
    this.run = run;
    const most = Math.max(...run.columns.map((column) => column.units));
    this.pitch = Math.max(13, Math.min(58, 420 / most));
    this.height = Math.max(230, this.pitch * most + 16);
    this.box = made(parent, "div", { class: "network", role: "group", "aria-label": "The network" });
    const words = 22 + 17 * Math.max(...run.columns.map((column) => column.functions.length));
    this.box.style.height = `${this.height + words}px`;
    this.lines = made(this.box, "svg", {
      viewBox: `0 0 1000 ${this.height}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    });
    this.lines.style.height = `${this.height}px`;
    this.edges = [];
    this.neurons = [];
    run.columns.forEach((column, c) => {
      for (let unit = 0; unit < column.units; unit += 1) {
        if (c) this.connect(c, unit);
        this.place(c, unit, choose);
      }
      const label = made(this.box, "span", { class: "column" }, this.labelOf(c));
      label.style.cssText = `left:${this.across(c) / 10}%;top:${this.height}px`;
    });
  }

  across(column) {
    return 60 + (880 * column) / (this.run.columns.length - 1);
  }

  down(column, unit) {
    const { units } = this.run.columns[column];
    const pitch = Math.min(this.height / units, 1.5 * this.pitch, 64);
    return this.height / 2 + (unit - (units - 1) / 2) * pitch;
  }

  labelOf(column) {
    if (column === 0) return "inputs";
    const last = column === this.run.columns.length - 1;
    return [last ? "output" : `hidden ${column}`, ...this.run.columns[column].functions].join("\n");
  }

  connect(column, unit) {
    const [to, y] = [this.across(column), this.down(column, unit)];
    for (let input = 0; input < this.run.columns[column].inputs; input += 1) {
      const [from, start] = [this.across(column - 1), this.down(column - 1, input)];
      const half = (from + to) / 2;
      const d = `M${from} ${start}C${half} ${start} ${half} ${y} ${to} ${y}`;
      const path = made(this.lines, "path", { d, "vector-effect": "non-scaling-stroke" });
      this.edges.push({ column, unit, input, path });
    }
  }

  place(column, unit, choose) {
    const button = made(this.box, "button", {
      type: "button",
      class: "neuron",
      "aria-pressed": "false",
      "aria-label": this.run.nameOf(column, unit),
    });
    const size = Math.min(44, 0.86 * this.pitch);
    button.style.cssText = `left:${this.across(column) / 10}%;top:${this.down(column, unit)}px;width:${size}px;height:${size}px`;
    const canvas = made(button, "canvas", { width: 48, height: 48 });
    const neuron = { column, unit };
    button.addEventListener("pointerenter", () => choose(neuron, false));
    button.addEventListener("pointerleave", () => choose(null, false));
    button.addEventListener("focus", () => choose(neuron, false));
    button.addEventListener("blur", () => choose(null, false));
    button.addEventListener("click", () => choose(neuron, true));
    this.neurons.push({ ...neuron, button, canvas });
  }

  show(i, chosen) {
    const { run } = this;
    for (const { column, unit, input, path } of this.edges) {
      const weight = run.weight(i, column, unit, input);
      const share = Number.isFinite(weight) ? Math.abs(weight) / (1 + Math.abs(weight)) : 0;
      const touched = chosen && (isAt(chosen, column, unit) || isAt(chosen, column - 1, input));
      const width = this.edges.length > 400 ? 5 : 8;
      path.setAttribute("class", weight < 0 ? "negative" : weight > 0 ? "positive" : "missing");
      path.style.strokeWidth = 0.4 + width * share;
      path.style.strokeOpacity = (0.2 + 0.7 * share) * (chosen && !touched ? 0.25 : 1);
    }
    for (const { column, unit, button, canvas } of this.neurons) {
      const cells = run.shades(i, column, unit);
      paintCells(canvas.getContext("2d"), (cell) => signColour(cells[cell]), sideOf(cells), 48);
      button.setAttribute("aria-pressed", String(isAt(chosen, column, unit)));
      button.title = `${run.nameOf(column, unit)}: ${run.formula(i, column, unit)}`;
    }
  }
}

const isAt = (chosen, column, unit) => chosen?.column === column && chosen.unit === unit;
