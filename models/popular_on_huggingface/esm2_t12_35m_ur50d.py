# labels: test_group::popular_on_huggingface name::esm2_t12_35m_ur50d author::facebook task::protein_fill_mask family::esm modality::text
"""https://huggingface.co/facebook/esm2_t12_35M_UR50D

facebook/esm2_t12_35M_UR50D: EsmForMaskedLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.EsmConfig(
    vocab_size=33,
    hidden_size=480,
    num_attention_heads=20,
    intermediate_size=1920,
    position_embedding_type="rotary",
    token_dropout=True,
    emb_layer_norm_before=False,
    pad_token_id=1,
    mask_token_id=32,
)
if pretrained:
    model = transformers.EsmForMaskedLM.from_pretrained("facebook/esm2_t12_35M_UR50D")
else:
    model = transformers.EsmForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
