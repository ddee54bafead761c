# labels: test_group::selftest_failing name::not_exportable author::turnkey task::test
"""A model that runs but cannot be exported: its path depends on its data. Made for testing."""

import torch

torch.manual_seed(0)


class DataDependentModel(torch.nn.Module):
    def __init__(self, features):
        super().__init__()
        self.fc = torch.nn.Linear(features, features)

    def forward(self, x):
        y = self.fc(x)
        if y.sum().item() > 0:
            return y * 2
        return y - 1


features = 10
model = DataDependentModel(features)
model.eval()

model(x=torch.rand(features))
