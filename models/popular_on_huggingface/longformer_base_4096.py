# labels: test_group::popular_on_huggingface name::longformer_base_4096 author::allenai task::fill_mask family::longformer modality::text
"""https://huggingface.co/allenai/longformer-base-4096

allenai/longformer-base-4096: LongformerForMaskedLM with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.LongformerConfig(
    vocab_size=50265,
    max_position_embeddings=4098,
    type_vocab_size=1,
)
if pretrained:
    model = transformers.LongformerForMaskedLM.from_pretrained("allenai/longformer-base-4096")
else:
    model = transformers.LongformerForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
