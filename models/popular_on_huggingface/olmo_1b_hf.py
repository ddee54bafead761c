# labels: test_group::popular_on_huggingface name::olmo_1b_hf author::allenai task::text_generation family::olmo modality::text
"""https://huggingface.co/allenai/OLMo-1B-hf

allenai/OLMo-1B-hf: OlmoForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.OlmoConfig(
    hidden_size=2048,
    num_hidden_layers=16,
    num_attention_heads=16,
    intermediate_size=8192,
    num_key_value_heads=16,
    tie_word_embeddings=True,
)
if pretrained:
    model = transformers.OlmoForCausalLM.from_pretrained("allenai/OLMo-1B-hf")
else:
    model = transformers.OlmoForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
