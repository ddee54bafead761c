# labels: test_group::popular_on_huggingface name::opt_125m author::facebook task::text_generation family::opt modality::text
"""https://huggingface.co/facebook/opt-125m

facebook/opt-125m: OPTForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.OPTConfig()
if pretrained:
    model = transformers.OPTForCausalLM.from_pretrained("facebook/opt-125m")
else:
    model = transformers.OPTForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
