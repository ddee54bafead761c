# labels: test_group::graph_convolutions name::dirgnnconv author::pytorch_geometric task::node_classification family::dirgnnconv modality::graph
"""https://pytorch-geometric.readthedocs.io/en/latest/generated/torch_geometric.nn.conv.DirGNNConv.html

Two layers of DirGNNConv that classify the nodes of a graph the size of Cora (2708 nodes, 10556
edges), with random weights and edges.
Written by models/generate.
"""

import torch
from torch_geometric.nn import DirGNNConv, GCNConv
from turnkeyml.parser import parse

torch.manual_seed(0)

in_channels, out_channels = parse(["in_channels", "out_channels"])

# A graph of the size of Cora.
NODES, EDGES = 2708, 10556


class Network(torch.nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.conv1 = DirGNNConv(GCNConv(features, hidden))
        self.conv2 = DirGNNConv(GCNConv(hidden, classes))

    def forward(self, x, edge_index):
        x = self.conv1(x, edge_index).relu()
        return self.conv2(x, edge_index)


model = Network(in_channels, hidden=16, classes=out_channels)
model.eval()

model(
    x=torch.rand(NODES, in_channels),
    edge_index=torch.randint(0, NODES, (2, EDGES)),
)
