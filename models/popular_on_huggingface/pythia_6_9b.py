# labels: test_group::popular_on_huggingface name::pythia_6_9b author::eleutherai task::text_generation family::gptneox modality::text memory::over_24gb
"""https://huggingface.co/EleutherAI/pythia-6.9b

EleutherAI/pythia-6.9b: GPTNeoXForCausalLM with its published sizes, and random weights unless
asked. Its weights take 27 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GPTNeoXConfig(
    hidden_size=4096,
    num_hidden_layers=32,
    num_attention_heads=32,
    intermediate_size=16384,
)
if pretrained:
    model = transformers.GPTNeoXForCausalLM.from_pretrained("EleutherAI/pythia-6.9b")
else:
    model = transformers.GPTNeoXForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
