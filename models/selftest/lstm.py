# labels: test_group::selftest name::lstm author::turnkey task::test
"""A recurrent network of two layers that classifies a sequence. Made for testing."""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])


class LstmTestModel(torch.nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.lstm = torch.nn.LSTM(features, hidden, num_layers=2, batch_first=True)
        self.classifier = torch.nn.Linear(hidden, classes)

    def forward(self, sequence):
        states, _ = self.lstm(sequence)
        return self.classifier(states[:, -1])


model = LstmTestModel(features=32, hidden=64, classes=10)
model.eval()

model(torch.rand(batch_size, max_seq_length, 32))
