# labels: test_group::popular_on_huggingface name::mobilebert_uncased author::google task::fill_mask family::mobilebert modality::text
"""https://huggingface.co/google/mobilebert-uncased

google/mobilebert-uncased: MobileBertForMaskedLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.MobileBertConfig()
if pretrained:
    model = transformers.MobileBertForMaskedLM.from_pretrained("google/mobilebert-uncased")
else:
    model = transformers.MobileBertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
