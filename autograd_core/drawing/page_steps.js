// The story: one step for each number forward, and one for each edge backward.

// In Python's formulas node_3_ is node 3. Text that could be misread gets parentheses, unless it has
// some already
const filled = (template, write, isPlain) =>
  template.replace(/(?<opening>\(?)node_(?<id>\d+)_(?<closing>\)?)/g, (...match) => {
    const { opening, id, closing } = match.at(-1);
    const text = write(Number(id));
    const alone = isPlain.test(text) || (opening && closing);
    return opening + (alone ? text : `(${text})`) + closing;
  });

const plainName = /^[\p{L}\p{N}_.[\]'′]+$/u;
const plainNumber = /^[^-]/;
const described = (x) => (typeof x === "number" ? show(x) : `[${show(x)}]`);
const inParentheses = (x) => (plainNumber.test(show(x)) ? described(x) : `(${show(x)})`);

class Story {
  constructor(graph) {
    this.graph = graph;
    const computed = graph.nodes.filter((node) => node.expression !== null);
    const flowing = graph.edges.filter((edge) => edge.contribution !== null);
    this.steps = [
      { phase: "start" },
      ...computed.map((node) => ({ phase: "forward", node })),
      { phase: "seed", node: graph.nodes.at(-1) },
      ...flowing.map((edge) => ({ phase: "backward", edge })),
      { phase: "end" },
    ];
    this.visits = graph.nodes.map(() => []); // of each node, the steps that write on it
    this.steps.forEach((step, at) => {
      if (step.node) this.visits[step.node.id].push(at);
      if (step.edge) this.visits[step.edge.from].push(at);
    });
    this.seeded = computed.length + 1;
    this.last = this.steps.length - 1;
  }

  // A node's data once it is computed, and its gradient as far as it has been added up
  state(node, at) {
    const done = this.visits[node.id].filter((visit) => visit <= at);
    const all = this.visits[node.id].filter((visit) => visit >= this.seeded);
    const added = done.filter((visit) => visit >= this.seeded);
    const step = this.steps[added.at(-1)];
    return {
      data: node.expression === null || done.length ? node.data : null,
      gradient: !step ? null : step.edge ? step.edge.after : this.steps[this.seeded].node.gradient,
      partial: added.length > 0 && added.length < all.length,
    };
  }

  // Whether the gradient has passed this edge
  flowed(edge, at) {
    return this.visits[edge.from].some((visit) => visit <= at && this.steps[visit].edge === edge);
  }

  name(id) {
    return this.graph.nodes[id].name;
  }

  d(id) {
    const name = this.name(id);
    return plainName.test(name) ? `d${name}` : `d(${name})`;
  }

  // dL/da
  slope(of, by) {
    return `${this.d(of)}/${this.d(by)}`;
  }

  get output() {
    return this.graph.nodes.length - 1;
  }

  numbersIn(template) {
    return filled(template, (id) => show(this.graph.nodes[id].data), plainNumber);
  }

  namesIn(template) {
    return filled(template, (id) => this.name(id), plainName);
  }

  // What happens in a step: a sentence, and a formula in pieces [text, kind]
  words(at) {
    const step = this.steps[at];
    return this[step.phase](step);
  }

  formulaText(at) {
    return this.words(at)
      .formula.map(([text]) => text)
      .join("");
  }

  get inputs() {
    return this.graph.nodes.filter((node) => node.expression === null);
  }

  start() {
    return {
      sentence: "The inputs are given. Each step computes one number from those before it.",
      formula: listed(this.inputs.map((node) => `${node.name} = ${show(node.data)}`)),
    };
  }

  forward({ node }) {
    const numbers = this.numbersIn(node.expression);
    const formula = [[node.name, "target"], [` = ${this.namesIn(node.expression)} = `]];
    if (!node.array) formula.push([numbers, "source"], [" = "]);
    formula.push([show(node.data), "target"]);
    return { sentence: `Forward: compute ${node.name} (${node.primitive}).`, formula };
  }

  seed({ node }) {
    const name = node.name;
    return {
      sentence: `Backward begins at the output: ${name} changes exactly as ${name} does.`,
      formula: [[`${this.slope(node.id, node.id)} = `], [show(node.gradient), "target"]],
    };
  }

  backward({ edge }) {
    const { from, to } = edge;
    const user = this.graph.nodes[to];
    const because = `${user.name} = ${this.namesIn(user.expression)}`;
    const [incoming, local] = [this.slope(this.output, to), this.slope(to, from)];
    const factor = this.namesIn(user.factors[edge.slot]);
    const formula = [[this.slope(this.output, from), "target"], [" += "]];
    if (edge.local === null) formula.push([factor, "local"], [" = "]);
    else {
      formula.push([incoming, "source"], [" * "], [local, "local"], [" = "]);
      formula.push([inParentheses(user.gradient), "source"], [" * "]);
      formula.push([inParentheses(edge.local), "local"], [" = "]);
    }
    formula.push([`${described(edge.contribution)}, so far ${described(edge.before)}, now `]);
    formula.push([described(edge.after), "target"]);
    let so = `so ${local} = ${factor}`;
    if (edge.local === null)
      so = `with G = ${incoming} the rule of ${user.primitive} gives ${factor}`;
    else if (typeof edge.local === "object") so += ", element by element";
    else if (Number(factor) === edge.local) so = `so ${local} = ${show(edge.local)}`;
    else so += ` = ${show(edge.local)}`;
    return { sentence: `Backward: ${because}, ${so}.`, formula };
  }

  end() {
    const output = this.graph.nodes.at(-1);
    const slopes = this.inputs.map(({ id, gradient }) => {
      const number = gradient === null ? "none" : show(gradient);
      return `${this.slope(this.output, id)} = ${number}`;
    });
    return {
      sentence: `Done: ${output.name} = ${show(output.data)}. How much it changes with each input:`,
      formula: listed(slopes),
    };
  }
}

// The first eight, and how many more
function listed(texts) {
  const rest = texts.length > 8 ? `, and ${texts.length - 8} more` : "";
  return [[texts.slice(0, 8).join(", ") + rest]];
}
