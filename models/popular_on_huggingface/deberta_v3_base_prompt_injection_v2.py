# labels: test_group::popular_on_huggingface name::deberta_v3_base_prompt_injection_v2 author::protectai task::text_classification family::debertav2 modality::text
"""https://huggingface.co/protectai/deberta-v3-base-prompt-injection-v2

protectai/deberta-v3-base-prompt-injection-v2: DebertaV2ForSequenceClassification with its published
sizes, and random weights unless asked.
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
    hidden_size=768,
    num_hidden_layers=12,
    num_attention_heads=12,
    intermediate_size=3072,
    num_labels=2,
)
if pretrained:
    model = transformers.DebertaV2ForSequenceClassification.from_pretrained(
        "protectai/deberta-v3-base-prompt-injection-v2"
    )
else:
    model = transformers.DebertaV2ForSequenceClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
