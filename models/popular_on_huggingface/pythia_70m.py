# labels: test_group::popular_on_huggingface name::pythia_70m author::eleutherai task::text_generation family::gptneox modality::text
"""https://huggingface.co/EleutherAI/pythia-70m

EleutherAI/pythia-70m: GPTNeoXForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GPTNeoXConfig(
    vocab_size=50304,
    hidden_size=512,
    num_hidden_layers=6,
    num_attention_heads=8,
    intermediate_size=2048,
)
if pretrained:
    model = transformers.GPTNeoXForCausalLM.from_pretrained("EleutherAI/pythia-70m")
else:
    model = transformers.GPTNeoXForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
