# labels: test_group::popular_on_huggingface name::pythia_12b author::eleutherai task::text_generation family::gptneox modality::text memory::over_24gb
"""https://huggingface.co/EleutherAI/pythia-12b

EleutherAI/pythia-12b: GPTNeoXForCausalLM with its published sizes, and random weights unless asked.
Its weights take 47 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GPTNeoXConfig(
    vocab_size=50688,
    hidden_size=5120,
    num_hidden_layers=36,
    num_attention_heads=40,
    intermediate_size=20480,
)
if pretrained:
    model = transformers.GPTNeoXForCausalLM.from_pretrained("EleutherAI/pythia-12b")
else:
    model = transformers.GPTNeoXForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
