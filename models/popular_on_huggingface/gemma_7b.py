# labels: test_group::popular_on_huggingface name::gemma_7b author::google task::text_generation family::gemma modality::text memory::over_24gb
"""https://huggingface.co/google/gemma-7b

google/gemma-7b: GemmaForCausalLM with its published sizes, and random weights unless asked. Its
weights take 34 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GemmaConfig()
if pretrained:
    model = transformers.GemmaForCausalLM.from_pretrained("google/gemma-7b")
else:
    model = transformers.GemmaForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
