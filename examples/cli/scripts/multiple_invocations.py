# labels: name::multiple_invocations test_group::a
"""A script that calls one model three times, with two different input shapes."""

import torch

torch.manual_seed(0)


class SmallModel(torch.nn.Module):
    """One fully connected layer."""

    def __init__(self, input_size, output_size):
        super().__init__()
        self.fc = torch.nn.Linear(input_size, output_size)

    def forward(self, x):
        return self.fc(x)


input_features = 12
pytorch_model = SmallModel(input_features, 5)

for batch_size in (1, 2, 1):
    pytorch_model(x=torch.rand(batch_size, input_features))
