# labels: test_group::popular_on_huggingface name::smollm_135m author::huggingfacetb task::text_generation family::llama modality::text
"""https://huggingface.co/HuggingFaceTB/SmolLM-135M

HuggingFaceTB/SmolLM-135M: LlamaForCausalLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.LlamaConfig(
    vocab_size=49152,
    hidden_size=576,
    num_hidden_layers=30,
    num_attention_heads=9,
    intermediate_size=1536,
    num_key_value_heads=3,
    tie_word_embeddings=True,
)
if pretrained:
    model = transformers.LlamaForCausalLM.from_pretrained("HuggingFaceTB/SmolLM-135M")
else:
    model = transformers.LlamaForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
