# labels: test_group::popular_on_huggingface name::layoutlm_base_uncased author::microsoft task::token_classification family::layoutlm modality::text
"""https://huggingface.co/microsoft/layoutlm-base-uncased

microsoft/layoutlm-base-uncased: LayoutLMForTokenClassification with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.LayoutLMConfig()
if pretrained:
    model = transformers.LayoutLMForTokenClassification.from_pretrained(
        "microsoft/layoutlm-base-uncased"
    )
else:
    model = transformers.LayoutLMForTokenClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
