// Frames: what was recorded of a training, unpacked; and numbers as colours and words.

const NEURON_SIDE = 24;
const PLANE_SIDE = 64;

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

class Run {
  // One training. Columns are those of the network: the inputs first, the outputs last.
  async unpack(recorded) {
    Object.assign(this, recorded);
    this.parameters = new Float32Array(await unpacked(recorded.parameters));
    this.neurons = new Int8Array(await unpacked(recorded.neurons));
    this.scores = new Int16Array(await unpacked(recorded.scores));
    this.right = recorded.right && new Uint8Array(await unpacked(recorded.right));
    this.inputs = [0, 1].map((axis) => ramp(axis));
    let first = 0; // of the parameters
    let neuron = 0; // first of the hidden ones
    let inputs = 2;
    for (const column of this.columns) {
      Object.assign(column, { first, neuron, inputs });
      first += column.units * (inputs + (column.bias ? 1 : 0));
      neuron += column.units;
      inputs = column.units;
    }
    this.outputs = inputs;
    this.hidden = neuron - inputs;
    this.size = first;
    this.columns.unshift({ units: 2, functions: [] });
    return this;
  }

  frame(step) {
    let i = this.steps.length - 1;
    while (i > 0 && this.steps[i] > step) i -= 1;
    return i;
  }

  weight(i, column, unit, input) {
    const { first, inputs } = this.columns[column];
    return this.parameters[i * this.size + first + unit * inputs + input];
  }

  bias(i, column, unit) {
    const { first, inputs, units, bias } = this.columns[column];
    return bias ? this.parameters[i * this.size + first + units * inputs + unit] : null;
  }

  // What one neuron says, cell by cell, as shares from -1 to 1: v / (1 + |v|), or NaN
  shades(i, column, unit) {
    if (column === 0) return this.inputs[unit];
    const isLast = column === this.columns.length - 1;
    const cells = (isLast ? PLANE_SIDE : NEURON_SIDE) ** 2;
    const place = isLast ? i * this.outputs + unit : i * this.hidden + this.columns[column].neuron + unit;
    const most = isLast ? 1023 : 127;
    const kept = (isLast ? this.scores : this.neurons).subarray(place * cells, (place + 1) * cells);
    return Float32Array.from(kept, (number) => (number < -most ? NaN : number / most));
  }

  // Whether the point was on the right side; always, where there are no sides
  isRight(i, point) {
    return !this.right || this.right[i * (this.right.length / this.steps.length) + point] === 1;
  }

  nameOf(column, unit) {
    if (column === 0) return `input ${this.names[unit]}`;
    const isLast = column === this.columns.length - 1;
    const place = isLast ? "output" : `hidden layer ${column}, neuron`;
    if (!isLast || this.outputs === 1) return isLast ? place : `${place} ${unit + 1}`;
    return `${place} of class ${this.classes[unit]}`;
  }

  // What one neuron computes: tanh(0.52 x₁ − 1.20 x₂ + 0.31)
  formula(i, column, unit) {
    if (column === 0) return this.names[unit];
    const { inputs, functions } = this.columns[column];
    const weights = Array.from({ length: inputs }, (_, input) => this.weight(i, column, unit, input));
    const bias = this.bias(i, column, unit);
    const names = column === 1 ? this.names : weights.map((_, input) => `h${subscript(input + 1)}`);
    const terms = weights.map((weight, input) => [weight, `${shown(Math.abs(weight))} ${names[input]}`]);
    const kept = terms.length > 4 ? [...terms.slice(0, 3), [1, "…"]] : terms;
    if (bias !== null) kept.push([bias, shown(Math.abs(bias))]);
    const sum = kept.map(([sign, term], k) => (sign < 0 ? (k ? " − " : "−") : k ? " + " : "") + term).join("");
    return functions.reduce((inner, name) => `${name}(${inner})`, sum);
  }
}

function ramp(axis) {
  const cells = new Float32Array(NEURON_SIDE ** 2);
  for (let row = 0; row < NEURON_SIDE; row += 1) {
    for (let column = 0; column < NEURON_SIDE; column += 1) {
      const share = (axis ? NEURON_SIDE - 1 - row : column) / (NEURON_SIDE - 1);
      cells[row * NEURON_SIDE + column] = 1.25 * (share - 0.5);
    }
  }
  return cells;
}

// Numbers

function shown(number) {
  if (number === null || !Number.isFinite(number)) return "no number";
  const size = Math.abs(number);
  if (size !== 0 && (size < 0.001 || size >= 100000)) return number.toExponential(1).replace("e+", "e");
  return number.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 3);
}

const percent = (share) => `${(100 * share).toFixed(share > 0.9995 || share === 0 ? 0 : 1)} %`;
const subscript = (number) => String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

// Colours: those of the style sheet, which knows light from dark

const colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => {
    const hex = style.getPropertyValue(name).trim();
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  };
  colours.classes = ["--a", "--b", "--c", "--d", "--e", "--f"].map(read);
  colours.neutral = read("--neutral");
  colours.ink = read("--ink");
  colours.missing = read("--missing");
  colours.shares = Array.from({ length: 201 }, (_, k) => {
    return mixed(colours.neutral, colours.classes[k < 100 ? 0 : 1], 0.9 * Math.abs(k / 100 - 1) ** 0.8);
  });
}

const signColour = (share) => colours.shares[Math.round(100 + 100 * share)] ?? colours.missing;
const mixed = (from, to, share) => from.map((number, k) => number + share * (to[k] - number));
const css = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;
const classColour = (number) => colours.classes[number % colours.classes.length];
