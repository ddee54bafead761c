# labels: test_group::popular_on_huggingface name::canine_s author::google task::feature_extraction family::canine modality::text
"""https://huggingface.co/google/canine-s

google/canine-s: CanineModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.CanineConfig()
if pretrained:
    model = transformers.CanineModel.from_pretrained("google/canine-s")
else:
    model = transformers.CanineModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(32, 127, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
