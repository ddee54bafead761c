# labels: test_group::popular_on_huggingface name::squeezebert_uncased author::squeezebert task::fill_mask family::squeezebert modality::text
"""https://huggingface.co/squeezebert/squeezebert-uncased

squeezebert/squeezebert-uncased: SqueezeBertForMaskedLM with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.SqueezeBertConfig()
if pretrained:
    model = transformers.SqueezeBertForMaskedLM.from_pretrained("squeezebert/squeezebert-uncased")
else:
    model = transformers.SqueezeBertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
