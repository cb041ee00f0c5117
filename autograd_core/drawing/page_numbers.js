// Numbers: the forward functions, and what recomputes a scalar graph after an edit.
//
// No derivative is written here. Python records those of each operation from the rules of the
// engine, as trees of the functions below.

const modulo = (x, y) => {
  const remainder = x % y;
  return remainder !== 0 && remainder < 0 !== y < 0 ? remainder + y : remainder;
};

const floorDivide = (x, y) => {
  if (y === 0) return x / y;
  const remainder = x % y;
  const isBelow = remainder !== 0 && remainder < 0 !== y < 0;
  return Math.round((x - remainder) / y) - (isBelow ? 1 : 0);
};

const toEven = (x) => {
  const below = Math.floor(x);
  if (x - below !== 0.5) return x < 0.5 && x >= -0.5 ? 0 * x : Math.round(x);
  return below % 2 === 0 ? below : below + 1;
};

// The power series of erf, whose terms are all positive, until they no longer change the sum
const errorFunction = (x) => {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return Math.abs(x) > 0 ? (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum : x;
};

const logAddExp = (x, y, base) => {
  const far = Math.abs(x - y);
  const more = Math.log1p(Math.exp(-far * Math.log(base))) / Math.log(base);
  return x === y ? x + Math.log(2) / Math.log(base) : Math.max(x, y) + more;
};

// 1 - erf(x), where no digits cancel; else a continued fraction (Abramowitz and Stegun, 7.1.14)
function complementaryErrorFunction(x) {
  if (x < 1) return 1 - errorFunction(x);
  let fraction = x;
  for (let k = 200; k > 0; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI));
}

const floatPower = (x, y) =>
  x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;

// NumPy takes the square root at y = 1/2, which is NaN at -inf
const power = (x, y) => (y === 0.5 ? Math.sqrt(x) : floatPower(x, y));

// x^y log(x)^n, with the limit from the right at x = 0
const powerLog = (x, y, n) => {
  if (n === 0) return power(x, y);
  if (x !== 0 || Number.isNaN(y)) return power(x, y) * Math.log(x) ** n;
  return y > 0 ? 0 : n % 2 === 1 ? -Infinity : Infinity;
};

// By the primitives' names, with NumPy's results where there is no number: 1/0, log(0), 0 ** 0
const kernels = {
  identity: (x) => x,
  add: (x, y) => x + y,
  subtract: (x, y) => x - y,
  multiply: (x, y) => x * y,
  divide: (x, y) => x / y,
  floor_divide: floorDivide,
  mod: modulo,
  power,
  float_power: floatPower,
  power_log: powerLog,
  negative: (x) => -x,
  reciprocal: (x) => 1 / x,
  absolute: Math.abs,
  hypot: (x, y) => Math.hypot(x, y),
  sqrt: Math.sqrt,
  cbrt: Math.cbrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  logaddexp: (x, y) => logAddExp(x, y, Math.E),
  logaddexp2: (x, y) => logAddExp(x, y, 2),
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  arctan2: Math.atan2,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  arcsinh: Math.asinh,
  arccosh: Math.acosh,
  arctanh: Math.atanh,
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  relu: (x) => (x > 0 || Number.isNaN(x) ? x : 0),
  erf: errorFunction,
  erfc: complementaryErrorFunction,
  greater: (x, y) => Number(x > y),
  greater_equal: (x, y) => Number(x >= y),
  equal: (x, y) => Number(x === y),
  where: (condition, x, y) => (condition !== 0 ? x : y),
  maximum: (x, y) => Math.max(x, y),
  minimum: (x, y) => Math.min(x, y),
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: (x, { decimals }) => toEven(x * 10 ** decimals) / 10 ** decimals,
};

// A tree is a number, a name in `known`, or [function, options, ...trees]
function evaluate(tree, known) {
  if (typeof tree === "number") return tree;
  if (typeof tree === "string") return Object.hasOwn(known, tree) ? known[tree] : Number(tree);
  const [name, options, ...inputs] = tree;
  return kernels[name](...inputs.map((input) => evaluate(input, known)), options);
}

function unknownIn(tree) {
  if (!Array.isArray(tree)) return null;
  const [name, , ...inputs] = tree;
  if (!Object.hasOwn(kernels, name)) return name;
  return inputs.map(unknownIn).find((found) => found) ?? null;
}

// Why the numbers of this graph cannot be edited here, or null if they can
function obstacle(graph) {
  if (graph.obstacle) return graph.obstacle;
  for (const rule of graph.rules) {
    const name = [rule.forward, ...rule.backward].map(unknownIn).find((found) => found);
    if (name) return `this page cannot compute ${name}`;
  }
  return null;
}

// The variables of a node's rule: data and the given gradient
function known(graph, node, g) {
  const inputs = node.inputs.map((x) => (typeof x === "number" ? graph.nodes[x].data : x.constant));
  return Object.fromEntries([["g", g], ["out", node.data], ...inputs.map((x, i) => [`x${i}`, x])]);
}

// Whether a choice has left out the input of an edge: then 0 times an infinite derivative is 0
function isLeftOut(rule, user, edge, leftOut) {
  const other = user.inputs[1 - edge.slot];
  const hasZero = rule.forward[0] === "multiply" && other?.constant === 0;
  return leftOut.has(user) || hasZero || (rule.chooses && edge.local === 0);
}

// Compute all data forward, then all gradients backward. `graph.edges` are in the order of the
// backward sweep, so that the gradient of a node is complete before it is passed on.
function recompute(graph) {
  const { nodes, rules, edges } = graph;
  const leftOut = new Set(nodes.slice(0, -1));
  for (const node of nodes) {
    node.gradient = null;
    if (node.rule !== null) node.data = evaluate(rules[node.rule].forward, known(graph, node));
  }
  nodes.at(-1).gradient = 1;
  for (const edge of edges.filter((each) => each.contribution !== null)) {
    const [input, user] = [nodes[edge.from], nodes[edge.to]];
    const rule = rules[user.rule];
    const backward = rule.backward[edge.slot];
    edge.local = evaluate(backward, known(graph, user, 1));
    const isZero = isLeftOut(rule, user, edge, leftOut);
    edge.contribution = isZero ? 0 : evaluate(backward, known(graph, user, user.gradient));
    if (!isZero) leftOut.delete(input);
    edge.before = input.gradient ?? 0;
    edge.after = edge.before + edge.contribution;
    input.gradient = edge.after;
  }
}

// JSON has no NaN and no infinity: they are text. An array is a description
const asNumber = (x) => (typeof x === "string" ? Number(x) : x);

function read(text) {
  const graph = JSON.parse(text);
  graph.nodes.forEach((node, id) => {
    Object.assign(node, { id, data: asNumber(node.data), gradient: asNumber(node.gradient) });
    for (const x of node.inputs) if (typeof x === "object") x.constant = asNumber(x.constant);
  });
  for (const edge of graph.edges) {
    for (const key of ["local", "contribution", "before", "after"]) edge[key] = asNumber(edge[key]);
  }
  return graph;
}

// A typed number; NaN and infinities are written as by `show`; null if it is not a number
function typed(text) {
  const word = text.trim().toLowerCase();
  const number = Number(word.replace(/inf(inity)?$/, "Infinity"));
  return word === "nan" || (word !== "" && !Number.isNaN(number)) ? number : null;
}

function show(x) {
  if (x === null) return "\u2013";
  if (typeof x === "object") return x.text;
  if (Number.isNaN(x)) return "nan";
  if (Math.abs(x) === Infinity) return x > 0 ? "inf" : "-inf";
  const short = Number(x.toPrecision(4));
  const size = Math.abs(short);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return short.toExponential();
  return Number.isInteger(short) ? `${short}.0` : String(short);
}
