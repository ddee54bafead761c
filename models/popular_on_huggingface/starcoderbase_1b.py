# labels: test_group::popular_on_huggingface name::starcoderbase_1b author::bigcode task::text_generation family::gptbigcode modality::text
"""https://huggingface.co/bigcode/starcoderbase-1b

bigcode/starcoderbase-1b: GPTBigCodeForCausalLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GPTBigCodeConfig(
    vocab_size=49152,
    n_embd=2048,
    n_layer=24,
    n_head=16,
    n_inner=8192,
    n_positions=8192,
)
if pretrained:
    model = transformers.GPTBigCodeForCausalLM.from_pretrained("bigcode/starcoderbase-1b")
else:
    model = transformers.GPTBigCodeForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
