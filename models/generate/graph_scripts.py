"""The corpus ``graph_convolutions``: two layers of each convolution, and whole networks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from script import Script

DOCS = "https://pytorch-geometric.readthedocs.io/en/latest/generated/torch_geometric.nn.{}.html"
BOTH = ("in_channels", "out_channels")


@dataclass(frozen=True)
class Edge:
    """What a convolution is told of each edge: the argument, and how it is made."""

    name: str
    value: str


@dataclass(frozen=True)
class Layer:
    """How a convolution is made and called.

    Attributes:
        make: The constructor's arguments; ``INPUT`` and ``OUTPUT`` stand for the channels.
        edge: What it takes for each edge.
        parameters: Standard parameters besides the channels.
        same: It gives as many channels as it takes, so linear layers stand around it.
        first: It takes the features of the first layer too.
        needs: What else is imported from ``torch_geometric.nn``.
    """

    make: str = "INPUT, OUTPUT"
    edge: Edge | None = None
    parameters: tuple[str, ...] = ()
    same: bool = False
    first: bool = False
    needs: tuple[str, ...] = ()


WEIGHT = Edge("edge_weight", "torch.rand(EDGES)")
TYPE = Edge("edge_type", "torch.randint(0, 4, (EDGES,))")


def _features(count: int) -> Edge:
    return Edge("edge_attr", f"torch.rand(EDGES, {count})")


LAYERS = {
    "AGNNConv": Layer("", same=True),
    "APPNP": Layer("K=k, alpha=alpha", WEIGHT, ("k", "alpha"), same=True),
    "ARMAConv": Layer("INPUT, OUTPUT, num_stacks=2, num_layers=2", WEIGHT),
    "AntiSymmetricConv": Layer("INPUT", same=True),
    "CGConv": Layer("INPUT, dim=4", _features(4), same=True),
    "ChebConv": Layer("INPUT, OUTPUT, K=k", WEIGHT, ("k",)),
    "ClusterGCNConv": Layer(),
    "DirGNNConv": Layer("GCNConv(INPUT, OUTPUT)", needs=("GCNConv",)),
    "EGConv": Layer("INPUT, OUTPUT, num_heads=4"),
    "EdgeConv": Layer("torch.nn.Linear(2 * INPUT, OUTPUT)"),
    "FAConv": Layer("INPUT", same=True, first=True),
    "FastRGCNConv": Layer("INPUT, OUTPUT, num_relations=4", TYPE),
    "FeaStConv": Layer("INPUT, OUTPUT, heads=4"),
    "FiLMConv": Layer("INPUT, OUTPUT, num_relations=4", TYPE),
    "GATConv": Layer("INPUT, OUTPUT, heads=4, concat=False, edge_dim=4", _features(4)),
    "GATv2Conv": Layer("INPUT, OUTPUT, heads=4, concat=False, edge_dim=4", _features(4)),
    "GCN2Conv": Layer("INPUT, alpha=alpha", WEIGHT, ("alpha",), same=True, first=True),
    "GENConv": Layer(),
    "GINConv": Layer("torch.nn.Linear(INPUT, OUTPUT), train_eps=True"),
    "GINEConv": Layer("torch.nn.Linear(INPUT, OUTPUT), edge_dim=4", _features(4)),
    "GMMConv": Layer("INPUT, OUTPUT, dim=2, kernel_size=3", _features(2)),
    "GPSConv": Layer("INPUT, GCNConv(INPUT, INPUT), heads=4", same=True, needs=("GCNConv",)),
    "GatedGraphConv": Layer("INPUT, num_layers=num_layers", WEIGHT, ("num_layers",), same=True),
    "GeneralConv": Layer("INPUT, OUTPUT, in_edge_channels=4", _features(4)),
    "GraphConv": Layer("INPUT, OUTPUT", WEIGHT),
    "HypergraphConv": Layer(),
    "LEConv": Layer("INPUT, OUTPUT", WEIGHT),
    "LGConv": Layer("", WEIGHT, same=True),
    "MFConv": Layer(),
    "MixHopConv": Layer("INPUT, OUTPUT, powers=[1]", WEIGHT),
    "NNConv": Layer("INPUT, OUTPUT, torch.nn.Linear(2, INPUT * OUTPUT)", _features(2), same=True),
    "PDNConv": Layer("INPUT, OUTPUT, edge_dim=4, hidden_channels=16", _features(4)),
    "RGATConv": Layer("INPUT, OUTPUT, num_relations=4", TYPE),
    "RGCNConv": Layer("INPUT, OUTPUT, num_relations=4", TYPE),
    "ResGatedGraphConv": Layer(),
    "SAGEConv": Layer(),
    "SGConv": Layer("INPUT, OUTPUT, K=k", WEIGHT, ("k",)),
    "SSGConv": Layer("INPUT, OUTPUT, alpha=0.1, K=k", WEIGHT, ("k",)),
    "SimpleConv": Layer("aggr='mean'", WEIGHT, same=True),
    "SuperGATConv": Layer("INPUT, OUTPUT, heads=4, concat=False"),
    "TAGConv": Layer("INPUT, OUTPUT, K=k", WEIGHT, ("k",)),
    "TransformerConv": Layer("INPUT, OUTPUT, heads=4, concat=False, edge_dim=4", _features(4)),
    "WLConvContinuous": Layer("", WEIGHT, same=True),
}
"""Convolutions of torch_geometric by class; GCNConv has a script written by hand."""

NETWORKS = {
    "GCN": "",
    "GraphSAGE": "",
    "GAT": "heads=4,",
    "GIN": "",
    "EdgeCNN": "",
    "GraphUNet": "",
}
"""Networks of torch_geometric by class, with what their constructors take besides the sizes."""

GRAPH = "# A graph of the size of Cora.\nNODES, EDGES = 2708, 10556\n"


def _network(name: str, layer: Layer) -> str:
    """Give the definition of a network of two layers."""
    edge = "" if layer.edge is None else f", {layer.edge.name}"
    # FAConv and GCN2Conv take what the first layer got, before the edges.
    call = "x, first, edge_index" if layer.first else "x, edge_index"

    def make(source: str, target: str) -> str:
        return f"{name}({layer.make.replace('INPUT', source).replace('OUTPUT', target)})"

    if layer.same:
        parts = [
            "self.encoder = torch.nn.Linear(features, hidden)",
            f"self.conv1 = {make('hidden', 'hidden')}",
            f"self.conv2 = {make('hidden', 'hidden')}",
            "self.decoder = torch.nn.Linear(hidden, classes)",
        ]
        steps = ["x = self.encoder(x).relu()", *(["first = x"] if layer.first else [])]
        steps += [
            f"x = self.conv1({call}{edge}).relu()",
            f"x = self.conv2({call}{edge}).relu()",
            "return self.decoder(x)",
        ]
    else:
        parts = [
            f"self.conv1 = {make('features', 'hidden')}",
            f"self.conv2 = {make('hidden', 'classes')}",
        ]
        steps = [
            f"x = self.conv1({call}{edge}).relu()",
            f"return self.conv2({call}{edge})",
        ]
    lines = [
        "class Network(torch.nn.Module):",
        "    def __init__(self, features, hidden, classes):",
        "        super().__init__()",
        textwrap.indent("\n".join(parts), " " * 8),
        "",
        f"    def forward(self, x, edge_index{edge}):",
        textwrap.indent("\n".join(steps), " " * 8),
    ]
    return "\n".join(lines).replace("'", '"')


def _labels(task: str, family: str) -> dict[str, str]:
    return {
        "author": "pytorch_geometric",
        "task": task,
        "family": family.lower(),
        "modality": "graph",
    }


def _convolutions() -> Iterator[Script]:
    for name, layer in LAYERS.items():
        edge = "" if layer.edge is None else f"    {layer.edge.name}={layer.edge.value},\n"
        made = ", ".join(sorted({name, *layer.needs}))
        yield Script(
            corpus="graph_convolutions",
            name=name.lower(),
            labels=_labels("node_classification", name),
            source=DOCS.format(f"conv.{name}"),
            about=(
                f"Two layers of {name} that classify the nodes of a graph the size of Cora (2708 "
                "nodes, 10556 edges), with random weights and edges."
            ),
            imports=(f"from torch_geometric.nn import {made}",),
            parameters=(*BOTH, *layer.parameters),
            body=(
                f"{GRAPH}\n\n{_network(name, layer)}\n\n\n"
                "model = Network(in_channels, hidden=16, classes=out_channels)\nmodel.eval()\n\n"
                "model(\n    x=torch.rand(NODES, in_channels),\n"
                f"    edge_index=torch.randint(0, NODES, (2, EDGES)),\n{edge})"
            ),
        )


def _networks() -> Iterator[Script]:
    for name, arguments in NETWORKS.items():
        layers = "depth=3" if name == "GraphUNet" else "num_layers=num_layers"
        rest = f"    {arguments}\n" if arguments else ""
        yield Script(
            corpus="graph_convolutions",
            name=f"{name.lower()}_network",
            labels=_labels("node_classification", name),
            source=DOCS.format(f"models.{name}"),
            about=(
                f"{name}: the library's network of many layers, over a graph the size of Cora "
                "(2708 nodes, 10556 edges), with random weights and edges."
            ),
            imports=(f"from torch_geometric.nn import {name}",),
            parameters=BOTH if name == "GraphUNet" else (*BOTH, "num_layers"),
            body=(
                f"{GRAPH}\nmodel = {name}(\n    in_channels=in_channels,\n    hidden_channels=64,\n"
                f"    out_channels=out_channels,\n{rest}    {layers},\n)\nmodel.eval()\n\n"
                "model(torch.rand(NODES, in_channels), torch.randint(0, NODES, (2, EDGES)))"
            ),
        )


def make_scripts() -> Iterator[Script]:
    """Make the scripts of the corpus."""
    yield from _convolutions()
    yield from _networks()
