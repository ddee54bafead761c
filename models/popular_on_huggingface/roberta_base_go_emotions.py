# labels: test_group::popular_on_huggingface name::roberta_base_go_emotions author::samlowe task::text_classification family::roberta modality::text
"""https://huggingface.co/SamLowe/roberta-base-go_emotions

SamLowe/roberta-base-go_emotions: RobertaForSequenceClassification with its published sizes, and
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
    num_labels=28,
)
if pretrained:
    model = transformers.RobertaForSequenceClassification.from_pretrained(
        "SamLowe/roberta-base-go_emotions"
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
