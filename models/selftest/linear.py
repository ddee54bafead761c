# labels: test_group::selftest name::linear author::turnkey task::test
"""The smallest model that does something: one fully connected layer. Made for testing."""

import torch

torch.manual_seed(0)


class LinearTestModel(torch.nn.Module):
    def __init__(self, input_features, output_features):
        super().__init__()
        self.fc = torch.nn.Linear(input_features, output_features)

    def forward(self, x):
        return self.fc(x)


input_features, output_features = 10, 10
model = LinearTestModel(input_features, output_features)
model.eval()

model(x=torch.rand(input_features))
