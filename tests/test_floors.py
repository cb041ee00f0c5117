"""The floors of the house: no module imports one from a floor above its own."""

import ast
import sys
from pathlib import Path

import pytest

import autograd_core
import nn

# From bottom to top
FLOORS = [
    "autograd_core.drawing.browser",
    "autograd_core.program.scalars.loops",
    "autograd_core.primitives.special",
    "autograd_core.forks",
    "autograd_core.errors",
    "autograd_core.mistakes",
    "autograd_core.data",
    "autograd_core.watching",
    "autograd_core.messages",
    "autograd_core.callers",
    "autograd_core.graph",
    "autograd_core.scopes",
    "autograd_core.primitives.elementwise",
    "autograd_core.program.scalars.operations",
    "autograd_core.program.scalars.steps",
    "autograd_core.primitives.indexing",
    "autograd_core.primitives.shapes",
    "autograd_core.program.batching.tasks",
    "autograd_core.program.batching.indices",
    "autograd_core.program.program",
    "autograd_core.program.arrays.buffers",
    "autograd_core.program.randomness",
    "autograd_core.program.scalars",
    "autograd_core.program.signature",
    "autograd_core.primitives.reductions",
    "autograd_core.primitives.linear_algebra",
    "autograd_core.primitives.decompositions",
    "autograd_core.primitives.windows",
    "autograd_core.program.scalars.expansion",
    "autograd_core.program.scalars.gathering",
    "autograd_core.primitives.convolution",
    "autograd_core.primitives",
    "autograd_core.functions.activations",
    "autograd_core.functions.places",
    "autograd_core.functions.rearranging",
    "autograd_core.functions.products",
    "autograd_core.program.batching.rules",
    "autograd_core.functions.windows",
    "autograd_core.functions.statistics",
    "autograd_core.functions.decompositions",
    "autograd_core.functions.compositions",
    "autograd_core.functions",
    "autograd_core.numpy_protocol",
    "autograd_core.array_methods",
    "autograd_core.rules",
    "autograd_core.structural_zeros",
    "autograd_core.backprop",
    "autograd_core.searches",
    "autograd_core.value",
    "autograd_core.conditions",
    "autograd_core.structure",
    "autograd_core.trace",
    "autograd_core.derivatives",
    "autograd_core.gradcheck",
    "autograd_core.anomaly",
    "autograd_core.program.contents",
    "autograd_core.program.places",
    "autograd_core.program.surroundings",
    "autograd_core.program.tracing",
    "autograd_core.program.recording",
    "autograd_core.program.batching.trial",
    "autograd_core.program.batching.batch",
    "autograd_core.program.scalars.lowering",
    "autograd_core.program.machine_code",
    "autograd_core.program.scalars.machine",
    "autograd_core.program.scalars.schedule",
    "autograd_core.program.scalars.transfer",
    "autograd_core.program.scalars.levels",
    "autograd_core.program.passes.algebra",
    "autograd_core.program.passes.common",
    "autograd_core.program.passes.dead",
    "autograd_core.program.passes.folding",
    "autograd_core.program.passes.fusion",
    "autograd_core.program.arrays.loops",
    "autograd_core.program.arrays.executor",
    "autograd_core.program.scalars.executor",
    "autograd_core.program.scalars.choice",
    "autograd_core.program.batching",
    "autograd_core.program.passes",
    "autograd_core.program.arrays",
    "autograd_core.program.executors",
    "autograd_core.program.replay",
    "autograd_core.program.compile",
    "autograd_core.explanation.terms",
    "autograd_core.explanation.notation",
    "autograd_core.explanation.latex",
    "autograd_core.explanation.names",
    "autograd_core.explanation.syntax",
    "autograd_core.explanation.formulas",
    "autograd_core.explanation.equations",
    "autograd_core.explanation.tables",
    "autograd_core.explanation.explain",
    "autograd_core.explanation.diagnosis.findings",
    "autograd_core.explanation.diagnosis.thresholds",
    "autograd_core.explanation.diagnosis.layers",
    "autograd_core.explanation.diagnosis.examination",
    "autograd_core.explanation.diagnosis.finiteness",
    "autograd_core.explanation.diagnosis.zeros",
    "autograd_core.explanation.diagnosis.units",
    "autograd_core.explanation.diagnosis.sizes",
    "autograd_core.explanation.diagnosis.updates",
    "autograd_core.explanation.diagnosis.diagnose",
    "autograd_core.explanation.comparison.rounding",
    "autograd_core.explanation.comparison.handwork",
    "autograd_core.explanation.comparison.mistakes",
    "autograd_core.explanation.comparison.detection",
    "autograd_core.explanation.comparison.judgement",
    "autograd_core.explanation.comparison.wording",
    "autograd_core.explanation.comparison.compare",
    "autograd_core.explanation.diagnosis",
    "autograd_core.explanation.comparison",
    "autograd_core.explanation",
    "autograd_core.drawing.rendering",
    "autograd_core.drawing.groups",
    "autograd_core.drawing.layers",
    "autograd_core.drawing.folding",
    "autograd_core.drawing.boxes",
    "autograd_core.drawing.dot",
    "autograd_core.drawing.svg",
    "autograd_core.drawing.arrangement",
    "autograd_core.drawing.recipes",
    "autograd_core.drawing.page",
    "autograd_core.drawing.picture",
    "autograd_core.drawing.network",
    "autograd_core.drawing.programs",
    "autograd_core.drawing.draw",
    "autograd_core.drawing",
    "autograd_core.program",
    "autograd_core",
    "nn.configuration",
    "nn.optional",
    "nn.interchange.onnx.graph",
    "nn.interchange.onnx.operators",
    "nn.interchange.onnx.places",
    "nn.estimators.borrowed",
    "nn.mistakes",
    "nn.settings",
    "nn.randomness",
    "nn.data",
    "nn.files",
    "nn.datasets.generated",
    "nn.datasets.tables",
    "nn.progress",
    "nn.datasets.download",
    "nn.datasets.mnist",
    "nn.datasets",
    "nn.storage",
    "nn.storage.limit",
    "nn.storage.tensors",
    "nn.activations",
    "nn.initializers.base",
    "nn.initializers.constant",
    "nn.initializers.distributions",
    "nn.initializers.variance_scaling",
    "nn.initializers",
    "nn.regularizers",
    "nn.constraints",
    "nn.losses.base",
    "nn.losses.calling",
    "nn.losses.labels",
    "nn.losses.outputs",
    "nn.losses.regression",
    "nn.losses.hinges",
    "nn.losses.crossentropy",
    "nn.losses",
    "nn.plane",
    "nn.metrics.base",
    "nn.metrics.accuracies",
    "nn.metrics.retrieval",
    "nn.metrics.scores",
    "nn.metrics.choosing",
    "nn.metrics",
    "nn.storage.description",
    "nn.state",
    "nn.interchange.onnx.export",
    "nn.summary",
    "nn.drawing",
    "nn.storage.saving",
    "nn.schedules.base",
    "nn.schedules.decays",
    "nn.schedules.rises",
    "nn.schedules",
    "nn.optimizers.arithmetic",
    "nn.optimizers.clipping",
    "nn.optimizers.slots",
    "nn.optimizers.base",
    "nn.optimizers.sgd",
    "nn.optimizers.adaptive",
    "nn.optimizers.adam",
    "nn.optimizers",
    "nn.callbacks.base",
    "nn.callbacks.monitoring",
    "nn.callbacks.recording",
    "nn.callbacks.replay.page",
    "nn.callbacks.replay.columns",
    "nn.callbacks.replay.recorder",
    "nn.callbacks.replay",
    "nn.callbacks",
    "nn.estimators.convergence",
    "nn.classes",
    "nn.epochs",
    "nn.parallel.world",
    "nn.parallel.sharing",
    "nn.parallel.buckets",
    "nn.parallel.together",
    "nn.parallel.ranks",
    "nn.estimators.lbfgs",
    "nn.steps",
    "nn.training",
    "nn.module",
    "nn.learning_rate",
    "nn.layers.base",
    "nn.layers.weighted",
    "nn.layers.dense",
    "nn.layers.activation",
    "nn.layers.shaping",
    "nn.layers.dropout",
    "nn.layers.normalization",
    "nn.layers.radial",
    "nn.layers.spatial",
    "nn.layers.convolution",
    "nn.layers.pooling",
    "nn.layers.augmentation",
    "nn.layers.embedding",
    "nn.layers.masking",
    "nn.layers.recurrent",
    "nn.layers.gated",
    "nn.layers.bidirectional",
    "nn.layers",
    "nn.interchange.filling",
    "nn.scalar",
    "nn.neurons",
    "nn.perceptron",
    "nn.views",
    "nn.networks",
    "nn.interchange.keras_weights",
    "nn.interchange.torch_layers",
    "nn.interchange.torch_modules",
    "nn.interchange.keras_models",
    "nn.interchange.onnx",
    "nn.estimators.network",
    "nn.estimators.objective",
    "nn.estimators.rows",
    "nn.estimators.rule",
    "nn.estimators.base",
    "nn.estimators.multilayer",
    "nn.estimators.targets",
    "nn.estimators.wrapping",
    "nn.estimators.mlp",
    "nn.estimators.perceptron",
    "nn.plots.axes",
    "nn.plots.boundary",
    "nn.plots.curves",
    "nn.plots.images",
    "nn.plots.confusion",
    "nn.plots.descent",
    "nn.plots.gradients",
    "nn.plots",
    "nn.energy.states",
    "nn.energy.hopfield",
    "nn.energy.restricted",
    "nn.energy.boltzmann",
    "nn.energy",
    "nn.storage.loading",
    "nn.interchange",
    "nn.estimators",
    "nn.parallel",
    "nn",
]


def modules(package):
    """Return the syntax tree of each of a package's modules, by dotted name."""
    root = Path(package.__file__).parent
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules(autograd_core) | modules(nn)
PACKAGES = {name for name in MODULES if any(other.startswith(f"{name}.") for other in MODULES)}


def imports(name, tree):
    """Yield (module, imported name or None) for each import in a module, with absolute names."""
    package = name if name in PACKAGES else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            source = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield (inner, None) if inner in MODULES else (source, alias.name)


def all_imports():
    return [
        (name, source, imported)
        for name, tree in MODULES.items()
        for source, imported in imports(name, tree)
    ]


def test_every_module_has_a_floor():
    assert MODULES.keys() ^ set(FLOORS) == set()


def test_nothing_imports_upward():
    floor = {name: i for i, name in enumerate(FLOORS)}
    climbs = [
        f"{name} imports {source}"
        for name, source, _ in all_imports()
        if {name, source} <= floor.keys() and floor[source] >= floor[name]
    ]
    assert climbs == []


def top(tree):
    """Return the statements of a module itself, and those that are for the type checker only."""
    asides = [node for node in tree.body if isinstance(node, ast.If)]
    for_checker = [node for node in asides if ast.unparse(node.test) == "TYPE_CHECKING"]
    return [*tree.body, *(inner for node in for_checker for inner in node.body)]


def test_imports_stand_at_the_top_of_modules():
    nested = [
        f"{name}, line {node.lineno}"
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in top(tree)
    ]
    assert nested == []


def test_nn_imports_public_names_of_autograd_core_only():
    private = [
        f"{name} imports {imported} from {source}"
        for name, source, imported in all_imports()
        if name.split(".")[0] == "nn" and source.split(".")[0] == "autograd_core"
        if source != "autograd_core" or imported not in [None, *autograd_core.__all__]
    ]
    assert private == []


@pytest.mark.parametrize(
    ("package", "needs"), [("autograd_core", {"graphviz"}), ("nn", {"safetensors", "tqdm"})]
)
def test_what_is_installed_along_is_enough(package, needs):
    allowed = {"numpy", "autograd_core", "nn"} | needs | sys.stdlib_module_names
    foreign = [
        f"{name} imports {source}"
        for name, source, _ in all_imports()
        if name.split(".")[0] == package and source.split(".")[0] not in allowed
    ]
    assert foreign == []
