# labels: test_group::selftest name::several_outputs author::turnkey task::test
"""A model that takes two inputs by name and returns a dictionary. Made for testing."""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])


class SeveralOutputsTestModel(torch.nn.Module):
    def __init__(self, features):
        super().__init__()
        self.left = torch.nn.Linear(features, features)
        self.right = torch.nn.Linear(features, features)

    def forward(self, left, right):
        left, right = self.left(left), self.right(right)
        return {"sum": left + right, "difference": left - right}


model = SeveralOutputsTestModel(features=16)
model.eval()

model(left=torch.rand(batch_size, 16), right=torch.rand(batch_size, 16))
