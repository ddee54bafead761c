# labels: test_group::popular_on_huggingface name::electra_large_discriminator author::google task::token_classification family::electra modality::text
"""https://huggingface.co/google/electra-large-discriminator

google/electra-large-discriminator: ElectraForPreTraining with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.ElectraConfig(
    embedding_size=1024,
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
)
if pretrained:
    model = transformers.ElectraForPreTraining.from_pretrained("google/electra-large-discriminator")
else:
    model = transformers.ElectraForPreTraining(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
