# labels: test_group::popular_on_huggingface name::qwen2_5_1_5b_instruct author::qwen task::text_generation family::qwen2 modality::text
"""https://huggingface.co/Qwen/Qwen2.5-1.5B-Instruct

Qwen/Qwen2.5-1.5B-Instruct: Qwen2ForCausalLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.Qwen2Config(
    hidden_size=1536,
    num_hidden_layers=28,
    num_attention_heads=12,
    intermediate_size=8960,
    num_key_value_heads=2,
    tie_word_embeddings=True,
)
if pretrained:
    model = transformers.Qwen2ForCausalLM.from_pretrained("Qwen/Qwen2.5-1.5B-Instruct")
else:
    model = transformers.Qwen2ForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
