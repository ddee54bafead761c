# labels: test_group::selftest name::twolayer author::turnkey task::test
"""Two fully connected layers with an activation between them. Made for testing."""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])


class TwoLayerTestModel(torch.nn.Module):
    def __init__(self, input_features, hidden_features, output_features):
        super().__init__()
        self.fc1 = torch.nn.Linear(input_features, hidden_features)
        self.relu = torch.nn.ReLU()
        self.fc2 = torch.nn.Linear(hidden_features, output_features)

    def forward(self, x):
        return self.fc2(self.relu(self.fc1(x)))


model = TwoLayerTestModel(input_features=10, hidden_features=20, output_features=5)
model.eval()

model(x=torch.rand(batch_size, 10))
