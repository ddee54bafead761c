# labels: test_group::popular_on_huggingface name::xlnet_base_cased author::xlnet task::text_generation family::xlnet modality::text
"""https://huggingface.co/xlnet/xlnet-base-cased

xlnet/xlnet-base-cased: XLNetLMHeadModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.XLNetConfig(d_model=768, n_layer=12, n_head=12, d_inner=3072)
if pretrained:
    model = transformers.XLNetLMHeadModel.from_pretrained("xlnet/xlnet-base-cased")
else:
    model = transformers.XLNetLMHeadModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
