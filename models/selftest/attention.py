# labels: test_group::selftest name::attention author::turnkey task::test
"""A transformer's block: attention, then two layers, each with a shortcut. Made for testing."""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])


class AttentionTestModel(torch.nn.Module):
    def __init__(self, features, heads):
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(features, heads, batch_first=True)
        self.norm1 = torch.nn.LayerNorm(features)
        self.norm2 = torch.nn.LayerNorm(features)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(features, 4 * features),
            torch.nn.GELU(),
            torch.nn.Linear(4 * features, features),
        )

    def forward(self, sequence):
        x = self.norm1(sequence)
        x = sequence + self.attention(x, x, x, need_weights=False)[0]
        return x + self.layers(self.norm2(x))


model = AttentionTestModel(features=64, heads=4)
model.eval()

model(torch.rand(batch_size, max_seq_length, 64))
