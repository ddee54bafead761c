# labels: test_group::popular_on_huggingface name::distilbart_mnli_12_1 author::valhalla task::text_classification family::bart modality::text
"""https://huggingface.co/valhalla/distilbart-mnli-12-1

valhalla/distilbart-mnli-12-1: BartForSequenceClassification with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BartConfig(decoder_layers=1, num_labels=3)
if pretrained:
    model = transformers.BartForSequenceClassification.from_pretrained(
        "valhalla/distilbart-mnli-12-1"
    )
else:
    model = transformers.BartForSequenceClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(config.eos_token_id + 1, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}
inputs["input_ids"][:, -1] = config.eos_token_id

model(**inputs)
