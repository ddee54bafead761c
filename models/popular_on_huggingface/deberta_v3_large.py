# labels: test_group::popular_on_huggingface name::deberta_v3_large author::microsoft task::fill_mask family::debertav2 modality::text
"""https://huggingface.co/microsoft/deberta-v3-large

microsoft/deberta-v3-large: DebertaV2ForMaskedLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.DebertaV2Config(
    relative_attention=True,
    position_buckets=256,
    norm_rel_ebd="layer_norm",
    share_att_key=True,
    pos_att_type=["p2c", "c2p"],
    position_biased_input=False,
    hidden_size=1024,
    num_attention_heads=16,
    intermediate_size=4096,
)
if pretrained:
    model = transformers.DebertaV2ForMaskedLM.from_pretrained("microsoft/deberta-v3-large")
else:
    model = transformers.DebertaV2ForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
