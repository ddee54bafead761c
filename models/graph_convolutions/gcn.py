# labels: test_group::graph_convolutions name::gcn author::pytorch_geometric task::node_classification
"""https://pytorch-geometric.readthedocs.io/en/latest/generated/torch_geometric.nn.conv.GCNConv.html

Two graph convolutions that classify the nodes of a graph the size of Cora (2708 nodes, 10556
edges), with random weights and edges.
"""

import argparse

import torch
from torch_geometric.nn import GCNConv
from turnkeyml.parser import parse

torch.manual_seed(0)

in_channels, out_channels = parse(["in_channels", "out_channels"])
sizes = argparse.ArgumentParser(add_help=False)
sizes.add_argument("--num_nodes", type=int, default=2708)
sizes.add_argument("--num_edges", type=int, default=10556)
size = sizes.parse_known_args()[0]


class Gcn(torch.nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.conv1 = GCNConv(features, hidden)
        self.conv2 = GCNConv(hidden, classes)

    def forward(self, x, edge_index):
        x = self.conv1(x, edge_index).relu()
        return self.conv2(x, edge_index).log_softmax(dim=1)


model = Gcn(in_channels, hidden=16, classes=out_channels)
model.eval()

model(
    torch.rand(size.num_nodes, in_channels),
    torch.randint(0, size.num_nodes, (2, size.num_edges)),
)
