# labels: test_group::graph_convolutions name::ginconv author::pytorch_geometric task::node_classification family::ginconv modality::graph
"""https://pytorch-geometric.readthedocs.io/en/latest/generated/torch_geometric.nn.conv.GINConv.html

Two layers of GINConv that classify the nodes of a graph the size of Cora (2708 nodes, 10556 edges),
with random weights and edges.
Written by models/generate.
"""

import torch
from torch_geometric.nn import GINConv
from turnkeyml.parser import parse

torch.manual_seed(0)

in_channels, out_channels = parse(["in_channels", "out_channels"])

# A graph of the size of Cora.
NODES, EDGES = 2708, 10556


class Network(torch.nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.conv1 = GINConv(torch.nn.Linear(features, hidden), train_eps=True)
        self.conv2 = GINConv(torch.nn.Linear(hidden, classes), train_eps=True)

    def forward(self, x, edge_index):
        x = self.conv1(x, edge_index).relu()
        return self.conv2(x, edge_index)


model = Network(in_channels, hidden=16, classes=out_channels)
model.eval()

model(
    x=torch.rand(NODES, in_channels),
    edge_index=torch.randint(0, NODES, (2, EDGES)),
)
