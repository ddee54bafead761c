# labels: test_group::selftest name::recurrent author::turnkey task::test
"""A gated recurrent network that reads a sequence in both directions. Made for testing."""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])


class RecurrentTestModel(torch.nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.gru = torch.nn.GRU(features, hidden, batch_first=True, bidirectional=True)
        self.tagger = torch.nn.Linear(2 * hidden, classes)

    def forward(self, sequence):
        return self.tagger(self.gru(sequence)[0])


model = RecurrentTestModel(features=32, hidden=64, classes=5)
model.eval()

model(torch.rand(batch_size, max_seq_length, 32))
