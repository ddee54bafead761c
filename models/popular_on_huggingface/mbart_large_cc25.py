# labels: test_group::popular_on_huggingface name::mbart_large_cc25 author::facebook task::translation family::mbart modality::text
"""https://huggingface.co/facebook/mbart-large-cc25

facebook/mbart-large-cc25: MBartForConditionalGeneration with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.MBartConfig(vocab_size=250027, scale_embedding=True)
if pretrained:
    model = transformers.MBartForConditionalGeneration.from_pretrained("facebook/mbart-large-cc25")
else:
    model = transformers.MBartForConditionalGeneration(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)
