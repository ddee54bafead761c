# labels: name::two_models test_group::b
"""A script with two PyTorch models of one class and different sizes."""

import torch

torch.manual_seed(0)


class SmallModel(torch.nn.Module):
    """One fully connected layer."""

    def __init__(self, input_size, output_size):
        super().__init__()
        self.fc = torch.nn.Linear(input_size, output_size)

    def forward(self, x):
        return self.fc(x)


pytorch_model = SmallModel(10, 5)
pytorch_outputs = pytorch_model(torch.rand(10))
print(f"pytorch_outputs: {pytorch_outputs}")

another_pytorch_model = SmallModel(50, 10)
more_pytorch_outputs = another_pytorch_model(x=torch.rand(50))
print(f"more_pytorch_outputs: {more_pytorch_outputs}")
