# labels: test_group::popular_on_huggingface name::sentiment_roberta_large_english author::siebert task::text_classification family::roberta modality::text
"""https://huggingface.co/siebert/sentiment-roberta-large-english

siebert/sentiment-roberta-large-english: RobertaForSequenceClassification with its published sizes,
and random weights unless asked.
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
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    num_labels=2,
)
if pretrained:
    model = transformers.RobertaForSequenceClassification.from_pretrained(
        "siebert/sentiment-roberta-large-english"
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
