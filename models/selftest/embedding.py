# labels: test_group::selftest name::embedding author::turnkey task::test
"""Words as integers become vectors, whose mean is classified. Made for testing."""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])

VOCABULARY = 1000


class EmbeddingTestModel(torch.nn.Module):
    def __init__(self, vocabulary, features, classes):
        super().__init__()
        self.words = torch.nn.Embedding(vocabulary, features)
        self.classifier = torch.nn.Linear(features, classes)

    def forward(self, input_ids, attention_mask):
        mask = attention_mask.unsqueeze(-1).float()
        mean = (self.words(input_ids) * mask).sum(dim=1) / mask.sum(dim=1)
        return self.classifier(mean)


model = EmbeddingTestModel(VOCABULARY, features=32, classes=4)
model.eval()

model(
    input_ids=torch.randint(0, VOCABULARY, (batch_size, max_seq_length)),
    attention_mask=torch.ones(batch_size, max_seq_length, dtype=torch.long),
)
