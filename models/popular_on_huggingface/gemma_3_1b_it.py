# labels: test_group::popular_on_huggingface name::gemma_3_1b_it author::google task::text_generation family::gemma3text modality::text
"""https://huggingface.co/google/gemma-3-1b-it

google/gemma-3-1b-it: Gemma3ForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.Gemma3TextConfig(
    vocab_size=262144,
    hidden_size=1152,
    num_attention_heads=4,
    intermediate_size=6912,
    num_key_value_heads=1,
)
if pretrained:
    model = transformers.Gemma3ForCausalLM.from_pretrained("google/gemma-3-1b-it")
else:
    model = transformers.Gemma3ForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
