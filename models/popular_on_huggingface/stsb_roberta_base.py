# labels: test_group::popular_on_huggingface name::stsb_roberta_base author::cross-encoder task::text_classification family::roberta modality::text
"""https://huggingface.co/cross-encoder/stsb-roberta-base

cross-encoder/stsb-roberta-base: RobertaForSequenceClassification with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.RobertaConfig(
    max_position_embeddings=514,
    type_vocab_size=1,
    layer_norm_eps=1e-05,
    num_labels=1,
)
if pretrained:
    model = transformers.RobertaForSequenceClassification.from_pretrained(
        "cross-encoder/stsb-roberta-base"
    )
else:
    model = transformers.RobertaForSequenceClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
