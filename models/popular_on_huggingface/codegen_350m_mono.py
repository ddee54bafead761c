# labels: test_group::popular_on_huggingface name::codegen_350m_mono author::salesforce task::text_generation family::codegen modality::text
"""https://huggingface.co/Salesforce/codegen-350M-mono

Salesforce/codegen-350M-mono: CodeGenForCausalLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.CodeGenConfig(vocab_size=51200, n_embd=1024, n_layer=20, rotary_dim=32)
if pretrained:
    model = transformers.CodeGenForCausalLM.from_pretrained("Salesforce/codegen-350M-mono")
else:
    model = transformers.CodeGenForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
