# labels: test_group::popular_on_huggingface name::distilbert_base_cased_distilled_squad author::distilbert task::question_answering family::distilbert modality::text
"""https://huggingface.co/distilbert/distilbert-base-cased-distilled-squad

distilbert/distilbert-base-cased-distilled-squad: DistilBertForQuestionAnswering with its published
sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.DistilBertConfig(vocab_size=28996)
if pretrained:
    model = transformers.DistilBertForQuestionAnswering.from_pretrained(
        "distilbert/distilbert-base-cased-distilled-squad"
    )
else:
    model = transformers.DistilBertForQuestionAnswering(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
