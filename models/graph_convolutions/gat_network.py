# labels: test_group::graph_convolutions name::gat_network author::pytorch_geometric task::node_classification family::gat modality::graph
"""https://pytorch-geometric.readthedocs.io/en/latest/generated/torch_geometric.nn.models.GAT.html

GAT: the library's network of many layers, over a graph the size of Cora (2708 nodes, 10556 edges),
with random weights and edges.
Written by models/generate.
"""

import torch
from torch_geometric.nn import GAT
from turnkeyml.parser import parse

torch.manual_seed(0)

in_channels, out_channels, num_layers = parse(["in_channels", "out_channels", "num_layers"])

# A graph of the size of Cora.
NODES, EDGES = 2708, 10556

model = GAT(
    in_channels=in_channels,
    hidden_channels=64,
    out_channels=out_channels,
    heads=4,
    num_layers=num_layers,
)
model.eval()

model(torch.rand(NODES, in_channels), torch.randint(0, NODES, (2, EDGES)))
