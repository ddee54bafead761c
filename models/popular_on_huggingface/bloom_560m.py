# labels: test_group::popular_on_huggingface name::bloom_560m author::bigscience task::text_generation family::bloom modality::text
"""https://huggingface.co/bigscience/bloom-560m

bigscience/bloom-560m: BloomForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BloomConfig(hidden_size=1024, n_layer=24, n_head=16)
if pretrained:
    model = transformers.BloomForCausalLM.from_pretrained("bigscience/bloom-560m")
else:
    model = transformers.BloomForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
