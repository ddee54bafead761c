# labels: test_group::graph_convolutions name::tagconv author::pytorch_geometric task::node_classification family::tagconv modality::graph
"""https://pytorch-geometric.readthedocs.io/en/latest/generated/torch_geometric.nn.conv.TAGConv.html

Two layers of TAGConv that classify the nodes of a graph the size of Cora (2708 nodes, 10556 edges),
with random weights and edges.
Written by models/generate.
"""

import torch
from torch_geometric.nn import TAGConv
from turnkeyml.parser import parse

torch.manual_seed(0)

in_channels, out_channels, k = parse(["in_channels", "out_channels", "k"])

# A graph of the size of Cora.
NODES, EDGES = 2708, 10556


class Network(torch.nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.conv1 = TAGConv(features, hidden, K=k)
        self.conv2 = TAGConv(hidden, classes, K=k)

    def forward(self, x, edge_index, edge_weight):
        x = self.conv1(x, edge_index, edge_weight).relu()
        return self.conv2(x, edge_index, edge_weight)


model = Network(in_channels, hidden=16, classes=out_channels)
model.eval()

model(
    x=torch.rand(NODES, in_channels),
    edge_index=torch.randint(0, NODES, (2, EDGES)),
    edge_weight=torch.rand(EDGES),
)
