# labels: test_group::popular_on_huggingface name::electra_base_discriminator author::google task::token_classification family::electra modality::text
"""https://huggingface.co/google/electra-base-discriminator

google/electra-base-discriminator: ElectraForPreTraining with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.ElectraConfig(
    embedding_size=768,
    hidden_size=768,
    num_attention_heads=12,
    intermediate_size=3072,
)
if pretrained:
    model = transformers.ElectraForPreTraining.from_pretrained("google/electra-base-discriminator")
else:
    model = transformers.ElectraForPreTraining(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
