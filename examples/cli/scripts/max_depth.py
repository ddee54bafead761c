# labels: name::max_depth test_group::b
"""A script whose model is made of two layers, which --max-depth 1 shows as models of their own."""

import torch

torch.manual_seed(0)


class TwoLayerModel(torch.nn.Module):
    """Two fully connected layers, one after the other."""

    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.fc = torch.nn.Linear(input_size, hidden_size)
        self.fc2 = torch.nn.Linear(hidden_size, output_size)

    def forward(self, x):
        return self.fc2(self.fc(x))


pytorch_model = TwoLayerModel(input_size=10, hidden_size=5, output_size=5)
pytorch_outputs = pytorch_model(x=torch.rand(10))

print(f"pytorch_outputs: {pytorch_outputs}")
