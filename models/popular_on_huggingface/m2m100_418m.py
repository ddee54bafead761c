# labels: test_group::popular_on_huggingface name::m2m100_418m author::facebook task::translation family::m2m100 modality::text
"""https://huggingface.co/facebook/m2m100_418M

facebook/m2m100_418M: M2M100ForConditionalGeneration with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.M2M100Config()
if pretrained:
    model = transformers.M2M100ForConditionalGeneration.from_pretrained("facebook/m2m100_418M")
else:
    model = transformers.M2M100ForConditionalGeneration(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)
