// The plane: what outputs, or one neuron, say of every place; the boundary; the samples.

const PIXELS = 720; // along the side of the canvas
const SHAPES = ["circle", "square", "triangle", "diamond"]; // beside colour, tell classes apart

const scratch = document.createElement("canvas");

// Draw cells, one colour each, as a smooth picture
function paintCells(context, colourOf, side, pixels) {
  const image = new ImageData(side, side);
  for (let cell = 0; cell < side * side; cell += 1) {
    const [red, green, blue] = colourOf(cell);
    image.data.set([red, green, blue, 255], 4 * cell);
  }
  scratch.width = scratch.height = side;
  scratch.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(scratch, 0, 0, pixels, pixels);
}

// The side of a square that holds so many cells
const sideOf = (cells) => Math.round(Math.sqrt(cells.length));

// Of several scores: the colour of the best, the stronger the clearer it wins
function classOfCell(maps, cell) {
  let best = 0;
  let second = -Infinity;
  for (let k = 0; k < maps.length; k += 1) if (maps[k][cell] > maps[best][cell]) best = k;
  for (let k = 0; k < maps.length; k += 1) if (k !== best) second = Math.max(second, maps[k][cell]);
  if (maps.some((map) => Number.isNaN(map[cell]))) return colours.missing;
  const lead = maps[best][cell] - second;
  return mixed(colours.neutral, classColour(best), 0.1 + 0.45 * Math.min(1, 2 * lead));
}

// The line on which `above` changes its sign, by marching squares
function traceBoundary(context, above, side, pixels) {
  const at = (index) => ((index + 0.5) / side) * pixels;
  context.beginPath();
  for (let row = 0; row + 1 < side; row += 1) {
    for (let column = 0; column + 1 < side; column += 1) {
      const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
      const values = corners.map(([r, c]) => above(r * side + c));
      const crossings = [];
      for (let k = 0; k < 4; k += 1) {
        const [from, to] = [values[k], values[(k + 1) % 4]];
        if (from > 0 === to > 0 || Number.isNaN(from + to)) continue;
        const share = from / (from - to);
        const [[r0, c0], [r1, c1]] = [corners[k], corners[(k + 1) % 4]];
        crossings.push([at(c0 + share * (c1 - c0)), at(r0 + share * (r1 - r0))]);
      }
      for (let k = 0; k + 1 < crossings.length; k += 2) {
        context.moveTo(...crossings[k]);
        context.lineTo(...crossings[k + 1]);
      }
    }
  }
  context.lineWidth = 4;
  context.strokeStyle = css(colours.ink);
  context.stroke();
}

function drawPlane(canvas, run, i, chosen) {
  const context = canvas.getContext("2d");
  canvas.width = canvas.height = PIXELS;
  const last = run.columns.length - 1;
  const only = chosen ?? (run.outputs === 1 ? { column: last, unit: 0 } : null);
  if (only) {
    const cells = run.shades(i, only.column, only.unit);
    paintCells(context, (cell) => signColour(cells[cell]), sideOf(cells), PIXELS);
    const hasSides = cells.some((share) => share < 0); // relu has but one
    if (hasSides) traceBoundary(context, (cell) => cells[cell], sideOf(cells), PIXELS);
  } else {
    const maps = Array.from({ length: run.outputs }, (_, unit) => run.shades(i, last, unit));
    paintCells(context, (cell) => classOfCell(maps, cell), PLANE_SIDE, PIXELS);
    maps.forEach((own, k) => {
      const rest = (cell) => Math.max(...maps.map((map, j) => (j === k ? -Infinity : map[cell])));
      traceBoundary(context, (cell) => own[cell] - rest(cell), PLANE_SIDE, PIXELS);
    });
  }
  drawPoints(context, run, i);
}

function drawPoints(context, run, i) {
  const size = run.points.length > 500 ? 5 : run.points.length > 150 ? 7 : 9;
  const places = run.points.map(([x, y]) => [
    ((x - run.low[0]) / (run.high[0] - run.low[0])) * PIXELS,
    (1 - (y - run.low[1]) / (run.high[1] - run.low[1])) * PIXELS,
  ]);
  const stroke = (colour, width) => {
    context.lineWidth = width;
    context.strokeStyle = css(colour);
    context.stroke();
  };
  places.forEach((place, point) => {
    if (run.isRight(i, point)) return;
    outline(context, "circle", ...place, 1.9 * size);
    stroke(colours.ink, 2.5);
  });
  places.forEach((place, point) => {
    const colour = run.colours[point];
    outline(context, run.classes ? SHAPES[colour % SHAPES.length] : "circle", ...place, size);
    context.fillStyle = css(run.classes ? classColour(colour) : signColour(colour));
    context.fill();
    stroke(run.classes ? colours.neutral : colours.ink, run.classes ? 2 : 1.5);
  });
}

function outline(context, shape, x, y, size) {
  context.beginPath();
  if (shape === "circle") {
    context.arc(x, y, size, 0, 2 * Math.PI);
    return;
  }
  const corners = {
    square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
    triangle: [[0, -1.2], [1.1, 0.9], [-1.1, 0.9]],
    diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  }[shape];
  corners.forEach(([across, down], k) => {
    context[k ? "lineTo" : "moveTo"](x + across * size, y + down * size);
  });
  context.closePath();
}
